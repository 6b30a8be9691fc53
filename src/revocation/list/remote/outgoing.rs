//! The rows that the server does not have yet, as far as is known.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;

use crate::error::{Error, Result};
use crate::revocation::fingerprint::Fingerprint;
use crate::revocation::list::state::{Entry, Kind};
use crate::store::Told;

/// The name of an entry: its kind and its fingerprint.
type Name = (u8, u64, u64);

/// A row that waits, and its caller.
pub(in super::super) struct Waiting {
    pub(in super::super) entry: Entry,
    pub(in super::super) caller: Option<Caller>,
}

/// The functions that get the result of a revocation.
pub(in super::super) struct Caller {
    pub(in super::super) done: Box<dyn FnOnce(Result<()>) + Send>,
    pub(in super::super) told: Told,
}

#[derive(Default)]
pub(in super::super) struct Outgoing {
    waiting: VecDeque<Waiting>,
    /// Rows that are on their way, by the number of their batch.
    sent: HashMap<u32, Vec<Waiting>>,
    last_batch: u32,
    /// The names of entries that the server may lack, although nobody waits for them.
    unconfirmed: HashSet<Name>,
    is_closed: bool,
}

impl Waiting {
    pub(in super::super) fn fail(self, error: &Error) {
        if let Some(Caller { done, told }) = self.caller {
            done(Err(error.clone()));
            told();
        }
    }
}

impl Outgoing {
    /// Queues a row. Returns whether it is the only one, or the row if nothing is sent any more.
    pub(in super::super) fn add(&mut self, waiting: Waiting) -> std::result::Result<bool, Waiting> {
        if self.is_closed {
            self.unconfirmed.insert(name_of(&waiting.entry));
            return Err(waiting);
        }
        self.waiting.push_back(waiting);
        Ok(self.waiting.len() == 1)
    }

    /// The number of rows that wait or are on their way, and of those that nobody waits for.
    pub(in super::super) fn len(&self) -> (usize, usize) {
        let sent: usize = self.sent.values().map(Vec::len).sum();
        (self.waiting.len() + sent, self.unconfirmed.len())
    }

    /// Takes the next batch of rows that callers wait for; `None` if there are none.
    pub(in super::super) fn take(&mut self, most: usize) -> Option<(u32, Vec<Entry>)> {
        let count = self.waiting.len().min(most);
        let rows: Vec<_> = self.waiting.drain(..count).collect();
        self.send(rows)
    }

    /// Takes a batch of the rows that nobody waits for. `value` gives what the list has for a name;
    /// names that it does not have are forgotten.
    pub(in super::super) fn take_unconfirmed(
        &mut self,
        most: usize,
        mut value: impl FnMut(Kind, Fingerprint) -> Option<Entry>,
    ) -> Option<(u32, Vec<Entry>)> {
        let names: Vec<_> = self.unconfirmed.iter().take(most).copied().collect();
        let mut rows = Vec::with_capacity(names.len());
        for name @ (kind, id, rest) in names {
            self.unconfirmed.remove(&name);
            let entry = value(Kind::ALL[usize::from(kind)], Fingerprint { id, rest });
            rows.extend(entry.map(|entry| Waiting { entry, caller: None }));
        }
        if rows.is_empty() && !self.unconfirmed.is_empty() {
            return self.take_unconfirmed(most, value);
        }
        self.send(rows)
    }

    fn send(&mut self, rows: Vec<Waiting>) -> Option<(u32, Vec<Entry>)> {
        if rows.is_empty() {
            return None;
        }
        let entries = rows.iter().map(|row| row.entry).collect();
        self.last_batch = self.last_batch.wrapping_add(1);
        self.sent.insert(self.last_batch, rows);
        Some((self.last_batch, entries))
    }

    /// Takes a batch off the way. With `is_known` the server has it; otherwise its rows are sent
    /// again when the server answers. Returns the callers.
    pub(in super::super) fn settle(&mut self, batch: u32, is_known: bool) -> Vec<Caller> {
        let rows = self.sent.remove(&batch).unwrap_or_default();
        for row in &rows {
            let name = name_of(&row.entry);
            if is_known {
                self.unconfirmed.remove(&name);
            } else {
                self.unconfirmed.insert(name);
            }
        }
        rows.into_iter().filter_map(|row| row.caller).collect()
    }

