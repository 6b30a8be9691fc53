//! Rings that are sealed and opened.

use super::*;

#[test]
fn sealed_and_opened_a_ring_is_the_same() {
    let seal_key = Secret::copy_from(&[7; 32]).unwrap();
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256, Algorithm::Hs256] {
        let clock = Arc::new(ManualClock::at(1_700_000_000));
        let options = RingOptions { algorithm, jwks_max_age: 0, ..RingOptions::default() };
        let ring = KeyRing::new(options, clock.clone()).unwrap();
        let generate = || Key::generate(algorithm, None, None);
        for _ in 0..2 {
            ring.rotate(false, generate).unwrap();
        }
        ring.add(&Arc::new(generate().unwrap()), Some(KeyState::Retired)).unwrap();
        ring.revoke(&ring.list().unwrap()[3].kid).unwrap();
        let sealed = ring.seal(&seal_key).unwrap();
        let opened =
            KeyRing::unseal(&sealed, &seal_key, RingOverrides::default(), clock.clone()).unwrap();
        assert_eq!(opened.list().unwrap(), ring.list().unwrap());
        assert_eq!(opened.jwks().unwrap(), ring.jwks().unwrap());
        assert_eq!(opened.options(), ring.options());
        let (mut signature, key) = (Vec::new(), opened.signing_key().unwrap());
        key.sign_into(b"message", &mut signature).unwrap();
        let (verifying, _) = ring.find(Some(key.kid()), algorithm).unwrap();
        assert!(verifying.verifies(b"message", &signature));
        let revoked = opened.list().unwrap()[3].kid.clone();
        assert_eq!(opened.find(Some(&revoked), algorithm).unwrap_err(), Rejection::KeyRevoked);

        let refused = |sealed: &[u8], key: &Secret| {
            KeyRing::unseal(sealed, key, RingOverrides::default(), clock.clone()).err().unwrap()
        };
        assert_eq!(refused(&sealed[..sealed.len() - 1], &seal_key).code, Code::SecretSeal);
        let other = Secret::copy_from(&[8; 32]).unwrap();
        assert_eq!(refused(&sealed, &other).code, Code::SecretSeal);
        let as_secret = other.seal(&seal_key, SealKind::Secret, b"").unwrap();
        assert_eq!(refused(&as_secret, &seal_key).code, Code::SecretSeal);
        assert!(Secret::unseal(&sealed, &seal_key, SealKind::Secret, b"").is_err());
    }
}

#[test]
fn what_was_sealed_badly_is_refused_and_not_believed() {
    let key = Secret::copy_from(&[7; 32]).unwrap();
    let (ring, clock) = ring();
    ring.rotate(false, generate).unwrap();
    let plain = Secret::unseal(&ring.seal(&key).unwrap(), &key, SealKind::Ring, b"").unwrap();
    let open = |plain: &[u8]| {
        let sealed = Secret::copy_from(plain).unwrap().seal(&key, SealKind::Ring, b"").unwrap();
        KeyRing::unseal(&sealed, &key, RingOverrides::default(), clock.clone()).err()
    };
    let plain = plain.expose_secret();
    assert!(open(plain).is_none());
    for len in 0..plain.len() {
        assert!(open(&plain[..len]).is_some(), "{len}");
    }
    assert_eq!(open(&[plain, &[0]].concat()).unwrap().code, Code::SecretSeal);
    assert_eq!(open(&[&[3], &plain[1..]].concat()).unwrap().code, Code::SecretSeal);
}
