//! Sets of options as `options!` declares them.

use super::arg::Arg;
use super::fault::Result;
use super::options::Options;

/// The trait that `options!` implements for a declaration.
pub(crate) trait OptionSet<'a>: Sized {
    /// The names that are known, in the order of the declaration.
    const NAMES: &'static [&'static str];
    /// The known names that are read, here or in the façade.
    const READ: &'static [&'static str];

    /// Reads the options.
    fn read_from(options: &Options<'a>) -> Result<Self>;
}

/// A declaration, as `optionNames` lists it.
pub(crate) struct Declaration {
    /// The class or function.
    pub of: &'static str,
    /// The names of the options that are read.
    pub names: &'static [&'static str],
}

impl<'a> Arg<'a> {
    /// Reads the argument as an option object of this declaration.
    pub(crate) fn read<T: OptionSet<'a>>(self) -> Result<T> {
        T::read_from(&self.options(T::NAMES)?)
    }
}

/// How many names there are in all parts.
pub(crate) const fn count(parts: &[&[&str]]) -> usize {
    let (mut part, mut count) = (0, 0);
    while part < parts.len() {
        count += parts[part].len();
        part += 1;
    }
    count
}

/// The names of all parts, one after the other.
pub(crate) const fn concat<const N: usize>(parts: &[&[&'static str]]) -> [&'static str; N] {
    let mut names = [""; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            names[at] = parts[part][index];
            index += 1;
            at += 1;
        }
        part += 1;
    }
    names
}
