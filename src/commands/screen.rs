//! `fore` without a command: the full-screen view on a connection to the daemon.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use tui::{Look, Options, Pages};

use super::DRAW_PAGE;
use crate::backend::own_program;
use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams;

/// Most hits of a question on screen: more than anybody scrolls through.
const HITS: usize = 50;

/// Shows the screen until the person leaves it.
pub(crate) async fn run(config: Config) -> Result<ExitCode, AppError> {
    if !(io::stdin().is_terminal() && streams::stdout_is_terminal()) {
        return Err(AppError::new("the full-screen view needs a terminal")
            .hint("to ask in a pipe: fore ask QUESTION"));
    }
    // A note would be drawn over.
    let quiet = Arc::new(Config { quiet: true, ..config.clone() });
    let options = Options {
        limit: HITS,
        thoughts: None,
        editor: config.editor,
        look: Look::of(&|name| std::env::var(name).ok()),
        instant: true,
        painter: Some(tui_syntect::paint),
        pages: Some(Pages {
            ask: tui_ratatui_image::ask,
            program: own_program(),
            arguments: vec![DRAW_PAGE.to_owned()],
        }),
        // Beside the log, in the folder of what lasts and is not settings.
        history: Some(config.paths.log.with_file_name("questions")),
        saved: Some(config.paths.saved),
        keys: config.keys,
        vi: config.vi,
        home: config.home,
        cwd: config.working_dir,
        connect: Box::new(move || {
            let config = Arc::clone(&quiet);
            Box::pin(async move {
                let connected = launch::connect(&config).await;
                connected
                    .map(|conversation| conversation.into_client())
                    .map_err(|error| error.told())
            })
        }),
    };
    Ok(ExitCode::from(tui::run(options).await?.exit_status()))
}
