//! The content of a JSON string.

/// The content of a JSON string, valid but with its escapes unresolved. This is an enum, because a
/// `bool` beside the text has padding: it delayed every copy, for an eighth of a payload's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    /// Without escapes.
    Plain(&'a str),
    /// With at least one escape.
    Escaped(&'a str),
}

impl<'a> Raw<'a> {
    /// The text itself if there are no escapes, which is nearly always the case.
    pub fn plain(self) -> Option<&'a str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Escaped(_) => None,
        }
    }

    /// The text as it is written.
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Escaped(text) => text,
        }
    }

    /// The characters with escapes resolved.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        let mut rest = self.text().chars();
        std::iter::from_fn(move || match rest.next()? {
            '\\' => Some(match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let unit = hex_unit(&mut rest);
                    if (0xd800..0xdc00).contains(&unit) {
                        rest.nth(1);
                        let low = hex_unit(&mut rest);
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                            .unwrap_or(char::REPLACEMENT_CHARACTER)
                    } else {
                        char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                }
                same => same,
            }),
            plain => Some(plain),
        })
    }

    /// Whether the string, with escapes resolved, equals `other`.
    pub fn is(self, other: &str) -> bool {
        match self.plain() {
            Some(text) => text == other,
            None => self.chars().eq(other.chars()),
        }
    }

    /// Whether the two strings are equal, with escapes resolved.
    pub(super) fn same(self, other: Self) -> bool {
        match (self.plain(), other.plain()) {
            (Some(one), Some(two)) => one == two,
            _ => self.chars().eq(other.chars()),
        }
    }
}

/// Reads four hexadecimal digits that the scanner has already checked.
fn hex_unit(rest: &mut std::str::Chars<'_>) -> u32 {
    rest.take(4).fold(0, |unit, digit| unit << 4 | digit.to_digit(16).unwrap_or(0))
}
