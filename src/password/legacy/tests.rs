//! Published vectors, and texts that are not hashes.

use super::*;
use crate::error::Code;
use crate::password::limits::DigestLimits;
use crate::testing::vectors;

const ALL: &[LegacyScheme] = &[
    LegacyScheme::Bcrypt,
    LegacyScheme::Scrypt,
    LegacyScheme::Pbkdf2,
    LegacyScheme::Django,
    LegacyScheme::Werkzeug,
    LegacyScheme::AspNet,
    LegacyScheme::BetterAuth,
    LegacyScheme::Spring,
];

const BCRYPT: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const ADONIS: &str = "$bcrypt$v=98$r=10$tAe1bhm5zoo0Sx7ZfrCd7w$0T4Cf8htpt/8FbjK+cErdaTh8T6ClYQ";
const SCRYPT: &str = "$scrypt$ln=4,r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
const PBKDF2: &str = "$pbkdf2-sha256$i=1000,l=16$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
const PASSLIB: &str =
    "$bcrypt-sha256$v=2,t=2b,r=5$E/e/2AOhqM5W/KJTFQzLce$WFPIZKtDDTriqWwlmRFfHiOTeheAZWe";
const WERKZEUG: &str = "scrypt:16:1:1$salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const ASP_NET: &str = "AQAAAAEAAAPoAAAACAAAAAAAAAAAqqqqqqqqqqqqqqqqqqqqqg==";
const BETTER_AUTH: &str = "0123456789abcdef0123456789abcdef:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SPRING: &str = "{scrypt}$40101$c2FsdA==$AAAAAAAAAAAAAAAAAAAAAA==";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$AAAAAAAAAAAAAAAAAAAAAA==";

fn legacy(text: &str) -> LegacyHash {
    match parse(text, ALL).unwrap().unwrap() {
        ParsedLegacy::Legacy(legacy) => legacy,
        other => panic!("{text} is {other:?}"),
    }
}

fn refused(text: &str, limits: &DigestLimits, ceilings: &Ceilings) -> bool {
    let checked = legacy(text).check(limits, ceilings);
    checked.is_err_and(|error| error.code == Code::PasswordLimit)
}

#[test]
fn published_hashes_match_their_password_and_no_other() {
    for case in vectors::cases("legacy-hashes") {
        let digest = vectors::text(&case, "digest");
        let ParsedLegacy::Legacy(legacy) = parse(digest, ALL).unwrap().unwrap() else { continue };
        legacy.check(&DigestLimits::default(), &Ceilings::default()).unwrap();
        let mut password = vectors::hex(&case, "password_hex");
        assert!(legacy.matches(&password).unwrap(), "{digest}");
        // A byte at the front, because bcrypt ignores late bytes.
        password.insert(0, b'x');
        assert!(!legacy.matches(&password).unwrap(), "{digest}");
        assert!(!format!("{legacy:?}").contains(&digest[digest.len() - 8..]), "{legacy:?}");
    }
}

#[test]
fn only_hashes_of_the_schemes_that_were_asked_for_are_read() {
    for (text, scheme) in [
        (BCRYPT, LegacyScheme::Bcrypt),
        (PASSLIB, LegacyScheme::Bcrypt),
        (ADONIS, LegacyScheme::Bcrypt),
        (&format!("$wp{BCRYPT}"), LegacyScheme::Bcrypt),
        (SCRYPT, LegacyScheme::Scrypt),
        (PBKDF2, LegacyScheme::Pbkdf2),
        (DJANGO, LegacyScheme::Django),
        (WERKZEUG, LegacyScheme::Werkzeug),
        (ASP_NET, LegacyScheme::AspNet),
        (BETTER_AUTH, LegacyScheme::BetterAuth),
        (SPRING, LegacyScheme::Spring),
    ] {
        for asked in ALL {
            let found = parse(text, &[*asked]).unwrap();
            assert_eq!(found.is_some(), *asked == scheme, "{text} {asked:?}");
        }
        assert!(parse(text, &[]).unwrap().is_none());
    }
    for text in ["", "$", "$6$salt$hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAA", "x$y"] {
        assert!(parse(text, ALL).unwrap().is_none(), "{text}");
    }
}

