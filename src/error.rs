//! Every error the native part can give. The façade adds those of loading (`ERR_BINDING_…`) and of
//! `use()` (`ERR_SECRET_ESCAPED`, `ERR_INVALID_RETURN_VALUE`), and `ERR_ACCESS_DENIED` of Node's
//! permission model.
//!
//! A code is part of the public contract; a message is not. Messages say what to do and never
//! contain a secret, a token, key material or a path: web frameworks send them to the client.

use std::borrow::Cow;
use std::fmt;

/// The result of everything that can fail in the core.
pub type Result<T> = std::result::Result<T, Error>;

/// A code and a sentence that names the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What went wrong, stable across releases.
    pub code: Code,
    /// What to do about it, free to change.
    pub message: Cow<'static, str>,
    /// With [`Code::PasswordBusy`]: when to try again, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Error {
    /// An error with a fixed or a formatted message.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// The same error, of something that may go better later.
    #[must_use]
    pub fn retry_after(mut self, millis: u64) -> Self {
        self.retry_after_ms = Some(millis);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The stable codes, as JavaScript sees them in `error.code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// The text of `error.code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Every code there is, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }
    };
}

codes! {
    // ── Arguments: the caller's mistake, found before anything is done ──
    /// A value of the wrong type.
    InvalidArgType = "ERR_INVALID_ARG_TYPE",
    /// A value of the right type that cannot be used, such as a string with a lone surrogate.
    InvalidArgValue = "ERR_INVALID_ARG_VALUE",
    /// A method called on an object that is not of its class.
    InvalidThis = "ERR_INVALID_THIS",
    /// An option that must be given and is not.
    MissingOption = "ERR_MISSING_OPTION",
    /// A number that is not an integer or lies outside its limits; bytes or text too long.
    OutOfRange = "ERR_OUT_OF_RANGE",
    /// An option name that does not exist.
    UnknownOption = "ERR_UNKNOWN_OPTION",

    // ── The caller's wish ──
    /// What a call was given an `AbortSignal` for; named as the platform names it.
    Aborted = "ABORT_ERR",

    // ── Ours: never expected ──
    /// A defect of this library: a panic that was caught at the border.
    Internal = "ERR_INTERNAL",
    /// The operating system gave no random bytes.
    Random = "ERR_RANDOM",

    // ── Passwords ──
    /// The pool is full: too many jobs wait, or this one has waited for too long.
    PasswordBusy = "ERR_PASSWORD_BUSY",
    /// An Argon2 digest that is malformed.
    PasswordDigest = "ERR_PASSWORD_DIGEST",
    /// A digest that asks for more memory, passes or lanes than the ceilings allow.
    PasswordLimit = "ERR_PASSWORD_LIMIT",
    /// The memory that the parameters ask for is not to be had.
    PasswordMemory = "ERR_PASSWORD_MEMORY",
    /// A digest that names a pepper which the hasher does not have.
    PasswordPepper = "ERR_PASSWORD_PEPPER",
    /// The `test` profile while `NODE_ENV` is `production`.
    PasswordProfile = "ERR_PASSWORD_PROFILE",
    /// The operating system gives no thread to hash on.
    PasswordThreads = "ERR_PASSWORD_THREADS",

    // ── Secrets ──
    /// The secure heap is in use and can no longer be configured.
    SecretConfigured = "ERR_SECRET_CONFIGURED",
    /// The machine does not give the secure heap a protection that is required.
    SecretDegraded = "ERR_SECRET_DEGRADED",
    /// A secret used after `dispose()`.
    SecretDisposed = "ERR_SECRET_DISPOSED",
    /// A variable that is missing, empty or malformed, or read in a worker thread.
    SecretEnv = "ERR_SECRET_ENV",
    /// The secure heap is full.
    SecretExhausted = "ERR_SECRET_EXHAUSTED",
    /// A file that cannot be read, is not regular, too large or not of the encoding given.
    SecretFile = "ERR_SECRET_FILE",
    /// A file that others than its owner may read or write.
    SecretPermissions = "ERR_SECRET_PERMISSIONS",
    /// A sealed secret that does not open with this key for this context.
    SecretSeal = "ERR_SECRET_SEAL",
    /// A ticket that is unknown, used or expired, or one too many.
    SecretTicket = "ERR_SECRET_TICKET",

    // ── Tokens ──
    /// A token signed with an algorithm that the verifier does not accept.
    JwtAlgorithm = "ERR_JWT_ALGORITHM",
    /// A claim that is missing, of the wrong type, or not what the verifier or issuer allows.
    JwtClaim = "ERR_JWT_CLAIM",
    /// A critical header parameter (`crit`): none is understood.
    JwtCritical = "ERR_JWT_CRITICAL",
    /// A token whose `exp` has passed, or which is older than `maxAge`.
    JwtExpired = "ERR_JWT_EXPIRED",
    /// Key material that is malformed, too weak, or not of the algorithm it is bound to.
    JwtKey = "ERR_JWT_KEY",
    /// No key of the verifier matches the token's `kid` and `alg`.
    JwtKeyNotFound = "ERR_JWT_KEY_NOT_FOUND",
    /// The keys of a remote JWK Set have not been fetched, or too long ago.
    JwtKeysUnavailable = "ERR_JWT_KEYS_UNAVAILABLE",
    /// Not a compact JWS with JSON object header and payload.
    JwtMalformed = "ERR_JWT_MALFORMED",
    /// A token whose `nbf` has not come.
    JwtNotActive = "ERR_JWT_NOT_ACTIVE",
    /// A token, session, subject or key that has been revoked.
    JwtRevoked = "ERR_JWT_REVOKED",
    /// A signature that does not verify.
    JwtSignature = "ERR_JWT_SIGNATURE",

    // ── The key ring ──
    /// A `kid` that the ring already holds, or held.
    KeyringDuplicate = "ERR_KEYRING_DUPLICATE",
    /// The ring holds as many keys as it may.
    KeyringFull = "ERR_KEYRING_FULL",
    /// The ring has no active key to sign with.
    KeyringNoActiveKey = "ERR_KEYRING_NO_ACTIVE_KEY",
    /// The next key has not been published for as long as verifiers may cache the JWKS.
    KeyringNotPublished = "ERR_KEYRING_NOT_PUBLISHED",
    /// No key with this `kid`.
    KeyringUnknownKey = "ERR_KEYRING_UNKNOWN_KEY",

    // ── Revocation ──
    /// The list is closed.
    RevocationClosed = "ERR_REVOCATION_CLOSED",
    /// The list holds `maxEntries` entries that have not expired.
    RevocationFull = "ERR_REVOCATION_FULL",

    // ── Sessions ──
    /// The table holds as many sessions as `maxSessions` allows.
    SessionFull = "ERR_SESSION_FULL",

    // ── SPIFFE ──
    /// A certificate that is no X509-SVID of a workload.
    SpiffeCertificate = "ERR_SPIFFE_CERTIFICATE",
    /// A text that is no SPIFFE ID.
    SpiffeId = "ERR_SPIFFE_ID",

    // ── Limits ──
    /// A cost above the burst: it could never be allowed.
    LimitCost = "ERR_LIMIT_COST",
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_well_formed() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for text in texts {
            assert!(text.starts_with("ERR_") || text == "ABORT_ERR");
            assert!(
                text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            );
        }
    }
}
