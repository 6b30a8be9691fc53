//! Calls that may have to write to a store, which the caller awaits.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::family::Family;
use super::shared::SharedTable;
use crate::error::Result;
use crate::revocation::{RevocationList, Staged};
use crate::store::{Batch, Commit};

/// The state of a call.
pub enum Attempt<T> {
    /// It is done. Sessions in memory always are.
    Done(T),
    /// It is done once this is written.
    Writes(Box<Writing<T>>),
    /// Another call was first: call again, after others had a turn.
    Again,
    /// Other processes have written much: let [`Sessions::catch_up`](super::Sessions::catch_up)
    /// read it, which may take a while, and call again.
    Behind,
}

/// Learns whether the changes were made. It must be quick.
pub(super) type Then<T> = Box<dyn FnOnce(Result<bool>) -> Result<Attempt<T>> + Send>;

/// One transaction of a store.
pub struct Writing<T> {
    batch: Batch,
    finishing: Finishing<T>,
}

struct Finishing<T> {
    shared: Arc<SharedTable>,
    /// The rows that the batch writes, in its order.
    rows: Vec<(Uuid, Family)>,
    /// The revocations of the batch.
    revoked: Option<(Arc<RevocationList>, Staged)>,
    then: Then<T>,
}

impl<T: Send + 'static> Writing<T> {
    /// A call that is done once a batch is written.
    pub(super) fn attempt(
        shared: &Arc<SharedTable>,
        batch: Batch,
        rows: Vec<(Uuid, Family)>,
        revoked: Option<(Arc<RevocationList>, Staged)>,
        then: Then<T>,
    ) -> Attempt<T> {
        let finishing = Finishing { shared: shared.clone(), rows, revoked, then };
        Attempt::Writes(Box::new(Self { batch, finishing }))
    }

    /// The numbers of records and of entries.
    #[cfg(test)]
    pub(super) fn rows(&self) -> (usize, usize) {
        (self.batch.records.len(), self.batch.entries.len())
    }

    /// Writes without blocking. `tell` gets the result on another thread, and must be quick.
    pub fn start(self, tell: impl FnOnce(Result<Attempt<T>>) + Send + 'static) {
        let Self { batch, finishing } = self;
        let store = match finishing.shared.store() {
            Ok(store) => store,
            Err(error) => return tell(finishing.finish(Err(error))),
        };
        // The store calls the waiter, or fails.
        let waiting = Arc::new(Mutex::new(Some((finishing, tell))));
        let waiter = waiting.clone();
        let told = store.commit(batch, Box::new(move |result| settle(&waiter, result)));
        if let Err(error) = told {
            settle(&waiting, Err(error));
        }
    }

    /// Writes, and blocks until that is done.
    pub fn wait(self) -> Result<Attempt<T>> {
        let Self { batch, finishing } = self;
        let store = finishing.shared.store();
        let result = store.and_then(|store| store.commit_and_wait(batch, store.patience()));
        finishing.finish(result)
    }
}

impl<T> Finishing<T> {
    fn finish(self, result: Result<Commit>) -> Result<Attempt<T>> {
        let Self { shared, rows, revoked, then } = self;
        if let Some((list, staged)) = revoked {
            list.settle(&staged, matches!(result, Ok(Commit::Done(_))));
        }
        let result = result.map(|commit| match commit {
            Commit::Done(receipt) => {
                shared.wrote(&receipt, rows);
                true
            }
            Commit::Conflict => {
                shared.doubt(rows.iter().map(|(id, _)| *id));
                false
            }
        });
        then(result)
    }
}

type Waiting<T, F> = Mutex<Option<(Finishing<T>, F)>>;

fn settle<T, F: FnOnce(Result<Attempt<T>>)>(waiting: &Waiting<T, F>, result: Result<Commit>) {
    let taken = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((finishing, tell)) = taken {
        tell(finishing.finish(result));
    }
}
