//! From a key to the frame that shows it, in the whole program on a real terminal, while a thought streams
//! at a hundred tokens a second beside two hundred results and a preview of ten thousand lines; and what
//! the program uses of a processor when nothing happens. `script` makes the terminal.
//!
//! `cargo bench -p tui`; ends with 1 if a limit is missed. `IDLE_S` shortens the minute of idling, and with `CODE=1` the
//! preview is of code, in colours, in the place of Markdown.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has nothing to tell")]

mod daemon;
mod glass;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use daemon_protocol::client::Client;
use tui::{Look, Options, OwnKeys};

use crate::daemon::{LINES, RESULTS};
use crate::glass::Glass;

const COLUMNS: usize = 200;
const ROWS: usize = 60;
/// Where the preview begins: right of the results and a blank column. Line numbers have five cells.
const PREVIEW_COLUMN: usize = COLUMNS / 2 + 1;
const KEYS: usize = 1_200;
const P95_MS_MAX: f64 = 8.0;
/// A fast typist's pause, and no multiple of the time between two tokens.
const PAUSE_MS: u64 = 23;
const IDLE_S: u64 = 60;
/// In the environment of the process that is the program: where its daemon listens.
const SOCKET: &str = "FORETHOUGHT_BENCH_SOCKET";

/// The program in its terminal.
struct Program {
    script: Child,
    keys: ChildStdin,
    /// Output with the time it came.
    output: Receiver<(Instant, Vec<u8>)>,
    glass: Glass,
    bytes: Vec<u8>,
    arrived: Instant,
    pid: PathBuf,
}

