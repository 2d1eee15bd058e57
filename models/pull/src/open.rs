//! Open models that a person can name: a few by a short name, any file of a hub as
//! `OWNER/REPO/FILE.gguf`.
//!
//! Sizes and sums of the former are those that other programs publish for the same revisions. What is
//! not known beforehand is pinned when it is first fetched: its sum is written beside it, in the format
//! of `sha256sum`, and a later pull accepts nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use models::UserError;
use models::files::write_atomically;
use tui_text::bytes as size;

use crate::{Bundle, Part, Report, Sources, fetch, hub, sha256};

/// A model file on a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Nobody but the person who names the file may know how it is licensed.
    pub licence: Option<&'static str>,
    pub repo: String,
    pub revision: String,
    pub file: String,
    bytes: Option<u64>,
    sha256: Option<String>,
}

/// One that has a short name.
struct Known {
    name: &'static str,
    repo: &'static str,
    revision: &'static str,
    file: &'static str,
    bytes: u64,
    sha256: Option<&'static str>,
}

/// All that have a short name are under it.
const LICENCE: &str = "Apache-2.0";

const KNOWN: [Known; 7] = [
    Known {
        name: "smollm2-360m",
        repo: "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
        revision: "593b5a2e04c8f3e4ee880263f93e0bd2901ad47f",
        file: "smollm2-360m-instruct-q8_0.gguf",
        bytes: 386_404_992,
        sha256: Some("48ab3034d0dd401fbc721eb1df3217902fee7dab9078992d66431f09b7750201"),
    },
    Known {
        name: "smollm2-1.7b",
        repo: "bartowski/SmolLM2-1.7B-Instruct-GGUF",
        revision: "1f03464768bfcc0319fc50da8ff5fb20b6417ba2",
        file: "SmolLM2-1.7B-Instruct-Q8_0.gguf",
        bytes: 1_820_414_944,
        // No record of it was found.
        sha256: None,
    },
    Known {
        name: "qwen2.5-0.5b",
        repo: "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
        revision: "9217f5db79a29953eb74d5343926648285ec7e67",
        file: "qwen2.5-0.5b-instruct-q8_0.gguf",
        bytes: 675_710_816,
        sha256: Some("ca59ca7f13d0e15a8cfa77bd17e65d24f6844b554a7b6c12e07a5f89ff76844e"),
    },
    Known {
        name: "qwen2.5-1.5b",
        repo: "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        revision: "91cad51170dc346986eccefdc2dd33a9da36ead9",
        file: "qwen2.5-1.5b-instruct-q8_0.gguf",
        bytes: 1_894_532_128,
        sha256: Some("d7efb072e7724d25048a4fda0a3e10b04bdef5d06b1403a1c93bd9f1240a63c8"),
    },
    Known {
        name: "qwen3-0.6b",
        repo: "Qwen/Qwen3-0.6B-GGUF",
        revision: "23749fefcc72300e3a2ad315e1317431b06b590a",
        file: "Qwen3-0.6B-Q8_0.gguf",
        bytes: 639_446_688,
        sha256: Some("9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031"),
    },
    Known {
        name: "qwen3-1.7b",
        repo: "Qwen/Qwen3-1.7B-GGUF",
        revision: "90862c4b9d2787eaed51d12237eafdfe7c5f6077",
        file: "Qwen3-1.7B-Q8_0.gguf",
        bytes: 1_834_426_016,
        sha256: Some("061b54daade076b5d3362dac252678d17da8c68f07560be70818cace6590cb1a"),
    },
    Known {
        name: "qwen3-embedding-0.6b",
        repo: "Qwen/Qwen3-Embedding-0.6B-GGUF",
        revision: "370f27d7550e0def9b39c1f16d3fbaa13aa67728",
        file: "Qwen3-Embedding-0.6B-Q8_0.gguf",
        bytes: 639_150_592,
        sha256: Some("06507c7b42688469c4e7298b0a1e16deff06caf291cf0a5b278c308249c3e439"),
    },
];

impl From<&Known> for Open {
    fn from(known: &Known) -> Self {
        Open {
            licence: Some(LICENCE),
            repo: known.repo.to_owned(),
            revision: known.revision.to_owned(),
            file: known.file.to_owned(),
            bytes: Some(known.bytes),
            sha256: known.sha256.map(str::to_owned),
        }
    }
}

