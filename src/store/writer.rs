//! The writer: one thread for each store of a process. It commits all batches that wait in one
//! transaction, deletes entries, and looks whether other processes have committed.
//!
//! It starts with the store and not with the first commit, because a process that only verifies
//! must notice, too, that another process was killed between its commit and the epoch.

use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::apply::Transaction;
use super::batch::{Commit, Receipt};
use super::engine::Engine;
use super::epoch::boot_millis;
use super::fault::{busy, cannot_open};
use super::follower::Appended;
use super::group::group;
use super::head::Head;
use super::queue::{Job, Told, Work};
use super::row::MAX_ROWS;
use super::shared::Shared;
use crate::error::{Code, Error, Result};
use crate::os::{Native, Storage};

/// The time between two looks at the database.
const LOOK: Duration = Duration::from_millis(500);

/// The pause before the writer asks again for a lock that another process has.
const PAUSE: Duration = Duration::from_micros(500);

struct Writer {
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
    /// Closes the store if nobody has it any more.
    close_unused: fn(&Arc<Shared>),
    changes: VecDeque<Job>,
    deletions: VecDeque<Job>,
    looked: Instant,
    change_counter: Option<i64>,
}

/// Starts the thread, which ends when the queue is closed and empty.
/// `close_unused` is called twice a second while nobody has the store.
pub(super) fn start(
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
    close_unused: fn(&Arc<Shared>),
) -> Result<JoinHandle<()>> {
    let mut writer = Writer {
        shared,
        engine,
        close_unused,
        changes: VecDeque::new(),
        deletions: VecDeque::new(),
        looked: Instant::now(),
        change_counter: None,
    };
    let run = move || {
        let work = || Native::within_file_size(|| writer.run());
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            writer.engine.rollback();
            writer.shared.queue.close();
            let panicked = Err::<(), _>(Error::new(Code::Internal, "the writer has panicked"));
            writer.shared.health.note(&panicked);
            // Jobs that are dropped tell that they failed.
            drop(writer.shared.queue.take(Duration::ZERO));
        }
    };
    thread::Builder::new().name("nodesec-store".into()).spawn(run).map_err(|error| {
        cannot_open(format!("the system gives no thread for the store ({error}); raise the limit"))
    })
}

impl Writer {
    fn run(&mut self) {
        loop {
            let is_idle = self.changes.is_empty() && self.deletions.is_empty();
            let is_closed = self.take(if is_idle { LOOK } else { Duration::ZERO });
            if !self.changes.is_empty() {
                self.write();
            }
            if let Some(job) = self.deletions.pop_front() {
                self.delete(job);
            }
            if self.looked.elapsed() >= LOOK {
                self.look();
            }
            if is_closed && self.changes.is_empty() && self.deletions.is_empty() {
                return;
            }
        }
    }

    /// Moves the jobs of the queue here. Returns whether the queue is closed.
    fn take(&mut self, wait: Duration) -> bool {
        let (jobs, is_closed) = self.shared.queue.take(wait);
        for job in jobs {
            let jobs = match job.work {
                Work::Change(..) => &mut self.changes,
                Work::Delete(..) | Work::Expire(..) => &mut self.deletions,
            };
            jobs.push_back(job);
        }
        is_closed
    }

    /// Looks whether another process has committed, and raises the epoch for one that died before
    /// it could.
    fn look(&mut self) {
        self.looked = Instant::now();
        let shared = self.shared.clone();
        let result = shared.files.check().and_then(|()| {
            let counter = self.engine.change_counter()?;
            if self.change_counter != Some(counter) || shared.health.failing().is_some() {
                let epoch = shared.epoch.get();
                let head = Head::read(&mut *self.engine, &shared.keys)?;
                shared.note_head(epoch, &head)?;
                self.change_counter = Some(counter);
            }
            Ok(())
        });
        shared.health.note(&result);
        shared.epoch.exchange_time();
        shared.state.looked();
        if shared.openers.load(Ordering::Acquire) == 0 && !shared.state.is_used() {
            (self.close_unused)(&shared);
        }
    }

    /// Commits one group of batches.
    fn write(&mut self) {
        let locked = loop {
            match self.engine.begin() {
                Ok(false) => {}
                other => break other,
            }
            self.shared.epoch.want_lock();
            thread::sleep(PAUSE);
            self.take(Duration::ZERO);
            let now = Instant::now();
            let (late, waiting) = self.changes.drain(..).partition(|job| job.deadline <= now);
            self.changes = waiting;
            tell_all(late, &Err(busy()));
            if self.changes.is_empty() {
                return;
            }
        };
        let begun = boot_millis();
        let (group, result) = match locked {
            // The lock may have taken a while.
            Ok(_) => {
                self.take(Duration::ZERO);
                self.commit()
            }
            Err(error) => (self.changes.len(), Err(error)),
        };
        self.shared.health.note(&result);
        let is_wanted = self.shared.epoch.is_wanted_since(begun);
        match result {
            Err(error) => {
                self.engine.rollback();
                tell_all(self.changes.drain(..group).collect(), &Err(error));
            }
            Ok(commits) => {
                let mut told = Vec::new();
                for commit in commits {
                    match (commit, self.changes.pop_front()) {
                        (Some(commit), Some(job)) => told.push(job.finish(Ok(commit))),
                        // More of the batch is left.
                        (None, Some(job)) => self.changes.push_front(job),
                        (_, None) => {}
                    }
                }
                call_all(told);
            }
        }
        if is_wanted {
            // SQLite has no queue: without a pause, a process that commits all the time would take
            // the lock again before one that waits can ask for it.
            thread::sleep(2 * PAUSE);
        }
    }

