//! Compares rings of several processes on one store, and a ring in memory, with a plain model under
//! random calls, crashes and steps of the clock.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::peers::{DAY, HOUR, START, peer, store_at};
use super::plain_model::{LONGEST_USE, Model, ModelKey};
use super::*;
use crate::jwt::key_ring::ring::Home;
use crate::jwt::key_ring::stored::StoredRing;
use crate::store::Store;
use crate::testing::folder::Folder;

const PEERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Time passes, and a process does what is due.
    Pass(u64, usize),
    /// The wall clock is wrong for one call of a process.
    WrongClock(u64, usize),
    Rotate(usize, bool),
    /// Revokes the key with this index in the list, if there is one.
    Revoke(usize, usize),
    /// Adds a key; a name that was added before is tried again.
    Add(usize, u8),
    Configure(usize, Option<u64>),
    /// A process ends without notice, and another one starts.
    Crash(usize),
    /// All processes end, and the store is opened again.
    Restart,
    /// All processes do what is due, and look at the ring.
    Look,
}

fn step(peers: usize) -> impl Strategy<Value = Step> {
    let peer = 0..peers;
    prop_oneof![
        4 => (prop_oneof![1..600_u64, 1..2 * HOUR, 1..3 * DAY], peer.clone())
            .prop_map(|(seconds, peer)| Step::Pass(seconds, peer)),
        1 => (prop_oneof![Just(1), Just(START - DAY), Just(4_000_000_000)], peer.clone())
            .prop_map(|(wall, peer)| Step::WrongClock(wall, peer)),
        3 => (peer.clone(), any::<bool>()).prop_map(|(peer, force)| Step::Rotate(peer, force)),
        2 => (peer.clone(), 0..6_usize).prop_map(|(peer, index)| Step::Revoke(peer, index)),
        2 => (peer.clone(), 0..4_u8).prop_map(|(peer, name)| Step::Add(peer, name)),
        1 => (peer.clone(), prop_oneof![Just(None), Just(Some(HOUR)), Just(Some(7 * DAY))])
            .prop_map(|(peer, every)| Step::Configure(peer, every)),
        1 => peer.prop_map(Step::Crash),
        1 => Just(Step::Restart),
        2 => Just(Step::Look),
    ]
}

/// The rings of some processes, beside the model.
struct World {
    clock: Arc<ManualClock>,
    store: Option<(Folder, Arc<Store>)>,
    rings: Vec<Arc<KeyRing>>,
    /// The keys that each process has seen sign.
    seen: Vec<[Option<usize>; 2]>,
    model: Model,
    /// The ids of the model's numbers.
    kids: HashMap<usize, String>,
    /// Messages that were signed: by which key.
    signed: Vec<(usize, Vec<u8>)>,
}

