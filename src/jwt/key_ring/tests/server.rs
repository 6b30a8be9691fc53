//! A ring on a server, as several processes have it. The server loses versions.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::peers::{HOUR, START, eddsa, rotating};
use super::*;
use crate::jwt::key_ring::propose::{RingOpening, ServerChange, ServerVersion};
use crate::jwt::key_ring::stamp::HEAD_LEN;

const PEERS: usize = 3;

/// The version that a server has, and those that it had before.
#[derive(Default)]
struct Server {
    value: Option<Vec<u8>>,
    earlier: Vec<Option<Vec<u8>>>,
}

impl Server {
    /// Replaces the version that has a head, if it is still there.
    fn write(&mut self, before: Option<&[u8]>, value: Vec<u8>) -> bool {
        let is_there = self.value.as_deref().map(|value| &value[..HEAD_LEN]) == before;
        if is_there {
            self.earlier.push(self.value.replace(value));
        }
        is_there
    }

    /// Has an earlier version again, or none.
    fn lose(&mut self, at: usize) {
        if let Some(earlier) = self.earlier.get(at) {
            self.value.clone_from(earlier);
        }
    }
}

fn opening(given: RingOverrides) -> RingOpening {
    RingOpening::new(given, Secret::copy_from(&[7; 32]).unwrap(), b"ring".to_vec())
}

/// The ring of a process that opens it now.
fn open(server: &mut Server, given: RingOverrides, clock: &Arc<ManualClock>) -> Arc<KeyRing> {
    let opening = opening(given);
    if server.value.is_none() {
        assert!(server.write(None, opening.create(&**clock).unwrap()));
    }
    opening.read(server.value.as_ref().unwrap(), clock.clone()).unwrap()
}

/// Does as the façade does once a second.
fn look(ring: &KeyRing, server: &mut Server) {
    let value = server.value.clone();
    if let Some(value) = &value
        && ring.is_at(&value[..HEAD_LEN]).unwrap()
    {
        return;
    }
    let change = match ring.read_server(value.as_deref()).unwrap() {
        ServerVersion::Same => return,
        ServerVersion::Behind => ServerChange::Restore,
        ServerVersion::Apart => ServerChange::Merge(value.clone().unwrap()),
    };
    let proposal = ring.propose(change).unwrap();
    let head = value.as_deref().map(|value| &value[..HEAD_LEN]);
    assert!(server.write(head, proposal.value.unwrap()));
    ring.settle(true).unwrap();
}

/// Makes a change of the newest version.
fn change(ring: &KeyRing, server: &mut Server, change: ServerChange) -> Option<String> {
    look(ring, server);
    let proposal = ring.propose(change).unwrap();
    if let Some(value) = proposal.value {
        let head = ring.head().unwrap();
        assert!(server.write(Some(&head), value));
        ring.settle(true).unwrap();
    }
    proposal.kid
}

fn rotate(ring: &KeyRing, server: &mut Server) -> String {
    let seen = ring.signing_ids();
    change(ring, server, ServerChange::Rotate { force: true, seen }).unwrap()
}

fn count(ring: &KeyRing, state: KeyState) -> usize {
    states(ring).into_iter().filter(|own| *own == state).count()
}

#[test]
fn a_rotation_of_a_version_that_another_process_has_replaced_has_its_key() {
    let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
    let one = open(&mut server, eddsa(), &clock);
    let other = open(&mut server, RingOverrides::default(), &clock);
    let seen = other.signing_ids();
    let kid = rotate(&one, &mut server);
    let late = change(&other, &mut server, ServerChange::Rotate { force: true, seen });
    assert_eq!(late.as_ref(), Some(&kid));
    assert_eq!(other.list().unwrap(), one.list().unwrap());
    // A proposal that the server has not taken changes nothing.
    let seen = one.signing_ids();
    one.propose(ServerChange::Rotate { force: true, seen }).unwrap();
    one.settle(false).unwrap();
    assert_eq!(one.signing_key().unwrap().kid(), kid);
    assert_eq!(one.tick(0).unwrap_err().code, Code::KeyringSync);
}

