//! A list that several machines share: it is put on its remote log, gets rows and gives rows.

use std::sync::{Arc, PoisonError, Weak};

use super::remote::{Caller, Found, Remote, RemoteKeys, RemoteTerms, Waiting, Wake};
use super::state::{Entry, Kind};
use super::{RevocationList, check_open};
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::revocation::terms::{MAX_CLOCK_TOLERANCE, Origin};

/// The rows that are applied under one lock, so that a verifier waits for few.
const AT_A_TIME: usize = 64;

/// A list on its log.
#[derive(Debug)]
pub struct Attachment(Weak<Remote>);

impl Attachment {
    /// Ends publishing as [`RevocationList::detach_remote`] does, unless the list was detached, or
    /// attached again.
    pub fn end(self) {
        if let Some(remote) = self.0.upgrade() {
            remote.close();
        }
    }
}

/// Rows to be published.
#[derive(Debug)]
pub struct RowBatch {
    /// The number by which its result is reported.
    pub number: u32,
    /// The texts of its rows, one after another.
    pub rows: String,
    /// The number of rows.
    pub count: usize,
    /// The indexes of the rows that are needed for longer than the stream has its rows.
    pub lasting: Vec<usize>,
}

impl RevocationList {
    /// Puts the list on a log that several machines share. From now on it answers only if
    /// [`Self::confirm_remote`] was called in time.
    ///
    /// `ERR_INVALID_ARG_VALUE` if the list is on a store or on another such log, or if it has
    /// entries whose fingerprints mean nothing under these keys.
    ///
    /// Returns the attachment, for a thread that ends without [`Self::detach_remote`].
    pub fn attach_remote(
        &self,
        keys: RemoteKeys,
        terms: RemoteTerms,
        wake: Wake,
    ) -> Result<Attachment> {
        let refused = |message: &'static str| Err(Error::new(Code::InvalidArgValue, message));
        // No revocation may have made a fingerprint that it has not added yet.
        let _alone = self.under_keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.write();
        check_open(&state)?;
        if state.log.is_some() {
            return refused("list must not be on a store: a list is on one truth");
        }
        let known = state.remote.as_ref();
        if known.is_some_and(|remote| remote.is_open()) {
            return refused("list is on a server already; close its RedisRevocations first");
        }
        if state.len() > 0 && !known.is_some_and(|remote| remote.has_keys(&keys)) {
            return refused(
                "list must have no entries of its own, or those of the same key: open it before \
                 the first revocation",
            );
        }
        let remote = Arc::new(Remote::new(keys, terms, wake));
        let attachment = Attachment(Arc::downgrade(&remote));
        state.remote = Some(remote);
        Ok(attachment)
    }

    /// Whether several machines share the list.
    pub fn is_remote(&self) -> bool {
        self.read().remote.is_some()
    }

    /// The present, for [`Self::confirm_remote`].
    pub fn remote_now() -> u64 {
        SystemClock.boot_millis()
    }

    /// Notes that the list has every row that the server had at a moment of [`Self::remote_now`].
    pub fn confirm_remote(&self, moment: u64) -> Result<()> {
        self.remote().ok_or_else(not_remote)?.confirm(moment);
        Ok(())
    }

    /// Adds rows that other machines have published.
    pub fn apply_remote(&self, texts: &str) -> Result<Found> {
        let remote = self.remote().ok_or_else(not_remote)?;
        let read = remote.read(texts);
        let mut found = read.counts;
        for rows in read.entries.chunks(AT_A_TIME) {
            found.added += self.take_rows(rows, &remote)?;
        }
        Ok(found)
    }

    /// Adds rows, and returns the number of those that are new.
    fn take_rows(&self, rows: &[Entry], remote: &Remote) -> Result<u64> {
        let moment = self.observe();
        let (now, life) = (moment.proven / 1000, self.limits.max_token_ttl);
        let mut state = self.write();
        check_open(&state)?;
        let mut added = 0;
        for entry @ Entry { kind, fingerprint, value, .. } in rows.iter().copied() {
            let held = state.table(kind).get(fingerprint);
            if held.is_none_or(|held| held <= value) {
                remote.outgoing().confirm(&entry);
            }
            if held.is_some_and(|held| held >= value)
                || kind.needed_until(value, life).is_some_and(|until| until < now)
            {
                continue;
            }
            state.prune(now, life);
            if kind == Kind::Id {
                self.latest_issue.note_unknown(moment.latest);
            }
            if state.tables[kind as usize].raise(fingerprint, value).is_none() {
                if state.len() >= self.limits.max_entries {
                    state.prune_one(now, life);
                }
                self.add(&mut state, entry, moment, Origin::Remote)?;
            }
            state.note_all(kind, value);
            added += 1;
            if remote.is_loaded() {
                self.tell(kind, value, Origin::Remote);
            }
        }
        Ok(added)
    }