    /// Notes that the server may lack an entry.
    pub(in super::super) fn doubt(&mut self, kind: Kind, fingerprint: Fingerprint) {
        self.unconfirmed.insert((kind as u8, fingerprint.id, fingerprint.rest));
    }

    /// Notes that the server has an entry, with at least the value that the list has.
    pub(in super::super) fn confirm(&mut self, entry: &Entry) {
        if !self.unconfirmed.is_empty() {
            self.unconfirmed.remove(&name_of(entry));
        }
    }

    /// Sends nothing any more. Returns the rows whose callers wait.
    pub(in super::super) fn close(&mut self) -> Vec<Waiting> {
        self.is_closed = true;
        let mut left: Vec<_> = mem::take(&mut self.waiting).into();
        left.extend(mem::take(&mut self.sent).into_values().flatten());
        self.unconfirmed.extend(left.iter().map(|row| name_of(&row.entry)));
        left
    }
}

fn name_of(entry: &Entry) -> Name {
    (entry.kind as u8, entry.fingerprint.id, entry.fingerprint.rest)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::error::Code;

    fn entry(id: u64) -> Entry {
        let fingerprint = Fingerprint { id, rest: 0 };
        Entry { kind: Kind::Id, fingerprint, value: 9, scoped: false }
    }

    fn row(id: u64) -> Waiting {
        Waiting { entry: entry(id), caller: None }
    }

    #[test]
    fn rows_are_taken_in_their_order_and_only_the_first_wakes() {
        let mut outgoing = Outgoing::default();
        assert_eq!((0..5).map(|id| outgoing.add(row(id)).ok().unwrap()).filter(|&w| w).count(), 1);
        let (first, entries) = outgoing.take(3).unwrap();
        assert_eq!(entries, [entry(0), entry(1), entry(2)]);
        let (second, entries) = outgoing.take(3).unwrap();
        assert_eq!(entries, [entry(3), entry(4)]);
        assert_ne!(first, second);
        assert!(outgoing.take(3).is_none());
        assert_eq!(outgoing.len(), (5, 0));
        outgoing.settle(first, true);
        assert_eq!(outgoing.len(), (2, 0));
    }

    #[test]
    fn rows_of_a_failed_batch_are_sent_again_until_the_server_has_them() {
        let mut outgoing = Outgoing::default();
        (0..4).for_each(|id| drop(outgoing.add(row(id))));
        let (batch, _) = outgoing.take(9).unwrap();
        outgoing.settle(batch, false);
        assert_eq!(outgoing.len(), (0, 4));
        // One came from the server after all, and one is not in the list any more.
        outgoing.confirm(&entry(1));
        let held =
            |_, fingerprint: Fingerprint| (fingerprint.id != 2).then(|| entry(fingerprint.id));
        let (batch, mut entries) = outgoing.take_unconfirmed(9, held).unwrap();
        entries.sort_unstable_by_key(|entry| entry.fingerprint.id);
        assert_eq!(entries, [entry(0), entry(3)]);
        outgoing.settle(batch, false);
        assert_eq!(outgoing.len(), (0, 2));
        let (batch, _) = outgoing.take_unconfirmed(9, held).unwrap();
        outgoing.settle(batch, true);
        assert_eq!(outgoing.len(), (0, 0));
        assert!(outgoing.take_unconfirmed(9, held).is_none());
    }

    #[test]
    fn closing_fails_the_callers_that_wait_and_later_ones() {
        let results = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::new(AtomicUsize::new(0));
        let with_caller = |id| {
            let (results, told) = (results.clone(), told.clone());
            let caller = Caller {
                done: Box::new(move |result: Result<()>| {
                    results.lock().unwrap().push(result.unwrap_err().code);
                }),
                told: Arc::new(move || {
                    told.fetch_add(1, Ordering::Relaxed);
                }),
            };
            Waiting { entry: entry(id), caller: Some(caller) }
        };
        let mut outgoing = Outgoing::default();
        drop(outgoing.add(with_caller(0)));
        outgoing.take(1).unwrap();
        drop(outgoing.add(with_caller(1)));
        let error = Error::new(Code::RevocationStore, "closed");
        outgoing.close().into_iter().for_each(|row| row.fail(&error));
        outgoing.add(with_caller(2)).err().unwrap().fail(&error);
        assert_eq!(*results.lock().unwrap(), [Code::RevocationStore; 3]);
        assert_eq!(told.load(Ordering::Relaxed), 3);
        assert_eq!(outgoing.len(), (0, 3));
    }
}
