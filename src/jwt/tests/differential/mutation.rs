//! Changes whole tokens where a reader makes a decision: members are dropped, doubled, escaped,
//! mistyped and nested, numbers have odd spellings, and times are around the limits.

use super::Random;

/// An object as text: names without their quotes, and values.
#[derive(Clone)]
pub(super) struct Members(pub Vec<(String, String)>);

/// Values of every type. Some of them are not JSON.
const VALUES: [&str; 33] = [
    "null",
    "true",
    "0",
    "1",
    "-1",
    "-0",
    "1.5",
    "1e2",
    "1E+2",
    "1e-400",
    "1e400",
    "-1e400",
    "18446744073709551616",
    "123456789012345678901",
    r#""""#,
    r#""text""#,
    r#""1""#,
    "[]",
    "{}",
    r#"["a"]"#,
    "[1]",
    r#"[["a"]]"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":1,"\u0061":2}"#,
    r#""\ud83d\ude00""#,
    // Not JSON, or not Unicode.
    "01",
    "1.",
    "+1",
    "NaN",
    "",
    r#""\ud800""#,
    "\"\u{1}\"",
    r#""\x""#,
];
const ISSUERS: [&str; 8] =
    [r#""i""#, r#""\u0069""#, r#""j""#, r#""I""#, r#"["i"]"#, r#""i ""#, r#""""#, "null"];
const AUDIENCES: [&str; 12] = [
    r#""a""#,
    r#""b""#,
    r#"["a"]"#,
    r#"["b","\u0061"]"#,
    r#"[ "b" , "c" ]"#,
    "[]",
    r#"["a",1]"#,
    r#"[["a"]]"#,
    r#"["a",null]"#,
    r#""A""#,
    r#"{"0":"a"}"#,
    r#"["a","a"]"#,
];
const TYPES: [&str; 8] = [
    r#""jwt""#,
    r#""application/JWT""#,
    r#""at+jwt""#,
    r#""\u004aWT""#,
    r#""""#,
    "null",
    "1",
    r#"["JWT"]"#,
];
const KIDS: [&str; 6] = [r#""unknown""#, r#""""#, "null", "7", r#"["hmac"]"#, r#""K1""#];
const ALGORITHMS: [&str; 12] = [
    r#""none""#,
    r#""NONE""#,
    r#""""#,
    r#""hs256""#,
    r#""HS256""#,
    r#""HS512""#,
    r#""RS256""#,
    r#""ES256""#,
    r#""EdDSA""#,
    r#""Ed25519""#,
    "null",
    r#"["HS256"]"#,
];
const CRITICAL: [&str; 6] =
    ["[]", r#"["exp"]"#, r#"["b64"]"#, r#"["b64","b64"]"#, "null", r#""x""#];
/// Header parameters that we never read.
const UNREAD: [&str; 10] =
    ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "cty", "url", "nonce", "apu"];
const CLAIMS: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "roles"];
/// Offsets from the present, in seconds, that matter to some policy.
const STEPS: [i64; 18] =
    [-7200, -3661, -3660, -3600, -301, -60, -59, -1, 0, 0, 0, 0, 1, 59, 60, 61, 300, 7200];

impl Members {
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    /// Makes one change to a header.
    pub(super) fn mutate_header(&mut self, random: &mut Random) {
        match random.below(10) {
            0 => self.set("kid", random.pick(&KIDS)),
            1 => self.set("typ", random.pick(&TYPES)),
            2 => self.set("alg", random.pick(&ALGORITHMS)),
            3 => self.set("crit", random.pick(&CRITICAL)),
            4 => self.set(
                random.pick(&["b64", "enc", "zip"]),
                random.pick(&["true", "false", r#""A""#]),
            ),
            5 | 6 => self.set(random.pick(&UNREAD), random.pick(&VALUES)),
            7 => self.set("kid", format!("\"{}\"", "k".repeat(255 + random.below(3)))),
            _ => self.mutate_any(random),
        }
    }

    /// Makes one change to a payload, for a verifier that reads `now` and tolerates `tolerance`.
    pub(super) fn mutate_payload(&mut self, random: &mut Random, now: u64, tolerance: u64) {
        match random.below(10) {
            0 => self.set("iss", random.pick(&ISSUERS)),
            1 => self.set("aud", random.pick(&AUDIENCES)),
            2 | 3 => self.set(random.pick(&CLAIMS), random.pick(&VALUES)),
            4..=7 => {
                let name = random.pick(&["exp", "nbf", "iat", "exp", "nbf", "iat", "auth_time"]);
                let steps = [-1, 0, 1].map(|sign| sign * i64::try_from(tolerance).unwrap());
                let at = i64::try_from(now).unwrap() + random.pick(&STEPS) + random.pick(&steps);
                self.set(name, random.date(at));
            }
            _ => self.mutate_any(random),
        }
    }

    fn mutate_any(&mut self, random: &mut Random) {
        let place = random.below(self.0.len().max(1));
        let Some((name, value)) = self.0.get(place).cloned() else { return };
        let other = random.below(self.0.len() + 1);
        match random.below(8) {
            0 => drop(self.0.remove(place)),
            1 => self.0.insert(other, (name, value)),
            2 => self.0.insert(other, (escaped(&name), random.pick(&VALUES).into())),
            3 => self.0[place].0 = escaped(&name),
            4 => self
                .0
                .push((random.pick(&["__proto__", "", "x", "Exp", "exp ", "é"]).into(), value)),
            5 => {
                // Around the limits of both implementations.
                let depth = random.pick(&[31, 127]) - 1 + random.below(3);
                let (open, close) = random.pick(&[("[", "]"), (r#"{"a":"#, "}")]);
                let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                self.0.push(("deep".into(), value));
            }
            6 => self.0.push((
                "x".into(),
                format!("\"{}\"", "x".repeat(random.pick(&[6000, 11_000, 20_000]))),
            )),
            _ => self.0.push(("x".into(), random.pick(&VALUES).into())),
        }
    }

    /// The JSON, sometimes with spaces, sometimes spoilt as a whole.
    pub(super) fn write(&self, random: &mut Random) -> Vec<u8> {
        let space = if random.below(8) == 0 {
            random.pick(&[" ", "\n\t", "\r\n", "\u{c}", "\u{a0}"])
        } else {
            ""
        };
        let members: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("\"{name}\"{space}:{space}{value}"))
            .collect();
        let text = format!("{space}{{{}}}{space}", members.join(&format!("{space},{space}")));
        if random.below(25) != 0 {
            return text.into_bytes();
        }
        match random.below(7) {
            0 => format!("\u{feff}{text}").into_bytes(),
            1 => format!("[{text}]").into_bytes(),
            2 => format!("{text}{text}").into_bytes(),
            3 => format!("{text}\0").into_bytes(),
            4 => text.replace('}', ",}").into_bytes(),
            5 => text.replace('"', "'").into_bytes(),
            _ => [text.as_bytes(), b"\xff"].concat(),
        }
    }
}

impl Random {
    /// A `NumericDate`, in one of the spellings of JSON or close to one.
    fn date(&mut self, at: i64) -> String {
        match self.below(10) {
            0 => format!("{at}.0"),
            1 => format!("{at}e0"),
            2 => format!("{at}000E-3"),
            3 => format!("{at}.25"),
            4 => format!("{at}.75"),
            5 => format!("-{at}"),
            6 => format!("\"{at}\""),
            7 => format!("{at}e10"),
            _ => at.to_string(),
        }
    }

    /// The text of a segment, sometimes not the canonical one.
    pub(super) fn respell(&mut self, segment: String) -> String {
        if self.below(30) == 0 { self.respell_always(&segment) } else { segment }
    }

    /// A text other than the given one.
    pub(super) fn respell_always(&mut self, segment: &str) -> String {
        let mut segment = segment.to_owned();
        match self.below(7) {
            0 => segment.push('='),
            6 => segment.push_str(&"=".repeat((4 - segment.len() % 4) % 4)),
            1 => segment.push_str(self.pick(&[" ", "\n", ".", "A", "é", "%3D"])),
            2 => segment = segment.replace('-', "+").replace('_', "/"),
            3 => drop(segment.pop()),
            4 => segment.insert(self.below(4).min(segment.len()), self.pick(&['\n', '=', '.'])),
            _ => {
                // Different bits after the last byte.
                let last = segment.pop().map(|last| if last == 'A' { 'B' } else { last });
                segment
                    .extend(last.map(|last| char::from_u32(u32::from(last) + 1).unwrap_or(last)));
            }
        }
        segment
    }
}

/// A name with its first character as an escape.
fn escaped(name: &str) -> String {
    let mut rest = name.chars();
    rest.next()
        .map_or(String::new(), |first| format!("\\u{:04x}{}", u32::from(first), rest.as_str()))
}
