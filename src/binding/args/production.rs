//! Tells whether a call runs in production.

use super::arg::Arg;
use super::facade;
use super::fault::Result;

impl Arg<'_> {
    /// Whether `NODE_ENV` is `production` now. Asks the façade, since `process.env` may be a copy
    /// of the environment. This runs JavaScript, so the caller must not hold a `Uint8Array`'s
    /// borrowed bytes.
    pub(crate) fn is_in_production(&self) -> Result<bool> {
        // SAFETY: `env` is that of the current call (see `Arg`).
        match unsafe { facade::call(self.env, "inProduction", &[]) } {
            Ok(value) => Self { value, ..*self }.boolean(),
            Err(status) => self.check(status).map(|()| false),
        }
    }
}
