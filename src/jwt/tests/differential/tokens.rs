//! Gives whole tokens under several policies to the crate and to us, on the same clock.
//!
//! `TOKENS` sets how many, and `SEED` selects them; a failure names its seed.

use std::collections::BTreeMap;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::get_current_timestamp;

use super::classes::{Case, Class, LAXER, STRICTER};
use super::mutation::Members;
use super::policies::{POLICIES, Policy};
use super::*;

/// Enough for every class to occur with any seed.
const TOKENS: usize = 40_000;

/// How often each algorithm is tried: mostly the fast ones.
const MIX: [(Algorithm, usize); 14] = [
    (Algorithm::Hs256, 60),
    (Algorithm::Es256, 12),
    (Algorithm::EdDsa, 12),
    (Algorithm::Ed25519, 2),
    (Algorithm::Hs384, 4),
    (Algorithm::Hs512, 4),
    (Algorithm::Es384, 1),
    (Algorithm::Es512, 1),
    (Algorithm::Rs256, 1),
    (Algorithm::Rs384, 1),
    (Algorithm::Rs512, 1),
    (Algorithm::Ps256, 1),
    (Algorithm::Ps384, 1),
    (Algorithm::Ps512, 1),
];

/// One verifier of ours, and the crate with the same policy.
struct Pair {
    world: World,
    oracle: Oracle,
    policy: Policy,
}

impl Pair {
    fn new(algorithm: Algorithm, policy: Policy) -> Self {
        let world = World::with(algorithm, |options| {
            options.clock_tolerance = Tolerance::of(policy.tolerance);
            options.max_age = policy.max_age;
            options.typ = policy.typ.map(Into::into);
            options.required_claims = vec![policy.required.into()];
            options.require_expiry = policy.required == "exp";
            options.form = policy.form;
            options.exact_claims =
                ExactClaims::new(Vec::from_iter(policy.subject.map(|subject| ExactClaim {
                    name: "sub".into(),
                    values: vec![ClaimValue::String(subject.into())],
                })))
                .unwrap();
            if policy.issuer {
                options.issuer = one_of(&["i"]);
            }
            if policy.audience {
                options.audience = one_of(&["a", "z"]);
            }
        });
        // For an algorithm that the crate does not have, it gets the nearest one.
        let mut oracle = Oracle::new(match algorithm {
            Algorithm::Es512 => Algorithm::Es384,
            Algorithm::Ed25519 => Algorithm::EdDsa,
            same => same,
        });
        let mut required = vec![policy.required];
        let validation = &mut oracle.validation;
        (validation.validate_exp, validation.validate_nbf) = (true, true);
        validation.leeway = policy.tolerance;
        (validation.iss, validation.aud, validation.validate_aud) = (None, None, policy.audience);
        if policy.issuer {
            validation.set_issuer(&["i"]);
            required.push("iss");
        }
        if policy.audience {
            validation.set_audience(&["a", "z"]);
            required.push("aud");
        }
        if let Some(subject) = policy.subject {
            validation.sub = Some(subject.into());
            required.push("sub");
        }
        validation.set_required_spec_claims(&required);
        Self { world, oracle, policy }
    }

    /// The verdicts of both within one second.
    fn judge(&self, token: &str) -> (u64, Result<String, Rejection>, Result<Value, ErrorKind>) {
        loop {
            let now = get_current_timestamp();
            self.world.clock.set(now);
            let ours = self.world.verify(token);
            let theirs = jsonwebtoken::decode(token, &self.oracle.reader, &self.oracle.validation);
            if get_current_timestamp() == now {
                let theirs = theirs.map(|data| data.claims).map_err(|error| error.kind().clone());
                return (now, ours, theirs);
            }
        }
    }

