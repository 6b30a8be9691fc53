//! Declarations of options: one documented struct says which options a class or a function has and
//! how each is read.
//!
//! ```ignore
//! options! {
//!     /// The options of `RateLimiter`.
//!     pub struct LimiterOptions for "RateLimiter" {
//!         /// Units per window.
//!         limit("limit"): u32 = required(|limit| limit.integer32(1..=MAX_UNITS)),
//!         /// Units at once.
//!         burst("burst"): Option<u32> = optional(|burst| burst.integer32(1..=MAX_UNITS)),
//!         /// Tracked keys.
//!         max_keys("maxKeys"): u64 = default(DEFAULT, |keys| keys.integer(KEYS)),
//!     }
//! }
//! ```
//!
//! The names, the unknown-option error and the reading come from this declaration; `option_names`
//! lists it under the name after `for`. Options are read in the order of the declaration, which is
//! also the order of the names in the error. More kinds of entries:
//!
//! - `costs: Costs = flatten(Costs),` for the entries of another declaration, which needs no `for`;
//! - `facade("signal"),` for an option that only the façade reads;
//! - `unread("salt"),` and `unread(..Costs),` for names that are accepted and never read.

/// Declares options; see the module.
macro_rules! options {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident $(<$life:lifetime>)? $(for $of:literal)? { $($body:tt)* }
    ) => {
        $crate::binding::args::options!(@entries
            { $(#[$attribute])* $visibility struct $name [$($life)?] [$($of)?] }
            {} {} {} {} $($body)*);
    };
    (@entries $head:tt { $($fields:tt)* } { $($names:tt)* } { $($read:tt)* } { $($how:tt)* }
        facade($option:literal), $($rest:tt)*
    ) => {
        $crate::binding::args::options!(@entries $head { $($fields)* }
            { $($names)* &[$option], } { $($read)* &[$option], } { $($how)* } $($rest)*);
    };
    (@entries $head:tt { $($fields:tt)* } { $($names:tt)* } { $($read:tt)* } { $($how:tt)* }
        unread($option:literal), $($rest:tt)*
    ) => {
        $crate::binding::args::options!(@entries $head { $($fields)* }
            { $($names)* &[$option], } { $($read)* } { $($how)* } $($rest)*);
    };
    (@entries $head:tt { $($fields:tt)* } { $($names:tt)* } { $($read:tt)* } { $($how:tt)* }
        unread(..$group:ty), $($rest:tt)*
    ) => {
        $crate::binding::args::options!(@entries $head { $($fields)* }
            { $($names)* <$group as $crate::binding::args::OptionSet>::NAMES, }
            { $($read)* } { $($how)* } $($rest)*);
    };
    (@entries $head:tt { $($fields:tt)* } { $($names:tt)* } { $($read:tt)* } { $($how:tt)* }
        $(#[$doc:meta])* $field:ident: $type:ty = flatten($group:ty), $($rest:tt)*
    ) => {
        $crate::binding::args::options!(@entries $head
            { $($fields)* $(#[$doc])* pub(in crate::binding) $field: $type, }
            { $($names)* <$group as $crate::binding::args::OptionSet>::NAMES, }
            { $($read)* <$group as $crate::binding::args::OptionSet>::READ, }
            { $($how)* $field {flatten} } $($rest)*);
    };
    (@entries $head:tt { $($fields:tt)* } { $($names:tt)* } { $($read:tt)* } { $($how:tt)* }
        $(#[$doc:meta])* $field:ident($option:literal): $type:ty = $kind:ident($($reading:tt)*),
        $($rest:tt)*
    ) => {
        $crate::binding::args::options!(@entries $head
            { $($fields)* $(#[$doc])* pub(in crate::binding) $field: $type, }
            { $($names)* &[$option], } { $($read)* &[$option], }
            { $($how)* $field {$kind $option $($reading)*} } $($rest)*);
    };
    (@entries
        { $(#[$attribute:meta])* $visibility:vis struct $name:ident [$($life:lifetime)?] $of:tt }
        { $($fields:tt)* } { $($names:tt)* } { $($read:tt)* } { $($field:ident $how:tt)* }
    ) => {
        $(#[$attribute])*
        $visibility struct $name $(<$life>)? { $($fields)* }

        impl<'a> $crate::binding::args::OptionSet<'a> for $name $(<$life>)? {
            const NAMES: &'static [&'static str] =
                $crate::binding::args::options!(@concat $($names)*);
            const READ: &'static [&'static str] =
                $crate::binding::args::options!(@concat $($read)*);

            fn read_from(
                options: &$crate::binding::args::Options<'a>,
            ) -> $crate::binding::args::Result<Self> {
                // Not used if the façade reads all the options.
                let _ = options;
                Ok($name {
                    $($field: $crate::binding::args::options!(@how options $how),)*
                })
            }
        }

        $crate::binding::args::options!(@declare $name [$($life)?] $of);
    };
    (@concat $($part:tt)*) => {
        &$crate::binding::args::option_set::concat::<
            { $crate::binding::args::option_set::count(&[$($part)*]) },
        >(&[$($part)*])
    };
    (@how $options:ident {required $option:literal $read:expr}) => {
        $options.required($option, $read)?
    };
    (@how $options:ident {optional $option:literal $read:expr}) => {
        $options.optional($option, $read)?
    };
    (@how $options:ident {default $option:literal $default:expr, $read:expr}) => {
        match $options.optional($option, $read)? {
            Some(given) => given,
            None => $default,
        }
    };
    (@how $options:ident {flatten}) => {
        $crate::binding::args::OptionSet::read_from($options)?
    };
    (@declare $name:ident $life:tt []) => {};
    (@declare $name:ident [$($life:lifetime)?] [$of:literal]) => {
        impl $(<$life>)? $name $(<$life>)? {
            /// The declaration, as `optionNames` lists it.
            pub(in crate::binding) const DECLARATION: $crate::binding::args::Declaration =
                $crate::binding::args::Declaration {
                    of: $of,
                    names: <Self as $crate::binding::args::OptionSet>::READ,
                };
        }
    };
}

pub(crate) use options;