impl Program {
    fn start(dir: &Path) -> Program {
        let me = env::current_exe().unwrap();
        let pid = dir.join("pid");
        let line = format!(
            "stty rows {ROWS} cols {COLUMNS}; echo $$ > {}; exec {}",
            pid.display(),
            me.display()
        );
        let mut script = Command::new("script");
        script.args(["-qfec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        script.env("TERM", "xterm-256color").env("COLORTERM", "truecolor").env_remove("NO_COLOR");
        script.env("SHELL", "/bin/sh").env(SOCKET, dir.join("socket"));
        let mut script = script.spawn().expect("script, of util-linux");
        let (send, output) = channel();
        let mut stdout = script.stdout.take().unwrap();
        thread::spawn(move || {
            let mut chunk = [0; 1 << 16];
            while let Ok(count @ 1..) = stdout.read(&mut chunk) {
                if send.send((Instant::now(), chunk[..count].to_vec())).is_err() {
                    return;
                }
            }
        });
        let keys = script.stdin.take().unwrap();
        let glass = Glass::new(COLUMNS, ROWS);
        Program { script, keys, output, glass, bytes: Vec::new(), arrived: Instant::now(), pid }
    }

    /// When the first frame came that `shows` accepts.
    fn waits(&mut self, what: &str, shows: impl Fn(&Glass) -> bool) -> Instant {
        if self.glass.frames > 0 && shows(&self.glass) {
            return self.arrived;
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            while self.glass.frame(&mut self.bytes) {
                if shows(&self.glass) {
                    return self.arrived;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let (at, bytes) = self.output.recv_timeout(left).unwrap_or_else(|_| {
                let rows: Vec<String> = self.glass.rows().collect();
                panic!("no {what}:\n{}", rows.join("\n"))
            });
            self.arrived = at;
            self.bytes.extend(bytes);
        }
    }

    /// Takes what has come since.
    fn catches_up(&mut self) {
        while self.glass.frame(&mut self.bytes) {}
        while let Ok((at, bytes)) = self.output.try_recv() {
            self.arrived = at;
            self.bytes.extend(bytes);
            while self.glass.frame(&mut self.bytes) {}
        }
    }

    /// Waits until nothing has come for a second: what was begun, such as painting code, is done then.
    fn settles(&mut self) {
        while let Ok((at, bytes)) = self.output.recv_timeout(Duration::from_secs(1)) {
            self.arrived = at;
            self.bytes.extend(bytes);
            self.catches_up();
        }
    }

    fn press(&mut self, bytes: &str) -> Instant {
        self.catches_up();
        let at = Instant::now();
        self.keys.write_all(bytes.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        at
    }

    /// Hundredths of a second that the program has used of a processor.
    fn used(&self) -> u64 {
        let pid = fs::read_to_string(&self.pid).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let field = |index: usize| fields.split(' ').nth(index).unwrap().parse::<u64>().unwrap();
        field(11) + field(12)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // With it the terminal is gone, and so the program ends.
        self.script.kill().and_then(|()| self.script.wait()).ok();
    }
}

fn selected(glass: &Glass) -> usize {
    let row = glass
        .rows()
        .find_map(|row| row.strip_prefix("▌ ").and_then(|row| row.split(' ').next()?.parse().ok()));
    row.unwrap_or(0)
}

fn preview_line(glass: &Glass) -> String {
    let title = glass.rows().position(|row| row.starts_with(&format!(" {RESULTS} results")));
    glass.text(title.unwrap_or(0) + 1, PREVIEW_COLUMN).chars().take(5).collect()
}

/// Where the preview of result number `row` begins: two lines above the passage.
fn preview_top(row: usize) -> String {
    format!("{:>5}", daemon::passage_line(row - 1) - 2)
}

/// One key of each kind in turn; how long each took, by kind.
fn measure(program: &mut Program) -> BTreeMap<&'static str, Vec<f64>> {
    let mut took: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut line = "lamp".to_owned();
    for number in 0..KEYS {
        thread::sleep(Duration::from_millis(PAUSE_MS));
        program.catches_up();
        let (row, top) = (selected(&program.glass), preview_line(&program.glass));
        let (kind, pressed, shown) = match number % 6 {
            kind @ (0 | 1) => {
                if kind == 0 {
                    line.push('x');
                } else {
                    line.truncate(4);
                }
                let pressed = program.press(if kind == 0 { "x" } else { "\x7f" });
                let wanted = format!("› {line:<20}");
                (
                    "typing",
                    pressed,
                    program.waits("line", |glass| glass.text(0, 0).starts_with(&wanted)),
                )
            }
            kind @ (2 | 3) => {
                let forward = kind == 2;
                let pressed = program.press(if forward { "\x1b[6~" } else { "\x1b[5~" });
                ("preview", pressed, program.waits("page", |glass| preview_line(glass) != top))
            }
            kind => {
                // Down twice as often as up goes through all of them.
                let down = kind == 4 || number % 12 == 5;
                let down = (down || row <= 1) && row < RESULTS;
                let pressed = program.press(if down { "\x1b[B" } else { "\x1b[A" });
                let wanted = if down { row + 1 } else { row - 1 };
                let shown = program.waits("row", |glass| selected(glass) == wanted);
                // Read beside the loop: it must not be taken for what the next key does.
                let top = preview_top(wanted);
                program.waits("preview", |glass| preview_line(glass) == top);
                ("selection", pressed, shown)
            }
        };
        took.entry(kind).or_default().push((shown - pressed).as_secs_f64() * 1e3);
    }
    took
}

/// Prints median, 95th percentile and the longest; gives the 95th percentile.
fn tell(kind: &str, mut took: Vec<f64>) -> f64 {
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    let (median, p95, longest) = (at(0.5), at(0.95), at(1.0));
    let count = took.len();
    println!(
        "{kind:<10} {count:>5} keys  median {median:>5.2}  p95 {p95:>5.2}  max {longest:>6.2} ms"
    );
    p95
}

fn main() -> ExitCode {
    if let Some(socket) = env::var_os(SOCKET) {
        return be_the_program(socket.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let name = if env::var_os("CODE").is_some() { "lamps.rs" } else { "lamps.md" };
    let file = dir.path().join(name);
    fs::write(&file, (1..=LINES).map(daemon::line).collect::<String>()).unwrap();
    let listener = UnixListener::bind(dir.path().join("socket")).unwrap();
    let thinking = Arc::new(AtomicBool::new(true));
    let serving = Arc::clone(&thinking);
    thread::spawn(move || daemon::serve(&listener, &file, &serving));

    let started = Instant::now();
    let mut program = Program::start(dir.path());
    let first = program.waits("first frame", |_| true) - started;
    println!("first frame after {} ms, the terminal's start with it", first.as_millis());
    program.waits("documents", |glass| glass.text(ROWS - 1, 0).contains("200 documents"));
    program.press("lamp\r");
    program.waits("results", |glass| glass.rows().any(|row| row.contains("still thinking")));
    program.waits("preview", |glass| preview_line(glass) == preview_top(1));

    let (used, frames, start) = (program.used(), program.glass.frames, Instant::now());
    let took = measure(&mut program);
    let seconds = start.elapsed().as_secs_f64();
    let share = (program.used() - used) as f64 / seconds;
    let frames = (program.glass.frames - frames) as f64 / seconds;
    let all = took.values().flatten().copied().collect();
    for (kind, took) in took {
        tell(kind, took);
    }
    let p95 = tell("all", all);
    println!("{frames:.0} frames a second, {share:.0} % of a processor meanwhile");

    thinking.store(false, Ordering::SeqCst);
    program.waits("end", |glass| glass.rows().any(|row| row.contains("1 thought ·")));
    program.settles();
    let idle = env::var("IDLE_S").ok().and_then(|s| s.parse().ok()).unwrap_or(IDLE_S);
    let (used, frames) = (program.used(), program.glass.frames);
    thread::sleep(Duration::from_secs(idle));
    program.catches_up();
    let (used, frames) = (program.used() - used, program.glass.frames - frames);
    println!("idle for {idle} s: {used}0 ms of a processor, {frames} frames");
    program.press("\x03");
    let missed = p95 > P95_MS_MAX || used > 0 || frames > 0;
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn be_the_program(socket: PathBuf) -> ExitCode {
    let options = Options {
        limit: RESULTS,
        thoughts: None,
        editor: None,
        look: Look::of(&|name| env::var(name).ok()),
        instant: false,
        history: None,
        painter: Some(tui_syntect::paint),
        pages: None,
        saved: None,
        keys: OwnKeys::new(),
        vi: false,
        home: None,
        cwd: PathBuf::from("/"),
        connect: Box::new(move || {
            let socket = socket.clone();
            Box::pin(async move {
                Client::connect(&socket, "bench").await.map_err(|error| error.to_string())
            })
        }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    ExitCode::from(runtime.block_on(tui::run(options)).unwrap().exit_status())
}
