//! Changes of peppers and policies, other schemes, and checks without a digest.

mod fuzz;

use super::*;
use crate::password::{Cancel, PolicyOptions, Preset};
use crate::testing::allocations::allocated_by;

const BCRYPT: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn options(change: impl FnOnce(&mut PolicyOptions)) -> HasherOptions {
    let mut policy = PolicyOptions { preset: Some(Preset::Test), ..PolicyOptions::default() };
    change(&mut policy);
    HasherOptions {
        policy: Policy::new(&policy, false).unwrap(),
        rehash: Rehash::Exact,
        secret: None,
        peppers: None,
        legacy: Vec::new(),
        limits: DigestLimits::default(),
        ceilings: Ceilings::default(),
    }
}

fn peppered(current: &str, ids: &[&str]) -> Hasher {
    let key = |id: &&str| (id.as_bytes().to_vec(), secret(id));
    let peppers = Peppers::new(current.as_bytes(), ids.iter().map(key).collect());
    Hasher::new(HasherOptions { peppers: Some(peppers.unwrap()), ..options(|_| {}) })
}

/// A pepper with content derived from its id.
fn secret(id: &str) -> Secret {
    Secret::copy_from(&id.as_bytes().repeat(32)[..32]).unwrap()
}

fn password(text: &str) -> SecretInput {
    text.as_bytes().into()
}

fn hash(hasher: &Hasher) -> String {
    hasher.hash(password("right")).unwrap().run(&Cancel::default(), Result::unwrap).to_string()
}

fn verify(hasher: &Hasher, digest: &str, text: &str) -> Result<bool> {
    hasher.verify(digest, password(text))?.run(&Cancel::default(), |matches| matches)
}

fn update(hasher: &Hasher, digest: Option<&str>, text: &str) -> Result<(bool, Option<String>)> {
    let updated = hasher
        .verify_and_update(digest, password(text))?
        .run(&Cancel::default(), |updated| updated)?;
    Ok((updated.valid, updated.digest.map(|digest| digest.to_string())))
}

#[test]
fn digests_of_an_old_pepper_verify_until_it_is_removed() {
    let plain = Hasher::new(options(|_| {}));
    let first = peppered("k1", &["k1"]);
    let both = peppered("k2", &["k1", "k2"]);
    let last = peppered("k2", &["k2"]);
    let (unpeppered, one, two) = (hash(&plain), hash(&first), hash(&both));
    assert!(one.contains(",keyid=azE$") && two.contains(",keyid=azI$"), "{one} {two}");

    // A digest made without a pepper verifies, and is due.
    assert_eq!(verify(&first, &unpeppered, "right"), Ok(true));
    assert_eq!(verify(&first, &unpeppered, "wrong"), Ok(false));
    assert_eq!(first.needs_rehash(&unpeppered), Ok(true));
    assert_eq!(first.needs_rehash(&one), Ok(false));
    // A digest with an older pepper verifies and is due too.
    assert_eq!(verify(&both, &one, "right"), Ok(true));
    assert_eq!(verify(&both, &one, "wrong"), Ok(false));
    assert_eq!((both.needs_rehash(&one), both.needs_rehash(&two)), (Ok(true), Ok(false)));
    // A missing pepper is an error, not a mismatch.
    for hasher in [&last, &plain] {
        assert_eq!(verify(hasher, &one, "right").unwrap_err().code, Code::PasswordPepper);
        assert_eq!(update(hasher, Some(&one), "right").unwrap_err().code, Code::PasswordPepper);
        assert_eq!(hasher.needs_rehash(&one), Ok(true));
    }
    // The id selects the pepper: with another id, the hash differs.
    assert_eq!(verify(&both, &one.replace("azE", "azI"), "right"), Ok(false));
}

