//! One value from JavaScript, and the errors that name it.

use std::ops::Range;
use std::{fmt, ptr};

use napi::bindgen_prelude::{JsValue, Unknown};
use napi::{Env, sys};

use super::fault::{Fault, Result, internal};
use crate::error::{Code, Error};

/// One value from JavaScript and the name by which the caller knows it.
///
/// Valid during the native call that received it: it borrows from that call's arguments.
#[derive(Clone, Copy)]
pub(crate) struct Arg<'a> {
    pub(super) env: sys::napi_env,
    pub(super) value: sys::napi_value,
    pub(super) name: &'a str,
    pub(super) part: Part,
}

/// The part of the named argument that a value is.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The whole argument.
    Whole,
    /// The element with this index.
    Element(u32),
    /// A value in an object whose property names the caller chooses.
    Member,
}

/// The JavaScript types that the checks tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Undefined,
    Null,
    Boolean,
    Number,
    String,
    Object,
    Function,
    Other,
}

impl<'a> Arg<'a> {
    /// An argument of the current call.
    pub(crate) fn new(env: &Env, value: &'a Unknown<'_>, name: &'a str) -> Self {
        Self { env: env.raw(), value: value.raw(), name, part: Part::Whole }
    }

    /// An argument of a raw callback that is running.
    pub(crate) fn of_call(env: sys::napi_env, value: sys::napi_value, name: &'a str) -> Self {
        Self { env, value, name, part: Part::Whole }
    }

    pub(super) fn is_type(&self, expected: Type) -> Result<bool> {
        Ok(self.type_of()? == expected)
    }

    /// Whether the argument was left out; `null` counts as a value.
    pub(crate) fn is_absent(&self) -> Result<bool> {
        self.is_type(Type::Undefined)
    }

    /// Whether there is no value: the argument was left out, or is `null`.
    pub(crate) fn is_nullish(&self) -> Result<bool> {
        Ok(matches!(self.type_of()?, Type::Undefined | Type::Null))
    }

    /// The argument, unless it was left out.
    pub(crate) fn present(self) -> Result<Option<Self>> {
        Ok((!self.is_absent()?).then_some(self))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool> {
        let mut value = false;
        // SAFETY: `env` and `value` are those of the current call (see `Arg`); the result is
        // written only when the status is ok.
        match unsafe { sys::napi_get_value_bool(self.env, self.value, &raw mut value) } {
            sys::Status::napi_ok => Ok(value),
            _ => Err(self.wrong_type("a boolean")),
        }
    }

    /// Whether the argument is `true` or `false`.
    pub(crate) fn is_boolean(&self) -> Result<bool> {
        self.is_type(Type::Boolean)
    }

    /// Whether the argument is the boolean `false`, which waives a check.
    pub(crate) fn is_false(&self) -> Result<bool> {
        Ok(self.is_boolean()? && !self.boolean()?)
    }

    /// Whether the argument is an array.
    pub(crate) fn is_array(&self) -> Result<bool> {
        let mut is_array = false;
        // SAFETY: as in `boolean`.
        self.check(unsafe { sys::napi_is_array(self.env, self.value, &raw mut is_array) })?;
        Ok(is_array)
    }

    /// The elements of an array that has at most `max` of them.
    pub(crate) fn array(&self, max: u32) -> Result<Vec<Self>> {
        self.array_part(max, 0..max)
    }

    /// The elements at the indices in `part`, of an array that has at most `max` elements.
    pub(crate) fn array_part(&self, max: u32, part: Range<u32>) -> Result<Vec<Self>> {
        if !self.is_array()? {
            return Err(self.wrong_type("an array"));
        }
        let mut length = 0;
        // SAFETY: as in `boolean`; the value is an array.
        self.check(unsafe { sys::napi_get_array_length(self.env, self.value, &raw mut length) })?;
        if length > max {
            return Err(self.out_of_range(format!("at most {max} elements")));
        }
        (part.start..part.end.min(length))
            .map(|index| {
                let mut value = ptr::null_mut();
                // SAFETY: as in `boolean`. A getter may run and throw, which `check` reports.
                self.check(unsafe {
                    sys::napi_get_element(self.env, self.value, index, &raw mut value)
                })?;
                Ok(Self { value, part: Part::Element(index), ..*self })
            })
            .collect()
    }

    /// The same value, for an element of an array that is a value in an object whose property names
    /// the caller chooses.
    pub(crate) fn in_record(self) -> Self {
        Self { part: Part::Member, ..self }
    }

    /// The error for a value of the wrong type: `ERR_INVALID_ARG_TYPE`.
    pub(crate) fn wrong_type(&self, expected: &str) -> Fault {
        let message = format!("{self} must be {expected}");
        Error::new(Code::InvalidArgType, message).into()
    }

    /// The error for a value out of range: `ERR_OUT_OF_RANGE`.
    pub(crate) fn out_of_range(&self, expected: impl AsRef<str>) -> Fault {
        let message = format!("{self} must be {}", expected.as_ref());
        Error::new(Code::OutOfRange, message).into()
    }

    /// The error for a value of the right type that cannot be used: `ERR_INVALID_ARG_VALUE`.
    pub(crate) fn invalid(&self, why: &str) -> Fault {
        Error::new(Code::InvalidArgValue, format!("{self} {why}")).into()
    }

    pub(super) fn type_of(&self) -> Result<Type> {
        let mut found = 0;
        // SAFETY: as in `boolean`.
        self.check(unsafe { sys::napi_typeof(self.env, self.value, &raw mut found) })?;
        Ok(match found {
            sys::ValueType::napi_undefined => Type::Undefined,
            sys::ValueType::napi_null => Type::Null,
            sys::ValueType::napi_boolean => Type::Boolean,
            sys::ValueType::napi_number => Type::Number,
            sys::ValueType::napi_string => Type::String,
            sys::ValueType::napi_object => Type::Object,
            sys::ValueType::napi_function => Type::Function,
            _ => Type::Other,
        })
    }

    /// The fault behind a status: an exception that is pending (a getter threw), or a defect.
    #[expect(clippy::unused_self, reason = "reads as a step of what checks the argument")]
    pub(super) fn check(&self, status: sys::napi_status) -> Result<()> {
        match status {
            sys::Status::napi_ok => Ok(()),
            sys::Status::napi_pending_exception => Err(Fault::Pending),
            _ => Err(internal().into()),
        }
    }
}

/// Writes the name by which the caller knows the value.
impl fmt::Display for Arg<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Whole => formatter.write_str(self.name),
            Part::Element(index) => write!(formatter, "{}[{index}]", self.name),
            Part::Member => write!(formatter, "a value in {}", self.name),
        }
    }
}
