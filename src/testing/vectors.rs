//! Reads the published test vectors in `__test__/vectors/`.
//!
//! A file is `{ "source": …, "cases": [ … ] }`; the JavaScript tests read the same files.

use std::path::Path;

use serde_json::Value;

/// The cases of a file, given by its name without `.json`.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("__test__/vectors/{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: Value = serde_json::from_str(&text).expect("a vector file is JSON");
    assert!(file["source"].is_string(), "{name}: vectors name their source");
    match file["cases"].take() {
        Value::Array(cases) if !cases.is_empty() => cases,
        _ => panic!("{name}: no cases"),
    }
}

/// The case of a file whose `name` is this.
pub(crate) fn named(file: &str, name: &str) -> Value {
    let case = cases(file).into_iter().find(|case| case["name"] == name);
    case.unwrap_or_else(|| panic!("{file} has no case {name}"))
}

/// A text field of a case.
pub(crate) fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} is not text in {case}"))
}

/// An unsigned number of a case.
pub(crate) fn number(case: &Value, field: &str) -> u32 {
    let number = case[field].as_u64().unwrap_or_else(|| panic!("{field} is no number in {case}"));
    number.try_into().expect("a number of 32 bits")
}

/// A base64url field as bytes.
pub(crate) fn base64url(case: &Value, field: &str) -> Vec<u8> {
    crate::jwt::base64url::decode(text(case, field).as_bytes()).expect("base64url")
}

/// A field of hexadecimal digits as bytes.
pub(crate) fn hex(case: &Value, field: &str) -> Vec<u8> {
    decode_hex(text(case, field))
}

/// Bytes from hexadecimal digits.
pub(crate) fn decode_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "an odd number of hexadecimal digits");
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = str::from_utf8(pair).expect("hexadecimal digits");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}