    /// Revokes here at once, and has the row published. The caller gets the result when the server
    /// has the row, or refuses it.
    pub(super) fn revoke_remotely(&self, entry: Entry, remote: &Remote, caller: Caller) {
        let waiting = Waiting { entry, caller: Some(caller) };
        match remote.check_keys().and_then(|()| self.put(entry, Origin::Local)) {
            Ok(()) => remote.post(waiting),
            Err(error) => waiting.fail(&error),
        }
    }

    /// As [`Self::revoke_remotely`], for a caller that does not wait.
    pub(super) fn revoke_unwatched(&self, entry: Entry, remote: &Remote) -> Result<()> {
        remote.check_keys()?;
        self.put(entry, Origin::Local)?;
        remote.post(Waiting { entry, caller: None });
        Ok(())
    }

    /// Notes that the server may lack any entry of the list. Rows that are read afterwards take
    /// that back.
    pub fn doubt_remote(&self) -> Result<()> {
        let remote = self.remote().ok_or_else(not_remote)?;
        let state = self.read();
        let mut outgoing = remote.outgoing();
        for kind in Kind::ALL {
            for (fingerprint, _) in state.table(kind).iter() {
                outgoing.doubt(kind, fingerprint);
            }
        }
        Ok(())
    }

    /// Takes a batch of at most `most` rows to be published: those that callers wait for, or with
    /// `unconfirmed` those that the server may lack.
    pub fn take_remote(&self, most: usize, unconfirmed: bool) -> Result<Option<RowBatch>> {
        let remote = self.remote().ok_or_else(not_remote)?;
        let taken = if unconfirmed {
            let state = self.read();
            remote.outgoing().take_unconfirmed(most, |kind, fingerprint| {
                let table = state.table(kind);
                let scoped = table.is_scoped();
                table.get(fingerprint).map(|value| Entry { kind, fingerprint, value, scoped })
            })
        } else {
            remote.outgoing().take(most)
        };
        let Some((number, entries)) = taken else { return Ok(None) };
        let last = self.observe().latest / 1000 + self.remote_life();
        let life = self.limits.max_token_ttl;
        let outlasts = |entry: &Entry| {
            entry.kind.needed_until(entry.value, life).is_none_or(|until| until > last)
        };
        let lasting = (0..entries.len()).filter(|&at| outlasts(&entries[at])).collect();
        let rows = remote.write(&entries);
        Ok(Some(RowBatch { number, rows, count: entries.len(), lasting }))
    }

    /// Reports whether the server has a batch. With an error, the callers get it, and the rows are
    /// published again later.
    pub fn settle_remote(&self, batch: u32, result: &Result<()>) -> Result<()> {
        let remote = self.remote().ok_or_else(not_remote)?;
        let callers = remote.outgoing().settle(batch, result.is_ok());
        for Caller { done, told } in callers {
            done(result.clone());
            told();
        }
        Ok(())
    }

    /// The numbers of rows whose callers wait, and of those that the server may lack.
    pub fn count_remote(&self) -> Result<(usize, usize)> {
        Ok(self.remote().ok_or_else(not_remote)?.outgoing().len())
    }

    /// How long the rows of usual revocations are needed, in seconds.
    pub fn remote_life(&self) -> u64 {
        self.limits.max_token_ttl.saturating_add(2 * MAX_CLOCK_TOLERANCE)
    }

    /// Whether a row may still be needed: unless the proven time is past it.
    pub fn needs_remote(&self, text: &str) -> Result<bool> {
        let read = self.remote().ok_or_else(not_remote)?.read(text);
        let now = self.observe().proven / 1000;
        let life = self.limits.max_token_ttl;
        Ok(!read.entries.iter().any(|entry| {
            entry.kind.needed_until(entry.value, life).is_some_and(|until| until < now)
        }))
    }

    /// Ends publishing. The callers that wait get an error, and the list answers until it is stale.
    pub fn detach_remote(&self) -> Result<()> {
        self.remote().ok_or_else(not_remote)?.close();
        Ok(())
    }

    /// The log that several machines share, if the list is on one.
    pub(super) fn remote(&self) -> Option<Arc<Remote>> {
        self.read().remote.clone()
    }
}

fn not_remote() -> Error {
    Error::new(Code::Internal, "the list is on no server")
}