#[test]
fn a_secret_is_a_pepper_without_a_name() {
    let secret_only = Hasher::new(HasherOptions { secret: Some(secret("s")), ..options(|_| {}) });
    let digest = hash(&secret_only);
    assert!(!digest.contains("keyid"));
    assert_eq!(verify(&secret_only, &digest, "right"), Ok(true));
    assert_eq!(secret_only.needs_rehash(&digest), Ok(false));
    assert_eq!(verify(&Hasher::new(options(|_| {})), &digest, "right"), Ok(false));

    let peppers = Peppers::new(b"k1", vec![(b"k1".into(), secret("k1"))]).unwrap();
    let moving = Hasher::new(HasherOptions {
        secret: Some(secret("s")),
        peppers: Some(peppers),
        ..options(|_| {})
    });
    let (valid, new) = update(&moving, Some(&digest), "right").unwrap();
    assert!(valid && new.unwrap().contains(",keyid=azE$"));
}

#[test]
fn a_right_password_replaces_a_digest_that_is_due() {
    let old = Hasher::new(options(|_| {}));
    let new = Hasher::new(options(|policy| policy.time_cost = Some(2)));
    let digest = hash(&old);
    assert_eq!(update(&old, Some(&digest), "right"), Ok((true, None)));
    assert_eq!(update(&new, Some(&digest), "wrong"), Ok((false, None)));
    let (valid, replaced) = update(&new, Some(&digest), "right").unwrap();
    let replaced = replaced.unwrap();
    assert!(valid && replaced.contains("m=64,t=2,p=1"), "{replaced}");
    assert_eq!(update(&new, Some(&replaced), "right"), Ok((true, None)));

    let lenient = HasherOptions { rehash: Rehash::AtLeast, ..options(|_| {}) };
    assert_eq!(Hasher::new(lenient).needs_rehash(&replaced), Ok(false));
    assert_eq!(old.needs_rehash(&replaced), Ok(true));
}

#[test]
fn other_schemes_verify_only_if_they_were_asked_for() {
    let strict = Hasher::new(options(|_| {}));
    assert_eq!(verify(&strict, BCRYPT, "U*U"), Ok(false));
    assert_eq!(update(&strict, Some(BCRYPT), "U*U"), Ok((false, None)));
    let argon2 = hash(&strict);
    let django = format!("argon2{argon2}");
    assert_eq!(verify(&strict, &django, "right"), Ok(false));

    let legacy = vec![LegacyScheme::Bcrypt, LegacyScheme::Django];
    let lenient = Hasher::new(HasherOptions { legacy, ..peppered("k1", &["k1"]).0 });
    assert_eq!(lenient.needs_rehash(BCRYPT), Ok(true));
    assert_eq!(verify(&lenient, BCRYPT, "U*U"), Ok(true));
    assert_eq!(update(&lenient, Some(BCRYPT), "U*U*"), Ok((false, None)));
    for (digest, text) in [(BCRYPT, "U*U"), (&django, "right")] {
        let (valid, new) = update(&lenient, Some(digest), text).unwrap();
        let new = new.unwrap();
        assert!(valid && new.starts_with("$argon2id$") && new.contains("keyid=azE"), "{new}");
        assert_eq!(update(&lenient, Some(&new), text), Ok((true, None)));
    }
    assert_eq!(verify(&lenient, "!wqB1pPhd", "wqB1pPhd"), Ok(false));
    assert_eq!(update(&lenient, Some("!"), ""), Ok((false, None)));
    assert_eq!(verify(&strict, "!wqB1pPhd", ""), Ok(false));
    let long = lenient.verify(BCRYPT, password(&"x".repeat(4097)));
    assert_eq!(long.unwrap_err().code, Code::OutOfRange);
}

#[test]
fn without_a_digest_the_work_of_a_check_is_done_and_nothing_passes() {
    for hasher in [peppered("k1", &["k1"]), Hasher::new(options(|_| {}))] {
        for digest in [None, Some(BCRYPT)] {
            let job = hasher.verify_and_update(digest, password("right")).unwrap();
            // The same job as for a digest under today's policy.
            let Check::Argon2(check) = &job.check else { panic!("no work: {job:?}") };
            let own = hasher.verify_and_update(Some(&hash(&hasher)), password("right")).unwrap();
            let Check::Argon2(own) = &own.check else { panic!("no work: {own:?}") };
            let check = format!("{check:?}").replace("for_timing: true", "for_timing: false");
            assert_eq!(check, format!("{own:?}"));
            assert!(job.new_digest.is_none());
            assert_eq!(update(&hasher, digest, "right"), Ok((false, None)));
        }
    }
}

