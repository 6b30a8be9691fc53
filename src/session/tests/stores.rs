//! Sessions of several processes on one store, and stores that have lost something.

use uuid::Uuid;

use super::*;
use crate::session::family::Family;
use crate::store::{Batch, Commit, Expected as Condition, Position, Receipt, RecordChange};

fn open(path: &Path, clock: &Arc<ManualClock>) -> Fixture {
    open_with(path, SessionLimits::default(), clock)
}

fn open_with(path: &Path, limits: SessionLimits, clock: &Arc<ManualClock>) -> Fixture {
    Fixture::open(path, limits, ListLimits::default(), clock.clone())
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

impl Fixture {
    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn close(&self) {
        self.store().close();
    }

    fn row(&self, session: Uuid) -> Arc<Family> {
        self.sessions.shared.get(session).unwrap().unwrap()
    }

    /// Commits as another process does: the table here does not hear of it.
    fn elsewhere(&self, changes: Vec<RecordChange>) {
        let batch = Batch { records: changes, ..Batch::default() };
        let committed = self.store().commit_and_wait(batch, Duration::from_secs(30)).unwrap();
        assert!(matches!(committed, Commit::Done(_)));
    }

    fn delete_elsewhere(&self, session: Uuid) {
        let (name, expected) = (stored_row::name_of(session), Condition::Anything);
        self.elsewhere(vec![RecordChange { name, expected, value: None }]);
    }

    /// Starts sessions as another process does: copies of this one.
    fn copy_elsewhere(&self, session: Uuid, count: u8) {
        let row = self.row(session);
        let changes = (0..count).map(|at| {
            let family = Family { number: 100 + u64::from(at), ..(*row).clone() };
            let id = Uuid::from_u128(u128::from(at));
            self.sessions.shared.change(id, &family, Condition::Absent)
        });
        self.elsewhere(changes.collect());
    }

    fn records(&self) -> usize {
        let mut count = 0;
        let read = self.store().records_after(Position::START, 1000, &mut |record| {
            count += usize::from(stored_row::id_of(record.name).is_some());
            Ok(())
        });
        assert!(read.unwrap().1);
        count
    }
}

#[test]
fn sessions_go_on_after_the_store_was_opened_again_and_ended_ones_stay_ended() {
    let folder = Folder::new();
    let (path, clock) = (folder.path("store"), clock());
    let fixture = open(&path, &clock);
    let meta = Some(r#"{"device":"phone"}"#);
    let started = fixture.done(|| fixture.sessions.start("alice", r#"{"role":"admin"}"#, meta));
    let pair = fixture.rotate(&started.unwrap().pair);
    let (ended, reused) = (fixture.start(), fixture.start());
    fixture.end(ended.session).unwrap();
    fixture.rotate(&fixture.rotate(&reused));
    assert!(matches!(fixture.refresh(&reused), Refreshed::Reuse(_)));
    fixture.close();

    let fixture = open(&path, &clock);
    let listed = fixture.list("alice");
    assert_eq!(listed.iter().map(|info| info.session).collect::<Vec<_>>(), [pair.session]);
    assert_eq!(listed[0].meta.as_deref(), meta);
    for gone in [&ended, &reused] {
        assert_eq!(fixture.refresh(gone), Refreshed::Unknown);
        assert_eq!(
            fixture.done(|| fixture.sessions.end_by_refresh_token(&gone.refresh_token)).unwrap(),
            None
        );
    }
    assert_eq!(fixture.claims(&fixture.rotate(&pair))["role"], "admin");
}

#[test]
fn a_token_that_is_ahead_of_a_restored_store_goes_on_and_older_ones_are_reuse() {
    let folder = Folder::new();
    let (path, backup, clock) = (folder.path("store"), folder.path("backup"), clock());
    let fixture = open(&path, &clock);
    let first = fixture.start();
    let second = fixture.rotate(&first);
    fixture.store().backup(&backup).unwrap();
    let third = fixture.rotate(&second);
    let fourth = fixture.rotate(&third);
    fixture.close();

    let restored = open(&backup, &clock);
    let Refreshed::Restored(fifth) = restored.refresh(&fourth) else { panic!() };
    // The token is used up from here on, like any other.
    let Refreshed::Replayed(again) = restored.refresh(&fourth) else { panic!() };
    assert_eq!(again.refresh_token, fifth.refresh_token);
    let sixth = restored.rotate(&fifth);
    assert_eq!(restored.refresh(&third), Refreshed::Reuse(Fixture::ended(&first)));
    assert_eq!(restored.refresh(&sixth), Refreshed::Unknown);
}

#[test]
fn another_successor_of_a_retry_is_ahead_of_a_restored_store_as_well() {
    let folder = Folder::new();
    let (path, backup, clock) = (folder.path("store"), folder.path("backup"), clock());
    let limits = SessionLimits { grace: 0, retry_until_used: true, ..SessionLimits::default() };
    let fixture = open_with(&path, limits, &clock);
    let first = fixture.start();
    let lost = fixture.rotate(&first);
    fixture.store().backup(&backup).unwrap();
    let other = fixture.rotate(&first);
    fixture.close();
    let restored = open_with(&backup, limits, &clock);
    assert!(matches!(restored.refresh(&other), Refreshed::Restored(_)));
    assert_eq!(restored.refresh(&lost), Refreshed::Reuse(Fixture::ended(&first)));
}

#[test]
fn a_rotation_of_another_process_is_replayed_and_its_end_is_final() {
    in_a_store(|fixture| {
        let pair = fixture.start();
        let row = fixture.row(pair.session);
        let now = fixture.sessions.now();
        let next = row.rotated(row.current, now, Change::default()).unwrap();
        let change =
            |family| fixture.sessions.shared.change(pair.session, family, Condition::Anything);
        fixture.elsewhere(vec![change(&next)]);
        let Refreshed::Replayed(again) = fixture.refresh(&pair) else { panic!() };
        let latest = fixture.rotate(&again);
        let ended = fixture.row(pair.session).leaving(family::Phase::Ended, now, 1 << 30);
        fixture.elsewhere(vec![change(&ended)]);
        assert_eq!(fixture.refresh(&latest), Refreshed::Unknown);
        assert!(fixture.list("alice").is_empty());
    });
}

#[test]
fn a_refresh_that_is_written_after_another_process_was_first_answers_as_that_one() {
    in_a_store(|fixture| {
        let pair = fixture.start();
        let row = fixture.row(pair.session);
        let Attempt::Writes(writing) =
            fixture.sessions.refresh(&pair.refresh_token, Change::default(), false).unwrap()
        else {
            panic!()
        };
        let next = row.rotated(row.current, fixture.sessions.now(), Change::default()).unwrap();
        let change = fixture.sessions.shared.change(pair.session, &next, Condition::Anything);
        fixture.elsewhere(vec![change]);
        assert!(matches!(writing.wait().unwrap(), Attempt::Again));
        assert!(matches!(fixture.refresh(&pair), Refreshed::Replayed(_)));
    });
}

#[test]
fn a_session_whose_record_is_gone_is_unknown() {
    in_a_store(|fixture| {
        let pair = fixture.start();
        fixture.delete_elsewhere(pair.session);
        assert_eq!(fixture.refresh(&pair), Refreshed::Unknown);
        assert!(fixture.list("alice").is_empty());
        // The other way round: it was deleted and made again.
        let pair = fixture.start();
        let row = fixture.row(pair.session);
        fixture.delete_elsewhere(pair.session);
        let change = fixture.sessions.shared.change(pair.session, &row, Condition::Absent);
        fixture.elsewhere(vec![change]);
        fixture.rotate(&pair);
    });
}

#[test]
fn a_process_that_was_stopped_for_long_forgets_the_sessions_that_are_gone() {
    in_a_store(|fixture| {
        let (gone, stays) = (fixture.start(), fixture.start());
        fixture.delete_elsewhere(gone.session);
        fixture.pass(1801);
        // Without a transaction there is nothing to read.
        fixture.try_start("bob", "{}").unwrap();
        let listed: Vec<_> = fixture.list("alice").iter().map(|info| info.session).collect();
        assert_eq!(listed, [stays.session]);
        fixture.rotate(&stays);
    });
}

#[test]
fn many_rows_of_another_process_are_not_read_by_the_call_itself() {
    in_a_store(|fixture| {
        fixture.copy_elsewhere(fixture.start().session, 200);
        // The look of the writer may have been first.
        let mut attempts = (0..4).map(|_| fixture.sessions.list("alice").unwrap());
        let is_told = attempts.any(|attempt| match attempt {
            Attempt::Behind => true,
            Attempt::Done(list) => list.len() == 201,
            _ => panic!(),
        });
        assert!(is_told);
        assert_eq!(fixture.list("alice").len(), 201);
    });
}

#[test]
fn a_transaction_of_this_process_skips_no_row_of_another_that_was_read_in_part() {
    in_a_store(|fixture| {
        fixture.copy_elsewhere(fixture.start().session, 200);
        // It stops within the transaction, unless the look of the writer was first.
        let _ = fixture.sessions.list("alice").unwrap();
        let sequence = fixture.store().epoch() + 1;
        let receipt = Receipt { sequence, records: Vec::new(), deleted: 0 };
        fixture.sessions.shared.wrote(&receipt, Vec::new());
        assert_eq!(fixture.list("alice").len(), 201);
    });
}

#[test]
fn rows_that_are_over_leave_the_store() {
    in_a_store(|fixture| {
        fixture.start();
        let before = fixture.records();
        let pairs: Vec<_> = (0..40).map(|_| fixture.start()).collect();
        for pair in &pairs[..20] {
            fixture.end(pair.session).unwrap();
        }
        assert_eq!(fixture.records(), before + 40);
        // First the ended ones, whose rows tell the other processes for an hour.
        fixture.pass(3600);
        until(|| fixture.records() == before + 20);
        fixture.pass(SessionLimits::default().refresh_ttl);
        until(|| fixture.records() == before - 1);
    });
}

#[test]
fn sessions_with_other_options_or_with_a_list_elsewhere_are_refused() {
    in_a_store(|fixture| {
        let state = fixture.store().state::<(StoredList, StoredSessions)>().unwrap();
        let make = |limits: SessionLimits, list: &Arc<RevocationList>| {
            let (issuer, clock) = (fixture.sessions.issuer.clone(), fixture.clock.clone());
            let place = (fixture.store(), &state.1);
            Sessions::on_store(place, limits, issuer, list.clone(), clock).err().map(|e| e.code)
        };
        let limits = SessionLimits::default();
        assert_eq!(make(limits, &fixture.revocations), None);
        let other = SessionLimits { grace: 31, ..limits };
        assert_eq!(make(other, &fixture.revocations), Some(Code::InvalidArgValue));
        let list = RevocationList::new(ListLimits::default(), fixture.clock.clone()).unwrap();
        assert_eq!(make(limits, &Arc::new(list)), Some(Code::InvalidArgValue));
    });
}

#[test]
fn sessions_of_a_closed_store_answer_nothing_and_keep_no_row() {
    in_a_store(|fixture| {
        let pair = fixture.start();
        let row = Arc::downgrade(&fixture.row(pair.session));
        fixture.close();
        assert!(row.upgrade().is_none(), "the table gives up its rows");
        let closed = Some(Code::StoreClosed);
        assert_eq!(fixture.try_refresh(&pair.refresh_token).err().map(|e| e.code), closed);
        assert_eq!(fixture.try_start("alice", "{}").err().map(|e| e.code), closed);
        assert_eq!(fixture.end(pair.session).err().map(|e| e.code), closed);
        assert_eq!(fixture.end_all("alice").err().map(|e| e.code), closed);
        let list = fixture.done(|| fixture.sessions.list("alice"));
        assert_eq!(list.err().map(|e| e.code), closed);
    });
}

#[test]
fn the_end_of_a_session_and_of_its_tokens_is_one_transaction() {
    in_a_store(|fixture| {
        let pair = fixture.start();
        let before = fixture.store().stats().unwrap();
        fixture.end(pair.session).unwrap();
        let after = fixture.store().stats().unwrap();
        // The revocation list may store its time in another one.
        assert_eq!(after.entries, before.entries + 1);
        assert!(after.batches <= before.batches + 2);
        let Attempt::Writes(writing) = fixture.sessions.end(fixture.start().session).unwrap()
        else {
            panic!()
        };
        assert_eq!(writing.rows(), (1, 1));
    });
}

fn in_a_store(test: impl Fn(&Fixture)) {
    let folder = Folder::new();
    test(&open(&folder.path("store"), &clock()));
}

/// Waits for the writer, which looks twice a second.
fn until(condition: impl Fn() -> bool) {
    for _ in 0..400 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not happen");
}
