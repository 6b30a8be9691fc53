//! The errors of the file.

use crate::error::Code;
use crate::machine_file::Subject;

pub(super) const SUBJECT: Subject = Subject {
    code: Code::LimitFile,
    name: "limiter",
    elsewhere: "RateLimiter.shared",
    size: "maxKeys",
};