    /// Makes a token with up to three changes, and nearly always signs it after them.
    fn make(&self, random: &mut Random) -> String {
        let key = &self.world.key;
        let now = get_current_timestamp();
        let mut header = Members(Vec::new());
        header.set("alg", format!("\"{}\"", key.algorithm().name()));
        header.set("typ", "\"JWT\"");
        header.set("kid", format!("\"{}\"", key.kid()));
        let mut payload = Members(Vec::new());
        for (name, value) in [("iss", r#""i""#), ("aud", r#"["a","b"]"#), ("sub", r#""s""#)] {
            payload.set(name, value);
        }
        for (name, at) in [("exp", now + 3000), ("nbf", now - 9), ("iat", now - 9)] {
            payload.set(name, at.to_string());
        }
        payload.set("jti", r#""j""#);
        payload.set("roles", r#"[{"x":null,"y":[0.5,"é"]}]"#);
        let before = [header.clone(), payload.clone()];
        for _ in 0..random.below(4) {
            if random.below(3) == 0 {
                header.mutate_header(random);
            } else {
                payload.mutate_payload(random, now, self.policy.tolerance);
            }
        }
        let [header, payload] = [header, payload].map(|members| {
            let segment = base64url::encode(&members.write(random));
            random.respell(segment)
        });
        let token = signed(key, &header, &payload);
        let (message, signature) = token.rsplit_once('.').unwrap();
        match random.below(20) {
            0 => format!("{message}.{}", random.respell_always(signature)),
            1 => {
                let [header, payload] =
                    before.map(|members| base64url::encode(&members.write(random)));
                format!("{header}.{payload}.{signature}")
            }
            _ => token,
        }
    }
}

#[test]
fn every_difference_has_its_reason() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("SEED").unwrap_or(5).max(1);
    let tokens = number("TOKENS").map_or(TOKENS, |tokens| usize::try_from(tokens).unwrap());
    let pairs = MIX.map(|(algorithm, _)| POLICIES.map(|policy| Pair::new(algorithm, policy)));
    let turns: Vec<usize> =
        MIX.iter().enumerate().flat_map(|(index, (_, often))| vec![index; *often]).collect();
    let mut random = Random(seed);
    let mut occurred = BTreeMap::new();
    for round in 0..tokens {
        let pair = &pairs[random.pick(&turns)][random.below(POLICIES.len())];
        let token = pair.make(&mut random);
        let (now, ours, theirs) = pair.judge(&token);
        assert_same_reading(&token, pair.policy.form, &ours);
        let what = || format!("SEED={seed} round {round}: {token}\n{ours:?} {theirs:?}");
        // If serde_json cannot read a token, the classes decide about it.
        if ours.is_ok()
            && let [Ok(header), Ok(payload)] =
                decoded(&bare(&token)).map(|text| serde_json::from_str(&text))
        {
            assert_eq!(pair.policy.unmet(&header, &payload, now), None, "{}", what());
        }
        let reason = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(&serde_json::from_str::<Value>(ours).unwrap(), theirs, "{}", what());
                "both accept"
            }
            (Err(_), Err(_)) => "both refuse",
            (Err(rejection), Ok(_)) => explain(&STRICTER, pair, &token, now, rejection)
                .unwrap_or_else(|| panic!("{}", what())),
            (Ok(_), Err(kind)) => {
                explain(&LAXER, pair, &token, now, kind).unwrap_or_else(|| panic!("{}", what()))
            }
        };
        *occurred.entry(reason).or_insert(0) += 1;
    }
    let listed = STRICTER.iter().map(|class| (class.name, class.because));
    let listed = listed.chain(LAXER.iter().map(|class| (class.name, class.because)));
    for (name, because) in listed.chain([("both accept", ""), ("both refuse", "")]) {
        let times = occurred.get(name).copied().unwrap_or(0);
        println!("{times:>8}  {name}: {because}");
        assert!(times > 0 || tokens < TOKENS, "SEED={seed}: never occurred: {name}");
    }
}

/// The token without padding.
fn bare(token: &str) -> String {
    token.split('.').map(|segment| segment.trim_end_matches('=')).collect::<Vec<_>>().join(".")
}

#[expect(clippy::cast_precision_loss, reason = "seconds")]
fn explain<Refusal>(
    classes: &[Class<Refusal>],
    pair: &Pair,
    token: &str,
    now: u64,
    refusal: &Refusal,
) -> Option<&'static str> {
    // Both have decoded the token this far, or one of them has accepted it.
    let [header, payload] = decoded(&bare(token));
    let case = Case {
        token,
        header_text: &header,
        header: serde_json::from_str(&header),
        payload: serde_json::from_str(&payload),
        kid: pair.world.key.kid(),
        algorithm: pair.world.key.algorithm(),
        now: now as f64,
        tolerance: pair.policy.tolerance as f64,
        max_age: pair.policy.max_age.map(|seconds| seconds as f64),
        typ: pair.policy.typ,
        form: pair.policy.form,
    };
    classes.iter().find(|class| (class.explains)(&case, refusal)).map(|class| class.name)
}
