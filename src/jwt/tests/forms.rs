//! The one form of a token: three canonical segments, a JSON object in two of them, a bounded
//! length.

use super::*;
use crate::jwt::json::MAX_DEPTH;

#[test]
fn only_three_segments() {
    let world = World::new(Algorithm::Hs256);
    let good = world.token(&payload(""));
    assert!(world.verify(&good).is_ok());
    let [header, payload, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        ".".repeat(MAX_TOKEN_LEN),
        header.into(),
        format!("{header}.{payload}"),
        format!("{header}{payload}{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}.{payload}..{signature}"),
        format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        format!(".{payload}.{signature}"),
    ] {
        assert_eq!(coded(world.verify(&token)), Err(Code::JwtMalformed), "{token}");
    }
    // These two have the form, so only the check of the signature refuses them.
    for token in [format!("{header}..{signature}"), format!("{header}.{payload}.")] {
        assert_eq!(world.verify(&token), Err(Rejection::Signature), "{token}");
    }
    assert_eq!(coded(world.verify(&signed(&world.key, header, ""))), Err(Code::JwtMalformed));
    assert_eq!(coded(world.verify(&signed(&world.key, "", payload))), Err(Code::JwtMalformed));
}

#[test]
fn nothing_around_and_nothing_in_between() {
    let world = World::new(Algorithm::Hs256);
    let good = world.token(&payload(""));
    for junk in [" ", "\n", "\r\n", "\t", "\0", "=", "==", "é", "\u{feff}", "%", "A", "Bearer "] {
        assert!(world.verify(&format!("{good}{junk}")).is_err(), "{junk:?}");
        assert!(world.verify(&format!("{junk}{good}")).is_err(), "{junk:?}");
        assert!(world.verify(&good.replacen('.', &format!("{junk}."), 1)).is_err(), "{junk:?}");
        assert!(world.verify(&good.replacen('.', &format!(".{junk}"), 1)).is_err(), "{junk:?}");
    }
}

/// RFC 4648 section 3.5: the unused bits of the last character must be zero, or one token would
/// have several spellings.
#[test]
fn only_canonical_base64url() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let respelled = |segment: &str| {
        let (start, last) = segment.split_at(segment.len() - 1);
        let value = ALPHABET.iter().position(|character| last.as_bytes() == [*character]);
        format!("{start}{}", char::from(ALPHABET[value.unwrap() | 1]))
    };
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        // One byte beyond a multiple of three leaves four unused bits.
        let spaced = |mut text: String| {
            while text.len() % 3 != 1 {
                text.push(' ');
            }
            base64url::encode(text.as_bytes())
        };
        let (header, payload) = (spaced(header(&world.key)), spaced(payload("")));
        assert_eq!((header.len() % 4, payload.len() % 4), (2, 2));
        let good = signed(&world.key, &header, &payload);
        assert!(world.verify(&good).is_ok());
        let (message, signature) = good.rsplit_once('.').unwrap();
        // A signature whose length is a multiple of three has no unused bits.
        if !signature.len().is_multiple_of(4) {
            let token = format!("{message}.{}", respelled(signature));
            assert_eq!(coded(world.verify(&token)), Err(Code::JwtMalformed), "{token}");
        }
        for token in [
            format!("{message}.{signature}="),
            format!("{message}.{signature}=="),
            signed(&world.key, &respelled(&header), &payload),
            signed(&world.key, &header, &respelled(&payload)),
            signed(&world.key, &format!("{header}=="), &payload),
            signed(&world.key, &header, &format!("{payload}==")),
            signed(&world.key, &header, &format!("{payload}A")),
            signed(&world.key, &header, &format!("{payload}+/")),
            signed(&world.key, &header, &format!("{payload}\n\n")),
        ] {
            assert_eq!(coded(world.verify(&token)), Err(Code::JwtMalformed), "{token}");
        }
    }
}

