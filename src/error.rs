//! Every error that this package can give: the native part's, and those that only the façade throws
//! (`ERR_BINDING_…`, `ERR_SECRET_ESCAPED`, `ERR_INVALID_RETURN_VALUE`, `ERR_ACCESS_DENIED`).
//!
//! A code is part of the public contract; a message is not. A message says what to do and never
//! contains a secret, a token, key material or a path: web frameworks send messages to the client.
//!
//! `scripts/errors.mjs` reads the rows of `codes!` and writes docs/errors.md and the unions of
//! codes in index.d.ts. In a row's documentation the first paragraph says when the error occurs,
//! the second what to do and with which HTTP status a service answers.

use std::borrow::Cow;
use std::fmt;

/// The result of each function of the core that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// A code and a sentence that names the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The cause, stable across releases.
    pub code: Code,
    /// The remedy; the wording may change.
    pub message: Cow<'static, str>,
    /// With [`Code::PasswordBusy`]: milliseconds until a retry may succeed.
    pub retry_after_ms: Option<u64>,
}

impl Error {
    /// An error with a fixed or a formatted message.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// The same error, with the milliseconds after which a retry may succeed.
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
    // ── ArgumentError: the caller's mistake, found before anything is done ──
    /// An argument or option has the wrong type.
    ///
    /// Pass a value of the type that the manual states. HTTP 500.
    InvalidArgType = "ERR_INVALID_ARG_TYPE",
    /// An argument or option has the right type and a value that cannot be used, such as a string
    /// with a lone surrogate; or the environment variable `NODESEC_SECMEM` names no backend.
    ///
    /// Correct the value that the message names. HTTP 500.
    InvalidArgValue = "ERR_INVALID_ARG_VALUE",
    /// The function given to `SecretBuffer.use` returned a promise, or the option `clock` threw an
    /// error or returned no valid `Date`.
    ///
    /// Call `useAsync` instead, or correct the clock. HTTP 500.
    InvalidReturnValue = "ERR_INVALID_RETURN_VALUE",
    /// A method was called on an object of another class.
    ///
    /// Call the method on an instance, or bind it. HTTP 500.
    InvalidThis = "ERR_INVALID_THIS",
    /// A required option is missing.
    ///
    /// Give the option that the message names. HTTP 500.
    MissingOption = "ERR_MISSING_OPTION",
    /// A number is not an integer or outside its limits, or a text or byte array is too short or
    /// too long.
    ///
    /// Keep to the limits that the message states. HTTP 500.
    OutOfRange = "ERR_OUT_OF_RANGE",
    /// An option has a name that does not exist.
    ///
    /// Correct the spelling; the message suggests a name. HTTP 500.
    UnknownOption = "ERR_UNKNOWN_OPTION",

    // ── AbortError: the caller's wish ──
    /// The `AbortSignal` of a call was aborted; `cause` is the signal's reason.
    ///
    /// Answer if the client is still there. HTTP 503.
    Aborted = "ABORT_ERR",

    // ── NodesecError: no fault of the caller ──
    /// This module has a defect: a panic was caught at the border.
    ///
    /// Report it, with the message and the call. HTTP 500.
    Internal = "ERR_INTERNAL",
    /// The operating system gave no random bytes.
    ///
    /// Check the system, for example its seccomp filter. HTTP 500.
    Random = "ERR_RANDOM",

    // ── BindingError: the native part does not load ──
    /// The binary of this platform is installed and does not load.
    ///
    /// The message names the cause: an older glibc, another C library or processor, or damage.
    /// Install again on the machine that runs it, without copying `node_modules`. No HTTP status.
    BindingLoad = "ERR_BINDING_LOAD",
    /// The binary of this platform is not installed.
    ///
    /// Install without `--omit=optional` and `--no-optional`, see docs/bundling.md, or build it
    /// from source. No HTTP status.
    BindingMissing = "ERR_BINDING_MISSING",
    /// The runtime's permission model forbids native code.
    ///
    /// Add the flag that the message names. No HTTP status.
    BindingPermission = "ERR_BINDING_PERMISSION",
    /// The binary belongs to another version of the package.
    ///
    /// Delete `node_modules` and install again. No HTTP status.
    BindingVersion = "ERR_BINDING_VERSION",

