//! `fore service`: the daemon started at login by systemd or launchd.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use daemon_host::service::{self, Manager, Program, Told, shown};

use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::term::streams;

/// Variables that decide where files are: a service must look where the person's commands do.
const VARIABLES: [&str; 4] =
    ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"];

/// Have the system start the daemon at login.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Write the unit and start it.
    Install,
    /// End the daemon that it runs and remove the unit.
    Remove,
    /// Say whether it is installed, and how it stands; exit status 1 if it is not.
    Status,
}

pub(crate) fn run(command: Command, config: &Config) -> Result<ExitCode, AppError> {
    let manager = Manager::here();
    let file = unit(manager, config)?;
    match command {
        Command::Install => install(manager, file, config),
        Command::Remove => remove(manager, file, config),
        Command::Status => status(manager, &file),
    }
}

fn user_id() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The unit's file: below the base of settings, whatever `--config` names.
fn unit(manager: Manager, config: &Config) -> Result<PathBuf, AppError> {
    let home = config.home.clone();
    let home =
        home.ok_or_else(|| AppError::new("the home directory is not known").hint("set HOME"))?;
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let base = base.filter(|base| base.is_absolute()).unwrap_or_else(|| home.join(".config"));
    Ok(manager.file(&home, &base))
}

fn install(manager: Manager, file: PathBuf, config: &Config) -> Result<ExitCode, AppError> {
    let path = std::env::current_exe()
        .map_err(|error| AppError::io("finding this program's own file", &error))?;
    let flags =
        config.daemon_flags.iter().map(|flag| flag.to_string_lossy().into_owned()).collect();
    let set = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    let variables = VARIABLES.iter().filter_map(set).collect();
    service::write(&file, &manager.text(&Program { path, flags, variables }))?;
    streams::note(config.quiet, &format!("wrote {}", file.display()));
    let commands = manager.starting(&file, user_id());
    let typed: Vec<String> = commands.iter().map(|command| shown(command)).collect();
    match service::run(&commands)? {
        Told::Done => {
            streams::note(
                config.quiet,
                &format!(
                    "the daemon is started now and at every login; its log: {}",
                    manager.log()
                ),
            );
            Ok(ExitCode::SUCCESS)
        }
        Told::Absent => {
            let line = format!(
                "{} is not on the PATH here; where it is, run: {}",
                commands[0][0].display(),
                typed.join(" && ")
            );
            streams::diagnostic(&line);
            Ok(ExitCode::SUCCESS)
        }
        Told::Refused(why) => {
            Err(AppError::new(format!("{} is written and was not started: {why}", file.display()))
                .hint(format!("in a session of your own run: {}", typed.join(" && "))))
        }
    }
}

fn remove(manager: Manager, file: PathBuf, config: &Config) -> Result<ExitCode, AppError> {
    if !file.exists() {
        streams::note(config.quiet, "no service is installed");
        return Ok(ExitCode::SUCCESS);
    }
    let commands = manager.ending(user_id());
    // The file goes whatever the manager says: without it nothing is started at the next login.
    let told = service::run(&commands)?;
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(AppError::io(format_args!("removing {}", file.display()), &error));
        }
        _ => streams::note(config.quiet, &format!("removed {}", file.display())),
    }
    if let Told::Refused(why) = told {
        return Err(AppError::new(format!("the file is removed; the daemon may still run: {why}"))
            .hint("run: fore daemon stop"));
    }
    Ok(ExitCode::SUCCESS)
}

fn status(manager: Manager, file: &std::path::Path) -> Result<ExitCode, AppError> {
    let Ok(text) = fs::read_to_string(file) else {
        streams::line("service  not installed; install it with: fore service install")?;
        return Ok(ExitCode::from(NOTHING));
    };
    streams::line(&format!("service  {}", file.display()))?;
    let path = std::env::current_exe().unwrap_or_default();
    if !text.contains(&*path.to_string_lossy()) {
        streams::line("program  another than this one; install it again for this one")?;
    }
    let asked = manager.asking(user_id());
    let state = match service::output(&asked)? {
        None => format!("not known: {} is not here", asked[0].display()),
        Some((_, said)) => said.lines().next().unwrap_or("not known").to_owned(),
    };
    streams::line(&format!("state    {}", tui_text::one_line(&state)))?;
    streams::line(&format!("log      {}", manager.log()))?;
    Ok(ExitCode::SUCCESS)
}