#[test]
fn malformed_hashes_are_refused() {
    let changed = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        text.replacen(from, to, 1)
    };
    let argon2 = "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
    assert!(matches!(parse(argon2, ALL), Ok(Some(ParsedLegacy::Argon2(_)))));
    let of_django = "scrypt$16$seasalt$1$1$AAAAAAAAAAAAAAAAAAAAAA==";
    let prehashed = format!("bcrypt_sha256${BCRYPT}");
    legacy(&prehashed);
    for text in [
        changed(BCRYPT, "$05$", "$5$"),
        changed(BCRYPT, "$05$", "$03$"),
        changed(BCRYPT, "$05$", "$32$"),
        changed(BCRYPT, "$05$", "$+5$"),
        changed(BCRYPT, "$05$", "$"),
        changed(BCRYPT, "CC.E", "CC=E"),
        changed(BCRYPT, "CC.E", "CéE"),
        changed(BCRYPT, "OeW", "Oé"),
        changed(BCRYPT, "OeW", "Oe"),
        format!("{BCRYPT}A"),
        format!("{BCRYPT}\n"),
        changed(PASSLIB, "v=2", "v=3"),
        changed(PASSLIB, "t=2b", "t=2x"),
        changed(PASSLIB, "r=5", "r=05"),
        changed(PASSLIB, "Lce$", "Lce"),
        changed(SCRYPT, "ln=4", "ln=0"),
        changed(SCRYPT, "ln=4", "ln=65"),
        changed(SCRYPT, "ln=4", "ln=18446744073709551616"),
        changed(SCRYPT, "ln=4", "ln=04"),
        changed(SCRYPT, "r=1", "r=0"),
        changed(SCRYPT, ",p=1", ""),
        changed(SCRYPT, "$c2FsdA", "$c2FsdA="),
        changed(SCRYPT, "$c2FsdA", "$c2FsdA==="),
        changed(SCRYPT, "$c2FsdA", "$c2FsdB=="),
        changed(SCRYPT, "$c2FsdA", "$c2FsdGRk===="),
        changed(PBKDF2, "i=1000,l=16$c2FsdA", "1000$c2FsdA=="),
        changed(ADONIS, "v=98", "v=99"),
        changed(ADONIS, "v=98$", ""),
        changed(ADONIS, "r=10", "r=3"),
        changed(ADONIS, "r=10", "r=32"),
        changed(ADONIS, "r=10", "10"),
        changed(ADONIS, "frCd7w", "frCd7x"),
        changed(ADONIS, "frCd7w", "frCd"),
        changed(ADONIS, "ClYQ", "ClYQAA"),
        format!("bcrypt${ADONIS}"),
        format!("$wp{}", changed(BCRYPT, "$05$", "$03$")),
        format!("$wp{BCRYPT}A"),
        changed(SCRYPT, "AAAAAAAAAAAAAAAAAAAAAA", "AAAA"),
        changed(SCRYPT, "AAAAAAAAAAAAAAAAAAAAAA", &"A".repeat(200)),
        format!("{SCRYPT}$"),
        changed(PBKDF2, "i=1000", "i=0"),
        changed(PBKDF2, "l=16", "l=17"),
        changed(PBKDF2, "i=1000,l=16", "01000"),
        changed(PBKDF2, "i=1000,l=16$c2FsdA", "1000$c2Fs+A"),
        changed(DJANGO, "$1000$", "$0$"),
        changed(DJANGO, "$1000$", "$-1$"),
        changed(DJANGO, "seasalt", &"s".repeat(1025)),
        changed(DJANGO, "==", ""),
        changed(DJANGO, "seasalt$", "sea$salt$"),
        changed(of_django, "$16$", "$17$"),
        changed(of_django, "$16$", "$1$"),
        changed(&prehashed, "$2b$", "$1$"),
        format!("bcrypt${PASSLIB}"),
        changed(SCRYPT, "ln=4", "n=17"),
        changed(SCRYPT, "ln=4", "n=1"),
        changed(WERKZEUG, ":16:", ":17:"),
        changed(WERKZEUG, ":1:1$", ":1$"),
        changed(WERKZEUG, "$salt", ""),
        changed(WERKZEUG, "$aa", "$AA"),
        changed(WERKZEUG, "$aa", "$a"),
        changed(WERKZEUG, "scrypt:16:1:1", "pbkdf2:sha256:0"),
        changed(WERKZEUG, "scrypt:16:1:1", "pbkdf2:sha256"),
        "scrypt:16:1:1".to_owned(),
        changed(ASP_NET, "==", ""),
        changed(ASP_NET, "AQAAAAE", "AQAAAAM"),
        changed(ASP_NET, "PoAAAACAA", "PoAAAAfAA"),
        changed(ASP_NET, "EAAAPo", "EAAAAA"),
        "AQAAAAEAAAPo".to_owned(),
        changed(SPRING, "$40101", "$040101"),
        changed(SPRING, "$40101", "$40001"),
        changed(SPRING, "$40101", "$400101"),
        changed(SPRING, "$40101", "$101"),
        changed(SPRING, "==$", "$"),
        changed(SPRING, "{scrypt}", "{bcrypt}"),
        changed(SPRING, "{scrypt}", "{argon2}"),
        changed(SPRING, "{scrypt}", "{pbkdf2}"),
        format!("{{ARGON2ID}}{BCRYPT}"),
        changed(SPRING, "{scrypt}", "{bcrypt}").replacen("$40101$c2FsdA==$AA", PASSLIB, 1),
        "{PBKDF2}$1$salt$1000$aa".to_owned(),
        changed(argon2, "argon2id", "argon3"),
        changed(argon2, "p=1", "p=0"),
        format!("$2b${}", "x".repeat(5000)),
    ] {
        let error = parse(&text, ALL).unwrap_err();
        assert_eq!(error.code, Code::PasswordDigest, "{text}");
    }
}

