//! Compares the list with a map of all revocations under random calls, and tests readers while the
//! list is written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::revocation::terms::MAX_CLOCK_TOLERANCE;
use crate::revocation::{Query, Revocation, Scope};

const NOW: u64 = 1_700_000_000;
const LIMITS: ListLimits =
    ListLimits { max_entries: 300, max_token_ttl: 600, on_full: OnFull::RejectOlder };
const ISSUERS: [Option<&str>; 3] = [None, Some("a"), Some("b")];

/// The generator of Steele, Lea and Flood (splitmix64).
struct Random(u64);

impl Random {
    fn index(&mut self, bound: u32) -> usize {
        usize::try_from(self.below(u64::from(bound))).unwrap()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d049bb133111eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

type Name = (usize, String, Option<&'static str>);

/// All revocations; each value tells until when the list must remember it.
#[derive(Default)]
struct Model {
    values: HashMap<Name, u64>,
    rejects_issued_until: u64,
}

impl Model {
    fn revoke(&mut self, name: Name, value: u64) {
        let held = self.values.entry(name).or_default();
        *held = value.max(*held);
    }

    /// The revocation that applies to a token of one issuer, and whether the list must still hold
    /// it.
    fn find(&self, field: usize, id: &str, issuer: Option<&'static str>, now: u64) -> Verdict {
        let life = if field == 2 { LIMITS.max_token_ttl } else { 0 };
        let scopes = if issuer.is_some() { vec![None, issuer] } else { vec![None] };
        let held = scopes.into_iter().filter_map(|scope| {
            self.values.get(&(field, id.to_owned(), scope)).map(|value| {
                let until = value.saturating_add(life + MAX_CLOCK_TOLERANCE);
                if until >= now { Verdict::Revoked(*value) } else { Verdict::Forgettable }
            })
        });
        held.max().unwrap_or(Verdict::Never)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Never,
    Forgettable,
    Revoked(u64),
}

fn revoke(list: &RevocationList, (field, id, issuer): &Name, value: u64) -> Result<()> {
    let scope = issuer.map_or(Scope::Any, Scope::Issuer);
    match field {
        0 => list.revoke(&Revocation::id(id, value, scope)),
        1 if value.is_multiple_of(2) && issuer.is_none() => {
            list.revoke(&Revocation::ended_session(id, value))
        }
        1 => list.revoke(&Revocation::session(id, value, scope)),
        2 => list.revoke(&Revocation::subject(id, value, scope)),
        _ => list.revoke(&Revocation::key(id)),
    }
}

fn query<'a>(field: usize, id: &'a str, issuer: Option<&'a str>, issued_at: f64) -> Query<'a> {
    let of = |wanted| (field == wanted).then_some(id);
    Query {
        issuer,
        id: of(0),
        session: of(1),
        subject: of(2),
        kid: of(3),
        issued_at: Some(issued_at),
    }
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "whole seconds")]
fn answers_as_a_map_of_everything_would() {
    for seed in 0..40 {
        let clock = Arc::new(ManualClock::at(NOW));
        let list = RevocationList::new(LIMITS, clock.clone()).unwrap();
        let (mut model, mut random) = (Model::default(), Random(seed));
        let mut now = NOW;
        // Sometimes there are more ids than the list has room for.
        let ids = if seed % 2 == 0 { 25 } else { 200 };
        for _ in 0..3000 {
            let field = random.index(4);
            // Few keys, because they are never removed.
            let id = random.below(if field == 3 { 8 } else { ids }).to_string();
            let issuer = ISSUERS[random.index(3)];
            match random.below(10) {
                0..4 => {
                    let issuer = issuer.filter(|_| field != 3);
                    let value = match field {
                        3 => u64::MAX,
                        _ => now - 100 + random.below(800),
                    };
                    let name = (field, id, issuer);
                    if revoke(&list, &name, value).is_ok() {
                        model.revoke(name, value);
                    }
                    let rejects = list.stats().rejects_issued_until;
                    assert!(rejects >= model.rejects_issued_until && rejects <= now);
                    model.rejects_issued_until = rejects;
                }
                4 => {
                    let step = random.below(200);
                    clock.advance(Duration::from_secs(step));
                    now += step;
                }
                _ => {
                    let issued_at = now - random.below(700);
                    let asked = query(field, &id, issuer, issued_at as f64);
                    let revoked = list.is_revoked(&asked).unwrap();
                    let older = issued_at <= model.rejects_issued_until;
                    match model.find(field, &id, issuer, now) {
                        Verdict::Revoked(value) if field != 2 || issued_at <= value => {
                            // Its entry may have been removed to make room: then only older tokens
                            // are refused.
                            let made_room = model.rejects_issued_until > 0;
                            assert!(revoked || made_room, "{seed} {asked:?}");
                            assert!(revoked || !older, "{seed} {asked:?}");
                        }
                        Verdict::Never | Verdict::Revoked(_) => {
                            assert_eq!(revoked, older, "{seed} {asked:?}");
                        }
                        Verdict::Forgettable => {}
                    }
                }
            }
            assert!(list.read().len() <= LIMITS.max_entries);
        }
        // Entries that are no longer needed are removed as others are revoked.
        clock.advance(Duration::from_secs(100_000));
        for n in 0..400 {
            let _ = list.revoke(&Revocation::id(&format!("late {n}"), now + 100_000, Scope::Any));
        }
        let Stats { ids, sessions, subjects, keys, .. } = list.stats();
        assert!(ids <= 300 && sessions == 0 && subjects == 0 && keys <= 8, "{seed}");
    }
}

#[test]
fn readers_see_what_was_revoked_before_they_asked() {
    const ENTRIES: u64 = 20_000;
    let list = RevocationList::new(ListLimits::default(), Arc::new(ManualClock::at(NOW))).unwrap();
    let written = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..ENTRIES {
                let id = n.to_string();
                let issuer = if n % 3 == 0 { Scope::Issuer("a") } else { Scope::Any };
                list.revoke(&Revocation::id(&id, NOW, issuer)).unwrap();
                list.revoke(&Revocation::session(&id, NOW, Scope::Any)).unwrap();
                written.store(n + 1, Ordering::Release);
            }
        });
        for reader in 0..3 {
            let (list, written) = (&list, &written);
            scope.spawn(move || {
                let mut random = Random(reader);
                loop {
                    let done = written.load(Ordering::Acquire);
                    let n = random.below(ENTRIES);
                    let (id, other) = (n.to_string(), format!("x{n}"));
                    let by_id = list.is_revoked(&query(0, &id, Some("a"), 0.0)).unwrap();
                    let by_session = list.is_revoked(&query(1, &id, None, 0.0)).unwrap();
                    assert!(n >= done || (by_id && by_session), "{n} of {done}");
                    assert!(!list.is_revoked(&query(0, &other, Some("a"), 0.0)).unwrap());
                    if done == ENTRIES {
                        break;
                    }
                }
            });
        }
    });
    assert_eq!(list.read().len() as u64, 2 * ENTRIES);
}
