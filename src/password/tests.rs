//! The password module as a whole: published test vectors, then its own rules.

use std::sync::mpsc::channel;

use serde_json::Value;

use super::*;
use crate::error::{Code, Result};
use crate::secret::SecretInput;
use crate::testing::allocations::allocated_by;
use crate::testing::vectors::{self, hex, number};

fn hash(
    policy: Policy,
    password: &[u8],
    salt: Option<&[u8]>,
    secret: Option<&[u8]>,
    associated_data: &[u8],
) -> Result<Digest> {
    hash_job(policy, password, salt, secret, associated_data)?
        .run(&Cancel::default(), |digest| digest)
}

fn hash_raw(
    policy: Policy,
    password: &[u8],
    salt: Option<&[u8]>,
    secret: Option<&[u8]>,
    associated_data: &[u8],
) -> Result<Tag> {
    hash_job(policy, password, salt, secret, associated_data)?
        .run_raw(&Cancel::default(), |tag| tag)
}

fn verify(
    digest: &Digest,
    password: &[u8],
    secret: Option<&[u8]>,
    limits: &DigestLimits,
) -> Result<bool> {
    VerifyJob::new(digest.clone(), copied(password), secret.map(copied), limits)?
        .run(&Cancel::default(), |matches| matches)
}

fn hash_job(
    policy: Policy,
    password: &[u8],
    salt: Option<&[u8]>,
    secret: Option<&[u8]>,
    associated_data: &[u8],
) -> Result<HashJob> {
    let (salt, secret) = (salt.map(Vec::from), secret.map(copied));
    HashJob::new(policy, copied(password), salt, secret, associated_data.into())
}

fn copied(bytes: &[u8]) -> SecretInput {
    bytes.into()
}

fn policy(change: impl FnOnce(&mut PolicyOptions)) -> Policy {
    let mut options = PolicyOptions { preset: Some(Preset::Test), ..PolicyOptions::default() };
    change(&mut options);
    Policy::new(&options, false).unwrap()
}

fn vector_policy(case: &Value) -> Policy {
    policy(|options| {
        options.algorithm = Algorithm::from_name(vectors::text(case, "type"));
        options.version = Version::from_number(number(case, "version"));
        options.memory_cost = Some(number(case, "m"));
        options.time_cost = Some(number(case, "t"));
        options.parallelism = Some(number(case, "p"));
        options.hash_length = u32::try_from(hex(case, "tag_hex").len()).ok();
    })
}

fn parse(text: &str) -> Digest {
    Digest::parse(text).unwrap().unwrap()
}

#[test]
fn hashes_equal_those_of_the_rfc_and_of_the_reference_implementation() {
    for case in ["rfc9106", "argon2-reference"].into_iter().flat_map(vectors::cases) {
        let [password, salt, secret, data] =
            ["password_hex", "salt_hex", "secret_hex", "ad_hex"].map(|field| hex(&case, field));
        let secret = (!secret.is_empty()).then_some(secret);
        let tag = hash_raw(vector_policy(&case), &password, Some(&salt), secret.as_deref(), &data)
            .unwrap();
        assert_eq!(*tag, hex(&case, "tag_hex"), "{case}");
    }
}

#[test]
fn digests_of_the_reference_implementation_verify() {
    let cases = vectors::cases("argon2-reference");
    for case in cases.iter().filter(|case| number(case, "m") == 256) {
        let password = hex(case, "password_hex");
        for digest in case["digests"].as_array().unwrap() {
            let digest = parse(digest.as_str().unwrap());
            let limits = DigestLimits::default();
            assert_eq!(verify(&digest, &password, None, &limits), Ok(true), "{case}");
            assert_eq!(verify(&digest, b"passwore", None, &limits), Ok(false), "{case}");
        }
    }
}

#[test]
fn a_hash_verifies_with_the_same_password_secret_and_data_only() {
    let limits = DigestLimits::default();
    let digest = hash(policy(|_| {}), b"pass\0word", None, Some(b"pepper"), b"user 7").unwrap();
    let digest = parse(&digest.to_string());
    let check = |digest: &Digest, password: &[u8], secret: Option<&[u8]>| {
        verify(digest, password, secret, &limits).unwrap()
    };
    assert!(check(&digest, b"pass\0word", Some(b"pepper")));
    assert!(!check(&digest, b"pass\0", Some(b"pepper")));
    assert!(!check(&digest, b"", Some(b"pepper")));
    assert!(!check(&digest, b"pass\0word", Some(b"salt")));
    assert!(!check(&digest, b"pass\0word", None));
    let other_data = digest.to_string().replace("data=dXNlciA3", "data=dXNlciA4");
    assert!(!check(&parse(&other_data), b"pass\0word", Some(b"pepper")));
}

#[test]
fn salts_are_drawn_and_not_repeated() {
    let policy = policy(|options| options.salt_length = Some(24));
    let [one, two] = [(); 2].map(|()| hash(policy, b"password", None, None, b"").unwrap());
    assert_eq!((one.salt().len(), one.hash().len()), (24, 32));
    assert_ne!(one.salt(), two.salt());
    assert!(!policy.needs_rehash(&one, Rehash::Exact, b""));
    let given = hash(policy, b"password", Some(b"somesalt"), None, b"").unwrap();
    assert_eq!(given.salt(), b"somesalt");
}

