//! Numbers, durations and dates.

use std::ops::RangeInclusive;

use napi::sys;

use super::arg::{Arg, Type};
use super::fault::{Fault, Result};
use crate::jwt::MAX_NUMERIC_DATE;

/// The largest integer up to which an f64 holds every integer.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The longest duration, in seconds: a hundred years.
pub(crate) const MAX_DURATION: u64 = 100 * 366 * 24 * 3600;

impl Arg<'_> {
    /// An integer within a range.
    pub(crate) fn integer(&self, range: RangeInclusive<u64>) -> Result<u64> {
        let number = self.number()?;
        self.whole(number)
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.not_in(&range))
    }

    /// An integer within a range of 32 bits.
    pub(crate) fn integer32(&self, range: RangeInclusive<u32>) -> Result<u32> {
        let wide = u64::from(*range.start())..=u64::from(*range.end());
        // Within a range of u32, so it fits.
        Ok(u32::try_from(self.integer(wide)?).unwrap_or(*range.end()))
    }

    /// A count of things in memory, within a range.
    pub(crate) fn length(&self, range: RangeInclusive<usize>) -> Result<usize> {
        let wide = *range.start() as u64..=*range.end() as u64;
        // Within a range of usize, so it fits.
        Ok(usize::try_from(self.integer(wide)?).unwrap_or(*range.end()))
    }

    /// A duration in seconds: an integer, or an integer with a unit such as `'15m'`, `'12h'`,
    /// `'30d'` (`s`, `m`, `h`, `d`, `w`).
    pub(crate) fn duration(&self, range: RangeInclusive<u64>) -> Result<u64> {
        if !self.is_type(Type::String)? {
            let number = self.duration_number()?;
            return self
                .whole(number)
                .filter(|seconds| range.contains(seconds))
                .ok_or_else(|| self.no_duration_in(&range));
        }
        let text = self.string(0..=32)?;
        let seconds = parse_duration(&text).ok_or_else(|| {
            self.invalid("must be seconds, or a number with a unit such as '15m', '12h' or '30d'")
        })?;
        if range.contains(&seconds) { Ok(seconds) } else { Err(self.no_duration_in(&range)) }
    }

    /// A time in the past, in whole seconds: an integer from `-most` to 0.
    pub(crate) fn seconds_ago(&self, most: u32) -> Result<u64> {
        let number = self.number()?;
        self.whole(-number).filter(|seconds| *seconds <= most.into()).ok_or_else(|| {
            self.out_of_range(format!("seconds from now: an integer from -{most} to 0"))
        })
    }

    /// A number to compare with. Beyond the safe integers, several numbers of a JSON text are one
    /// number of JavaScript, so such a comparison would not be exact.
    pub(crate) fn exact_number(&self) -> Result<f64> {
        let number = self.number()?;
        if (-MAX_SAFE..=MAX_SAFE).contains(&number) {
            Ok(number)
        } else {
            Err(self.out_of_range("a number from -(2 ** 53 - 1) to 2 ** 53 - 1"))
        }
    }

    /// Whether the argument is a number.
    pub(crate) fn is_number(&self) -> Result<bool> {
        self.is_type(Type::Number)
    }

    /// A moment in whole seconds since 1970, rounded up: a `Date`, or seconds as a number.
    pub(crate) fn moment(&self) -> Result<u64> {
        let mut is_date = false;
        // SAFETY: `env` and `value` are those of the current call.
        self.check(unsafe { sys::napi_is_date(self.env, self.value, &raw mut is_date) })?;
        let seconds = if is_date {
            let mut millis = 0.0;
            // SAFETY: as above; the value is a date.
            self.check(unsafe { sys::napi_get_date_value(self.env, self.value, &raw mut millis) })?;
            millis / 1000.0
        } else if self.is_type(Type::Number)? {
            self.number()?
        } else {
            return Err(self.wrong_type("a Date or seconds since 1970"));
        };
        if seconds > MAX_NUMERIC_DATE {
            return Err(self.out_of_range("seconds since 1970, not milliseconds"));
        }
        self.whole(seconds.ceil()).ok_or_else(|| {
            self.out_of_range("a valid Date not before 1970, or 0 or more seconds since 1970")
        })
    }

    /// A `NumericDate` as a token holds it: seconds since 1970, which need not be whole. Refuses
    /// milliseconds: a token whose `iat` is in milliseconds seems to be issued far in the future,
    /// so no revocation of its subject would ever apply to it.
    pub(crate) fn numeric_date(&self) -> Result<f64> {
        let seconds = self.number()?;
        if (0.0..=MAX_NUMERIC_DATE).contains(&seconds) {
            Ok(seconds)
        } else {
            Err(self.out_of_range("seconds since 1970, not milliseconds"))
        }
    }

    /// A number that is neither NaN nor infinite.
    fn number(&self) -> Result<f64> {
        let mut number = 0.0;
        // SAFETY: as in `moment`; written only when the status is ok.
        match unsafe { sys::napi_get_value_double(self.env, self.value, &raw mut number) } {
            sys::Status::napi_ok if number.is_finite() => Ok(number),
            sys::Status::napi_ok => Err(self.out_of_range("a finite number")),
            _ => Err(self.wrong_type("a number")),
        }
    }

    fn duration_number(&self) -> Result<f64> {
        if self.is_type(Type::Number)? {
            self.number()
        } else {
            Err(self.wrong_type("a number of seconds or a string such as '15m'"))
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        clippy::unused_self,
        reason = "checked to be whole and within the exact integers of an f64"
    )]
    fn whole(&self, number: f64) -> Option<u64> {
        (number.trunc() == number && (0.0..=MAX_SAFE).contains(&number)).then_some(number as u64)
    }

    fn not_in(&self, range: &RangeInclusive<u64>) -> Fault {
        self.out_of_range(format!("an integer from {} to {}", range.start(), range.end()))
    }

    fn no_duration_in(&self, range: &RangeInclusive<u64>) -> Fault {
        self.out_of_range(format!("an integer from {} to {} seconds", range.start(), range.end()))
    }
}

fn parse_duration(text: &str) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_or_without_a_unit() {
        for (text, seconds) in
            [("15m", 900), ("0s", 0), ("12h", 43_200), ("30d", 2_592_000), ("1w", 604_800)]
        {
            assert_eq!(parse_duration(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "m",
            "15",
            "15 m",
            "-1m",
            "1.5h",
            "15M",
            "15ms",
            "1m30s",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