#[test]
fn a_key_signs_until_300_s_after_it_was_to_be_replaced_or_the_server_has_answered() {
    let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
    let ring = open(&mut server, rotating(), &clock);
    clock.advance(Duration::from_secs(HOUR + 299));
    let kid = ring.signing_key().unwrap().kid().to_owned();
    clock.advance(Duration::from_secs(1));
    assert_eq!(ring.signing_key().unwrap_err().code, Code::KeyringStore);
    assert_eq!(ring.find(Some(&kid), ALGORITHM).unwrap().0.kid(), kid);
    look(&ring, &mut server);
    assert_eq!(ring.signing_key().unwrap().kid(), kid);
    clock.advance(Duration::from_secs(300));
    assert_eq!(ring.signing_key().unwrap_err().code, Code::KeyringStore);
    assert!(ring.is_due());
    change(&ring, &mut server, ServerChange::Due);
    assert_ne!(ring.signing_key().unwrap().kid(), kid);
    assert!(!ring.is_due());
    // Without a period nobody replaces the key by time.
    let mut server = Server::default();
    let ring = open(&mut server, eddsa(), &clock);
    clock.advance(Duration::from_secs(400 * 24 * HOUR));
    assert!(ring.signing_key().is_ok());
}

#[test]
fn a_machine_whose_clock_is_behind_by_300_s_changes_no_times_of_keys() {
    let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
    let one = open(&mut server, eddsa(), &clock);
    rotate(&one, &mut server);
    for (behind, is_changed) in [(300, false), (301, true)] {
        let clock = Arc::new(ManualClock::at(START - behind));
        let other = open(&mut server, eddsa(), &clock);
        assert_eq!(other.is_due(), is_changed, "{behind}");
        let version = server.value.clone();
        change(&other, &mut server, ServerChange::Due);
        assert_eq!(server.value != version, is_changed, "{behind}");
    }
}

#[test]
fn another_ring_under_the_name_and_a_changed_version_are_refused() {
    let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
    let ring = open(&mut server, eddsa(), &clock);
    let own = server.value.clone().unwrap();
    let given = RingOverrides { jwks_max_age: Some(1), ..eddsa() };
    let another = opening(given).create(&*clock).unwrap();
    assert_eq!(ring.read_server(Some(&another)).unwrap_err().code, Code::InvalidArgValue);
    for at in 0..own.len() {
        let mut changed = own.clone();
        changed[at] ^= 1;
        let opened = opening(eddsa()).read(&changed, clock.clone());
        assert_eq!(opened.err().unwrap().code, Code::SecretSeal, "{at}");
    }
    let key = Secret::copy_from(&[7; 32]).unwrap();
    let renamed = RingOpening::new(eddsa(), key, b"rings".to_vec()).read(&own, clock);
    assert_eq!(renamed.err().unwrap().code, Code::SecretSeal);
    ring.close_server();
    assert_eq!(ring.signing_key().unwrap_err().code, Code::KeyringNoActiveKey);
    assert_eq!(ring.list().unwrap_err().code, Code::KeyringStore);
}

/// Makes `count` changes.
fn configure_often(ring: &KeyRing, server: &mut Server, count: u64) {
    for more in 0..count {
        change(ring, server, ServerChange::Configure(Some(9 * HOUR + more % 2)));
    }
}

