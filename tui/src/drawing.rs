//! Has pages drawn beside the loop, by a process each, one at a time: the newest wish ends the one before. A file may
//! keep it busy for ever or bring it down; what is left then is a sentence.

use std::fs::File;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::message::Message;
use crate::page::{self, Canvas, Order, Pages, Picture};
use crate::preview;

/// A page is drawn once nobody has moved on for so long: a held key would start a process for each row.
const SETTLE_MS: u64 = 80;
/// A page that takes longer is not drawn. Nearly all take less than one second.
const DRAW_MS_MAX: u64 = 10_000;

/// What is being drawn, if anything is.
pub(crate) struct Drawing {
    pages: Option<Pages>,
    canvas: Option<Arc<dyn Canvas>>,
    /// Dropping it ends the process.
    work: Option<BoxFuture<'static, Message>>,
    /// How long a page may take.
    pub(crate) patience: Duration,
    /// Held while a picture is made of pixels, which nothing can end: a newer one waits for it.
    making: Arc<Mutex<()>>,
}

impl Drawing {
    pub(crate) fn new(pages: Option<Pages>) -> Drawing {
        let patience = Duration::from_millis(DRAW_MS_MAX);
        Drawing { pages, canvas: None, work: None, patience, making: Arc::default() }
    }

    /// Asks the terminal. Nobody may read keys meanwhile.
    pub(crate) fn ask(&self) -> Option<BoxFuture<'static, Option<Arc<dyn Canvas>>>> {
        let ask = self.pages.as_ref()?.ask;
        Some(Box::pin(async move { spawn_blocking(ask).await.ok().flatten() }))
    }

    /// What the terminal is: what is drawn from now on is for it.
    pub(crate) fn on(&mut self, canvas: Option<Arc<dyn Canvas>>) {
        self.canvas = canvas;
    }

    pub(crate) fn want(&mut self, order: Order) {
        let (Some(pages), Some(canvas)) = (&self.pages, &self.canvas) else { return };
        let mut program = Command::new(&pages.program);
        let numbers = [order.page, u32::from(order.width), u32::from(order.height)];
        program.args(&pages.arguments).args(numbers.map(|number| number.to_string()));
        // It needs no surroundings, and gets none.
        program.env_clear().current_dir("/").kill_on_drop(true);
        let (canvas, making) = (Arc::clone(canvas), Arc::clone(&self.making));
        let patience = self.patience;
        self.work = Some(Box::pin(async move {
            let id = order.id;
            sleep(Duration::from_millis(SETTLE_MS)).await;
            let late = || Err(format!("drawing it takes longer than {} s", patience.as_secs()));
            let drawn = timeout(patience, drawn(program, order)).await;
            let picture = match drawn.unwrap_or_else(|_| late()) {
                Ok(pixels) => made(pixels, canvas, making).await,
                Err(problem) => Err(problem),
            };
            Message::Drawn { id, picture }
        }));
    }

    /// What is drawn next; never, if nothing is wanted. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Message {
        let Some(work) = &mut self.work else { return std::future::pending().await };
        let message = work.await;
        self.work = None;
        message
    }
}

/// What the program makes of the page.
async fn drawn(mut program: Command, order: Order) -> Result<page::Pixels, String> {
    let bytes_max = order.bytes_max();
    let opened = spawn_blocking(move || preview::open(order.path)).await;
    let file: File = opened
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("its file cannot be read: {error}"))?;
    program.stdin(file).stdout(Stdio::piped()).stderr(Stdio::null());
    let failed = |error: std::io::Error| format!("what draws it did not start: {error}");
    let mut child = program.spawn().map_err(failed)?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(bytes_max).read_to_end(&mut output).await;
        read.map_err(|error| error.to_string())?;
    }
    match child.wait().await {
        Ok(status) if status.success() => page::read(&output),
        Ok(status) => Err(ended(status)),
        Err(error) => Err(error.to_string()),
    }
}

fn ended(status: ExitStatus) -> String {
    format!("what draws it ended with {status}")
}

/// The picture for the terminal; one at a time.
async fn made(
    pixels: page::Pixels,
    canvas: Arc<dyn Canvas>,
    making: Arc<Mutex<()>>,
) -> Result<Arc<dyn Picture>, String> {
    let turn = making.lock_owned().await;
    let work = move || {
        let picture = canvas.picture(pixels);
        drop(turn);
        picture
    };
    spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}
