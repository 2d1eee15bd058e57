//! How the system's own program is told to open what no editor can: a PDF at its page, where that program can be told.

use std::env;
use std::process::Stdio;

use tokio::process::Command;

/// What opens a PDF at a page, as a shell reads it.
const AT_PAGE: &str = include_str!("viewer.sh");

/// Opens `path` with the program that the system has for it, at `page` if it is a PDF's. That program goes on by itself:
/// what it says would be in the way of the screen, and its window outlives this one.
///
/// # Errors
/// What to tell the person: there is no such program.
pub(crate) fn view(path: &str, page: Option<u32>) -> Result<(), String> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = match page {
        Some(page) if cfg!(not(target_os = "macos")) && is_there(opener) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", AT_PAGE, "fore", path, &page.to_string()]);
            shell
        }
        _ => {
            let mut command = Command::new(opener);
            command.arg(path);
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.process_group(0).spawn() {
        // The runtime waits for it, for as long as this program runs.
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{opener} did not start: {error}; the path can be copied")),
    }
}

fn is_there(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests;
