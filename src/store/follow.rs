//! Reads the rows that were added since the last look.

use super::engine::{Engine, reading};
use super::fault::corrupt;
use super::follower::Follower;
use super::head::Head;
use super::keys::Keys;
use super::record::SealedRecord;
use super::replay::compare;
use super::row::{Entry, Position};
use crate::error::Result;

/// Visits at most `limit` of the entries that are new to the follower. Returns whether it has seen
/// all of them. Fails with `ERR_STORE_CORRUPT` if an entry vanished or was changed; the entries
/// visited before that are genuine or additions, so that acting on them is safe.
pub(super) fn entries_after(
    engine: &mut dyn Engine,
    keys: &Keys,
    follower: &mut Follower,
    limit: usize,
    visit: &mut dyn FnMut(Position, &Entry),
) -> Result<bool> {
    reading(engine, |engine| {
        let head = Head::read(engine, keys)?;
        let end = Position::end_of(head.sequence);
        if end < follower.position {
            return Err(corrupt("its log is shorter than before"));
        }
        let mut next = follower.clone();
        let mut count = 0;
        engine.entries(follower.position, limit, &mut |position, entry| {
            if position > end {
                return Err(corrupt("an entry is behind the end of its log"));
            }
            count += 1;
            next.position = position;
            next.appended = next.appended.wrapping_add(keys.entry(position, entry));
            visit(position, entry);
            Ok(())
        })?;
        let is_complete = count < limit;
        if is_complete {
            // Entries that were added and deleted since the last look are missing here, too. Then
            // the sum of all rows decides.
            if next.appended != head.appended {
                compare(engine, keys, &head)?;
            }
            next = Follower::at(&head);
        } else {
            next.complete = next.position.sequence().saturating_sub(1).max(follower.complete);
        }
        *follower = next;
        Ok(is_complete)
    })
}

/// Visits at most `limit` of the records that changed behind a position, in the order of their last
/// changes. Returns the position from which to go on, and whether there are no more. Records that
/// were deleted are not reported.
pub(super) fn records_after(
    engine: &mut dyn Engine,
    keys: &Keys,
    after: Position,
    limit: usize,
    visit: &mut dyn FnMut(&SealedRecord<'_>) -> Result<()>,
) -> Result<(Position, bool)> {
    reading(engine, |engine| {
        let head = Head::read(engine, keys)?;
        let (mut last, mut count) = (after, 0);
        engine.records(after, limit, &mut |name, position, sealed| {
            count += 1;
            last = position;
            visit(&SealedRecord { name, position, sealed, keys })
        })?;
        if count < limit {
            Ok((Position::end_of(head.sequence).max(after), true))
        } else {
            Ok((last, false))
        }
    })
}
