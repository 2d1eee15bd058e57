//! `fore read-files`: the process in which files that are no text are read. It is told everything by its
//! standard input, so it looks at no configuration and needs no folder.

use std::io::{BufReader, stdin, stdout};
use std::process::ExitCode;

use crate::error::AppError;

pub(crate) fn run() -> Result<ExitCode, AppError> {
    daemon_formats::confine().map_err(|error| AppError::io("confining the reader", &error))?;
    daemon_formats::serve(BufReader::new(stdin()), stdout())
        .map_err(|error| AppError::io("reading files", &error))?;
    Ok(ExitCode::SUCCESS)
}
