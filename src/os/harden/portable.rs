//! Systems without core limits: nothing can be done, which is what is said.

const NONE: &str = "not on this system";

pub fn forbid_dumps() -> Result<(), String> {
    Err(NONE.into())
}

pub fn limit_core(_bytes: u64) -> Result<(), String> {
    Err(NONE.into())
}

pub fn is_dumpable() -> Option<bool> {
    None
}

pub fn core_limit() -> Option<u64> {
    None
}

pub fn dumps_are_piped() -> bool {
    false
}