    // ── PasswordError ──
    /// The pool's queue is full, or the job has waited for `queueTimeoutMs`.
    ///
    /// Answer with `Retry-After` from `retryAfterMs`. HTTP 503.
    PasswordBusy = "ERR_PASSWORD_BUSY",
    /// A stored digest is malformed.
    ///
    /// Log it, answer the login as a wrong password, and have the user set a new one. HTTP 401.
    PasswordDigest = "ERR_PASSWORD_DIGEST",
    /// A stored digest asks for more memory, passes, lanes or work than `limits` allows.
    ///
    /// Raise `limits` if the digest is yours; answer the login as a wrong password. HTTP 401.
    PasswordLimit = "ERR_PASSWORD_LIMIT",
    /// One hash needs more memory than the pool's `maxMemory`, or it or the queue needs more than
    /// the system has.
    ///
    /// Lower `memoryCost` or `maxQueue`, or raise `maxMemory`. HTTP 503.
    PasswordMemory = "ERR_PASSWORD_MEMORY",
    /// A digest names a pepper that the hasher does not have.
    ///
    /// Add the pepper to `peppers.keys`; answer the login as a wrong password. HTTP 401.
    PasswordPepper = "ERR_PASSWORD_PEPPER",
    /// The profile `test` was chosen while `NODE_ENV` is `production`.
    ///
    /// Choose another profile. HTTP 500.
    PasswordProfile = "ERR_PASSWORD_PROFILE",
    /// The operating system gives no thread to hash on.
    ///
    /// Raise the limit on threads, or lower the pool's `threads`. HTTP 503.
    PasswordThreads = "ERR_PASSWORD_THREADS",

    // ── SecretError ──
    /// Node's permission model or Deno does not let the process read the file of
    /// `SecretBuffer.fromFile` or the variable of `SecretBuffer.fromEnv`, or read and write the
    /// directory of a store or the file of a limiter or a replay cache. The error is of the class
    /// of the object.
    ///
    /// Start Node with `--allow-fs-read` for the file, or Deno with `--allow-read` or `--allow-env`
    /// for it; for a store also with `--allow-fs-write` or `--allow-write`. HTTP 500.
    AccessDenied = "ERR_ACCESS_DENIED",
    /// The secure heap is in use and takes no other configuration.
    ///
    /// Call `secureHeap.configure` before the first secret or key. HTTP 500.
    SecretConfigured = "ERR_SECRET_CONFIGURED",
    /// The machine does not give the secure heap a protection that `require` or `onDegraded`
    /// demands, or the process is a fork, without exec, of one that has secrets.
    ///
    /// Raise `RLIMIT_MEMLOCK`; `secureHeap.status().reasons` says more. Start a program after a
    /// fork. HTTP 500.
    SecretDegraded = "ERR_SECRET_DEGRADED",
    /// A secret was used after `dispose()`.
    ///
    /// Dispose of a secret after its last use; `clone()` makes a second owner. HTTP 500.
    SecretDisposed = "ERR_SECRET_DISPOSED",
    /// An environment variable is missing, empty or malformed, or a worker thread asked for it.
    ///
    /// Set the variable; in a worker, `adopt` a secret of the main thread. HTTP 500.
    SecretEnv = "ERR_SECRET_ENV",
    /// The function given to `use` or `useAsync` transferred the bytes elsewhere, so that they
    /// could not be wiped.
    ///
    /// Copy the bytes that must outlive the call. HTTP 500.
    SecretEscaped = "ERR_SECRET_ESCAPED",
    /// The secure heap is full.
    ///
    /// Dispose of secrets, raise `maxBytes`, or set `overflow: 'seal'`. HTTP 503.
    SecretExhausted = "ERR_SECRET_EXHAUSTED",
    /// A file cannot be read, is not regular, is empty, too large, or not in the encoding given.
    ///
    /// Check the file and `encoding`. HTTP 500.
    SecretFile = "ERR_SECRET_FILE",
    /// The group or others may read or write a file, or it belongs to another user.
    ///
    /// `chmod 600` the file, or pass `allowInsecure: true`. HTTP 500.
    SecretPermissions = "ERR_SECRET_PERMISSIONS",
    /// A sealed secret or key ring does not open with this key, or the secret not for this context.
    ///
    /// Use the key, and for a secret the context, that sealed it. HTTP 500.
    SecretSeal = "ERR_SECRET_SEAL",
    /// A ticket is unknown, used or expired, 1024 tickets wait already, or there is no memory for
    /// another.
    ///
    /// `share()` again, and `adopt` within 60 seconds. HTTP 500.
    SecretTicket = "ERR_SECRET_TICKET",

