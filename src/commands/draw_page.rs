//! `fore draw-page`: the process in which the page of a PDF file becomes a picture. The file is its standard input, so it
//! looks at no configuration and needs no folder.

use std::io::{stdin, stdout};
use std::process::ExitCode;

use tui_hayro::Wanted;

use crate::error::AppError;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    page: usize,
    width: u16,
    height: u16,
}

pub(crate) fn run(Args { page, width, height }: Args) -> Result<ExitCode, AppError> {
    daemon_formats::confine().map_err(|error| AppError::io("confining what draws", &error))?;
    tui_hayro::draw(stdin(), stdout(), Wanted { page, width, height })
        .map_err(|error| AppError::io("drawing a page", &error))?;
    Ok(ExitCode::SUCCESS)
}
