//! Keeps a list up to date with its store.

use super::row::Row;
use super::state::Entry;
use super::{RevocationList, check_open, latest};
use crate::error::Result;
use crate::revocation::table::Expiry;
use crate::revocation::terms::{Field, Origin, Revoked};
use crate::store::Appended;

impl RevocationList {
    /// Adds every row that any process has committed before this call. `ERR_REVOCATION_STORE` if
    /// the store cannot be read; the list must not answer then. It takes two loads if there is no
    /// row.
    #[inline]
    pub(super) fn follow(&self) -> Result<()> {
        match &self.log {
            Some(log) if !log.is_current() => self.catch_up(),
            _ => Ok(()),
        }
    }

    #[cold]
    fn catch_up(&self) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        check_open(&self.read())?;
        log.read(|rows| self.apply(rows)).or_else(|error| log.without_store(&error))
    }

    /// Adds the rows that this process has just committed. If it cannot, the next answer reads
    /// them, or fails.
    pub(super) fn take(&self, appended: &Appended<'_>) {
        if let Some(log) = &self.log {
            let _ = log.take(appended, |rows| self.apply(rows));
        }
    }

    /// Adds rows, each with whether it is of this process.
    fn apply(&self, rows: &[(Row, bool)]) -> Result<()> {
        let moment = self.observe();
        let life = self.limits.max_token_ttl;
        let mut state = self.write();
        check_open(&state)?;
        for (row, is_own) in rows {
            let origin = if *is_own { Origin::Local } else { Origin::Remote };
            match *row {
                Row::Entry(entry) => {
                    state.prune(moment.proven / 1000, life);
                    let Entry { kind, value, .. } = entry;
                    let until = kind.needed_until(value, life);
                    let now = moment.steady / 1000;
                    state.store(entry, until.map(|until| Expiry { until, now }))?;
                    self.tell(kind, value, origin);
                }
                Row::MakeRoom { now, max_token_ttl } => {
                    state.rejects_issued_until = state.rejects_issued_until.max(now);
                    state.forget_older(latest(now), max_token_ttl);
                    let until = Some(now.saturating_add(max_token_ttl));
                    self.listeners.tell(&[Revoked { field: Field::All, until, origin }]);
                }
            }
        }
        Ok(())
    }
}
