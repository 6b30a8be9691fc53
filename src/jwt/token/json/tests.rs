use super::*;

fn members(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    scan_object(text, |name, value| {
        found.push((name.chars().collect(), format!("{value:?}")));
    })?;
    Some(found)
}

#[test]
fn reports_members_in_order() {
    let found = members(r#" { "a" : 1.5e3 , "b":"x\n", "c":[1,"]"], "d":{"a":null} } "#);
    let names: Vec<_> = found.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn resolves_escapes() {
    let mut seen = Vec::new();
    scan_object(r#"{"\u0065xp":"\ud83d\ude00\/\"\t"}"#, |name, value| {
        assert!(name.is("exp"));
        let Value::String(text) = value else { panic!("{value:?}") };
        assert!(text.plain().is_none());
        seen.push(text.chars().collect::<String>());
    })
    .unwrap();
    assert_eq!(seen, ["😀/\"\t"]);
}

#[test]
fn refuses_what_is_not_json() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "1",
        "null",
        "\"a\"",
        "{}x",
        "{,}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":\"",
        "\u{feff}{}",
        "{}{}",
        "{\"a\":1}//",
    ] {
        assert_eq!(members(text), None, "{text}");
    }
}

#[test]
fn refuses_lone_surrogates() {
    for text in
        [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00"}"#, r#"{"a":"\ud800\u0041"}"#, r#"{"\ud800":1}"#]
    {
        assert_eq!(members(text), None, "{text}");
    }
}

#[test]
fn refuses_duplicates_at_any_depth_and_spelling() {
    assert_eq!(members(r#"{"a":1,"a":2}"#), None);
    assert_eq!(members(r#"{"exp":1,"\u0065xp":2}"#), None);
    assert_eq!(members(r#"{"a":{"b":1,"b":2}}"#), None);
    assert_eq!(members(r#"{"a":[{"b":1,"b":2}]}"#), None);
    assert!(members(r#"{"a":{"a":1},"b":{"a":1}}"#).is_some());
    let many: Vec<_> = (0..100).map(|n| format!("\"n{n}\":0")).collect();
    assert_eq!(members(&format!("{{{}}}", many.join(","))).unwrap().len(), 100);
    assert_eq!(members(&format!("{{{},\"n99\":0}}", many.join(","))), None);
    assert_eq!(members(&format!("{{{},\"n3\":0}}", many.join(","))), None);
}

#[test]
fn bounds_depth() {
    let nested =
        |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(members(&nested(MAX_DEPTH)).is_some());
    assert_eq!(members(&nested(MAX_DEPTH + 1)), None);
}

#[test]
fn reads_string_arrays() {
    let read = |text| {
        let mut found = Vec::new();
        scan_strings(text, |raw| found.push(raw.chars().collect::<String>())).map(|()| found)
    };
    assert_eq!(read("[]"), Some(vec![]));
    assert_eq!(read(r#"[ "a" , "b" ]"#), Some(vec!["a".into(), "b".into()]));
    assert_eq!(read(r#"["a",1]"#), None);
}

/// Everything accepted here must be accepted by an independent reader, with the same names.
#[test]
fn agrees_with_serde_json_on_mutations() {
    let seed =
        r#"{"sub":"u\u00e9\n","exp":1.5e3,"aud":["a","b"],"x":{"y":[true,false,null,-0.1]}}"#;
    let mut state = 1_u32;
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut bytes = seed.as_bytes().to_vec();
        for _ in 0..=state % 2 {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let place = state as usize % bytes.len();
            let pool = b"{}[]\",:\\u0159eE+-. \ntfn\x01";
            bytes[place] = pool[(state >> 16) as usize % pool.len()];
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if let Some(found) = members(&text) {
            accepted += 1;
            let parsed: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&text).unwrap();
            assert_eq!(parsed.len(), found.len(), "{text}");
            assert!(found.iter().all(|(name, _)| parsed.contains_key(name)), "{text}");
        }
    }
    assert!(accepted > 1000, "{accepted}");
}
