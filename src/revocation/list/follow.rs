//! Keeps a list up to date with its store.

use super::row::Row;
use super::state::Entry;
use super::{RevocationList, check_open};
use crate::error::Result;
use crate::revocation::table::Expiry;
use crate::revocation::terms::Origin;

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
        log.read(|row, is_own| self.apply(row, is_own)).or_else(|error| log.without_store(&error))
    }

    fn apply(&self, row: Row, is_own: bool) -> Result<()> {
        let origin = if is_own { Origin::Local } else { Origin::Remote };
        let moment = self.observe();
        let life = self.limits.max_token_ttl;
        let mut state = self.write();
        check_open(&state)?;
        match row {
            Row::Entry(entry) => {
                state.prune(moment.proven / 1000, life);
                let Entry { kind, value, .. } = entry;
                let until = kind.needed_until(value, life);
                let now = moment.steady / 1000;
                state.store(entry, until.map(|until| Expiry { until, now }))?;
                self.tell(kind, value, origin);
            }
            Row::MakeRoom { now, max_token_ttl } => {
                self.refuse_older(&mut state, now, max_token_ttl, origin);
            }
        }
        Ok(())
    }
}
