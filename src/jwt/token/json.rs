//! A JSON scanner that finds the value of a claim without building a document.
//!
//! It accepts a subset of what `JSON.parse` accepts (RFC 8259, narrowed to I-JSON, RFC 7493): the
//! text is well-formed Unicode, no escape makes a lone surrogate, no object has two members of one
//! name at any depth, and nesting is bounded. Within that subset both read the same document, so
//! the claims that are checked here are the claims that the caller gets.

mod names;
mod raw;

use self::names::Names;
pub use self::raw::Raw;

/// How deep arrays and objects may nest, the outermost object included.
pub const MAX_DEPTH: usize = 32;

/// One member's value, still as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// The characters between the quotes, escapes not resolved.
    String(Raw<'a>),
    /// The number's text.
    Number(&'a str),
    /// The array's text, brackets included.
    Array(&'a str),
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// The object's text, braces included. No registered claim may have such a value.
    Object(&'a str),
}

/// Why a text is not an object of the accepted subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// It is not the text of a JSON object.
    Syntax,
    /// An object has two members of one name.
    Duplicate,
    /// It is nested deeper than [`MAX_DEPTH`].
    Depth,
    /// An escape makes half of a surrogate pair.
    Surrogate,
}

impl JsonFault {
    /// Every fault.
    pub(super) const ALL: [Self; 4] = [Self::Syntax, Self::Duplicate, Self::Depth, Self::Surrogate];

    /// The fault, as what is said of the text.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Syntax => "is not a JSON object",
            Self::Duplicate => "has two members of one name",
            Self::Depth => "is nested deeper than 32 levels",
            Self::Surrogate => "has half of a surrogate pair",
        }
    }
}

/// Reports every member of the object in `text`; `None` if the text is not an object of the
/// accepted subset.
pub fn scan_object<'a>(text: &'a str, member: impl FnMut(Raw<'a>, Value<'a>)) -> Option<()> {
    read_object(text, member).ok()
}

/// As [`scan_object`], with the reason for the refusal of a text.
pub fn read_object<'a>(
    text: &'a str,
    member: impl FnMut(Raw<'a>, Value<'a>),
) -> Result<(), JsonFault> {
    let mut scanner = Scanner { text, at: 0, fault: JsonFault::Syntax };
    scanner.skip_space();
    scanner.object(1, member).ok_or(scanner.fault)?;
    scanner.skip_space();
    if scanner.at == text.len() { Ok(()) } else { Err(JsonFault::Syntax) }
}

/// Reports every string of `text`, an array that the scanner has reported; `None` if the array has
/// an element of another kind.
pub fn scan_strings<'a>(text: &'a str, mut string: impl FnMut(Raw<'a>)) -> Option<()> {
    let mut scanner = Scanner { text, at: 1, fault: JsonFault::Syntax };
    scanner.skip_space();
    while scanner.peek() != Some(b']') {
        string(scanner.string()?);
        scanner.skip_space();
        if scanner.peek() == Some(b',') {
            scanner.at += 1;
            scanner.skip_space();
        }
    }
    Some(())
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The reason for a refusal.
    fault: JsonFault,
}

impl<'a> Scanner<'a> {
    #[inline]
    fn object(&mut self, depth: usize, mut member: impl FnMut(Raw<'a>, Value<'a>)) -> Option<()> {
        self.take(b'{')?;
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        let mut names = Names::default();
        loop {
            let name = self.string()?;
            if !names.insert(name) {
                return self.refuse(JsonFault::Duplicate);
            }
            self.skip_space();
            self.take(b':')?;
            self.skip_space();
            let value = self.value(depth)?;
            member(name, value);
            self.skip_space();
            match self.next()? {
                b',' => self.skip_space(),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    #[expect(clippy::inline_always, reason = "else a sixth slower: a value goes through memory")]
    #[inline(always)]
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'{' if depth < MAX_DEPTH => {
                self.nested_object(depth + 1)?;
                Some(Value::Object(&self.text[start..self.at]))
            }
            b'[' if depth < MAX_DEPTH => {
                self.array(depth + 1)?;
                Some(Value::Array(&self.text[start..self.at]))
            }
            b't' => self.literal("true", Value::Boolean(true)),
            b'f' => self.literal("false", Value::Boolean(false)),
            b'n' => self.literal("null", Value::Null),
            b'{' | b'[' => self.refuse(JsonFault::Depth),
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Some(Value::Number(&self.text[start..self.at]))
            }
            _ => None,
        }
    }

    /// Skips a nested object, whose members are not reported. This is a function of its own, so
    /// that the loop over the outermost object is compiled for its reader alone.
    fn nested_object(&mut self, depth: usize) -> Option<()> {
        self.object(depth, |_, _| {})
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        self.skip_space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            self.skip_space();
            match self.next()? {
                b',' => self.skip_space(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    #[inline]
    fn string(&mut self) -> Option<Raw<'a>> {
        self.take(b'"')?;
        let start = self.at;
        self.at += plain_len(&self.text.as_bytes()[start..]);
        let escaped = self.next()? != b'"';
        if escaped {
            self.at -= 1;
            self.rest_of_string()?;
        }
        let text = &self.text[start..self.at - 1];
        Some(if escaped { Raw::Escaped(text) } else { Raw::Plain(text) })
    }

    /// Scans from the first character that is not plain to the quote that ends the string.
    #[cold]
    fn rest_of_string(&mut self) -> Option<()> {
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
            self.at += plain_len(&self.text.as_bytes()[self.at..]);
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.hex4()? {
                0xdc00..0xe000 => self.refuse(JsonFault::Surrogate),
                0xd800..0xdc00 => {
                    let is_whole = self.take(b'\\').is_some()
                        && self.take(b'u').is_some()
                        && self.hex4().is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
                    if is_whole { Some(()) } else { self.refuse(JsonFault::Surrogate) }
                }
                _ => Some(()),
            },
            _ => None,
        }
    }

    /// Notes the reason for a refusal.
    #[cold]
    fn refuse<T>(&mut self, fault: JsonFault) -> Option<T> {
        self.fault = fault;
        None
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.next()? {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        self.next()?.is_ascii_digit().then_some(())?;
        self.skip_digits();
        Some(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    #[inline]
    fn skip_space(&mut self) {
        // There is nearly always no space, and every other character that can follow is above the
        // space.
        while self.peek().is_some_and(|byte| byte <= b' ') {
            if !matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                return;
            }
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }
}

/// The number of bytes before the first quote, backslash or control character, counted eight at a
/// time.
#[inline]
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // Marks the bytes below `limit`. Bytes above a marked byte may be marked in error.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let marked = below(word, 0x20) | quote | backslash;
        if marked != 0 {
            return index * 8 + marked.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
