//! The changes between two versions of a ring.

use std::collections::HashMap;

use super::entry::RingEntry;
use super::state::KeyChange;

/// The changes that lead from some keys to later ones, of which this process may have missed some:
/// then a change is the sum of those that were missed. `now` is the time at which a key counts as
/// forgotten.
pub(super) fn changes_between(
    before: &[RingEntry],
    after: &[RingEntry],
    now: u64,
) -> Vec<KeyChange> {
    let by_id = |entries: &'_ [RingEntry]| -> HashMap<String, usize> {
        entries.iter().enumerate().map(|(at, entry)| (entry.info.kid.clone(), at)).collect()
    };
    let (old, new) = (by_id(before), by_id(after));
    let left = before.iter().filter_map(|entry| {
        let from = Some(entry.info.state);
        match new.get(&entry.info.kid).and_then(|at| after.get(*at)) {
            None => Some(KeyChange::of(&entry.info, from, None, now)),
            Some(later) if later.info.state == entry.info.state => None,
            Some(later) => {
                let to = Some(later.info.state);
                Some(KeyChange::of(&later.info, from, to, later.info.since))
            }
        }
    });
    let added = after
        .iter()
        .filter(|entry| !old.contains_key(&entry.info.kid))
        .map(|entry| KeyChange::of(&entry.info, None, Some(entry.info.state), entry.info.since));
    left.chain(added).collect()
}
