use super::*;

const SALT: &str = "c29tZXNhbHQ";
const HASH: &str = "tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs";

fn digest(params: &str) -> String {
    format!("$argon2id$v=19${params}${SALT}${HASH}")
}

fn parse(text: &str) -> Digest {
    Digest::parse(text).unwrap().unwrap()
}

#[test]
fn canonical_text_is_written_as_it_was_read() {
    for text in [
        digest("m=65536,t=3,p=4"),
        digest("m=4294967295,t=4294967295,p=16777215"),
        digest("m=8,t=1,p=1,keyid=azI,data=AAECAw"),
        digest("m=8,t=1,p=1").replace("argon2id", "argon2d"),
        digest("m=8,t=1,p=1").replace("argon2id$v=19", "argon2i$v=16"),
    ] {
        assert_eq!(parse(&text).to_string(), text);
    }
}

#[test]
fn parameters_in_another_order_are_written_in_the_canonical_one() {
    let canonical = digest("m=32,t=2,p=4,keyid=azI,data=AAECAw");
    for params in ["p=4,t=2,m=32,data=AAECAw,keyid=azI", "data=AAECAw,m=32,keyid=azI,p=4,t=2"] {
        assert_eq!(parse(&digest(params)).to_string(), canonical);
    }
    let old = format!("$argon2i$m=256,t=2,p=2${SALT}${HASH}");
    assert_eq!(parse(&old).params().version(), Version::V0x10);
    assert_eq!(parse(&old).to_string(), old.replace("argon2i$", "argon2i$v=16$"));
}

#[test]
fn fractions_of_costs_are_cut_off() {
    let cut = parse(&digest("m=46340.950011841574,p=1.5,t=1.0000000000000002"));
    let whole = parse(&digest("m=46340,t=1,p=1"));
    assert!(cut.has_fractions() && !whole.has_fractions());
    assert_eq!(cut.params(), whole.params());
    assert_eq!(cut.to_string(), whole.to_string());
    assert_eq!(parse(&digest("m=8.1,t=4294967295.5,p=1")).params().time_cost(), u32::MAX);
}

#[test]
fn a_field_beyond_the_limits_is_not_called_malformed() {
    let good = digest("m=65536,t=3,p=4");
    for (from, to, limit) in [
        (SALT, "A".repeat(1368), "1026 bytes, and 1024"),
        (HASH, "A".repeat(2000), "1500 bytes, and 1024"),
        (HASH, "A".repeat(4096), "longer than 4096 bytes"),
    ] {
        let message = Digest::parse(&good.replace(from, &to)).unwrap_err().to_string();
        assert!(message.contains("beyond the limits of this package"), "{message}");
        assert!(message.contains(limit) && !message.contains("malformed"), "{message}");
    }
}

#[test]
fn every_field_is_read_into_its_place() {
    let digest = parse(&digest("m=32,t=2,p=4,keyid=azI,data=AAECAw"));
    assert_eq!((digest.keyid(), digest.data()), (&b"k2"[..], &[0, 1, 2, 3][..]));
    assert_eq!((digest.salt(), digest.hash().len()), (&b"somesalt"[..], 32));
    assert!(digest.matches(&digest.hash.clone()));
    assert!(!digest.matches(&digest.hash[..31]));
    assert!(!digest.matches(&[0; 32]));
    assert!(!format!("{digest:?}").contains("182"));
}

#[test]
fn hashes_of_other_schemes_are_not_read() {
    for text in [
        "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$2y$05$x",
        "$scrypt$ln=17,r=8,p=1$c2FsdA$aGFzaA",
        "$pbkdf2-sha256$29000$c2FsdA$aGFzaA",
        "$argon2$v=19$m=8,t=1,p=1$x$y",
        "$P$B12345678",
        "$6$rounds=5000$salt$hash",
    ] {
        assert_eq!(Digest::parse(text), Ok(None), "{text}");
    }
}