#[test]
fn a_version_more_than_64_changes_old_brings_no_forgotten_key_back() {
    for is_reader_late in [false, true] {
        let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
        let given = RingOverrides { max_token_ttl: Some(HOUR), ..rotating() };
        let one = open(&mut server, given, &clock);
        let late = open(&mut server, RingOverrides::default(), &clock);
        let earlier = server.value.clone();
        let stolen = one.signing_key().unwrap().kid().to_owned();
        rotate(&one, &mut server);
        configure_often(&one, &mut server, 70);
        for _ in 0..6 {
            clock.advance(Duration::from_secs(HOUR));
            change(&one, &mut server, ServerChange::Due);
        }
        let unknown = |ring: &KeyRing| {
            assert_eq!(ring.find(Some(&stolen), ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
        };
        unknown(&one);
        let keys = one.list().unwrap();
        if is_reader_late {
            // A process that was stopped for the time.
            look(&late, &mut server);
            unknown(&late);
        } else {
            server.value = earlier;
        }
        look(&one, &mut server);
        unknown(&one);
        assert_eq!(one.list().unwrap(), keys);
        unknown(&open(&mut server, RingOverrides::default(), &clock));
    }
}

#[test]
fn a_new_ring_on_a_server_that_has_lost_an_old_one_keeps_its_key_in_the_merge() {
    let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
    let one = open(&mut server, rotating(), &clock);
    configure_often(&one, &mut server, 70);
    clock.advance(Duration::from_secs(HOUR));
    let own = one.signing_key().unwrap().kid().to_owned();
    server.value = None;
    let late = open(&mut server, rotating(), &clock);
    let theirs = late.signing_key().unwrap().kid().to_owned();
    look(&one, &mut server);
    look(&late, &mut server);
    for ring in [&one, &late] {
        assert_eq!(ring.signing_key().unwrap().kid(), own);
        assert!(ring.find(Some(&theirs), ALGORITHM).is_ok());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Look(usize),
    Rotate(usize),
    /// Revokes the key with this index in the list.
    Revoke(usize, usize),
    Configure(usize, u64),
    Due(usize),
    /// The server has an earlier version again, or none.
    Lose(usize),
    /// A process ends, and another one opens the ring.
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0..PEERS;
    prop_oneof![
        (1..3 * HOUR).prop_map(Step::Pass),
        peer.clone().prop_map(Step::Look),
        peer.clone().prop_map(Step::Rotate),
        (peer.clone(), 0..8_usize).prop_map(|(peer, at)| Step::Revoke(peer, at)),
        (peer.clone(), 2 * HOUR..9 * HOUR).prop_map(|(peer, every)| Step::Configure(peer, every)),
        peer.clone().prop_map(Step::Due),
        (0..40_usize).prop_map(Step::Lose),
        peer.prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    #[test]
    fn what_a_living_process_has_seen_of_a_ring_is_never_undone(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let (mut server, clock) = (Server::default(), Arc::new(ManualClock::at(START)));
        let given = rotating();
        let mut rings: Vec<_> =
            (0..PEERS).map(|_| open(&mut server, given, &clock)).collect();
        for step in steps {
            match step {
                Step::Pass(seconds) => clock.advance(Duration::from_secs(seconds)),
                Step::Look(at) => look(&rings[at], &mut server),
                Step::Rotate(at) => drop(rotate(&rings[at], &mut server)),
                Step::Revoke(at, key) => {
                    look(&rings[at], &mut server);
                    if let Some(info) = rings[at].list().unwrap().get(key) {
                        change(&rings[at], &mut server, ServerChange::Revoke(info.kid.clone()));
                    }
                }
                Step::Configure(at, every) => {
                    change(&rings[at], &mut server, ServerChange::Configure(Some(every)));
                }
                Step::Due(at) => drop(change(&rings[at], &mut server, ServerChange::Due)),
                Step::Lose(at) => server.lose(at),
                Step::Restart(at) => {
                    let given = RingOverrides { rotate_every: None, ..given };
                    rings[at] = open(&mut server, given, &clock);
                }
            }
        }
        let now = clock.unix_seconds();
        let revoked: HashSet<String> = keys_of(&rings, |_, info| info.state == KeyState::Revoked);
        let usable = keys_of(&rings, |ring, info| {
            let longest = ring.options().longest_use();
            match info.state {
                KeyState::Active => true,
                KeyState::Retired => now < info.since + longest,
                KeyState::Next | KeyState::Revoked => false,
            }
        });
        // Twice, as the first of them has not seen the versions of the others.
        for _ in 0..2 {
            for ring in &rings {
                look(ring, &mut server);
            }
        }
        let keys = rings[0].list().unwrap();
        for ring in &rings {
            prop_assert_eq!(&ring.list().unwrap(), &keys);
            prop_assert!(count(ring, KeyState::Active) <= 1 && count(ring, KeyState::Next) <= 1);
            prop_assert_eq!(ring.options(), rings[0].options());
        }
        for kid in &revoked {
            let found = rings[0].find(Some(kid), ALGORITHM);
            prop_assert_eq!(found.unwrap_err(), Rejection::KeyRevoked);
        }
        for kid in usable.difference(&revoked) {
            prop_assert!(rings[0].find(Some(kid), ALGORITHM).is_ok(), "{}", kid);
        }
    }
}

fn keys_of(rings: &[Arc<KeyRing>], is: impl Fn(&KeyRing, &KeyInfo) -> bool) -> HashSet<String> {
    let keys = rings.iter().flat_map(|ring| {
        let keys = ring.list().unwrap().into_iter();
        keys.filter(|info| is(ring, info)).map(|info| info.kid).collect::<Vec<_>>()
    });
    keys.collect()
}
