//! The daemon as a service of the system, for whoever wants it started at login: a unit of systemd, or an
//! agent of launchd. Text first ([`systemd`], [`launchd`]), then what is written and run for it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use models::{UserError, files};

/// Name of the unit, and of what its file is called.
const UNIT: &str = "forethought.service";
/// Label of the agent.
const LABEL: &str = "org.forethought.daemon";

/// What a service of the system runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Absolute.
    pub path: PathBuf,
    /// Flags of `daemon run`.
    pub flags: Vec<String>,
    /// Variables that decide where its files are: those that are set for the person, name and value.
    pub variables: Vec<(String, String)>,
}

/// Which manager there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    Systemd,
    Launchd,
}

impl Manager {
    /// The one of the system this was built for.
    pub fn here() -> Manager {
        if cfg!(target_os = "macos") { Manager::Launchd } else { Manager::Systemd }
    }

    /// The file that tells it of the daemon, below the person's home and the base of their settings.
    pub fn file(self, home: &Path, settings: &Path) -> PathBuf {
        match self {
            Manager::Systemd => settings.join("systemd/user").join(UNIT),
            Manager::Launchd => home.join("Library/LaunchAgents").join(format!("{LABEL}.plist")),
        }
    }

    /// What stands in that file.
    pub fn text(self, program: &Program) -> String {
        match self {
            Manager::Systemd => systemd(program),
            Manager::Launchd => launchd(program),
        }
    }

    /// What has it take up the file, in order.
    pub fn starting(self, file: &Path, user_id: u32) -> Vec<Vec<OsString>> {
        match self {
            Manager::Systemd => {
                vec![systemctl(&["daemon-reload"]), systemctl(&["enable", "--now", UNIT])]
            }
            Manager::Launchd => vec![words(&[
                OsStr::new("launchctl"),
                OsStr::new("bootstrap"),
                OsStr::new(&format!("gui/{user_id}")),
                file.as_os_str(),
            ])],
        }
    }

    /// What has it end the daemon and forget it, before the file goes.
    pub fn ending(self, user_id: u32) -> Vec<Vec<OsString>> {
        match self {
            Manager::Systemd => vec![systemctl(&["disable", "--now", UNIT])],
            Manager::Launchd => {
                vec![words(&["launchctl", "bootout", &format!("gui/{user_id}/{LABEL}")])]
            }
        }
    }

    /// What says how it stands, in words of its own.
    pub fn asking(self, user_id: u32) -> Vec<OsString> {
        match self {
            Manager::Systemd => systemctl(&["is-active", UNIT]),
            Manager::Launchd => words(&["launchctl", "print", &format!("gui/{user_id}/{LABEL}")]),
        }
    }

    /// Where its log is read.
    pub fn log(self) -> &'static str {
        match self {
            Manager::Systemd => "journalctl --user --unit forethought",
            Manager::Launchd => "log show --predicate 'process == \"fore\"' --last 1h",
        }
    }
}

fn systemctl(words_given: &[&str]) -> Vec<OsString> {
    words(&[&["systemctl", "--user"], words_given].concat())
}

fn words<T: AsRef<OsStr>>(all: &[T]) -> Vec<OsString> {
    all.iter().map(|word| word.as_ref().to_owned()).collect()
}

/// A user unit. A daemon that some command started before is ended first: there is one for an index. One
/// that was told to stop stays so until the next login; one that broke is started again.
pub fn systemd(Program { path, flags, variables }: &Program) -> String {
    // In the program's own path nothing is a variable, and systemd looks for one with two `$` in its name.
    let fore = quoted(&path.display().to_string(), false);
    let flags: String = flags.iter().map(|flag| format!(" {}", quoted(flag, true))).collect();
    let setting = |(name, value): &(String, String)| {
        format!("Environment={}\n", quoted(&format!("{name}={value}"), false))
    };
    let variables: String = variables.iter().map(setting).collect();
    format!(
        "[Unit]\n\
         Description=forethought, which indexes and searches your folders\n\
         \n\
         [Service]\n\
         {variables}ExecStartPre=-{fore} --quiet daemon stop\n\
         ExecStart={fore} daemon run{flags}\n\
         Restart=on-failure\n\
         RestartSec=10\n\
         UMask=0077\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n"
    )
}

/// A word of a unit: quotes and backslashes are escaped, `%` doubled, and `$` where it would be a variable.
fn quoted(word: &str, command: bool) -> String {
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '%' => text.push_str("%%"),
            '$' if command => text.push_str("$$"),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// A launch agent, of the same behaviour.
pub fn launchd(Program { path, flags, variables }: &Program) -> String {
    let path = path.display().to_string();
    let words =
        [path.as_str(), "daemon", "run"].into_iter().chain(flags.iter().map(String::as_str));
    let words: String =
        words.map(|word| format!("    <string>{}</string>\n", escaped(word))).collect();
    let setting = |(name, value): &(String, String)| {
        format!("    <key>{}</key>\n    <string>{}</string>\n", escaped(name), escaped(value))
    };
    let variables: String = variables.iter().map(setting).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         \x20 <key>Label</key>\n  <string>{LABEL}</string>\n\
         \x20 <key>ProgramArguments</key>\n  <array>\n{words}  </array>\n\
         \x20 <key>EnvironmentVariables</key>\n  <dict>\n{variables}  </dict>\n\
         \x20 <key>RunAtLoad</key>\n  <true/>\n\
         \x20 <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n\
         </dict>\n</plist>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What became of the commands of a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Done,
    /// The manager's program is not on this machine.
    Absent,
    /// It said why not.
    Refused(String),
}

/// Writes `text` to `file`, for everybody to read as such files are, with the folders above it.
///
/// # Errors
/// If it cannot be written.
pub fn write(file: &Path, text: &str) -> Result<(), UserError> {
    files::write_atomically(file, text.as_bytes())?;
    fs::set_permissions(file, Permissions::from_mode(0o644))
        .map_err(|error| UserError::writing(file, &error))
}

/// Runs `commands` in order until one fails.
///
/// # Errors
/// If one is there and cannot be started.
pub fn run(commands: &[Vec<OsString>]) -> Result<Told, UserError> {
    for command in commands {
        match output(command)? {
            None => return Ok(Told::Absent),
            Some((true, _)) => {}
            Some((false, said)) => return Ok(Told::Refused(said)),
        }
    }
    Ok(Told::Done)
}

/// Whether `command` went well, and what it said; `None` if there is no such program.
///
/// # Errors
/// If it is there and cannot be started.
pub fn output(command: &[OsString]) -> Result<Option<(bool, String)>, UserError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(None) };
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            Ok(Some((output.status.success(), said)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(UserError::io(format_args!("starting {}", shown(command)), &error)),
    }
}

/// A command as a person types it, as far as its words are plain.
pub fn shown(command: &[OsString]) -> String {
    let words = command.iter().map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