#[test]
fn malformed_digests_are_refused() {
    let good = digest("m=65536,t=3,p=4");
    let params = [
        "m=4294967296,t=1,p=1",
        "m=99999999999999999999,t=1,p=1",
        "m=8,t=1,p=0",
        "m=8,t=0,p=1",
        "m=0,t=1,p=1",
        "m=7,t=1,p=1",
        "m=31,t=1,p=4",
        "m=08,t=1,p=1",
        "m=+8,t=1,p=1",
        "m=-8,t=1,p=1",
        "m=8.0,t=1,p=1",
        "m=8.,t=1,p=1",
        "m=.5,t=1,p=1",
        "m=8.50,t=1,p=1",
        "m=8.5.5,t=1,p=1",
        "m=8.5e1,t=1,p=1",
        "m=8.-5,t=1,p=1",
        "m=08.5,t=1,p=1",
        "m=8.00000000000000001,t=1,p=1",
        "m=7.9,t=1,p=1",
        "m=8,t=0.5,p=1",
        "m=8,t=1,p=0.5",
        "m=15.9,t=1,p=2.5",
        "m=4294967296.5,t=1,p=1",
        "v=19.5,m=8,t=1,p=1",
        "m=8,t=1,p=1,keyid=azI.5",
        "m=,t=1,p=1",
        "m,t=1,p=1",
        "m=8,t=1",
        "",
        "m=8",
        "m=8,m=8,t=1,p=1",
        "m=8,t=1,p=1,p=1",
        "m=8,t=1,p=1,x=1",
        "m=8,t=1,p=1,",
        "M=8,t=1,p=1",
        "m=8,,t=1,p=1",
        "m=4294967295,t=1,p=16777216",
        "m=8, t=1,p=1",
        "m=8,t=1,p=1,keyid=",
        "m=8,t=1,p=1,data=",
        "m=8,t=1,p=1,keyid=AAAAAAAAAAAA",
        "m=8,t=1,p=1,keyid=azJ",
        "m=8,t=1,p=1,data=A",
        "m=8,t=1,p=1,data=AA=",
        "m=8,t=1,p=1,keyid=azI,keyid=azI",
        "m=0x8,t=1,p=1",
        "m=8=8,t=1,p=1",
        "v=19,m=8,t=1,p=1",
        "v=19$m=8,t=1,p=1",
    ]
    .map(digest);
    let others = [
        String::new(),
        "$".into(),
        "$$".into(),
        "$2b$".into(),
        "argon2id".into(),
        good.replacen('$', "", 1),
        good.replace("v=19", "v=18"),
        good.replace("v=19", "v=019"),
        good.replace("v=19", "v="),
        good.replace("$v=19", "$"),
        format!("{good}$"),
        format!("{good}$AAAA"),
        format!("{good} "),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}="),
        format!("{good}\0x"),
        good.replace(HASH, ""),
        good.replace(SALT, ""),
        good.replace(&format!("${HASH}"), ""),
        good.replace(HASH, "AAAA"),
        good.replace(SALT, "AAAAAAAAAA"),
        good.replace("th+A", "th-A"),
        good.replace("ZPs", "ZPt"),
        good.replace("ZPs", "é"),
        good.replace(SALT, &"A".repeat(1368)),
        good.replace(HASH, &"A".repeat(4096)),
        "$2b$10$é".into(),
        "$2 b$10$x".into(),
        format!("${}$x", "a".repeat(33)),
        "$2b$10$a b".into(),
    ];
    for text in params.iter().chain(&others) {
        let error = Digest::parse(text).expect_err(text);
        assert_eq!(error.code, Code::PasswordDigest, "{text}");
    }
}

#[test]
fn the_longest_fields_can_be_read_back() {
    let params =
        Params::new(Algorithm::Argon2id, Version::V0x13, u32::MAX, u32::MAX, 16777215).unwrap();
    let (data, salt) = (vec![1; MAX_FIELD_LEN], vec![2; MAX_FIELD_LEN]);
    let hash = vec![3; MAX_FIELDS_LEN - 2 * MAX_FIELD_LEN];
    let digest = Digest::new(params, data, salt, hash).with_keyid(vec![4; MAX_KEYID_LEN]);
    assert_eq!(parse(&digest.to_string()), digest);
}
