//! Published vectors, and texts that are not hashes.

use super::*;
use crate::error::Code;
use crate::password::limits::DigestLimits;
use crate::testing::vectors;

const ALL: &[LegacyScheme] =
    &[LegacyScheme::Bcrypt, LegacyScheme::Scrypt, LegacyScheme::Pbkdf2, LegacyScheme::Django];

const BCRYPT: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const SCRYPT: &str = "$scrypt$ln=4,r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
const PBKDF2: &str = "$pbkdf2-sha256$i=1000,l=16$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
const PASSLIB: &str =
    "$bcrypt-sha256$v=2,t=2b,r=5$E/e/2AOhqM5W/KJTFQzLce$WFPIZKtDDTriqWwlmRFfHiOTeheAZWe";
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
        (SCRYPT, LegacyScheme::Scrypt),
        (PBKDF2, LegacyScheme::Pbkdf2),
        (DJANGO, LegacyScheme::Django),
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
        changed(SCRYPT, "ln=4", "ln=64"),
        changed(SCRYPT, "ln=4", "ln=04"),
        changed(SCRYPT, "r=1", "r=0"),
        changed(SCRYPT, ",p=1", ""),
        changed(SCRYPT, "$c2FsdA", "$c2FsdA=="),
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
        changed(argon2, "argon2id", "argon3"),
        changed(argon2, "p=1", "p=0"),
        format!("$2b${}", "x".repeat(5000)),
    ] {
        let error = parse(&text, ALL).unwrap_err();
        assert_eq!(error.code, Code::PasswordDigest, "{text}");
    }
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
        SCRYPT.replacen("ln=4,r=1", "ln=20,r=9", 1),
        // Its table has 1 GiB, and its other blocks a quarter of that.
        SCRYPT.replacen("ln=4,r=1", "ln=3,r=1048576", 1),
        SCRYPT.replacen("ln=4", "ln=63", 1),
        SCRYPT.replacen("r=1", "r=4294967295", 1),
        SCRYPT.replacen("p=1", "p=4294967295", 1),
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
