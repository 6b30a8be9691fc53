//! Published vectors, and what is no hash.

use super::*;
use crate::error::Code;
use crate::testing::vectors;

const ALL: &[Family] = &[Family::Bcrypt, Family::Scrypt, Family::Pbkdf2, Family::Django];

const BCRYPT: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const SCRYPT: &str = "$scrypt$ln=4,r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
const PBKDF2: &str = "$pbkdf2-sha256$i=1000,l=16$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
const PASSLIB: &str =
    "$bcrypt-sha256$v=2,t=2b,r=5$E/e/2AOhqM5W/KJTFQzLce$WFPIZKtDDTriqWwlmRFfHiOTeheAZWe";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$AAAAAAAAAAAAAAAAAAAAAA==";

fn legacy(text: &str) -> Legacy {
    match Found::parse(text, ALL).unwrap().unwrap() {
        Found::Legacy(legacy) => legacy,
        other => panic!("{text} is {other:?}"),
    }
}

fn refused(text: &str, limits: &Limits, ceilings: &Ceilings) -> bool {
    let checked = legacy(text).check(limits, ceilings);
    checked.is_err_and(|error| error.code == Code::PasswordLimit)
}

#[test]
fn published_vectors() {
    for case in vectors::cases("legacy-hashes") {
        let digest = vectors::text(&case, "digest");
        let Found::Legacy(legacy) = Found::parse(digest, ALL).unwrap().unwrap() else { continue };
        legacy.check(&Limits::default(), &Ceilings::default()).unwrap();
        let mut password = vectors::hex(&case, "password_hex");
        assert!(legacy.matches(&password).unwrap(), "{digest}");
        // A byte in front, since bcrypt ignores what comes late.
        password.insert(0, b'x');
        assert!(!legacy.matches(&password).unwrap(), "{digest}");
        assert!(!format!("{legacy:?}").contains(&digest[digest.len() - 8..]), "{legacy:?}");
    }
}

#[test]
fn only_the_families_that_are_asked_for() {
    for (text, family) in [
        (BCRYPT, Family::Bcrypt),
        (PASSLIB, Family::Bcrypt),
        (SCRYPT, Family::Scrypt),
        (PBKDF2, Family::Pbkdf2),
        (DJANGO, Family::Django),
    ] {
        for asked in ALL {
            let found = Found::parse(text, &[*asked]).unwrap();
            assert_eq!(found.is_some(), *asked == family, "{text} {asked:?}");
        }
        assert!(Found::parse(text, &[]).unwrap().is_none());
    }
    for text in ["", "$", "$6$salt$hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAA", "x$y"] {
        assert!(Found::parse(text, ALL).unwrap().is_none(), "{text}");
    }
}

#[test]
fn malformed_hashes() {
    let changed = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        text.replacen(from, to, 1)
    };
    let argon2 = "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
    assert!(matches!(Found::parse(argon2, ALL), Ok(Some(Found::Argon2(_)))));
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
        let error = Found::parse(&text, ALL).unwrap_err();
        assert_eq!(error.code, Code::PasswordDigest, "{text}");
    }
}

/// The last characters of salt and tag have bits that no byte claims.
#[test]
fn unused_bits_of_bcrypt_are_not_looked_at() {
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
    let (limits, ceilings) = (Limits::default(), Ceilings::default());
    for text in [
        BCRYPT.replacen("$05$", "$17$", 1),
        BCRYPT.replacen("$05$", "$31$", 1),
        format!("bcrypt${}", BCRYPT.replacen("$05$", "$17$", 1)),
        PASSLIB.replacen("r=5", "r=31", 1),
        SCRYPT.replacen("ln=4,r=1", "ln=20,r=9", 1),
        SCRYPT.replacen("ln=4", "ln=63", 1),
        SCRYPT.replacen("r=1", "r=4294967295", 1),
        SCRYPT.replacen("p=1", "p=4294967295", 1),
        SCRYPT.replacen("ln=4,r=1,p=1", "ln=63,r=4294967295,p=4294967295", 1),
        SCRYPT.replacen("ln=4,r=1,p=1", "ln=20,r=7,p=3", 1),
        "scrypt$2147483648$seasalt$8$1$AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        PBKDF2.replacen("i=1000", "i=10000001", 1),
        PBKDF2.replacen("i=1000,l=16", "4294967295", 1),
        DJANGO.replacen("$1000$", "$4294967295$", 1),
        // Two blocks of SHA-1 cost twice.
        "$pbkdf2$5000001$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    ] {
        assert!(refused(&text, &limits, &ceilings), "{text}");
    }
    for text in [
        BCRYPT.replacen("$05$", "$16$", 1),
        SCRYPT.replacen("ln=4,r=1", "ln=20,r=8", 1),
        SCRYPT.replacen("ln=4,r=1", "ln=3,r=1048576", 1),
        PBKDF2.replacen("i=1000", "i=10000000", 1),
        "$pbkdf2$5000000$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    ] {
        assert!(!refused(&text, &limits, &ceilings), "{text}");
    }
    let wide = SCRYPT.replacen("ln=4,r=1,p=1", "ln=1,r=1,p=8388608", 1);
    assert!(!refused(&wide, &limits, &ceilings));
    assert!(refused(&wide, &Limits::new(Some(1 << 19), None, None).unwrap(), &ceilings));
    let small = Limits::new(Some(8), None, None).unwrap();
    assert!(refused(&SCRYPT.replacen("ln=4", "ln=7", 1), &small, &ceilings));
    assert_eq!(
        legacy(&SCRYPT.replacen("ln=4,r=1,p=1", "ln=10,r=8,p=3", 1)).memory_len(),
        128 * 8 * 1028
    );
    assert_eq!(legacy(BCRYPT).memory_len(), 4168);
    assert_eq!(legacy(PBKDF2).memory_len(), 1024);
}
