//! The files that this process has open: each is mapped once for all threads.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::fault::SUBJECT;
use super::file::{self, Found, Opened};
use super::header::{self, Shape, word};
use super::limiter::MachineLimiter;
use super::limits::FileLimits;
use super::table::Table;
use crate::clock::{BootClock, Clock};
use crate::error::{Code, Error, Result};
use crate::limiter::fingerprint::Fingerprinter;
use crate::limiter::limit::{Limit, Limits};
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::Algorithm;
use crate::limiter::table::{DEFAULT_MAX_KEYS, check_max_keys};
use crate::machine_file;
use crate::os::FileId;

/// The limiters of this process, by their files.
static OPEN: LazyLock<Mutex<HashMap<FileId, Weak<MachineLimiter>>>> = LazyLock::new(Mutex::default);

/// A file that others replace again and again is given up after so many looks.
const MAX_LOOKS: usize = 100;

/// The options of a limiter. The file has those that are left out.
#[derive(Default)]
pub struct MachineOptions {
    /// The limits, which a new file needs.
    pub limits: Option<Limits>,
    /// The algorithm, of limits that are left out too.
    pub algorithm: Option<Algorithm>,
    /// The number of keys.
    pub max_keys: Option<usize>,
    /// The treatment of newcomers while the table is full.
    pub on_full: Option<OnFull>,
}

impl MachineLimiter {
    /// The limiter of a file, which is made if there is none. All threads of the process get the
    /// same one. A file from before the machine started is made anew.
    ///
    /// Fails with `ERR_LIMIT_FILE` for a file that cannot be used, with `ERR_INVALID_ARG_VALUE` if
    /// an option differs from the file's, and with `ERR_MISSING_OPTION` if there is no file and no
    /// limits are given.
    pub fn open(path: &Path, options: &MachineOptions) -> Result<Arc<Self>> {
        Self::open_with(path, options, Arc::new(BootClock))
    }

    pub(super) fn open_with(
        path: &Path,
        options: &MachineOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        machine_file::check_clock(SUBJECT)?;
        options.max_keys.map_or(Ok(()), check_max_keys)?;
        let path = machine_file::resolve(path, SUBJECT)?;
        machine_file::check_filesystem(&path, SUBJECT)?;
        // Held meanwhile, so that two threads do not map one file twice.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, limiter| limiter.strong_count() > 0);
        for _ in 0..MAX_LOOKS {
            match file::find(&path)? {
                Found::File(opened) => {
                    let known = open.get(&opened.id).and_then(Weak::upgrade);
                    let limiter = match known {
                        Some(known) => known,
                        None => Arc::new(Self::mapped(opened, clock)?),
                    };
                    options.check(&limiter)?;
                    open.insert(limiter.id, Arc::downgrade(&limiter));
                    return Ok(limiter);
                }
                Found::Stale(stale) => {
                    let limits = match &options.limits {
                        Some(limits) => limits.clone(),
                        None => limits_of(&stale)?,
                    };
                    let shape = options.shape(&limits, Some(&stale.fixed.shape));
                    file::create(&path, shape, &limits, true)?;
                }
                Found::Nothing => {
                    let limits = options.limits.as_ref().ok_or_else(missing)?;
                    file::create(&path, options.shape(limits, None), limits, false)?;
                }
            }
        }
        Err(SUBJECT
            .unusable("other processes delete or replace the file of the limiter again and again"))
    }

    pub(super) fn mapped(opened: Opened, clock: Arc<dyn Clock>) -> Result<Self> {
        let table = Table::new(machine_file::map(&opened)?, file::layout(&opened.fixed.shape));
        let (shape, fingerprinter) =
            (opened.fixed.shape, Fingerprinter::with_key(opened.fixed.key));
        let limits = FileLimits::read(&table, shape, &fingerprinter);
        Ok(Self {
            table,
            fingerprinter,
            algorithm: shape.algorithm,
            max_keys: shape.max_keys,
            on_full: shape.on_full,
            limits: limits
                .ok_or_else(|| SUBJECT.damaged("has limits that were changed by force"))?,
            clock,
            file: Mutex::new(opened.file),
            id: opened.id,
        })
    }
}