    /// Commits the first batches of the queue in the transaction that has begun. Returns how many
    /// batches it took, and their results: `None` for one that goes on in the next transaction.
    fn commit(&mut self) -> (usize, Result<Vec<Option<Commit>>>) {
        let group = group(&self.changes);
        (group.len(), self.commit_group(&group))
    }

    fn commit_group(&mut self, group: &[usize]) -> Result<Vec<Option<Commit>>> {
        let Self { shared, engine, changes, .. } = self;
        let epoch = shared.epoch.get();
        let head = Head::read(&mut **engine, &shared.keys)?;
        shared.note_head(epoch, &head)?;
        let mut transaction = Transaction::new(&mut **engine, &shared.keys, head.clone())?;
        let sequence = transaction.sequence();
        let mut commits = Vec::with_capacity(group.len());
        let mut appended = Vec::with_capacity(group.len());
        for (job, &rows) in changes.iter().zip(group) {
            let Work::Change(batch, done) = &job.work else { continue };
            if !transaction.allows(&batch.records)? {
                commits.push(Some(Commit::Conflict));
                continue;
            }
            let entries = &batch.entries[*done..batch.entries.len().min(*done + rows)];
            transaction.append(entries)?;
            appended.push(entries);
            let mut records = Vec::with_capacity(batch.records.len());
            for change in &batch.records {
                records.push(transaction.change(change)?);
            }
            let is_done = *done + rows >= batch.rows();
            let receipt = Receipt { sequence, records, deleted: 0 };
            commits.push(is_done.then_some(Commit::Done(receipt)));
        }
        let (after, rows) = finish(shared, transaction)?;
        // Before the epoch: readers of this process then need not read the rows in the store.
        shared.state.committed(&Appended::new(&head, &after, appended));
        let last = after.sequence;
        shared.epoch.raise(last);
        if rows > 0 {
            shared.counters.count(group.len(), rows);
        }
        for (job, &rows) in changes.iter_mut().zip(group) {
            if let Work::Change(_, done) = &mut job.work {
                *done += rows;
            }
        }
        if last < sequence {
            for commit in commits.iter_mut().flatten() {
                if let Commit::Done(receipt) = commit {
                    receipt.sequence = last;
                }
            }
        }
        Ok(commits)
    }

    /// Deletes at most one transaction of entries, and puts the job back if there may be more.
    fn delete(&mut self, mut job: Job) {
        let result = match self.engine.begin() {
            Ok(true) => self.delete_rows(&mut job.work),
            Ok(false) if job.deadline <= Instant::now() => Err(busy()),
            Ok(false) => {
                thread::sleep(PAUSE);
                return self.deletions.push_back(job);
            }
            Err(error) => Err(error),
        };
        self.shared.health.note(&result);
        match result {
            Err(error) => {
                self.engine.rollback();
                call_all([job.finish(Err(error))]);
            }
            Ok((count, is_last)) => {
                job.deleted += count;
                if is_last {
                    let deleted = job.deleted;
                    let sequence = self.shared.epoch.get();
                    let receipt = Receipt { sequence, records: Vec::new(), deleted };
                    call_all([job.finish(Ok(Commit::Done(receipt)))]);
                } else {
                    job.deadline = Instant::now() + self.shared.options.busy;
                    self.deletions.push_back(job);
                }
            }
        }
    }

    /// Deletes entries in the transaction that has begun. Returns their number, and whether the
    /// work is done.
    fn delete_rows(&mut self, work: &mut Work) -> Result<(u64, bool)> {
        let Self { shared, engine, .. } = self;
        let engine = &mut **engine;
        let epoch = shared.epoch.get();
        let head = Head::read(engine, &shared.keys)?;
        shared.note_head(epoch, &head)?;
        let mut positions = Vec::new();
        let is_last = match work {
            Work::Delete(left) => {
                let rest = left.split_off(left.len().min(MAX_ROWS));
                positions = mem::replace(left, rest);
                left.is_empty()
            }
            Work::Expire(until, after) => {
                let (mut last, mut count) = (*after, 0);
                engine.entries(*after, MAX_ROWS, &mut |position, entry| {
                    (last, count) = (position, count + 1);
                    if entry.until <= *until {
                        positions.push(position);
                    }
                    Ok(())
                })?;
                *after = last;
                count < MAX_ROWS
            }
            Work::Change(..) => true,
        };
        let mut transaction = Transaction::new(engine, &shared.keys, head.clone())?;
        let count = transaction.delete(&positions)?;
        let (after, _) = finish(shared, transaction)?;
        shared.state.committed(&Appended::new(&head, &after, Vec::new()));
        shared.epoch.raise(after.sequence);
        if count > 0 {
            shared.counters.count(0, 0);
        }
        Ok((count, is_last))
    }
}

/// Commits to the files that every process opens. It looks at them before, because a commit to
/// others would not be found, and may destroy what another process commits to its own.
fn finish(shared: &Shared, transaction: Transaction<'_>) -> Result<(Head, usize)> {
    shared.files.check()?;
    transaction.commit()
}

fn tell_all(jobs: VecDeque<Job>, result: &Result<Commit>) {
    let told: Vec<_> = jobs.into_iter().map(|job| job.finish(result.clone())).collect();
    call_all(told);
}

/// Calls each function, once for jobs of one caller in a row.
fn call_all(told: impl IntoIterator<Item = Option<Told>>) {
    let mut last: Option<Told> = None;
    for told in told.into_iter().flatten() {
        if last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &told)) {
            told();
            last = Some(told);
        }
    }
}
