//! Sessions start.

use uuid::Uuid;

use super::attempt::{Attempt, Writing};
use super::change::Change;
use super::family::{Family, Phase};
use super::refresh_token::{SessionSecret, Step};
use super::sessions::{Sessions, TokenPair};
use super::table::admission::Admission;
use crate::error::Result;
use crate::store::{Batch, Expected, Position};

/// The most expired rows that the start of a session removes.
const PRUNED_PER_START: usize = 16;

/// A session that has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its tokens.
    pub pair: TokenPair,
    /// The sessions of the subject that have ended for it.
    pub ended: Vec<Uuid>,
}

impl Sessions {
    /// Starts a session. `claims` is a JSON object as text that every access token of the session
    /// carries, without `sub` and `sid`; `meta` is one that only [`Self::list`] shows.
    pub fn start(
        &self,
        subject: &str,
        claims: &str,
        meta: Option<&str>,
    ) -> Result<Attempt<Started>> {
        Change { claims: Some(claims), meta }.check()?;
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let now = self.now();
        let id = crate::id::uuid_v7(now.wall)?;
        let secret = SessionSecret::random()?;
        let mut family = Family {
            subject: subject.into(),
            claims: claims.into(),
            meta: meta.map(Into::into),
            secret: secret.hash(),
            current: Step::default(),
            previous: 0,
            number: 0,
            phase: Phase::Live,
            started: now,
            used: now,
            issued_at: 0,
            linger: 0,
            is_of_this_boot: true,
            position: Position::START,
        };
        // Signed before it is stored, so that claims that cannot be signed leave no session behind.
        let pair = self.pair(id, &secret, &mut family)?;
        let admission = {
            let (mut table, mut over) = (self.shared.table()?, Vec::new());
            table.prune(now, PRUNED_PER_START, &mut over);
            let admission = table.admit(subject, id, now, &mut over);
            drop(table);
            self.shared.delete(over);
            admission?
        };
        let Admission::Admitted { number, instead_of } = admission else {
            return Ok(Attempt::Again);
        };
        family.number = number;
        let started = Started { pair, ended: instead_of };
        if self.is_durable() {
            return self.start_on_store(id, family, started);
        }
        let ended: Result<()> =
            started.ended.iter().try_for_each(|oldest| self.end_in_memory(*oldest, Phase::Ending));
        let mut table = self.shared.table()?;
        let added = ended.and_then(|()| table.put(id, family));
        table.started(subject, id, &started.ended);
        added.map(|()| Attempt::Done(started))
    }

    fn start_on_store(
        &self,
        id: Uuid,
        family: Family,
        started: Started,
    ) -> Result<Attempt<Started>> {
        let (shared, subject) = (self.shared.clone(), family.subject.clone());
        let instead_of = started.ended.clone();
        let settle = move || {
            if let Ok(mut table) = shared.table() {
                table.started(&subject, id, &instead_of);
            }
        };
        let ending = self.ending(&started.ended, Phase::Ending, None);
        let ending = ending.inspect_err(|_| settle())?;
        let mut rows = ending.rows;
        let mut records = self.changes(&rows);
        if ending.full.is_none() {
            records.push(self.shared.change(id, &family, Expected::Absent));
            rows.push((id, family));
        }
        let (entries, revoked) = ending.revoked;
        let then = move |result: Result<bool>| {
            settle();
            match (result?, ending.full) {
                (true, None) => Ok(Attempt::Done(started)),
                (_, Some(full)) => Err(full),
                (false, None) => Ok(Attempt::Again),
            }
        };
        let batch = Batch { entries, records };
        Ok(Writing::attempt(&self.shared, batch, rows, revoked, Box::new(then)))
    }
}
