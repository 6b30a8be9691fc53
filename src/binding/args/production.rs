//! Whether a call is made in production.

use super::arg::Arg;
use super::facade;
use super::fault::Result;

impl Arg<'_> {
    /// Whether `NODE_ENV` is `production` now. Asks the façade, since `process.env` may be a copy
    /// of the environment; so no bytes may be lent.
    pub(crate) fn is_in_production(&self) -> Result<bool> {
        // SAFETY: `env` is that of the current call (see `Arg`).
        match unsafe { facade::call(self.env, "inProduction", &[]) } {
            Ok(value) => Self { value, ..*self }.boolean(),
            Err(status) => self.check(status).map(|()| false),
        }
    }
}
