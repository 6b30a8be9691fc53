//! Tokens whose base64url is padded, as AWS load balancers write them.

use super::*;

fn padded(text: &str) -> String {
    format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))
}

fn world(may_be_padded: bool) -> World {
    World::with(Algorithm::Es256, |options| options.form.may_be_padded = may_be_padded)
}

/// Segments of which each needs the padding that its `lack` says.
fn segments(world: &World, lack: [usize; 2]) -> [String; 2] {
    let spaced = |mut text: String, lack: usize| {
        while base64url::encode(text.as_bytes()).len() % 4 != (4 - lack) % 4 {
            text.push(' ');
        }
        base64url::encode(text.as_bytes())
    };
    [spaced(header(&world.key), lack[0]), spaced(payload(""), lack[1])]
}

#[test]
fn a_signature_over_the_padded_text_is_accepted_if_padding_is_allowed() {
    let (lax, strict) = (world(true), world(false));
    let keys = || KeySource::Keys(vec![lax.key.clone()]);
    for lack in [[0, 0], [1, 0], [2, 1], [1, 2], [0, 2]] {
        let [header, payload] = segments(&lax, lack).map(|segment| padded(&segment));
        let token = signed(&lax.key, &header, &payload);
        let whole = padded(&token[token.rfind('.').unwrap() + 1..]);
        let token = format!("{header}.{payload}.{whole}");
        assert!(token.contains('='));
        assert_eq!(lax.verify(&token).map(|_| ()), Ok(()), "{token}");
        assert_eq!(coded(strict.verify(&token)), Err(Code::JwtMalformed), "{token}");
        for (may_be_padded, verdict) in [(true, Ok(())), (false, Err(Malformation::Padded.into()))]
        {
            let form = TokenForm { may_be_padded, ..TokenForm::default() };
            let mut read = Vec::new();
            let judged =
                verify_jws(token.as_bytes(), &keys(), &[Algorithm::Es256], form, &mut read);
            assert_eq!(judged, verdict);
        }
    }
}

#[test]
fn padding_that_was_added_or_taken_off_breaks_the_signature() {
    let world = world(true);
    let [header, payload] = segments(&world, [1, 2]);
    for (signed_header, signed_payload) in [
        (header.clone(), payload.clone()),
        (padded(&header), payload.clone()),
        (header.clone(), padded(&payload)),
        (padded(&header), padded(&payload)),
    ] {
        let token = signed(&world.key, &signed_header, &signed_payload);
        assert!(world.verify(&token).is_ok());
        let signature = &token[token.rfind('.').unwrap()..];
        for header in [header.clone(), padded(&header)] {
            for payload in [payload.clone(), padded(&payload)] {
                let other = format!("{header}.{payload}{signature}");
                let verdict = world.verify(&other).map(|_| ());
                let is_same = other == token;
                assert_eq!(verdict, if is_same { Ok(()) } else { Err(Rejection::Signature) });
            }
        }
    }
}

#[test]
fn only_whole_padding_at_the_end_is_padding() {
    let world = world(true);
    let [header, payload] = segments(&world, [1, 2]);
    for (header, payload) in [
        (format!("{header}=="), payload.clone()),
        (header.clone(), format!("{payload}=")),
        (header.clone(), format!("{payload}===")),
        (format!("={header}"), payload.clone()),
        (header.clone(), format!("{payload}%3D%3D")),
        (header.clone(), format!("{payload}\n==")),
        (header.clone(), payload.replacen('J', "=", 1)),
    ] {
        let token = signed(&world.key, &header, &payload);
        assert_eq!(coded(world.verify(&token)), Err(Code::JwtMalformed), "{token}");
    }
}