    // ── JwtError: tokens and keys ──
    /// A token is signed with an algorithm that the verifier does not accept.
    ///
    /// Refuse the request. HTTP 401.
    JwtAlgorithm = "ERR_JWT_ALGORITHM",
    /// A claim is missing, has the wrong type, or has a value that the verifier or the issuer does
    /// not allow.
    ///
    /// Refuse the request; from an issuer, correct the claims. HTTP 401.
    JwtClaim = "ERR_JWT_CLAIM",
    /// A token has critical header parameters (`crit`); none is understood.
    ///
    /// Refuse the request. HTTP 401.
    JwtCritical = "ERR_JWT_CRITICAL",
    /// A token's `exp` has passed, or the token is older than `maxAge`.
    ///
    /// Refuse the request; the client refreshes its token. HTTP 401.
    JwtExpired = "ERR_JWT_EXPIRED",
    /// Key material is malformed, too weak, or does not fit its algorithm.
    ///
    /// Correct the key. HTTP 500.
    JwtKey = "ERR_JWT_KEY",
    /// No key of the verifier matches the token's `kid` and `alg`.
    ///
    /// Refuse the request; with 503 if `status().lastError` of a `RemoteJwks` is set, since the key
    /// may be new. HTTP 401.
    JwtKeyNotFound = "ERR_JWT_KEY_NOT_FOUND",
    /// The keys of a `RemoteJwks` have never been fetched, or too long ago.
    ///
    /// Try again; `status().lastError` says why the last request failed. HTTP 503.
    JwtKeysUnavailable = "ERR_JWT_KEYS_UNAVAILABLE",
    /// A token is not a compact JWS within the limits, or, except for `verifyJws`, its payload is
    /// not a JSON object.
    ///
    /// Refuse the request. HTTP 401.
    JwtMalformed = "ERR_JWT_MALFORMED",
    /// A token's `nbf` is in the future.
    ///
    /// Refuse the request; `clockTolerance` allows for clocks that differ. HTTP 401.
    JwtNotActive = "ERR_JWT_NOT_ACTIVE",
    /// A token, its session, its subject or its key has been revoked.
    ///
    /// Refuse the request; the user logs in again. HTTP 401.
    JwtRevoked = "ERR_JWT_REVOKED",
    /// A signature does not verify.
    ///
    /// Refuse the request. HTTP 401.
    JwtSignature = "ERR_JWT_SIGNATURE",

    // ── JwtError: key rings ──
    /// The ring holds a key with this `kid`, or held one that was revoked.
    ///
    /// Give the key a `kid` of its own. HTTP 500.
    KeyringDuplicate = "ERR_KEYRING_DUPLICATE",
    /// The ring holds 1000 keys, or there is no memory, or no room in its store, for another.
    ///
    /// Wait until retired and revoked keys are forgotten. HTTP 503.
    KeyringFull = "ERR_KEYRING_FULL",
    /// The ring has no active key to sign with.
    ///
    /// Call `rotate()`, with `force: true` after `revoke`. HTTP 503.
    KeyringNoActiveKey = "ERR_KEYRING_NO_ACTIVE_KEY",
    /// The next key has not been published for as long as verifiers may cache the JWKS.
    ///
    /// Rotate later, or with `force: true`. HTTP 409.
    KeyringNotPublished = "ERR_KEYRING_NOT_PUBLISHED",
    /// The server of a key ring does not answer, or something that cannot be used, or the ring is
    /// closed.
    ///
    /// The message has the cause; docs/redis.md lists them. HTTP 503.
    KeyringStore = "ERR_KEYRING_STORE",
    /// A call on a key ring on a server that would have to wait for it without a promise.
    ///
    /// Call the form that returns a promise. HTTP 500.
    KeyringSync = "ERR_KEYRING_SYNC",
    /// The ring has no key with this `kid`.
    ///
    /// See `list()` for the keys that it has. HTTP 404.
    KeyringUnknownKey = "ERR_KEYRING_UNKNOWN_KEY",

