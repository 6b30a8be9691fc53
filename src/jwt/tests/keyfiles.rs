//! A key file is never an HMAC secret, however it is wrapped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::*;
use crate::id::random_bytes;
use crate::testing::vectors::cases;

const HS256: Algorithm = Algorithm::Hs256;

/// The cases of `keys.json` that are keys.
fn key_files() -> impl Iterator<Item = Value> {
    cases("keys").into_iter().filter(|case| case["refused"].is_null())
}

/// The names of those `secrets` that become HMAC keys.
fn taken(secrets: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    let is_taken = |secret: &[u8]| Key::from_secret(secret, HS256, None).is_ok();
    secrets.into_iter().filter(|(_, secret)| is_taken(secret)).map(|(name, _)| name).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The base64 of the only section of a PEM, in lines, and the bytes that it encodes.
fn section(pem: &str) -> (String, Vec<u8>) {
    let start = pem.find("-----BEGIN ").unwrap();
    let lines: Vec<_> =
        pem[start..].lines().skip(1).take_while(|line| !line.starts_with("-----")).collect();
    let (_, der) = pem_rfc7468::decode_vec(&pem.as_bytes()[start..]).unwrap();
    (lines.join("\n"), der)
}

/// Six advisories against other libraries are about taking a public key for a secret.
#[test]
fn key_files_are_no_secrets() {
    for case in key_files() {
        let pem = text(&case, "pem");
        for junk in ["", " ", "\n\n", "\u{feff}", "\0", "junk", "# a comment\n"] {
            for text in [format!("{junk}{pem}"), format!("{junk}{}", pem.trim())] {
                let refused = Key::from_secret(text.as_bytes(), HS256, None);
                assert_eq!(code(refused), Some(Code::JwtKey), "{junk:?}");
            }
        }
    }
    for key in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(key) {
        let jwk = key.public_jwk().unwrap();
        let pretty = jwk.replace(':', " : ").replace('{', "{\n  ");
        for text in [jwk.clone(), pretty, format!("\r\n\t {jwk}"), format!(r#"{{"keys":[{jwk}]}}"#)]
        {
            let refused = Key::from_secret(text.as_bytes(), HS256, None);
            assert_eq!(code(refused), Some(Code::JwtKey), "{text}");
        }
    }
    for line in ["ssh-ed25519", "ssh-rsa"] {
        let line = format!("{line} {} alice@example", "A".repeat(100));
        assert_eq!(code(Key::from_secret(line.as_bytes(), HS256, None)), Some(Code::JwtKey));
    }
    // Random bytes, and text that merely contains such words, are secrets.
    for secret in
        ["a secret with {\"kty\"} somewhere in its middle", "-----BEGINNING of a secret -----"]
    {
        assert_eq!(code(Key::from_secret(secret.as_bytes(), HS256, None)), None, "{secret}");
    }
}

#[test]
fn key_files_after_something_else_are_no_secrets() {
    let jwk = key(Algorithm::EdDsa).public_jwk().unwrap();
    let key = "A".repeat(100);
    for text in [
        format!("\nssh-ed25519 {key}"),
        format!(" ssh-rsa {key}"),
        format!("ecdsa-sha2-nistp256 {key}"),
        format!("\u{feff}{jwk}"),
        format!("[{jwk}]"),
    ] {
        let refused = Key::from_secret(text.as_bytes(), HS256, None);
        assert_eq!(code(refused), Some(Code::JwtKey), "{text}");
    }
}

#[test]
fn keys_in_binary_are_no_secrets_whatever_follows() {
    let files =
        key_files().chain([named("keys", "certificate"), named("keys", "certificate request")]);
    let accepted = taken(files.flat_map(|case| {
        let (_, der) = section(text(&case, "pem"));
        [&b""[..], b"\n", b"\0", b"\r\n "].map(|after| (format!("{case}"), [&der, after].concat()))
    }));
    assert!(accepted.is_empty(), "{accepted:#?}");
    let blob = [b"\0\0\0\x07ssh-rsa".as_slice(), &[1; 100]].concat();
    assert_eq!(taken([("ssh".into(), blob)]), [""; 0]);
}

#[test]
fn keys_as_text_without_armour_are_no_secrets() {
    let files = key_files().chain([named("keys", "certificate")]);
    let accepted = taken(files.flat_map(|case| {
        let (lines, der) = section(text(&case, "pem"));
        let pem = text(&case, "pem").trim();
        let wrapped = [
            lines.replace('\n', ""),
            lines.clone(),
            lines.replace('\n', "\r\n"),
            lines.replace('+', "-").replace('/', "_").replace(['=', '\n'], ""),
            format!("{lines}\n-----END PUBLIC KEY-----\n"),
            base64url::encode(pem.as_bytes()),
            hex(&der),
            hex(&der).to_uppercase() + "\n",
        ];
        // A text that is too long for a secret is refused for its length.
        wrapped.map(|text| (format!("{text} of {case}"), text.into_bytes()))
    }));
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn keys_of_other_programs_are_no_secrets() {
    let blob = "A".repeat(100);
    let jwk = key(Algorithm::Es256).public_jwk().unwrap();
    let accepted = taken(
        [
            format!("---- BEGIN SSH2 PUBLIC KEY ----\n{blob}\n"),
            format!("# a comment\nssh-rsa {blob}"),
            format!("no-pty,command=\"x\" ssh-ed25519 {blob} alice"),
            format!("sk-ecdsa-sha2-nistp256@openssh.com {blob}"),
            format!("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n{blob}"),
            jwk.replace("\"kty\"", "\"\\u006bty\""),
            format!("{{\"k\\u0065ys\":[{}]}}", jwk.replace("\"kty\"", "\"\\u006bty\"")),
            base64url::encode(jwk.as_bytes()),
        ]
        .map(|text| (text.clone(), text.into_bytes())),
    );
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn containers_of_keys_are_no_secrets() {
    let accepted = taken(cases("key-containers").iter().flat_map(|case| {
        let file = STANDARD.decode(text(case, "base64")).unwrap();
        let name = text(case, "name");
        let forms = [file.clone(), [&file, &b"\n"[..]].concat(), text(case, "base64").into()];
        // A hex dump of most of these is too long for a secret.
        let dump = hex_dumps(&file).into_iter().map(String::into_bytes);
        forms.into_iter().chain(dump).map(move |form| (name.to_owned(), form))
    }));
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// .NET writes the first; the others are parts of signed XML (RFC 3275 section 4.4).
#[test]
fn keys_in_xml_are_no_secrets() {
    let number = "4vs7ZbJd8vTDkMe2cW3QkOaPqXV7H2eTq8Yz";
    let accepted = taken(
        [
            format!(
                "<RSAKeyValue><Modulus>{number}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"
            ),
            format!("<ds:KeyValue><ds:RSAKeyValue>{number}"),
            format!("<?xml version=\"1.0\"?>\n<RSAParameters>\n  <Modulus>{number}</Modulus>"),
            format!("<DSAKeyValue><P>{number}</P></DSAKeyValue>"),
            format!("<dsig11:ECKeyValue><dsig11:NamedCurve URI=\"urn:oid:1\"/>{number}"),
            format!("<ds:X509Certificate>{number}</ds:X509Certificate>"),
        ]
        .into_iter()
        .flat_map(|xml| {
            let wide = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let encoded = STANDARD.encode(&xml).into_bytes();
            [xml.clone().into_bytes(), wide, encoded].map(|form| (xml.clone(), form))
        }),
    );
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// A dump of bytes in hex, with the separators and prefixes of other programs.
fn hex_dumps(bytes: &[u8]) -> Vec<String> {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let prefixed = |prefix: &str, separator: &str| {
        let prefixed: Vec<_> = digits.iter().map(|digits| format!("{prefix}{digits}")).collect();
        prefixed.join(separator)
    };
    vec![
        format!("0x{}", digits.concat()),
        digits.join(":").to_lowercase(),
        digits.join(" "),
        digits.join("-"),
        digits.chunks(15).map(|line| line.join(":") + ":\n    ").collect(),
        format!("{{ {} }}", prefixed("0x", ", ")),
        prefixed("\\x", ""),
        format!("\\x{}", digits.concat().to_lowercase()),
        format!("X'{}'", digits.concat()),
    ]
}

#[test]
fn keys_in_hex_with_separators_are_no_secrets() {
    let accepted = taken(key_files().flat_map(|case| {
        let (_, der) = section(text(&case, "pem"));
        // The text of a public key, too, as it is stored by accident.
        let dumps = hex_dumps(&der).into_iter().chain(hex_dumps(b"-----BEGIN PUBLIC KEY-----\nM"));
        dumps.map(move |dump| (format!("{dump} of {case}"), dump.into_bytes()))
    }));
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// OpenSSL writes them with `-conv_form hybrid`.
#[test]
fn hybrid_points_are_no_secrets() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
        let jwk: Value = serde_json::from_str(&key(algorithm).public_jwk().unwrap()).unwrap();
        let [x, y] = ["x", "y"].map(|name| base64url::decode(text(&jwk, name).as_bytes()).unwrap());
        for first in [6, 7] {
            let mut point = [&[first][..], &x, &y].concat();
            let forms = [point.clone(), hex(&point).into_bytes(), STANDARD.encode(&point).into()];
            assert_eq!(taken(forms.map(|form| (String::new(), form))), [""; 0], "{algorithm:?}");
            *point.last_mut().unwrap() ^= 1;
            assert_eq!(code(Key::from_secret(&point, HS256, None)), None);
        }
    }
}

#[test]
fn points_are_no_secrets() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
        let jwk: Value = serde_json::from_str(&key(algorithm).public_jwk().unwrap()).unwrap();
        let [x, y] = ["x", "y"].map(|name| base64url::decode(text(&jwk, name).as_bytes()).unwrap());
        let mut point = [&[4][..], &x, &y].concat();
        assert_eq!(code(Key::from_secret(&point, HS256, None)), Some(Code::JwtKey));
        // Bytes of the same shape that are not a point are a secret.
        *point.last_mut().unwrap() ^= 1;
        assert_eq!(code(Key::from_secret(&point, HS256, None)), None);
    }
}

/// The texts as which environment files, `docker --env-file`, Laravel, JSON, Python, PHP, bash and
/// `psql` keep bytes.
fn wrapped(bytes: &[u8]) -> Vec<String> {
    let encoded = STANDARD.encode(bytes);
    let lines: Vec<_> =
        encoded.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let list = |each: fn(&u8) -> String, between: &str| {
        bytes.iter().map(each).collect::<Vec<_>>().join(between)
    };
    let escape = |form: fn(&u8) -> String| -> String {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\'".contains(byte);
        bytes.iter().map(|b| if is_plain(b) { char::from(*b).into() } else { form(b) }).collect()
    };
    let decimal = list(u8::to_string, ",");
    let json = format!(r#"{{"type":"Buffer","data":[{decimal}]}}"#);
    let indexed: Vec<_> =
        bytes.iter().enumerate().map(|(n, byte)| format!("\"{n}\":{byte}")).collect();
    vec![
        format!("\"{encoded}\""),
        format!("'{encoded}'\n"),
        format!("`{encoded}`"),
        format!("KEY=\"{encoded}\""),
        lines.join("\\n"),
        format!("\"{}\\n\"", lines.join("\\r\\n")),
        lines.join("\\\\n"),
        format!("[\"{}\"]", lines.join("\", \"")),
        format!("base64:{encoded}"),
        format!("data:application/octet-stream;base64,{encoded}"),
        format!("b'{encoded}'"),
        encoded.replace('/', "\\/"),
        encoded.replace('+', "\\u002B"),
        encoded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
        STANDARD.encode(&encoded),
        STANDARD.encode(STANDARD.encode(&encoded)),
        STANDARD.encode(hex(bytes)),
        hex(encoded.as_bytes()),
        format!("\"{}\"", hex(bytes)),
        format!("hex:{}", hex(bytes)),
        format!("b'{}'", hex(bytes)),
        json.clone(),
        serde_json::to_string(&json).unwrap(),
        format!("[{decimal}]"),
        decimal.clone(),
        decimal.replace(',', " "),
        format!("Uint8Array({}) [ {} ]", bytes.len(), decimal.replace(',', ",\n  ")),
        format!("[{}]", list(|byte| byte.cast_signed().to_string(), ", ")),
        format!("{{{}}}", indexed.join(",")),
        format!("b'{}'", escape(|byte| format!("\\x{byte:02x}"))),
        escape(|byte| format!("\\{byte:03o}")),
    ]
}

#[test]
fn keys_in_wrapped_text_are_no_secrets() {
    let accepted = taken(key_files().flat_map(|case| {
        let (_, der) = section(text(&case, "pem"));
        // A text that is too long for a secret is refused for its length.
        wrapped(&der).into_iter().map(move |text| (format!("{text} of {case}"), text.into_bytes()))
    }));
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn jwks_as_other_languages_print_them_are_no_secrets() {
    let json = key(Algorithm::Es256).public_jwk().unwrap();
    let jwk: Value = serde_json::from_str(&json).unwrap();
    let (kty, x) = (text(&jwk, "kty"), text(&jwk, "x"));
    let twice = serde_json::to_string(&json).unwrap();
    let accepted = taken(
        [
            json.replace('"', "'"),
            twice.clone(),
            serde_json::to_string(&twice).unwrap(),
            format!("'{json}'"),
            format!("{{\n  kty: '{kty}',\n  x: '{x}'\n}}"),
            format!("{{\"kty\"=>\"{kty}\", \"x\"=>\"{x}\"}}"),
            format!("{{:kty=>\"{kty}\", :x=>\"{x}\"}}"),
            format!("map[kty:{kty} x:{x}]"),
            format!("kty: {kty}\nx: {x}"),
            json.replace('"', "%22").replace(':', "%3A"),
            STANDARD.encode(STANDARD.encode(&json)),
        ]
        .map(|text| (text.clone(), text.into_bytes())),
    );
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// `openssl pkey -text_pub -noout`, `openssl x509 -text`, `openssl rsa -modulus`.
#[test]
fn keys_that_openssl_prints_are_no_secrets() {
    let number = "00:b5:4b:5e:07:7c:21:88:7c:00:1d:65:8c:3a:0a:\n    b5:4b:5e:07:7c:21:88:7c:00";
    let accepted = taken(
        [
            format!("Public-Key: (2048 bit)\nModulus:\n    {number}\nExponent: 65537 (0x10001)\n"),
            format!("RSA Public-Key: (2048 bit)\nModulus:\n    {number}\n"),
            format!("Public-Key: (256 bit)\npub:\n    {number}\nASN1 OID: prime256v1\n"),
            format!("ED25519 Public-Key:\npub:\n    {number}\n"),
            format!("ED25519 Private-Key:\npriv:\n    {number}\npub:\n    {number}\n"),
            format!("Private-Key: (2048 bit, 2 primes)\nmodulus:\n    {number}\n"),
            format!("Modulus={}\n", "B54B5E077C21887C001D658C3A0A".repeat(4)),
            format!("BEGIN PUBLIC KEY {} END PUBLIC KEY", "A".repeat(80)),
        ]
        .map(|text| (text.clone(), text.into_bytes())),
    );
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn keys_in_binary_after_white_space_are_no_secrets() {
    let files = key_files().chain([named("keys", "certificate")]);
    let accepted = taken(files.flat_map(|case| {
        let (_, der) = section(text(&case, "pem"));
        [&b"\n"[..], b" \r\n", b"\0", b"\xef\xbb\xbf", b"'", b"b\""]
            .map(|before| (format!("{before:?} {case}"), [before, &der].concat()))
    }));
    assert!(accepted.is_empty(), "{accepted:#?}");
    let jwk: Value = serde_json::from_str(&key(Algorithm::Es256).public_jwk().unwrap()).unwrap();
    let [x, y] = ["x", "y"].map(|name| base64url::decode(text(&jwk, name).as_bytes()).unwrap());
    let point = [&b"\n\x04"[..], &x, &y, b"\n"].concat();
    assert_eq!(taken([("point".into(), point)]), [""; 0]);
}

/// The same wrappings of bytes that are no key.
#[test]
fn wrapped_random_secrets_are_taken() {
    for length in [48, 91, 294] {
        let mut bytes = vec![0; length];
        for first in 0..=u16::MAX {
            // Each first two bytes once for the shortest length, and some for the others.
            if length > 48 && first % 512 != 48 {
                continue;
            }
            random_bytes(&mut bytes).unwrap();
            bytes[..2].copy_from_slice(&first.to_be_bytes());
            assert!(Key::from_secret(&bytes, HS256, None).is_ok(), "{bytes:02x?}");
            if first % 512 == 48 {
                for text in wrapped(&bytes).iter().filter(|text| text.len() <= 4096) {
                    assert!(Key::from_secret(text.as_bytes(), HS256, None).is_ok(), "{text}");
                }
            }
        }
    }
}

/// The rule is for files. It refuses neither bytes that only begin like one nor text that
/// `openssl rand` makes.
#[test]
fn random_secrets_are_taken_in_every_encoding() {
    for prefix in [
        &b""[..],
        &[0x30],
        &[0x30, 30],
        &[0x30, 30, 2, 1],
        &[4],
        b"{",
        b"[",
        b"ssh-",
        b"\0\0\0\x07",
    ] {
        for length in [48, 64, 65, 128] {
            for _ in 0..50 {
                let mut bytes = vec![0; length];
                random_bytes(&mut bytes).unwrap();
                bytes[..prefix.len()].copy_from_slice(prefix);
                let texts = [hex(&bytes).into_bytes(), base64url::encode(&bytes).into_bytes()];
                for secret in texts.iter().chain([&bytes]) {
                    let made = Key::from_secret(secret, HS256, None).unwrap();
                    assert_eq!(made.original().unwrap().expose_secret(), secret);
                }
            }
        }
    }
}
