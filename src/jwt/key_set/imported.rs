//! The keys that a set makes, and a report of the entries that make none.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, Result};
use crate::jwt::key::error::invalid;
use crate::jwt::key::key::Key;
use crate::jwt::key_lookup::name_of;
use crate::jwt::token::compact::MAX_KID_LEN;

/// The most entries of a set, and the most keys that are made from one.
pub(super) const MAX_KEYS: usize = 1000;
/// The most entries of a report. If more are left out, the last one is their number.
const MAX_IGNORED: usize = 100;

/// The usable keys of a set, and the entries that are left out.
#[derive(Debug)]
pub struct Imported {
    /// At most 1000 keys in the order of the set, distinct by `kid` and algorithm.
    pub keys: Vec<Key>,
    /// At most 101 entries, in the order of the set.
    pub ignored: Vec<Ignored>,
}

/// An entry of a set that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its `kid`, if that is a text of 1 to 256 bytes.
    pub kid: Option<String>,
    /// Why it is left out: a sentence that quotes nothing of the set.
    pub reason: Cow<'static, str>,
}

/// Collects the keys of a set, entry by entry.
#[derive(Default)]
pub(super) struct Collector {
    /// The `kid` of each entry.
    kids: Vec<Option<String>>,
    /// The keys, each with the index of its entry; `None` where the name is ambiguous.
    keys: Vec<Option<(usize, Key)>>,
    /// The index in `keys` of the key with this `kid` and algorithm.
    places: HashMap<(String, &'static str), usize>,
    /// The reason for each entry that is left out, by its index.
    ignored: BTreeMap<usize, Cow<'static, str>>,
}

impl Collector {
    /// Adds the next entry: its keys, or the error that says why there are none.
    pub(super) fn add(&mut self, kid: Option<&str>, keys: Result<Vec<Key>>) -> Result<()> {
        let index = self.kids.len();
        let kid = kid.filter(|kid| (1..=MAX_KID_LEN).contains(&kid.len()));
        self.kids.push(kid.map(ToOwned::to_owned));
        match keys {
            Ok(keys) => keys.into_iter().for_each(|key| self.add_key(index, key)),
            Err(error) => self.ignore(index, error),
        }
        if self.keys.len() > MAX_KEYS {
            return Err(invalid(
                "the set must not make more than 1000 keys; name fewer algorithms",
            ));
        }
        Ok(())
    }

    /// Leaves out the keys for which `is_lost` holds.
    pub(super) fn lose(&mut self, is_lost: impl Fn(&Key) -> bool) {
        for place in &mut self.keys {
            if let Some((index, _)) = place.take_if(|(_, key)| is_lost(key)) {
                let reason = "another entry of the set publishes the private half of this key";
                self.ignored.entry(index).or_insert(reason.into());
            }
        }
    }

    /// The keys and the report.
    pub(super) fn finish(self) -> Imported {
        let Self { mut kids, keys, ignored, .. } = self;
        let more = ignored.len().saturating_sub(MAX_IGNORED);
        let mut ignored: Vec<_> = ignored
            .into_iter()
            .take(MAX_IGNORED)
            .map(|(index, reason)| Ignored { kid: kids[index].take(), reason })
            .collect();
        if more > 0 {
            let reason = format!("{more} more entries of the set are left out").into();
            ignored.push(Ignored { kid: None, reason });
        }
        Imported { keys: keys.into_iter().flatten().map(|(_, key)| key).collect(), ignored }
    }

    fn add_key(&mut self, index: usize, key: Key) {
        let (kid, algorithm) = name_of(&key);
        let place = match self.places.entry((kid.to_owned(), algorithm)) {
            Entry::Vacant(entry) => {
                entry.insert(self.keys.len());
                self.keys.push(Some((index, key)));
                return;
            }
            Entry::Occupied(entry) => &mut self.keys[*entry.get()],
        };
        if place.as_ref().is_some_and(|(_, known)| is_same(known, &key)) {
            return;
        }
        for index in place.take().map(|(known, _)| known).into_iter().chain([index]) {
            self.ignore(index, invalid("another entry of the set has the same kid and algorithm"));
        }
    }

    fn ignore(&mut self, index: usize, error: Error) {
        self.ignored.entry(index).or_insert(error.message);
    }
}

/// Whether a token that names either key would have the same answer.
fn is_same(one: &Key, other: &Key) -> bool {
    one.public() == other.public() && one.issuer() == other.issuer()
}