#[test]
fn lengths_outside_their_limits_are_refused() {
    let policy = policy(|_| {});
    let long = vec![0; MAX_PASSWORD_LEN + 1];
    let salt = Some(&b"somesalt"[..]);
    for result in [
        hash(policy, &long, salt, None, b""),
        hash(policy, b"", Some(b"7 bytes"), None, b""),
        hash(policy, b"", Some(&long[..1025]), None, b""),
        hash(policy, b"", salt, Some(&long), b""),
        hash(policy, b"", salt, None, &long[..1025]),
    ] {
        assert_eq!(result.unwrap_err().code, Code::OutOfRange);
    }
    let digest = hash(policy, b"", salt, None, &long[..1024]).unwrap();
    let result = verify(&digest, &long, None, &DigestLimits::default());
    assert_eq!(result.unwrap_err().code, Code::OutOfRange);
    assert_eq!(verify(&digest, b"", None, &DigestLimits::default()), Ok(true));
}

#[test]
fn hostile_digests_are_refused_before_any_memory_is_taken() {
    // A job that exists has taken no memory yet, and creating these jobs fails.
    for costs in ["m=4294967295,t=1,p=1", "m=134217720,t=1,p=16777215", "m=8,t=4294967295,p=1"] {
        let text = format!("$argon2id$v=19${costs}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA");
        let result = VerifyJob::new(parse(&text), copied(b""), None, &DigestLimits::default());
        assert_eq!(result.unwrap_err().code, Code::PasswordLimit);
    }
}

/// The most that a refusal may allocate beyond a copy of its input: enough for the message.
const MESSAGE_LEN: usize = 1024;

#[test]
fn extremes_are_refused_without_an_allocation_beyond_the_input() {
    fn refused<T>(code: Code, input_len: usize, call: impl FnOnce() -> Result<T>) {
        let (result, allocated) = allocated_by(|| call().err().map(|error| error.code));
        assert_eq!(result, Some(code));
        assert!(allocated <= input_len + MESSAGE_LEN, "{allocated} bytes");
    }
    for costs in ["m=4294967295,t=1,p=1", "m=134217720,t=1,p=16777215", "m=8,t=4294967295,p=1"] {
        let text = format!("$argon2id$v=19${costs}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA");
        let (none, limits) = (copied(b""), DigestLimits::default());
        refused(Code::PasswordLimit, text.len(), || {
            VerifyJob::new(Digest::parse(&text)?.unwrap(), none, None, &limits)
        });
    }
    let text = "A".repeat(1_000_000);
    for text in [text.clone(), format!("$argon2id${text}"), format!("$2b${text}")] {
        refused(Code::PasswordDigest, text.len(), || Digest::parse(&text));
    }
    for (m, p) in [(u32::MAX, 1), (u32::MAX, u32::MAX), (64, 16777215)] {
        let costs = |o: &mut PolicyOptions| (o.memory_cost, o.parallelism) = (Some(m), Some(p));
        let mut options = PolicyOptions::default();
        costs(&mut options);
        refused(Code::OutOfRange, 0, || Policy::new(&options, false));
        let target = std::time::Duration::from_millis(1);
        refused(Code::OutOfRange, 0, || calibrate::Search::new(target, m, p));
    }
    let long = vec![0; 100_000_000];
    let (password, policy) = (copied(&long), policy(|_| {}));
    refused(Code::OutOfRange, 0, || HashJob::new(policy, password, None, None, Vec::new()));
    let (password, digest) = (copied(&long), hash(policy, b"", None, None, b"").unwrap());
    refused(Code::OutOfRange, 0, || {
        VerifyJob::new(digest, password, None, &DigestLimits::default())
    });
    let (password, secret) = (copied(b""), Some(copied(&long)));
    refused(Code::OutOfRange, 0, || HashJob::new(policy, password, None, secret, Vec::new()));
}

#[test]
fn a_job_larger_than_the_budget_is_refused_before_any_memory_is_taken() {
    let bytes = u64::from(u32::MAX) * 1024;
    // The first call creates the pool.
    assert!(pool::hold(bytes).is_err());
    let (held, allocated) = allocated_by(|| pool::hold(bytes).err().map(|error| error.code));
    assert_eq!(held, Some(Code::PasswordMemory));
    assert!(allocated <= MESSAGE_LEN, "{allocated} bytes");
}

#[test]
fn a_cancelled_job_computes_nothing() {
    let job = hash_job(policy(|_| {}), b"password", None, None, b"").unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    assert_eq!(job.run(&cancel, |digest| digest).unwrap_err().code, Code::Aborted);
    let digest = hash(policy(|_| {}), b"password", None, None, b"").unwrap();
    let job = VerifyJob::new(digest, copied(b"password"), None, &DigestLimits::default()).unwrap();
    assert_eq!(job.run(&cancel, |matches| matches).unwrap_err().code, Code::Aborted);
}

#[test]
fn jobs_of_the_pool_deliver_their_digest() {
    let (sender, receiver) = channel();
    for number in 0..8_u8 {
        let policy = policy(|options| options.memory_cost = Some(1024));
        let job = HashJob::new(policy, copied(&[number]), None, None, Vec::new()).unwrap();
        let sender = sender.clone();
        pool::submit(
            &pool::JobHandle::new(),
            job.memory_len(),
            move |delivery, cancel| job.run(cancel, |digest| delivery.send(digest)),
            move |digest| sender.send((number, digest)).unwrap(),
        );
    }
    drop(sender);
    let results: Vec<_> = receiver.iter().collect();
    assert_eq!(results.len(), 8);
    for (number, digest) in results {
        assert_eq!(verify(&digest.unwrap(), &[number], None, &DigestLimits::default()), Ok(true));
    }
}
