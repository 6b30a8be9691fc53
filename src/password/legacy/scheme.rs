//! The schemes that a caller can enable.

/// A scheme, or several related ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyScheme {
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`, passlib's `$bcrypt-sha256$`, `AdonisJS`'s `$bcrypt$` and
    /// `WordPress`'s `$wp$2y$`.
    Bcrypt,
    /// `$scrypt$ln=…,r=…,p=…$salt$hash`, or with N itself.
    Scrypt,
    /// `$pbkdf2$`, `$pbkdf2-sha1$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$`, as PHC or as passlib
    /// writes them.
    Pbkdf2,
    /// Django's own: `pbkdf2_sha256$`, `pbkdf2_sha1$`, `argon2$`, `scrypt$`, `bcrypt$` and
    /// `bcrypt_sha256$`.
    Django,
    /// `scrypt:N:r:p$` and `pbkdf2:function:iterations$`, and the older `sha256$`.
    Werkzeug,
    /// ASP.NET Identity, versions 2 and 3.
    AspNet,
    /// `salt:hash`.
    BetterAuth,
    /// Spring Security's `{bcrypt}`, `{argon2}`, `{scrypt}` and `{pbkdf2}`.
    Spring,
}

impl LegacyScheme {
    /// Every scheme with its name in JavaScript.
    pub const ALL: [(&str, Self); 8] = [
        ("bcrypt", Self::Bcrypt),
        ("scrypt", Self::Scrypt),
        ("pbkdf2", Self::Pbkdf2),
        ("django", Self::Django),
        ("werkzeug", Self::Werkzeug),
        ("aspnet", Self::AspNet),
        ("better-auth", Self::BetterAuth),
        ("spring", Self::Spring),
    ];
}
