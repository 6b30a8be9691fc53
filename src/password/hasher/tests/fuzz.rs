//! Digests of every form that is read, made by a generator that knows their costs, and texts that
//! are nearly digests. The ceilings are so low that all work below them is done at once; work that
//! got past them would never end, or take all memory.
//!
//! `DIGESTS` sets how many, and `SEED` selects them; a failure names its seed.

mod forms;

use super::*;
use crate::testing::random::Random;

/// Enough for every outcome of every form to occur with any seed.
const DIGESTS: usize = 20_000;

/// KiB, passes, lanes and KiB times passes of Argon2; the memory is scrypt's, too.
const ARGON2: (u32, u32, u32, u32) = (128, 2, 2, 192);
const BCRYPT_COST: u32 = 4;
const SCRYPT_WORK: u32 = 512;
const PBKDF2_ITERATIONS: u32 = 40;

/// Pieces that decide how a text is read.
const PIECES: [&str; 40] = [
    "$",
    "$$",
    ":",
    ",",
    "=",
    "==",
    "{",
    "}",
    ".",
    "/",
    "+",
    "-",
    "!",
    "*",
    "0",
    "1",
    "00",
    "31",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "-1",
    "v=19",
    "v=2",
    "ln=",
    "n=",
    "r=",
    "p=",
    "i=",
    "l=",
    "m=8",
    "keyid=azE",
    "argon2id",
    "2b",
    "sha256",
    "AQAAAA",
    "\0",
    "é",
    "\u{1f600}",
    " ",
];

/// Passwords that schemes treat in ways of their own.
const PASSWORDS: [&[u8]; 6] =
    [b"", b"x", b"x\0x", b"\xff\xfe", "\u{fb01}\u{fdfa}".as_bytes(), &[b'y'; 200]];

/// The text, changed in one to four places.
fn mutate(random: &mut Random, text: &str, other: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let start = random.below(chars.len() + 1);
        let end = start + random.below((chars.len() - start).min(12) + 1);
        let with: Vec<char> = match random.below(6) {
            0 => Vec::new(),
            1 => chars[start..end].repeat(2),
            2 => chars[start..end].iter().map(char::to_ascii_uppercase).collect(),
            3 => other.chars().skip(random.below(40)).take(random.below(40)).collect(),
            _ => random.pick(&PIECES).chars().collect(),
        };
        chars.splice(start..end, with);
    }
    chars.into_iter().collect()
}

/// The costs that a digest asks for.
#[derive(Clone, Copy, Debug)]
enum Costs {
    Argon2 {
        m: u32,
        t: u32,
        p: u32,
    },
    Bcrypt {
        cost: u32,
    },
    Scrypt {
        log_n: u32,
        r: u32,
        p: u32,
    },
    /// All iterations are done for each block.
    Pbkdf2 {
        iterations: u32,
        blocks: u32,
    },
    /// Of a hash that takes no work.
    Nothing,
}

impl Costs {
    fn are_within_the_ceilings(self) -> bool {
        let (memory, passes, lanes, work) = ARGON2;
        match self {
            Self::Argon2 { m, t, p } => {
                let product = u128::from(m) * u128::from(t);
                m <= memory && t <= passes && p <= lanes && product <= work.into()
            }
            Self::Bcrypt { cost } => cost <= BCRYPT_COST,
            Self::Scrypt { log_n, r, p } => {
                let (n, r, p) = (1_u128 << log_n, u128::from(r), u128::from(p));
                let bytes = 128 * r * (n + p + 1);
                // A small N is counted as 8.
                n.max(8) * r * p <= SCRYPT_WORK.into()
                    && bytes - bytes / 256 <= u128::from(memory) * 1024
            }
            Self::Pbkdf2 { iterations, blocks } => {
                u128::from(iterations) * u128::from(blocks) <= PBKDF2_ITERATIONS.into()
            }
            Self::Nothing => true,
        }
    }
}

fn hasher(legacy: Vec<LegacyScheme>) -> Hasher {
    let (memory, passes, lanes, work) = ARGON2;
    let ceilings = Ceilings::new(Some(BCRYPT_COST), Some(SCRYPT_WORK), Some(PBKDF2_ITERATIONS));
    Hasher::new(HasherOptions {
        legacy,
        limits: DigestLimits::new(Some(memory), Some(passes), Some(lanes), Some(work.into()))
            .unwrap(),
        ceilings: ceilings.unwrap(),
        ..options(|_| {})
    })
}

