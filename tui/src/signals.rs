//! What the system and other programs tell this process.

use std::io;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::stream::{BoxStream, poll_fn};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that means something to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
    /// SIGTSTP: the terminal is to be given back, and this process to stop.
    Stop,
    /// SIGCONT: whatever happened to the terminal since, it is ours again.
    Continue,
}

/// What is heard, for as long as the program runs.
pub(crate) type Signals = BoxStream<'static, Heard>;

/// By their numbers, which differ between platforms: tokio has no names for these two.
const SIGTSTP: i32 = rustix::process::Signal::TSTP.as_raw();
const SIGCONT: i32 = rustix::process::Signal::CONT.as_raw();

/// Hears all of them from now on; those that end the program first.
pub(crate) fn listen() -> io::Result<Signals> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut stop = signal(SignalKind::from_raw(SIGTSTP))?;
    let mut go_on = signal(SignalKind::from_raw(SIGCONT))?;
    let next = move |context: &mut Context<'_>| {
        let mut heard = |signal: &mut Signal| signal.poll_recv(context).is_ready();
        if heard(&mut interrupt) {
            Poll::Ready(Some(Heard::Interrupt))
        } else if heard(&mut terminate) {
            Poll::Ready(Some(Heard::Terminate))
        } else if heard(&mut hang_up) {
            Poll::Ready(Some(Heard::HangUp))
        } else if heard(&mut stop) {
            Poll::Ready(Some(Heard::Stop))
        } else if heard(&mut go_on) {
            Poll::Ready(Some(Heard::Continue))
        } else {
            Poll::Pending
        }
    };
    Ok(poll_fn(next).boxed())
}