/// They are whole, and this crate does not have their hash function.
#[test]
fn hashes_of_functions_that_are_not_read_are_of_no_scheme() {
    let werkzeug = |method: &str, tag: &str| format!("{method}$salt${tag}");
    for text in [
        werkzeug("pbkdf2:sha224:1000", &"a".repeat(56)),
        werkzeug("pbkdf2:sha3_256:1000", &"a".repeat(64)),
        werkzeug("sha384", &"a".repeat(96)),
        werkzeug("md5", &"a".repeat(32)),
        werkzeug("plain", "password"),
        // SHA-256 has another length, and a hash without a salt another procedure.
        werkzeug("sha256", &"a".repeat(40)),
        format!("sha256$${}", "a".repeat(64)),
        "sha256".to_owned(),
    ] {
        assert!(parse(&text, ALL).unwrap().is_none(), "{text}");
    }
}

#[test]
fn hashes_of_dovecot_are_read_as_those_within() {
    let argon2 = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
    let read = |text: &str, schemes: &[LegacyScheme]| parse(text, schemes).unwrap();
    let within = read(&format!("{{ARGON2ID}}{argon2}"), &[]);
    assert!(matches!(within, Some(ParsedLegacy::Argon2(_))));
    for name in ["BLF-CRYPT", "CRYPT"] {
        let text = format!("{{{name}}}{BCRYPT}");
        assert!(legacy(&text).matches(b"U*U").unwrap());
        assert!(read(&text, &[LegacyScheme::Pbkdf2]).is_none());
    }
    assert!(read("{CRYPT}$6$salt$hash", ALL).is_none());
    // OpenLDAP's.
    assert!(read("{PBKDF2}131000$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", ALL).is_none());
    let pbkdf2 = "{PBKDF2}$1$salt$1000$0123456789abcdef0123456789abcdef01234567";
    assert!(matches!(legacy(pbkdf2), LegacyHash::Pbkdf2(_)));
    assert!(read(pbkdf2, &[LegacyScheme::Bcrypt]).is_none());
    assert!(
        read("{PBKDF2}131000$ubcWQuh9zzkHIKQUYmytVQ$KFrSScnaftWxNXJszOGbybsIFEE", ALL).is_none()
    );
}

#[test]
fn padding_of_nul_bytes_is_left_out() {
    assert!(legacy(&format!("{BCRYPT}\0\0")).matches(b"U*U").unwrap());
    assert_eq!(parse(&format!("{BCRYPT}\0x"), ALL).unwrap_err().code, Code::PasswordDigest);
}

/// HMAC and bcrypt pad their keys with NUL bytes, so each of these is one key with another.
#[test]
fn no_password_matches_that_its_scheme_cannot_tell_from_a_shorter_one() {
    let prehashed = vectors::cases("legacy-hashes");
    let mut seen = 0;
    for case in prehashed {
        let digest = vectors::text(&case, "digest");
        let ParsedLegacy::Legacy(legacy) = parse(digest, ALL).unwrap().unwrap() else { continue };
        let password = vectors::hex(&case, "password_hex");
        let mut padded = password.clone();
        padded.push(0);
        assert!(legacy.matches(&password).unwrap(), "{digest}");
        assert!(!legacy.matches(&padded).unwrap(), "{digest}");
        if matches!(&legacy, LegacyHash::Bcrypt(_)) && password.len() < 30 {
            padded.extend(&password);
            assert!(!legacy.matches(&padded).unwrap(), "{digest}");
            seen += 1;
        }
    }
    assert!(seen > 3);
}

