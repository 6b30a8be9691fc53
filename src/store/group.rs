//! Decides which batches become one transaction.

use std::collections::VecDeque;

use super::queue::{Job, Work};
use super::row::MAX_ROWS;

/// The most bytes of records in one transaction, unless a single batch has more.
const MAX_BYTES: usize = 4 << 20;

/// The rows that one transaction takes of each of the first jobs.
pub(super) fn group(jobs: &VecDeque<Job>) -> Vec<usize> {
    let (mut room, mut bytes) = (MAX_ROWS, 0);
    let mut group = Vec::new();
    for job in jobs {
        let Work::Change(batch, done) = &job.work else { break };
        let left = batch.rows() - done;
        bytes += batch.bytes();
        // A batch with records stays whole, and has at most `MAX_ROWS` rows.
        let is_too_large = if batch.records.is_empty() { room == 0 } else { left > room };
        if !group.is_empty() && (is_too_large || bytes > MAX_BYTES) {
            break;
        }
        let rows = left.min(room);
        room -= rows;
        group.push(rows);
        if rows < left {
            break;
        }
    }
    group
}