/// The model that a person calls `name`.
///
/// # Errors
/// If it is neither a short name nor a file of a hub, with what can be said.
pub fn named(name: &str) -> Result<Open, UserError> {
    if let Some(known) = KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name)) {
        return Ok(known.into());
    }
    match *name.split('/').collect::<Vec<_>>().as_slice() {
        [owner, repo, file] if [owner, repo, file].into_iter().all(is_plain) && is_gguf(file) => {
            Ok(Open {
                licence: None,
                repo: format!("{owner}/{repo}"),
                revision: "main".to_owned(),
                file: file.to_owned(),
                bytes: None,
                sha256: None,
            })
        }
        _ => Err(UserError::new(format!("no model is known as {name}"))
            .hint(format!("known are {}", KNOWN.map(|known| known.name).join(", ")))
            .hint("any other GGUF of a hub is OWNER/REPO/FILE.gguf")),
    }
}

/// What hubs allow in a name; none leads out of a folder.
fn is_plain(part: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
}

fn is_gguf(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "gguf")
}

impl Open {
    /// Makes sure that it lies in `folder`, and says where. What is there and verifies is not fetched
    /// again.
    ///
    /// # Errors
    /// If the hub has it not, or another file than it once had, or the disk cannot be written.
    pub fn pull(
        &self,
        folder: &Path,
        sources: &Sources,
        report: &mut dyn Report,
    ) -> Result<PathBuf, UserError> {
        let path = folder.join(&self.file);
        let pin = folder.join(format!("{}.sha256", self.file));
        let pinned = match &self.sha256 {
            Some(known) => Some(known.clone()),
            None => self.read_pin(&pin)?,
        };
        if let Some(sum) = &pinned
            && path.is_file()
        {
            let found = sha256(&path).map_err(|error| UserError::reading(&path, &error))?;
            if found == *sum {
                report.note(&format!("{} is there already", path.display()));
                return Ok(path);
            }
            report.note(&format!(
                "{}: its SHA-256 is {found}, so it is fetched anew",
                path.display()
            ));
        }
        let bytes = self.measure(sources)?;
        let licence = self.licence.unwrap_or("of a licence that its page tells");
        report.note(&format!("{} of {}, {licence}, {}", self.file, self.repo, size(bytes)));
        let part = Part { file: &self.file, bytes, sha256: pinned.as_deref() };
        let bundle = Bundle {
            label: &self.file,
            hub_repo: &self.repo,
            hub_revision: &self.revision,
            wheel: None,
            parts: &[part],
        };
        let fetched = fetch(&bundle, folder, sources, report);
        if self.sha256.is_none() && pinned.is_some() {
            let hint =
                format!("if the hub's was replaced and you trust it, remove {}", pin.display());
            fetched.map_err(|error| error.hint(hint))?;
        } else {
            fetched?;
        }
        if pinned.is_none() {
            self.pin(&path, &pin, report)?;
        }
        Ok(path)
    }

    /// How large it is: known, or asked of the hub.
    fn measure(&self, sources: &Sources) -> Result<u64, UserError> {
        if let Some(bytes) = self.bytes {
            return Ok(bytes);
        }
        let Some(endpoint) = &sources.hub else {
            return Err(UserError::new(format!("no hub may be asked for {}", self.file))
                .hint("HF_HUB_OFFLINE is set; unset it"));
        };
        hub::measure(endpoint, &self.repo, &self.revision, &self.file, sources).map_err(|why| {
            UserError::new(format!("{endpoint} has no {}/{}: {why}", self.repo, self.file))
                .hint("look at the repository's list of files")
        })
    }

    /// Remembers what was fetched, of which nothing was known.
    fn pin(&self, path: &Path, pin: &Path, report: &mut dyn Report) -> Result<(), UserError> {
        let sum = sha256(path).map_err(|error| UserError::reading(path, &error))?;
        let text = format!("# {}\n{sum}  {}\n", self.source(), self.file);
        write_atomically(pin, text.as_bytes())?;
        report.note(&format!(
            "its checksum was not known beforehand; from now on it has to be {sum} ({})",
            pin.display()
        ));
        Ok(())
    }

    /// The sum that an earlier pull wrote down.
    fn read_pin(&self, pin: &Path) -> Result<Option<String>, UserError> {
        let text = match fs::read_to_string(pin) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(UserError::reading(pin, &error)),
        };
        let mut lines = text.lines();
        let source = lines.next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        if source != self.source() {
            return Err(UserError::new(format!("{} is from {source:?}", self.file)).hint(format!(
                "to replace it by the one of {}, remove {}",
                self.repo,
                pin.display()
            )));
        }
        let sum = lines.next().and_then(|line| line.split_once("  ")).map(|(sum, _)| sum);
        sum.map(|sum| Some(sum.to_owned())).ok_or_else(|| {
            UserError::new(format!("{} holds no checksum", pin.display())).hint("remove it")
        })
    }

    fn source(&self) -> String {
        format!("{} {}", self.repo, self.revision)
    }
}
