//! The process that the readers run in: what it may use, and that a reader's panic is one file's error.

use std::any::Any;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;

use daemon::convert::{Convert, Converted, Unconverted, worker};
use daemon::document::Definition;
use rustix::process::{Resource, Rlimit, nice, setrlimit};

use crate::Readers;

/// Address space, bytes: the program itself, a file and what becomes of it. Where a file needs more, its
/// reader ends, and only that.
const MEMORY_MAX: u64 = 3 << 30;

/// Processor time, seconds: more than the daemon lets it live, so that one whose daemon is gone ends too.
const CPU_SECONDS_MAX: u64 = 180;

/// Stack, bytes: libraries that recurse get further than on a thread's usual two megabytes.
const STACK_BYTES: usize = 256 << 20;

/// How much less it counts than what people wait for.
const NICENESS: i32 = 10;

/// Limits this process to what reading takes: memory, time, no files, no network, no other programs. What the
/// system does not know of is left out.
///
/// # Errors
/// If the system refuses a limit that it knows.
pub fn confine() -> io::Result<()> {
    let limits = [
        (Resource::As, MEMORY_MAX),
        (Resource::Cpu, CPU_SECONDS_MAX),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ];
    for (resource, limit) in limits {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    nice(NICENESS)?;
    #[cfg(target_os = "linux")]
    forbid_files()?;
    Ok(())
}

/// No file can be opened and nothing connected to from here on, as far as this kernel can forbid it.
#[cfg(target_os = "linux")]
fn forbid_files() -> io::Result<()> {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr};
    let newest = ABI::V5;
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(newest))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(newest)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    rules.map(|_| ()).map_err(io::Error::other)
}

/// Answers what a daemon asks on `input` on `output`, until it asks no more.
///
/// # Errors
/// If either cannot be read or written.
pub fn serve(input: impl BufRead + Send, output: impl Write + Send) -> io::Result<()> {
    // Nobody reads what a panic prints: what it says goes into the answer.
    std::panic::set_hook(Box::new(|_| {}));
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || worker::serve(input, output, &Guarded))?;
        reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader's thread panicked")))
    })
}

/// The readers, where a panic is an error like others.
struct Guarded;

impl Convert for Guarded {
    fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
        let read = catch_unwind(AssertUnwindSafe(|| Readers.convert(path, bytes)));
        read.unwrap_or_else(|panic| Err(Unconverted::Failed(said(panic.as_ref()))))
    }

    fn outline(&self, path: &Path, text: &str) -> Result<Vec<Definition>, Unconverted> {
        let read = catch_unwind(AssertUnwindSafe(|| Readers.outline(path, text)));
        read.unwrap_or_else(|panic| Err(Unconverted::Failed(said(panic.as_ref()))))
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
    format!("it gave up: {}", text.lines().next().unwrap_or_default())
}
