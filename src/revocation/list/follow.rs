//! Keeps a list up to date with its store.

use std::sync::RwLockReadGuard;

use super::log::{Log, StoredRow};
use super::row::Row;
use super::state::{Entry, Kind};
use super::{LoggedState, RevocationList, check_open};
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::revocation::table::Expiry;
use crate::revocation::terms::Origin;
use crate::store::Appended;

impl RevocationList {
    /// The state, with every row that any process has committed before this call.
    /// `ERR_REVOCATION_STORE` if the store cannot be read, and `ERR_REVOCATION_STALE` if the remote
    /// log was silent for too long; the list must not answer then. It takes two loads if there is
    /// no row.
    #[inline]
    pub(super) fn current(&self) -> Result<RwLockReadGuard<'_, LoggedState>> {
        let state = self.read();
        check_open(&state)?;
        if let Some(remote) = &state.remote {
            remote.check(|| SystemClock.boot_millis())?;
        }
        match &state.log {
            Some(log) if !log.is_current() => {
                let log = log.clone();
                drop(state);
                self.catch_up(&log)
            }
            _ => Ok(state),
        }
    }

    #[cold]
    fn catch_up(&self, log: &Log) -> Result<RwLockReadGuard<'_, LoggedState>> {
        let followed = log.read(|rows| self.apply(rows, log));
        followed.or_else(|error| log.without_store(&error))?;
        let state = self.read();
        check_open(&state)?;
        Ok(state)
    }

    /// Adds the rows that this process has just committed. If it cannot, the next answer reads
    /// them, or fails.
    pub(super) fn take(&self, appended: &Appended<'_>) {
        if let Some(log) = self.log() {
            let _ = log.take(appended, |rows| self.apply(rows, &log));
        }
    }

    /// Adds rows.
    fn apply(&self, rows: &[StoredRow], log: &Log) -> Result<()> {
        let moment = self.observe();
        let life = self.limits.max_token_ttl;
        let mut state = self.write();
        check_open(&state)?;
        for (row, stored) in rows {
            // With the lock, so that it is always counted in the state or among those that wait.
            let is_own = log.is_own(stored);
            let origin = if is_own { Origin::Local } else { Origin::Remote };
            match *row {
                Row::Entry(entry) => {
                    state.prune(moment.proven / 1000, life);
                    let Entry { kind, value, .. } = entry;
                    if kind == Kind::Id && !is_own {
                        self.latest_issue.note_unknown(moment.latest);
                    }
                    let until = kind.needed_until(value, life);
                    let now = moment.steady / 1000;
                    state.store(entry, until.map(|until| Expiry { until, now }))?;
                    self.tell(kind, value, origin);
                }
                Row::MakeRoom { now, max_token_ttl } => {
                    self.refuse_older(&mut state, now, max_token_ttl, origin);
                }
            }
        }
        Ok(())
    }
}