/// A genuine token of exactly `length` bytes.
fn token_of_length(key: &Key, length: usize) -> String {
    let signature = token(key, "", "").len() - 2;
    (0..3)
        .find_map(|spaces| {
            let header = base64url::encode((header(key) + &" ".repeat(spaces)).as_bytes());
            let room = length - header.len() - signature - 2;
            let bytes = room / 4 * 3 + [0, 0, 1, 2][room % 4];
            let fill = bytes - payload(r#""x":"""#).len();
            let payload = payload(&format!(r#""x":"{}""#, "x".repeat(fill)));
            (room % 4 != 1).then(|| signed(key, &header, &base64url::encode(payload.as_bytes())))
        })
        .unwrap()
}

#[test]
fn tokens_have_a_greatest_length() {
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        for (length, accepted) in
            [(MAX_TOKEN_LEN - 1, true), (MAX_TOKEN_LEN, true), (MAX_TOKEN_LEN + 1, false)]
        {
            let token = token_of_length(&world.key, length);
            assert_eq!(token.len(), length);
            match world.verify(&token) {
                Ok(_) => assert!(accepted, "{length}"),
                Err(rejection) => {
                    assert_eq!((rejection, accepted), (Malformation::TooLong.into(), false));
                }
            }
        }
    }
}

#[test]
fn headers_have_a_greatest_length() {
    let world = World::new(Algorithm::Hs256);
    let padded = |bytes: usize| {
        let header = header(&world.key);
        let pad = bytes - header.len();
        header + &" ".repeat(pad)
    };
    // 6144 bytes make 8192 characters.
    assert_eq!(world.judge_header(&padded(6144)), Ok(()));
    assert_eq!(coded(world.judge_header(&padded(6145))), Err(Code::JwtMalformed));
}

#[test]
fn payload_and_header_are_json_objects_in_utf8() {
    let world = World::new(Algorithm::Hs256);
    let good = payload("");
    for text in [
        "null",
        "1",
        "\"text\"",
        "[]",
        "true",
        "{",
        "{}{}",
        &format!("[{good}]"),
        &format!("\u{feff}{good}"),
        &format!("{good},"),
        &good.replace(':', "="),
        &good.replace('"', "'"),
        &payload(r#""x":NaN"#),
        &payload(r#""x":1,"#),
        &payload("\"x\":\"\n\""),
        &payload(r#""x":"\ud800""#),
        &payload(r#""\udfff":1"#),
        &payload("\"x\":1/**/"),
    ] {
        assert_eq!(coded(world.judge(text)), Err(Code::JwtMalformed), "{text}");
    }
    for spaced in [format!(" \t\r\n{good}\n"), good.replace(':', " :\n")] {
        assert_eq!(world.judge(&spaced), Ok(()), "{spaced:?}");
    }
    let broken = [good.as_bytes(), b"\xff"].concat();
    for bytes in [&b"{\"exp\":9999999999,\"x\":\"\xc3\x28\"}"[..], b"\xff\xfe{\0}\0", &broken] {
        let segment = base64url::encode(bytes);
        let token = signed(&world.key, &base64url::encode(header(&world.key).as_bytes()), &segment);
        assert_eq!(coded(world.verify(&token)), Err(Code::JwtMalformed), "{bytes:?}");
        let token = signed(&world.key, &segment, &base64url::encode(good.as_bytes()));
        assert_eq!(coded(world.verify(&token)), Err(Code::JwtMalformed), "{bytes:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let world = World::new(Algorithm::Hs256);
    let nested = |depth: usize| {
        payload(&format!("\"x\":{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1)))
    };
    assert_eq!(world.judge(&nested(MAX_DEPTH)), Ok(()));
    assert_eq!(coded(world.judge(&nested(MAX_DEPTH + 1))), Err(Code::JwtMalformed));
    assert_eq!(coded(world.judge(&nested(5000))), Err(Code::JwtMalformed));
}

#[test]
fn no_member_comes_twice_however_it_is_spelled() {
    let world = World::new(Algorithm::Hs256);
    for members in [
        r#""exp":9999999999"#,
        r#""\u0065xp":9999999999"#,
        r#""e\u0078\u0070":9999999999"#,
        r#""sub":"a","sub":"a""#,
        r#""sub":"a","su\u0062":"b""#,
        r#""x":{"y":1,"y":1}"#,
        r#""x":[{"y":1,"\u0079":1}]"#,
        r#""__proto__":1,"__proto__":2"#,
    ] {
        assert_eq!(coded(world.judge(&payload(members))), Err(Code::JwtMalformed), "{members}");
    }
    for header in [
        r#"{"alg":"HS256","alg":"HS256","kid":"hmac"}"#,
        r#"{"alg":"none","alg":"HS256","kid":"hmac"}"#,
        r#"{"alg":"HS256","kid":"hmac","kid":"hmac"}"#,
        r#"{"alg":"HS256","kid":"hmac","x":1,"x":1}"#,
    ] {
        assert_eq!(coded(world.judge_header(header)), Err(Code::JwtMalformed), "{header}");
    }
}

/// A claim is what `JSON.parse` will hand to the caller, so an escaped name counts as well.
#[test]
fn escaped_names_are_the_same_claims() {
    let world = World::with(Algorithm::Hs256, |options| {
        options.issuer = one_of(&["i"]);
        options.audience = one_of(&["a"]);
    });
    let members = |exp: u64, iss: &str, aud: &str| {
        format!(r#"{{"\u0065\u0078\u0070":{exp},"is\u0073":"{iss}","\u0061ud":["{aud}"]}}"#)
    };
    assert_eq!(world.judge(&members(LATER, "i", "a")), Ok(()));
    assert_eq!(world.judge(&members(NOW, "i", "a")), Err(Rejection::Expired));
    let mismatch = |claim| Err(Rejection::Claim(claim, Reason::Mismatch));
    assert_eq!(world.judge(&members(LATER, "x", "a")), mismatch(Claim::Issuer));
    assert_eq!(world.judge(&members(LATER, "i", "x")), mismatch(Claim::Audience));
    // In a header there is no reason to escape a name, so it is refused.
    for header in [
        r#"{"\u0061lg":"HS256","kid":"hmac"}"#,
        r#"{"alg":"HS256","k\u0069d":"hmac"}"#,
        r#"{"alg":"HS256","kid":"hmac","\u0074yp":"JWT"}"#,
        r#"{"alg":"HS256","kid":"hmac","\u0063rit":["x"],"x":1}"#,
        r#"{"alg":"HS256","kid":"hmac","b\u00364":false}"#,
    ] {
        assert_eq!(coded(world.judge_header(header)), Err(Code::JwtMalformed), "{header}");
    }
}

#[test]
fn each_malformed_token_is_told_its_fault() {
    let world = World::new(Algorithm::Hs256);
    let good = world.token(&payload(""));
    let [header, claims, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let empty = |segment| Malformation::Json(segment, json::JsonFault::Syntax);
    for (token, fault) in [
        (String::new(), Malformation::NoToken),
        ("x".repeat(MAX_TOKEN_LEN + 1), Malformation::TooLong),
        ("opaque".into(), Malformation::Segments),
        (format!("{header}.{claims}"), Malformation::Segments),
        (format!("{good}.{signature}"), Malformation::Segments),
        (format!("{good}.{signature}.{signature}"), Malformation::Encrypted),
        (format!("{header}..{claims}.{claims}.{signature}"), Malformation::Encrypted),
        (format!("Bearer {good}"), Malformation::Scheme),
        (format!("bearer {good}"), Malformation::Scheme),
        ("Bearer opaque".into(), Malformation::Scheme),
        (format!(" {good}"), Malformation::Encoding(Segment::Header)),
        (format!("{good} "), Malformation::Encoding(Segment::Signature)),
        (format!("{header}.{claims}.{signature}="), Malformation::Padded),
        (format!("{header}==.{claims}.{signature}"), Malformation::Padded),
        (signed(&world.key, header, &format!("{claims}=")), Malformation::Padded),
        (signed(&world.key, header, "!"), Malformation::Encoding(Segment::Payload)),
        (signed(&world.key, "", claims), empty(Segment::Header)),
        (signed(&world.key, header, ""), empty(Segment::Payload)),
    ] {
        assert_eq!(world.verify(&token), Err(fault.into()), "{token}");
    }
}