    // ── RevocationError ──
    /// The list is closed.
    ///
    /// Close the list after the last request. HTTP 503.
    RevocationClosed = "ERR_REVOCATION_CLOSED",
    /// The list holds `maxEntries` entries that have not expired, or there is no memory for
    /// another. Nothing was revoked.
    ///
    /// Raise `maxEntries`, or set `onFull: 'reject-older'`, which keeps revoked keys and the
    /// sessions revoked on the list: if these fill it, only a larger `maxEntries` helps. HTTP 503.
    RevocationFull = "ERR_REVOCATION_FULL",
    /// The server of the list has not answered for `maxStaleness`, so it is not known whether a
    /// token is revoked.
    ///
    /// See `status()` of the `RedisRevocations`; docs/redis.md lists the causes. HTTP 503.
    RevocationStale = "ERR_REVOCATION_STALE",
    /// The store of the list or the key ring cannot be read, so it is not known whether a token or
    /// its key is revoked. Or the server of the list has not confirmed a revocation: this process
    /// refuses the token, and publishes the revocation again.
    ///
    /// The message has the cause; docs/revocation.md and docs/redis.md list them. HTTP 503.
    RevocationStore = "ERR_REVOCATION_STORE",
    /// A `…Sync` call on a list on a server, which cannot be waited for without a promise.
    ///
    /// Call the form that returns a promise. HTTP 500.
    RevocationSync = "ERR_REVOCATION_SYNC",

    // ── StoreError ──
    /// Another process holds the store's lock for longer than `busyMs`, or too much waits to be
    /// written. Nothing was written, unless the message says that it still may be.
    ///
    /// Try again, or raise `busyMs`. HTTP 503.
    StoreBusy = "ERR_STORE_BUSY",
    /// The store is closed, or the process has forked since it was opened.
    ///
    /// Close the store after the last request; open it after a fork. HTTP 503.
    StoreClosed = "ERR_STORE_CLOSED",
    /// The files of a store are damaged, or do not belong together: rows are missing, or the
    /// database is older than its epoch.
    ///
    /// Restore all files of the directory from one `backup()`, see docs/revocation.md. HTTP 503.
    StoreCorrupt = "ERR_STORE_CORRUPT",
    /// A store's directory is on a file system that several machines may use: nfs, cifs, 9p or
    /// fuse.
    ///
    /// Use a local disk, or pass `allowFilesystem: true` if no other machine uses it. HTTP 500.
    StoreFilesystem = "ERR_STORE_FILESYSTEM",
    /// The disk or a quota is full. Nothing of the transaction was written.
    ///
    /// Make room; the store goes on by itself. HTTP 503.
    StoreFull = "ERR_STORE_FULL",
    /// A store does not open with this `key`.
    ///
    /// Use the key with which the store was made. HTTP 500.
    StoreKey = "ERR_STORE_KEY",
    /// A store's directory or files cannot be made, opened, read or written, belong to another
    /// user, can be used by others, are in use by another copy of this module, or are not a store
    /// of this format.
    ///
    /// Do what the message says. HTTP 500.
    StoreOpen = "ERR_STORE_OPEN",

    // ── SessionError ──
    /// The table holds `maxSessions` sessions, or there is no memory for another.
    ///
    /// Raise `maxSessions`, or shorten `refreshTtl` or `idleTtl`. HTTP 503.
    SessionFull = "ERR_SESSION_FULL",
    /// The subject has `maxSessionsPerSubject` sessions.
    ///
    /// Let the user end one of them, which `list` shows, or choose `onSessionLimit: 'end-oldest'`.
    /// HTTP 409.
    SessionLimit = "ERR_SESSION_LIMIT",
    /// The server of `RedisSessions` has not answered in time, and may have done the call; or it
    /// has refused the call, or has a session that does not open with the key.
    ///
    /// Repeat the call, with the same refresh token; docs/redis.md lists the causes. HTTP 503.
    SessionStore = "ERR_SESSION_STORE",

    // ── SpiffeError ──
    /// A certificate is not the X509-SVID of a workload; the message names the rule.
    ///
    /// Refuse the peer. HTTP 403.
    SpiffeCertificate = "ERR_SPIFFE_CERTIFICATE",
    /// A text is not a SPIFFE ID; the message names the rule.
    ///
    /// Correct the configuration, or refuse the peer. HTTP 403.
    SpiffeId = "ERR_SPIFFE_ID",