/// The last characters of salt and tag have bits that belong to no byte.
#[test]
fn unused_bits_of_bcrypt_are_ignored() {
    for text in [
        BCRYPT.to_owned(),
        BCRYPT.replacen("CC.E", "CC/E", 1),
        BCRYPT.replacen("CC.E", "CC9E", 1).replacen("CC9E", "CCME", 1),
        BCRYPT.replacen("OeW", "OeX", 1),
    ] {
        assert!(legacy(&text).matches(b"U*U").unwrap(), "{text}");
    }
    assert!(!legacy(&BCRYPT.replacen("CC.E", "CCOE", 1)).matches(b"U*U").unwrap());
}

#[test]
fn ceilings_hold_before_any_work() {
    let (limits, ceilings) = (DigestLimits::default(), Ceilings::default());
    for text in [
        BCRYPT.replacen("$05$", "$17$", 1),
        BCRYPT.replacen("$05$", "$31$", 1),
        format!("bcrypt${}", BCRYPT.replacen("$05$", "$17$", 1)),
        PASSLIB.replacen("r=5", "r=31", 1),
        ADONIS.replacen("r=10", "r=17", 1),
        format!("$wp{}", BCRYPT.replacen("$05$", "$17$", 1)),
        SCRYPT.replacen("ln=4,r=1", "ln=1048576,r=9", 1),
        SCRYPT.replacen("ln=4", "ln=2147483648", 1),
        SCRYPT.replacen("ln=4,r=1", "ln=20,r=9", 1),
        // Its table has 1 GiB, and its other blocks a quarter of that.
        SCRYPT.replacen("ln=4,r=1", "ln=3,r=1048576", 1),
        SCRYPT.replacen("ln=4", "ln=63", 1),
        SCRYPT.replacen("r=1", "r=4294967295", 1),
        SCRYPT.replacen("p=1", "p=4294967295", 1),
        SCRYPT.replacen("ln=4,r=1", "n=1048576,r=9", 1),
        WERKZEUG.replacen(":16:1:", ":1048576:9:", 1),
        WERKZEUG.replacen("scrypt:16:1:1", "pbkdf2:sha256:10000001", 1),
        ASP_NET.replacen("EAAAPo", "H/AAPo", 1),
        SPRING.replacen("$40101", "$3f0101", 1),
        SCRYPT.replacen("ln=4,r=1,p=1", "ln=63,r=4294967295,p=4294967295", 1),
        SCRYPT.replacen("ln=4,r=1,p=1", "ln=20,r=7,p=3", 1),
        "scrypt$2147483648$seasalt$8$1$AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        PBKDF2.replacen("i=1000", "i=10000001", 1),
        PBKDF2.replacen("i=1000,l=16", "4294967295", 1),
        DJANGO.replacen("$1000$", "$4294967295$", 1),
        // Two blocks of SHA-1 cost twice as much.
        "$pbkdf2$5000001$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    ] {
        assert!(refused(&text, &limits, &ceilings), "{text}");
    }
    for text in [
        BCRYPT.replacen("$05$", "$16$", 1),
        SCRYPT.replacen("ln=4,r=1", "ln=20,r=8", 1),
        SCRYPT.replacen("ln=4,r=1", "ln=3,r=838860", 1),
        PBKDF2.replacen("i=1000", "i=10000000", 1),
        "$pbkdf2$5000000$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    ] {
        assert!(!refused(&text, &limits, &ceilings), "{text}");
    }
    let wide = SCRYPT.replacen("ln=4,r=1,p=1", "ln=1,r=1,p=2097152", 1);
    assert!(!refused(&wide, &limits, &ceilings));
    assert!(refused(
        &wide,
        &DigestLimits::new(Some(1 << 17), None, None, None).unwrap(),
        &ceilings
    ));
    let small = DigestLimits::new(Some(8), None, None, None).unwrap();
    assert!(refused(&SCRYPT.replacen("ln=4", "ln=7", 1), &small, &ceilings));
    assert_eq!(
        legacy(&SCRYPT.replacen("ln=4,r=1,p=1", "ln=10,r=8,p=3", 1)).memory_len(),
        128 * 8 * 1028
    );
    assert_eq!(legacy(BCRYPT).memory_len(), 4168);
    assert_eq!(legacy(PBKDF2).memory_len(), 1024);
}