#[test]
fn a_policy_raises_the_ceilings_to_its_own_costs() {
    let limits = DigestLimits::new(Some(64), Some(1), Some(1), Some(64)).unwrap();
    let costly = |policy: &mut PolicyOptions| {
        policy.memory_cost = Some(1024);
        policy.time_cost = Some(65);
        policy.parallelism = Some(65);
    };
    let hasher = Hasher::new(HasherOptions { limits, ..options(costly) });
    assert_eq!(verify(&hasher, &hash(&hasher), "right"), Ok(true));
    for beyond in ["m=1025,t=65,p=65", "m=1024,t=66,p=65", "m=1024,t=65,p=66"] {
        let digest = hash(&hasher).replace("m=1024,t=65,p=65", beyond);
        assert_eq!(verify(&hasher, &digest, "right").unwrap_err().code, Code::PasswordLimit);
    }
}

#[test]
fn every_scheme_counts_its_memory_and_runs_no_cancelled_job() {
    let scrypt = "$scrypt$ln=10,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
    let legacy = vec![LegacyScheme::Bcrypt, LegacyScheme::Scrypt];
    let hasher = Hasher::new(HasherOptions { legacy, ..options(|_| {}) });
    let own = hash(&hasher);
    for (digest, verify, update) in [
        (own.as_str(), 64 << 10, 64 << 10),
        (scrypt, 1026 << 10, 1026 << 10),
        (BCRYPT, 4168, 64 << 10),
    ] {
        assert_eq!(hasher.verify(digest, password("x")).unwrap().memory_len(), verify);
        let job = hasher.verify_and_update(Some(digest), password("x")).unwrap();
        assert_eq!(job.memory_len(), update);
        let cancel = Cancel::default();
        cancel.cancel();
        assert_eq!(job.run(&cancel, Result::unwrap_err).code, Code::Aborted);
    }
    assert_eq!(hasher.verify_and_update(None, password("x")).unwrap().memory_len(), 64 << 10);
}

/// More than any message and the parts of a digest need, but far less than the inputs ask for.
const SMALL: usize = 16 << 10;

#[test]
fn extremes_are_refused_without_an_allocation_beyond_the_input() {
    let legacy = LegacyScheme::ALL.map(|(_, scheme)| scheme).into();
    let hasher = Hasher::new(HasherOptions { legacy, ..options(|_| {}) });
    let refused = |code: Code, digest: Option<&str>, len: usize| {
        for update in [false, true] {
            let password = SecretInput::from(&vec![0; len][..]);
            let (result, allocated) = allocated_by(|| match (digest, update) {
                (Some(digest), false) => hasher.verify(digest, password).map(drop),
                _ => hasher.verify_and_update(digest, password).map(drop),
            });
            let what = digest.map(|digest| &digest[..digest.len().min(60)]);
            assert_eq!(result.unwrap_err().code, code, "{what:?}");
            assert!(allocated <= SMALL, "{allocated} bytes for {what:?}");
        }
    };
    for digest in [
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "argon2$argon2id$v=19$m=134217720,t=1,p=16777215$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$scrypt$ln=63,r=4294967295,p=4294967295$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$2147483648$salt$8$1$AAAAAAAAAAAAAAAAAAAAAA==",
        "$pbkdf2-sha512$4294967295$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        refused(Code::PasswordLimit, Some(digest), 8);
    }
    let long = "A".repeat(1_000_000);
    for start in ["", "$argon2id$", "$2b$", "$scrypt$", "$pbkdf2$1$", "pbkdf2_sha256$1$", "argon2$"]
    {
        refused(Code::PasswordDigest, Some(&format!("{start}{long}")), 8);
    }
    let (own, django) = (hash(&hasher), format!("argon2{}", hash(&hasher)));
    for digest in [None, Some(BCRYPT), Some(own.as_str()), Some(django.as_str())] {
        refused(Code::OutOfRange, digest, 100_000_000);
    }
}
