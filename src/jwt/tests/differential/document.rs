//! A JSON document as `serde_json` reads it, with nothing lost. It is the independent view that
//! explains a difference.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// One value. All members of one name are kept, in their order.
#[derive(Debug)]
pub(super) enum Document {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    String(String),
    Number(f64),
    Bool,
    Null,
}

impl Document {
    /// The last member of this name, which is the one that `JSON.parse` and serde see.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Self::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn string(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Self::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_string(&self) -> bool {
        matches!(self, Self::String(_))
    }

    /// Whether the value is an array of strings.
    pub(super) fn is_strings(&self) -> bool {
        matches!(self, Self::Array(items) if items.iter().all(Self::is_string))
    }

    /// Whether any object in the value has two members of one name.
    pub(super) fn has_duplicates(&self) -> bool {
        match self {
            Self::Object(members) => {
                let mut names = HashSet::new();
                members.iter().any(|(name, value)| !names.insert(name) || value.has_duplicates())
            }
            Self::Array(items) => items.iter().any(Self::has_duplicates),
            _ => false,
        }
    }

    /// How deep arrays and objects nest.
    pub(super) fn depth(&self) -> usize {
        let inside = match self {
            Self::Object(members) => members.iter().map(|(_, value)| value.depth()).max(),
            Self::Array(items) => items.iter().map(Self::depth).max(),
            _ => return 0,
        };
        1 + inside.unwrap_or(0)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Document;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Document::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Document, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = array.next_element()? {
            items.push(item);
        }
        Ok(Document::Array(items))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Document, E> {
        Ok(Document::String(text.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Document, E> {
        Ok(Document::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "as JavaScript reads it")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Document, E> {
        Ok(Document::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "as JavaScript reads it")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Document, E> {
        Ok(Document::Number(number as f64))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Document, E> {
        Ok(Document::Bool)
    }

    fn visit_unit<E: Error>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }
}