/// The hasher that reads every scheme, and the one that reads Argon2 only.
fn hashers() -> [Hasher; 2] {
    [hasher(LegacyScheme::ALL.map(|(_, scheme)| scheme).into()), hasher(Vec::new())]
}

fn seed_and_digests() -> (u64, usize) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let digests = number("DIGESTS").map_or(DIGESTS, |digests| usize::try_from(digests).unwrap());
    (number("SEED").unwrap_or(5).max(1), digests)
}

/// The check of a password, not begun, within the memory of the ceilings.
fn admit(hasher: &Hasher, digest: &str, password: &[u8]) -> Result<Check> {
    let (check, allocated) = allocated_by(|| hasher.verify(digest, password.into()));
    // A refusal allocates no more than the parts of the digest and its message.
    assert!(allocated <= SMALL, "{allocated} bytes for {digest}");
    let check = check?;
    let most = u64::from(ARGON2.0) * 1024;
    assert!(check.memory_len() <= most + most / 255, "{digest}");
    Ok(check)
}

fn run(check: Check) -> bool {
    check.run(&Cancel::default(), Result::unwrap)
}

#[test]
fn the_work_of_a_digest_is_done_exactly_if_its_costs_are_within_the_ceilings() {
    let (seed, digests) = seed_and_digests();
    let [all, none] = hashers();
    let mut random = Random(seed);
    let mut occurred = vec![[0; 2]; forms::FORMS.len()];
    for round in 0..digests {
        let form = round % forms::FORMS.len();
        let (digest, costs) = forms::FORMS[form](&mut random);
        let what = || format!("SEED={seed} round {round}: {digest} {costs:?}");
        let within = costs.are_within_the_ceilings();
        occurred[form][usize::from(within)] += 1;
        let password = random.pick(&PASSWORDS);
        match admit(&all, &digest, password) {
            Ok(check) => {
                assert!(within, "{}", what());
                assert!(!run(check), "{}", what());
            }
            Err(error) => {
                assert!(!within && error.code == Code::PasswordLimit, "{error:?} {}", what());
            }
        }
        // Without its scheme, none of them is malformed, and none starts work of its own.
        if !matches!(costs, Costs::Argon2 { .. }) {
            let check =
                none.verify(&digest, password.into()).unwrap_or_else(|_| panic!("{}", what()));
            assert!(matches!(check, Check::Argon2(_)), "{}", what());
            assert_eq!(check.memory_len(), 64 << 10, "{}", what());
        }
    }
    for (form, [beyond, within]) in occurred.into_iter().enumerate().take(forms::STATING) {
        let example = forms::FORMS[form](&mut random).0;
        let both = beyond > 0 && within > 0;
        assert!(both || digests < DIGESTS, "SEED={seed}: {beyond} and {within} of {example}");
    }
}

#[test]
fn a_text_that_is_nearly_a_digest_is_read_refused_or_unknown() {
    let (seed, digests) = seed_and_digests();
    let hashers = hashers();
    let mut random = Random(seed);
    let mut occurred = [0; 3];
    for round in 0..digests {
        let [text, other] = [(); 2].map(|()| forms::any(&mut random));
        let text = mutate(&mut random, &text, &other);
        let what = || format!("SEED={seed} round {round}: {text:?}");
        let password = random.pick(&PASSWORDS);
        for hasher in &hashers {
            let kind = match admit(hasher, &text, password) {
                Ok(check) => {
                    assert!(!run(check), "{}", what());
                    0
                }
                Err(error) => {
                    assert!(text.len() < 8 || !error.message.contains(&text), "{}", what());
                    match error.code {
                        Code::PasswordDigest => 1,
                        // Few texts name a pepper.
                        Code::PasswordLimit | Code::PasswordPepper => 2,
                        code => panic!("{code:?} {}", what()),
                    }
                }
            };
            assert_eq!(hasher.needs_rehash(&text).is_err(), kind == 1, "{}", what());
            occurred[kind] += 1;
        }
    }
    assert!(occurred.iter().all(|times| *times > 0) || digests < DIGESTS, "{occurred:?}");
}