impl MachineOptions {
    /// The parameters of a new file.
    fn shape(&self, limits: &Limits, former: Option<&Shape>) -> Shape {
        let former = former.copied();
        Shape {
            max_keys: self
                .max_keys
                .unwrap_or(former.map_or(DEFAULT_MAX_KEYS, |former| former.max_keys)),
            limits: limits.len(),
            algorithm: limits[0].quota().algorithm(),
            on_full: self.on_full.unwrap_or(former.map_or(OnFull::Evict, |former| former.on_full)),
        }
    }

    /// Checks that no option differs from a limiter.
    fn check(&self, limiter: &MachineLimiter) -> Result<()> {
        let (present, _) = limiter.limits();
        let first = limiter.first_limits()?;
        let given = self.limits.as_ref();
        let difference = match given.and_then(|given| difference(given, &present)) {
            // The limits that the file was made with are the options of every process since, also
            // after setLimits.
            Some(name) if given.and_then(|given| self::difference(given, &first)).is_some() => {
                Some(name)
            }
            _ if self.max_keys.is_some_and(|given| given != limiter.max_keys) => Some("maxKeys"),
            _ if self.on_full.is_some_and(|given| given != limiter.on_full) => Some("onFull"),
            _ if self.algorithm.is_some_and(|given| given != limiter.algorithm) => {
                Some("algorithm")
            }
            _ => None,
        };
        difference.map_or(Ok(()), |name| Err(differs(name)))
    }
}

/// The option in which limits differ.
fn difference(given: &[Limit], present: &[Limit]) -> Option<&'static str> {
    if given.len() != present.len() {
        return Some("the number of limits");
    }
    let pairs = given.iter().zip(present);
    let find = |name, differs: fn(&Limit, &Limit) -> bool| {
        pairs.clone().any(|(given, present)| differs(given, present)).then_some(name)
    };
    find("algorithm", |a, b| a.quota().algorithm() != b.quota().algorithm())
        .or_else(|| find("the name of a limit", |a, b| a.name() != b.name()))
        .or_else(|| find("limit", |a, b| a.quota().limit() != b.quota().limit()))
        .or_else(|| find("windowMs", |a, b| a.quota().window_ms() != b.quota().window_ms()))
        .or_else(|| find("strict", |a, b| a.quota().is_strict() != b.quota().is_strict()))
        .or_else(|| find("burst", |a, b| a.quota().burst() != b.quota().burst()))
}

fn differs(name: &str) -> Error {
    Error::new(
        Code::InvalidArgValue,
        format!(
            "{name} differs from that of the limiter's file: pass the same options in all \
             processes; limits that are left out are those of the file, and setLimits changes them"
        ),
    )
}

fn missing() -> Error {
    Error::new(
        Code::MissingOption,
        "there is no file at the path yet: the option \"limit\" with \"windowMs\", or \"limits\", \
         is required",
    )
}

/// The limits of a file from before the machine started.
fn limits_of(stale: &Opened) -> Result<Limits> {
    let table = Table::new(machine_file::map(stale)?, file::layout(&stale.fixed.shape));
    let fingerprinter = Fingerprinter::with_key(stale.fixed.key);
    let limits = FileLimits::read(&table, stale.fixed.shape, &fingerprinter);
    let limits = limits.map(|limits| limits.get(&table, &fingerprinter).limits.clone());
    limits.ok_or_else(|| SUBJECT.damaged("has limits that were changed by force"))
}

impl MachineLimiter {
    /// The limits that the file was made with.
    fn first_limits(&self) -> Result<Limits> {
        let shape = self.limits.shape();
        let header = self.table.header();
        header::decode_set(header, word::FIRST_SET, shape, &self.fingerprinter, 0)
            .ok_or_else(|| SUBJECT.damaged("has limits that were changed by force"))
    }
}
