//! Reads option objects. Every name must be known, because a misspelt option would silently disable
//! a check.

use std::ptr;

use napi::sys;

use super::arg::{Arg, Part, Type};
use super::fault::{Fault, Result};
use crate::error::Code;

/// An option object, or none.
///
/// Only own properties count, so that a polluted `Object.prototype` cannot set an option. An
/// instance of a class is refused, since its options could be getters of its prototype, which would
/// be ignored. For a proxy, the answers of its traps count.
pub(crate) struct Options<'a>(Option<Arg<'a>>);

impl<'a> Arg<'a> {
    /// Reads the argument as options with these names; an argument that was left out has none.
    pub(crate) fn options(self, known: &'static [&'static str]) -> Result<Options<'a>> {
        let Some(arg) = self.present()? else { return Ok(Options(None)) };
        if !arg.is_type(Type::Object)? || !arg.is_plain()? {
            return Err(arg.wrong_type("a plain object"));
        }
        let names = arg.property_names()?;
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(unknown(name, known)),
            None => Ok(Options(Some(arg))),
        }
    }

    /// Reads the argument as a record with members of any name, such as a token's claims.
    pub(crate) fn record(self) -> Result<Options<'a>> {
        if self.is_type(Type::Object)? {
            Ok(Options(Some(self)))
        } else {
            Err(self.wrong_type("an object"))
        }
    }

    /// Reads the argument as a plain object whose property names the caller chooses: at most `max`
    /// names, each with its value.
    pub(crate) fn entries(self, max: usize) -> Result<Vec<(String, Self)>> {
        if !self.is_type(Type::Object)? || !self.is_plain()? {
            return Err(self.wrong_type("a plain object"));
        }
        let names = self.property_names()?;
        if names.len() > max {
            return Err(self.out_of_range(format!("at most {max} entries")));
        }
        let entry = |name: String| {
            let value = self.property(self.key(&name)?)?;
            Ok((name, Self { part: Part::Member, ..value }))
        };
        names.into_iter().map(entry).collect()
    }

    /// Whether the prototype is `null` or the `Object.prototype` of any realm.
    fn is_plain(&self) -> Result<bool> {
        let prototype = self.prototype()?;
        if !prototype.is_type(Type::Object)? {
            return Ok(true);
        }
        let is_root = !prototype.prototype()?.is_type(Type::Object)?;
        Ok(is_root && prototype.has_own("isPrototypeOf")?)
    }

    fn prototype(&self) -> Result<Self> {
        let mut value = ptr::null_mut();
        // SAFETY: `env` and `value` are those of the current call; a proxy's trap may throw, which
        // `check` reports.
        self.check(unsafe { sys::napi_get_prototype(self.env, self.value, &raw mut value) })?;
        Ok(Self { value, ..*self })
    }

    /// The names of all own properties, enumerable or not.
    fn property_names(&self) -> Result<Vec<String>> {
        let mut names = ptr::null_mut();
        // SAFETY: as in `prototype`.
        self.check(unsafe {
            sys::napi_get_all_property_names(
                self.env,
                self.value,
                sys::KeyCollectionMode::own_only,
                sys::KeyFilter::skip_symbols,
                sys::KeyConversion::numbers_to_strings,
                &raw mut names,
            )
        })?;
        let names = Arg { value: names, name: "an option's name", ..*self };
        let names = names.array(1024)?.into_iter();
        names.map(|name| Self { part: Part::Whole, ..name }.string(0..=1024)).collect()
    }

    fn has_own(&self, name: &'static str) -> Result<bool> {
        let key = self.key(name)?;
        let mut has = false;
        // SAFETY: as in `prototype`.
        self.check(unsafe { sys::napi_has_own_property(self.env, self.value, key, &raw mut has) })?;
        Ok(has)
    }

    /// The value under a key, which a getter may compute.
    fn property(&self, key: sys::napi_value) -> Result<Self> {
        let mut value = ptr::null_mut();
        // SAFETY: `env` and `value` are those of the current call; a getter may throw, which
        // `check` reports.
        self.check(unsafe { sys::napi_get_property(self.env, self.value, key, &raw mut value) })?;
        Ok(Self { value, ..*self })
    }

    fn key(&self, name: &str) -> Result<sys::napi_value> {
        let mut key = ptr::null_mut();
        // SAFETY: `env` is that of the current call, the name is valid for its length.
        self.check(unsafe {
            sys::napi_create_string_utf8(
                self.env,
                name.as_ptr().cast(),
                name.len().cast_signed(),
                &raw mut key,
            )
        })?;
        Ok(key)
    }
}

impl<'a> Options<'a> {
    /// The option of this name, unless it is `undefined` or missing.
    pub(crate) fn get(&self, name: &'static str) -> Result<Option<Arg<'a>>> {
        let Some(arg) = self.0 else { return Ok(None) };
        if !arg.has_own(name)? {
            return Ok(None);
        }
        Arg { name, part: Part::Whole, ..arg.property(arg.key(name)?)? }.present()
    }

    /// The option of this name, read with `read`; leaving it out is an error.
    pub(crate) fn required<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(Arg<'a>) -> Result<T>,
    ) -> Result<T> {
        read(self.require(name)?)
    }

    /// The option of this name, if it is given, read with `read`.
    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(Arg<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(name)?.map(read).transpose()
    }

    /// The option of this name; leaving it out is an error.
    pub(crate) fn require(&self, name: &'static str) -> Result<Arg<'a>> {
        self.get(name)?.ok_or_else(|| {
            Fault::new(Code::MissingOption, format!("the option \"{name}\" is required"))
        })
    }
}

fn unknown(name: &str, known: &[&str]) -> Fault {
    let nearest = known.iter().min_by_key(|known| distance(name, known));
    let hint = match nearest {
        Some(nearest) if distance(name, nearest) <= 3 => format!("; did you mean \"{nearest}\"?"),
        _ => format!("; the options are {}", known.join(", ")),
    };
    // The name may be shown, since it comes from the caller's source text. A long one is cut.
    let name: String = name.chars().take(40).collect();
    Fault::new(Code::UnknownOption, format!("unknown option \"{name}\"{hint}"))
}

/// Levenshtein distance without regard to case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_edits_without_case() {
        assert_eq!(distance("memorycost", "memoryCost"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn a_near_name_is_hinted_and_a_far_one_lists_all() {
        let Fault::Coded(error) = unknown("memCost", &["memoryCost", "salt"]) else { panic!() };
        assert_eq!(error.message, "unknown option \"memCost\"; did you mean \"memoryCost\"?");
        let Fault::Coded(error) = unknown("zzzzzzzz", &["a", "b"]) else { panic!() };
        assert_eq!(error.message, "unknown option \"zzzzzzzz\"; the options are a, b");
    }
}