impl World {
    fn new(is_stored: bool) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let options = RingOptions { algorithm: ALGORITHM, ..RingOptions::default() };
        let (store, rings) = if is_stored {
            let folder = Folder::in_memory();
            let store = store_at(&folder.path("store"));
            let given = RingOverrides { algorithm: Some(ALGORITHM), ..RingOverrides::default() };
            let mut rings =
                vec![StoredRing::new(false).open(&store, &given, clock.clone()).unwrap()];
            rings.extend((1..PEERS).map(|_| peer(&store, &clock)));
            (Some((folder, store)), rings)
        } else {
            let ring = KeyRing::new(options, clock.clone()).unwrap();
            ring.rotate(false, generate).unwrap();
            (None, vec![ring])
        };
        let mut model = Model {
            keys: Vec::new(),
            made: 0,
            every: None,
            now: START,
            proven: 0,
            transit: if is_stored { 33 } else { 30 },
            needs_proof: is_stored,
            named: HashMap::new(),
            spent: Vec::new(),
        };
        model.rotate(false).unwrap();
        let seen = vec![model.signing(); rings.len()];
        let (kids, signed) = (HashMap::new(), Vec::new());
        let mut world = Self { clock, store, rings, seen, model, kids, signed };
        world.check();
        world
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Pass(seconds, peer) => {
                self.clock.advance(Duration::from_secs(seconds));
                self.model.now += seconds;
                self.tick(peer, 0);
            }
            Step::WrongClock(wall, peer) => {
                self.clock.set(wall);
                self.tick(peer, wall);
                self.clock.set(self.model.now);
            }
            Step::Rotate(peer, force) => self.rotate(peer, force),
            Step::Revoke(peer, index) => {
                let Some(key) = self.model.keys.get_mut(index) else { return };
                if key.state != KeyState::Revoked {
                    (key.state, key.since) = (KeyState::Revoked, self.model.now);
                }
                self.rings[peer].revoke(&self.kids[&key.number]).unwrap();
                self.tick(peer, 0);
            }
            Step::Add(peer, name) => self.add(peer, name),
            Step::Configure(peer, every) => {
                self.model.every = every;
                self.rings[peer].configure(every).unwrap();
                self.tick(peer, 0);
            }
            Step::Crash(peer) => {
                if let Some((_, store)) = &self.store {
                    self.rings[peer] = self::peer(store, &self.clock);
                    self.look(peer);
                }
            }
            Step::Restart => {
                let Some((folder, store)) = &mut self.store else { return };
                store.close();
                *store = store_at(&folder.path("store"));
                self.rings = (0..PEERS).map(|_| self::peer(store, &self.clock)).collect();
                self.seen = vec![self.model.signing(); PEERS];
            }
            Step::Look => self.check(),
        }
    }

    /// Tells the model the time that a process has proven.
    fn prove(&mut self, peer: usize) {
        self.model.proven = self.rings[peer].times(0).proven;
        assert!(self.model.proven <= self.model.now - HOUR);
    }

    /// A process does what is due. `now` is a time that its clock shows, or 0.
    fn tick(&mut self, peer: usize, now: u64) {
        self.prove(peer);
        self.model.tick();
        self.rings[peer].tick(now).unwrap();
        self.look(peer);
    }

    fn rotate(&mut self, peer: usize, force: bool) {
        self.prove(peer);
        let ([was_active, was_next], [active, next]) = (self.seen[peer], self.model.signing());
        let has_another = active.is_some() && active != was_active;
        let was_published = !force && was_next.is_none() && next.is_some();
        let expected = if has_another || was_published {
            active.map(drop).ok_or(Code::KeyringNoActiveKey)
        } else {
            self.model.rotate(force)
        };
        let rotated = self.rings[peer].rotate(force, generate);
        assert_eq!(rotated.map(drop).map_err(|error| error.code), expected);
        self.tick(peer, 0);
    }

    fn add(&mut self, peer: usize, name: u8) {
        let kid = format!("added {name}");
        let key = Arc::new(Key::from_secret(&[name; 32], Algorithm::Hs256, Some(&kid)).unwrap());
        let has = self.model.named.get(&name);
        let has = has.is_some_and(|number| self.model.keys.iter().any(|key| key.number == *number));
        let is_refused = has || self.model.spent.contains(&name);
        let added = self.rings[peer].add(&key, Some(KeyState::Retired));
        assert_eq!(added.is_err(), is_refused, "{added:?}");
        if !is_refused {
            self.prove(peer);
            self.model.forget();
            let number = self.model.put(KeyState::Retired);
            self.model.named.insert(name, number);
        }
        self.tick(peer, 0);
    }

    /// A process looks at the ring, and signs.
    fn look(&mut self, peer: usize) {
        let list = self.rings[peer].list().unwrap();
        self.seen[peer] = self.model.signing();
        let shape = |state: KeyState, since: u64| (state.name(), since);
        assert_eq!(
            list.iter().map(|info| shape(info.state, info.since)).collect::<Vec<_>>(),
            self.model.keys.iter().map(|key| shape(key.state, key.since)).collect::<Vec<_>>(),
        );
        for (key, info) in self.model.keys.iter().zip(&list) {
            let kid = self.kids.entry(key.number).or_insert_with(|| info.kid.clone());
            assert_eq!(*kid, info.kid);
        }
        let active = self.model.signing()[0];
        let key = self.rings[peer].signing_key();
        assert_eq!(
            key.as_ref().map(|key| key.kid()).ok(),
            active.map(|active| &*self.kids[&active])
        );
        if let (Ok(key), Some(active)) = (key, active) {
            let mut signature = Vec::new();
            key.sign_into(b"message", &mut signature).unwrap();
            self.signed.push((active, signature));
        }
    }

    /// Every process has the same keys, and verifies the messages whose key has not been revoked.
    fn check(&mut self) {
        // A process does work that is left on a thread of its own, which may be at a later step.
        for peer in 0..self.rings.len() {
            self.tick(peer, 0);
        }
        for peer in 0..self.rings.len() {
            self.look(peer);
        }
        let jwks = self.rings[0].jwks().unwrap();
        let listed = self.rings[0].list().unwrap();
        let count = |state| listed.iter().filter(|info| info.state == state).count();
        assert!(count(KeyState::Active) <= 1 && count(KeyState::Next) <= 1);
        for ring in &self.rings {
            assert_eq!(ring.jwks().unwrap(), jwks);
        }
        let start = self.signed.len().saturating_sub(12);
        for (number, signature) in &self.signed[start..] {
            let key = self.model.keys.iter().find(|key| key.number == *number);
            let until = |key: &ModelKey| match key.state {
                KeyState::Retired => key.since + LONGEST_USE,
                _ => u64::MAX,
            };
            let expected = match key {
                Some(key) if key.state == KeyState::Revoked => Err(Rejection::KeyRevoked),
                Some(key) if self.model.now < until(key) => Ok(()),
                _ => Err(Rejection::KeyNotFound),
            };
            for ring in &self.rings {
                let found = ring.find(Some(&self.kids[number]), ALGORITHM);
                let verified = found.map(|(key, _)| assert!(key.verifies(b"message", signature)));
                assert_eq!(verified, expected);
            }
        }
        for ring in &self.rings {
            let Home::Store(record) = &ring.home else { continue };
            while record.is_rotating.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        }
    }
}

fn config() -> Config {
    let cases = std::env::var("CASES").map_or(60, |cases| cases.parse().unwrap());
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rings_of_several_processes_are_the_model(steps in prop::collection::vec(step(PEERS), 1..40)) {
        let mut world = World::new(true);
        for step in &steps {
            world.run(step);
        }
        world.check();
    }

    #[test]
    fn a_ring_in_memory_is_the_model(steps in prop::collection::vec(step(1), 1..60)) {
        let mut world = World::new(false);
        for step in &steps {
            world.run(step);
        }
        world.check();
    }
}
