//! A process that is stopped while it answers, as by SIGSTOP, and goes on when another process has
//! ended the session.

use std::sync::Mutex;

use super::*;
use crate::revocation::OnFull;

/// A clock that stands for the moment in which a process is stopped: at its next use it makes the
/// changes of the other processes.
struct StoppingClock {
    clock: Arc<ManualClock>,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Clock for StoppingClock {
    fn unix_millis(&self) -> u64 {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        self.clock.unix_millis()
    }

    fn monotonic_nanos(&self) -> u64 {
        self.clock.monotonic_nanos()
    }

    fn boot_id(&self) -> Option<String> {
        self.clock.boot_id()
    }

    fn latest_unix_millis(&self) -> u64 {
        self.clock.latest_unix_millis()
    }
}

/// Presents a refresh token in a process that is stopped for some seconds when it signs the answer.
/// Meanwhile another process ends the session, and its list makes room. Returns whether a verifier
/// accepts the token in the answer, and the answer.
fn refresh_while_stopped(seconds: u64, is_replayed: bool) -> (bool, Refreshed) {
    let folder = Folder::new();
    let path = folder.path("store");
    let clock = Arc::new(ManualClock::at(NOW));
    let limits =
        ListLimits { max_entries: 3, on_full: OnFull::RejectOlder, ..ListLimits::default() };
    let open = || Fixture::open(&path, SessionLimits::default(), limits, clock.clone());
    let (other, stopped) = (Arc::new(open()), open());
    let stopping = Arc::new(StoppingClock { clock: clock.clone(), meanwhile: Mutex::default() });
    let state = stopped.store.as_ref().unwrap().state::<(StoredList, StoredSessions)>().unwrap();
    let sessions = Sessions::on_store(
        (stopped.store.as_ref().unwrap(), &state.1),
        SessionLimits::default(),
        issuer(&other.ring, stopping.clone()),
        stopped.revocations.clone(),
        clock.clone(),
    )
    .unwrap();
    let stopped = Fixture { sessions, ..stopped };
    let pair = other.start();
    if is_replayed {
        other.rotate(&pair);
    }
    // The first call of a process reads the table.
    stopped.list("alice");
    let (session, process) = (pair.session, other.clone());
    *stopping.meanwhile.lock().unwrap() = Some(Box::new(move || {
        process.end(session).unwrap();
        for id in ["a", "b", "c"] {
            let revocation = Revocation::id(id, NOW + 3000, Scope::Any);
            process.revocations.revoke(&revocation).unwrap();
        }
        assert!(process.revocations.stats().rejects_issued_until > 0, "it has made no room");
        process.pass(seconds);
    }));
    let refreshed = stopped.refresh(&pair);
    assert!(stopping.meanwhile.lock().unwrap().is_none(), "the process was not stopped");
    let is_accepted = match &refreshed {
        Refreshed::Replayed(pair) | Refreshed::Rotated(pair) => other.verify(pair).is_ok(),
        _ => false,
    };
    (is_accepted, refreshed)
}

#[test]
fn a_process_that_was_stopped_while_it_answered_gives_no_token_of_an_ended_session() {
    for seconds in [2, 0, 400] {
        for is_replayed in [true, false] {
            let answer = refresh_while_stopped(seconds, is_replayed);
            assert_eq!(answer, (false, Refreshed::Unknown), "{seconds} {is_replayed}");
        }
    }
}
