//! Verifiers that read longer or shorter tokens than usual.

use super::*;

fn world(max_len: usize) -> World {
    World::with(Algorithm::EdDsa, |options| options.form.max_len = max_len)
}

fn jws(world: &World, token: &str, max_len: usize) -> Result<(), Rejection> {
    let keys = KeySource::Keys(vec![world.key.clone()]);
    let form = TokenForm { max_len, ..TokenForm::default() };
    verify_jws(token.as_bytes(), &keys, &[Algorithm::EdDsa], form, &mut Vec::new())
}

#[test]
fn a_token_is_at_most_as_long_as_the_verifier_says() {
    let signing = world(MAX_TOKEN_LEN);
    let lengths = [600, 10_000, 20_000, 100_000, 700_000];
    let tokens =
        lengths.map(|len| signing.token(&payload(&format!(r#""x":"{}""#, "x".repeat(len)))));
    for token in &tokens {
        for max_len in [1024, MAX_TOKEN_LEN, token.len() - 1, token.len(), MAX_LONG_TOKEN_LEN] {
            let expected =
                if token.len() <= max_len { Ok(()) } else { Err(Malformation::TooLong.into()) };
            assert_eq!(world(max_len).verify(token).map(|_| ()), expected, "{max_len}");
            assert_eq!(jws(&signing, token, max_len), expected, "{max_len}");
        }
    }
}

/// As in App Store notifications: a chain of certificates in the header.
#[test]
fn the_header_of_a_long_token_may_take_the_whole_token() {
    let signing = world(MAX_TOKEN_LEN);
    let chain = ["x".repeat(4000), "y".repeat(4000), "z".repeat(3000)];
    let header = serde_json::json!({ "alg": "EdDSA", "x5c": chain }).to_string();
    let token = token(&signing.key, &header, &payload(r#""x":"nested""#));
    assert!(token.len() < MAX_TOKEN_LEN);
    assert_eq!(coded(signing.verify(&token)), Err(Code::JwtMalformed));
    assert_eq!(coded(jws(&signing, &token, MAX_TOKEN_LEN)), Err(Code::JwtMalformed));
    for max_len in [MAX_TOKEN_LEN + 1, 20 * 1024, MAX_LONG_TOKEN_LEN] {
        assert!(world(max_len).verify(&token).is_ok(), "{max_len}");
        assert_eq!(jws(&signing, &token, max_len), Ok(()), "{max_len}");
    }
}

/// Each token has another header, and all of them fill the caches.
#[test]
fn long_headers_are_not_kept() {
    let world = world(MAX_LONG_TOKEN_LEN);
    let headers =
        |len: usize| (0..70).map(move |n| format!(r#"{{"alg":"EdDSA","x":"{n:0len$}"}}"#));
    let kept = |header: &str| {
        let segment = base64url::encode(header.as_bytes());
        world.verifier.verified_headers.get(segment.as_bytes(), 0, NOW).is_some()
    };
    for header in headers(6000).chain(headers(60_000)) {
        assert!(world.verify(&token(&world.key, &header, &payload(""))).is_ok());
        assert_eq!(kept(&header), header.len() < 6144, "{}", header.len());
    }
}
