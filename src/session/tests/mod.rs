//! Whole sessions, in memory and on a store.

mod calls;
mod model;
mod stopped;
mod stores;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::error::{Code, Result};
use crate::jwt::{
    Algorithm, ExactClaims, Expected, Issuer, IssuerOptions, Key, KeyRing, KeySource, Rejection,
    RingOptions, Scratch, TokenForm, TokenKind, Tolerance, Verifier, VerifierOptions,
};
use crate::revocation::{ListLimits, Revocation, RevocationList, Scope, StoredList};
use crate::secret::Secret;
use crate::store::{Durability, Store, StoreOptions};
use crate::testing::folder::Folder;

const NOW: u64 = 1_700_000_000;

/// Where a fixture has its sessions.
#[derive(Clone, Copy)]
enum Place<'a> {
    Memory,
    Store(&'a Path),
}

/// Runs a test once for each place.
fn in_both_places(test: impl Fn(Place<'_>)) {
    test(Place::Memory);
    let folder = Folder::new();
    test(Place::Store(&folder.path("stores")));
}

/// An issuer with the keys of a ring, and with a clock of its own.
fn issuer(ring: &Arc<KeyRing>, clock: Arc<dyn Clock>) -> Arc<Issuer> {
    let options = IssuerOptions {
        keys: KeySource::Ring(ring.clone()),
        issuer: None,
        audience: vec![],
        expires_in: 300,
        typ: "JWT".into(),
        jti: true,
    };
    Arc::new(Issuer::new(options, clock).unwrap())
}

struct Fixture {
    sessions: Sessions,
    verifier: Verifier,
    revocations: Arc<RevocationList>,
    ring: Arc<KeyRing>,
    clock: Arc<ManualClock>,
    store: Option<Arc<Store>>,
}

impl Fixture {
    fn new(place: Place<'_>, options: SessionLimits) -> Self {
        Self::with(place, options, ListLimits::default())
    }

    /// With a new store in a folder of stores.
    fn with(place: Place<'_>, options: SessionLimits, limits: ListLimits) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        match place {
            Place::Memory => {
                let list = Arc::new(RevocationList::new(limits, clock.clone()).unwrap());
                Self::of(clock, list, |issuer, list, clock| {
                    Sessions::new(options, issuer, list, clock)
                })
            }
            Place::Store(folder) => {
                std::fs::create_dir_all(folder).unwrap();
                let name = std::fs::read_dir(folder).unwrap().count().to_string();
                Self::open(&folder.join(name), options, limits, clock)
            }
        }
    }

    fn open(
        path: &Path,
        options: SessionLimits,
        limits: ListLimits,
        clock: Arc<ManualClock>,
    ) -> Self {
        let key = Secret::copy_from(&[7; 32]).unwrap();
        let make = || -> Box<(StoredList, StoredSessions)> {
            Box::new((StoredList::new(clock.clone(), false), StoredSessions::default()))
        };
        let given = StoreOptions { durability: Durability::Process, ..StoreOptions::default() };
        let store = Arc::new(Store::open(path, &key, given, || make() as _).unwrap());
        let state = store.state::<(StoredList, StoredSessions)>().unwrap();
        state.0.prepare(&store).unwrap();
        let list = state.0.list(&store, limits, clock.clone()).unwrap().unwrap();
        let fixture = Self::of(clock, list, |issuer, list, clock| {
            Sessions::on_store((&store, &state.1), options, issuer, list, clock)
        });
        Self { store: Some(store), ..fixture }
    }

    fn of(
        clock: Arc<ManualClock>,
        list: Arc<RevocationList>,
        make: impl FnOnce(Arc<Issuer>, Arc<RevocationList>, Arc<dyn Clock>) -> Result<Sessions>,
    ) -> Self {
        let ring = KeyRing::new(RingOptions::default(), clock.clone()).unwrap();
        let key = || Arc::new(Key::generate(Algorithm::Hs256, None, None).unwrap());
        ring.add(&key(), None).unwrap();
        let issuer = issuer(&ring, clock.clone());
        let verifier = VerifierOptions {
            kind: TokenKind::jwt(),
            keys: KeySource::Ring(ring.clone()),
            algorithms: None,
            issuer: Expected::Anything,
            audience: Expected::Anything,
            clock_tolerance: Tolerance::of(0),
            max_age: None,
            typ: None,
            required_claims: vec![],
            require_expiry: true,
            revocations: Some(list.clone()),
            cache_entries: 0,
            exact_claims: ExactClaims::default(),
            form: TokenForm::default(),
        };
        let verifier = Verifier::new(verifier, clock.clone()).unwrap();
        let sessions = make(issuer, list.clone(), clock.clone()).unwrap();
        Self { sessions, verifier, revocations: list, ring, clock, store: None }
    }

    /// Repeats a call until it is done, as the façade does.
    fn done<T: Send + 'static>(&self, mut call: impl FnMut() -> Result<Attempt<T>>) -> Result<T> {
        let mut attempt = call()?;
        loop {
            attempt = match attempt {
                Attempt::Done(value) => return Ok(value),
                Attempt::Writes(writing) => writing.wait()?,
                Attempt::Again => call()?,
                Attempt::Behind => {
                    self.sessions.catch_up()?;
                    call()?
                }
            };
        }
    }

    fn start(&self) -> TokenPair {
        self.try_start("alice", "{}").unwrap()
    }

    fn try_start(&self, subject: &str, claims: &str) -> Result<TokenPair> {
        self.done(|| self.sessions.start(subject, claims, None)).map(|started| started.pair)
    }

    fn refresh(&self, pair: &TokenPair) -> Refreshed {
        self.try_refresh(&pair.refresh_token).unwrap()
    }

    fn try_refresh(&self, token: &str) -> Result<Refreshed> {
        self.change(token, Change::default())
    }

    fn change(&self, token: &str, change: Change<'_>) -> Result<Refreshed> {
        self.done(|| self.sessions.refresh(token, change, false))
    }

    fn rotate(&self, pair: &TokenPair) -> TokenPair {
        match self.refresh(pair) {
            Refreshed::Rotated(next) => next,
            other => panic!("{other:?}"),
        }
    }

    fn end(&self, session: uuid::Uuid) -> Result<()> {
        self.done(|| self.sessions.end(session))
    }

    fn end_all(&self, subject: &str) -> Result<()> {
        let all = Arc::new(self.sessions.end_all(subject));
        while self.done(|| self.sessions.end_some(&all))? {}
        Ok(())
    }

    fn list(&self, subject: &str) -> Vec<SessionInfo> {
        self.done(|| self.sessions.list(subject)).unwrap()
    }

    fn ended(pair: &TokenPair) -> Ended {
        Ended { session: pair.session, subject: "alice".into() }
    }

    fn verify(&self, pair: &TokenPair) -> std::result::Result<String, Rejection> {
        let mut scratch = Scratch::default();
        let token = pair.access_token.as_bytes();
        self.verifier.verify(token, &mut scratch).map(ToOwned::to_owned)
    }

    fn claims(&self, pair: &TokenPair) -> serde_json::Value {
        serde_json::from_str(&self.verify(pair).unwrap()).unwrap()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}