    // ── LimitError ──
    /// A cost is above the burst and could never be allowed.
    ///
    /// Lower the cost or raise `burst`. HTTP 500.
    LimitCost = "ERR_LIMIT_COST",
    /// The file of `RateLimiter.machine` cannot be used: it is foreign, cut, open to other users or
    /// on a network file system, there is no room for it, or another process holds it locked.
    ///
    /// Do as the message says; a file that is damaged can be deleted while no process uses it. HTTP
    /// 503.
    LimitFile = "ERR_LIMIT_FILE",
    /// There is no memory for the table of a limiter or for its snapshot.
    ///
    /// Give the process more, or lower `maxKeys`. HTTP 503.
    LimitFull = "ERR_LIMIT_FULL",
    /// Bytes are no snapshot of a limiter: they are cut, damaged, or of a later version. Or a
    /// limiter of the machine is asked for a snapshot.
    ///
    /// Start with an empty limiter, or pass the bytes that `snapshot()` returned. HTTP 500.
    LimitSnapshot = "ERR_LIMIT_SNAPSHOT",

    // ── DpopError: proofs of possession (RFC 9449) ──
    /// The file of `DpopReplayCache.machine` cannot be used: it is foreign, cut, open to other
    /// users or on a network file system, or there is no room for it.
    ///
    /// Do as the message says; a file that is damaged can be deleted while no process uses it. HTTP
    /// 503.
    DpopFile = "ERR_DPOP_FILE",
    /// The replay cache has no room to remember another proof, or there is no memory for a cache.
    /// No request is let in that could be replayed.
    ///
    /// Raise `maxEntries`, or lower `maxAge`. HTTP 503.
    DpopFull = "ERR_DPOP_FULL",
    /// A proof has no nonce of this service, or one that has expired.
    ///
    /// The client repeats the request with the nonce of the answer. HTTP 401.
    DpopNonce = "ERR_DPOP_NONCE",
    /// A proof is missing, is malformed, or does not fit its request or its token; the message
    /// names the rule.
    ///
    /// Refuse the request. If every proof is `dpop-forgotten` in the audit trail for more than a
    /// second, the clock was ahead and has been set back: restart the process, or stop all
    /// processes of `DpopReplayCache.machine` and delete the file. HTTP 401.
    DpopProof = "ERR_DPOP_PROOF",
    /// A proof has been used before.
    ///
    /// Refuse the request: somebody may have intercepted the first one. HTTP 401.
    DpopReplayed = "ERR_DPOP_REPLAYED",
    /// The server of a `RedisDpopReplayCache` has not answered in time, or has refused the call.
    /// The proof may count as used.
    ///
    /// The client repeats the request with a new proof; docs/redis.md lists the causes. HTTP 503.
    DpopStore = "ERR_DPOP_STORE",

    // ── WebError: answers of the middleware, whose `status` and `headers` frameworks send ──
    /// A request has credentials in two places, twice or malformed, a cookie or a header twice, or
    /// no usable account, or its key or its cost is too large for a limit, however long it waits.
    ///
    /// The client corrects its request; `cause` has the reason. HTTP 400.
    WebBadRequest = "ERR_WEB_BAD_REQUEST",
    /// A token lacks a scope, or a page of another origin may have caused the request.
    ///
    /// The client asks for a token with the scopes of the challenge. If the origin is yours, add it
    /// to `trustedOrigins`. HTTP 403.
    WebForbidden = "ERR_WEB_FORBIDDEN",
    /// A limit refuses the request.
    ///
    /// The client waits for the time in `Retry-After`. HTTP 429.
    WebLimited = "ERR_WEB_LIMITED",
    /// The middleware cannot work: there is no key for a limit, because every client may choose its
    /// address (`trust proxy: true`), the client has hung up, or the option `key` gave none; or
    /// another option gave a value that cannot be used.
    ///
    /// Set `trust proxy` to the addresses of your proxies, or do what `cause` says. HTTP 500.
    WebMisconfigured = "ERR_WEB_MISCONFIGURED",
    /// There are no credentials, or a token is refused, or the session has ended, or the user has
    /// to authenticate again.
    ///
    /// The client does what `WWW-Authenticate` says; `cause` has the reason. HTTP 401.
    WebUnauthenticated = "ERR_WEB_UNAUTHENTICATED",
    /// A token cannot be judged or refreshed, because keys, revocations or sessions are not to be
    /// had, or the service is at its limit.
    ///
    /// The client tries again; `cause` has the reason. HTTP 503.
    WebUnavailable = "ERR_WEB_UNAVAILABLE",
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
