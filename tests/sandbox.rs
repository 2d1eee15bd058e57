//! A home of its own for one test: own XDG directories, empty environment, own socket, and no
//! process left behind.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Finished, PATIENCE, Running, run, wait_until};
use crate::wire::Wire;

/// The binary under test.
pub(crate) const FORE: &str = env!("CARGO_BIN_EXE_fore");
/// The file `fore model pull` makes, and the base model that it makes it of.
pub(crate) const MODEL: &str = "o1-embedder-135m.gguf";
const BASE: &str = "smollm2-135m-instruct-q8_0.gguf";

/// See the module.
pub(crate) struct Sandbox {
    home: PathBuf,
    _folder: TempDir,
    _turn: File,
}

impl Sandbox {
    /// A home with the real model in its cache; runs beside other tests.
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox::without_model();
        sandbox.link_models();
        sandbox
    }

    /// The same for a test that measures time: no other test runs a daemon meanwhile.
    pub(crate) fn alone() -> Sandbox {
        let turn = turn();
        turn.lock().expect("a lock on our own file");
        let sandbox = Sandbox::make(turn);
        sandbox.link_models();
        sandbox
    }

    /// A home whose cache is empty.
    pub(crate) fn without_model() -> Sandbox {
        let turn = turn();
        turn.lock_shared().expect("a lock on our own file");
        Sandbox::make(turn)
    }

    fn link_models(&self) {
        symlink(real_model(), self.model()).expect("a link in our own folder");
        self.link_base();
    }

    /// Puts the base model, but not what is made of it, into the cache.
    pub(crate) fn link_base(&self) {
        let link = self.model().with_file_name(BASE);
        symlink(real_model().with_file_name(BASE), link).expect("a link in our own folder");
    }

    fn make(turn: File) -> Sandbox {
        // Not the temporary directory of the environment: a socket's path is 107 bytes at most.
        let folder = tempfile::Builder::new().prefix("fore-").tempdir_in("/tmp");
        let folder = folder.expect("a folder below /tmp");
        let home = folder.path().canonicalize().expect("it was just made");
        let sandbox = Sandbox { home, _folder: folder, _turn: turn };
        for below in ["notes", "run", "cache/forethought/models"] {
            fs::create_dir_all(sandbox.home.join(below)).expect("a folder in our own home");
        }
        sandbox.set("");
        sandbox
    }

    /// The home.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The folder that tests watch; also where commands run.
    pub(crate) fn notes(&self) -> PathBuf {
        self.home.join("notes")
    }

    /// Where the model file belongs.
    pub(crate) fn model(&self) -> PathBuf {
        self.home.join("cache/forethought/models").join(MODEL)
    }

    /// The daemon's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.home.join("run/forethought/daemon.sock")
    }

    /// The daemon's log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("state/forethought/daemon.log")).unwrap_or_default()
    }

    /// Has thoughts be short, which is most of what measuring takes.
    pub(crate) fn think_briefly(&self) {
        self.set("thought_tokens_max = 12\n");
    }

    /// Makes `settings` those of the program, which waits neither for other tests nor for a battery.
    fn set(&self, settings: &str) {
        let folder = self.home().join("config/forethought");
        fs::create_dir_all(&folder).expect("a folder in our own home");
        let patient = "index_others_percent = 100\nindex_battery_percent = 0\n";
        fs::write(folder.join("config.toml"), format!("{patient}{settings}"))
            .expect("a file in our own home");
    }

    /// Writes a file of the watched folder, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.notes().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder in notes");
        fs::write(&path, content).expect("a file in notes");
        path
    }

    /// `program` with nothing in its environment but this home.
    pub(crate) fn program(&self, program: &str) -> Command {
        let fore_folder = Path::new(FORE).parent().expect("it lies in a folder");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", fore_folder.display());
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.notes());
        command.env("HOME", &self.home).env("PATH", path).env("LANG", "C.UTF-8");
        for (name, below) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(name, self.home.join(below));
        }
        command
    }

    /// `fore` with `arguments`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(FORE);
        command.args(arguments);
        command
    }

    /// Runs `fore` to its end.
    #[track_caller]
    pub(crate) fn fore(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments))
    }

    /// Starts `fore` and leaves it running.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// Watches the notes and waits until they are indexed; starts the daemon.
    #[track_caller]
    pub(crate) fn add_notes(&self) {
        let notes = self.notes();
        self.fore(&["add", notes.to_str().expect("the path is plain")]).exits(0);
    }

    /// A raw connection to the daemon, which must run.
    #[track_caller]
    pub(crate) fn wire(&self) -> Wire {
        Wire::connect(&self.socket())
    }

    /// Process id of the daemon, asked of the daemon itself.
    #[track_caller]
    pub(crate) fn daemon_pid(&self) -> u32 {
        let pid = self.wire().hello["pid"].as_u64().expect("a hello has a pid");
        u32::try_from(pid).expect("a pid is small")
    }

    /// Kills the daemon as a power cut would, and waits until its socket is dead.
    #[track_caller]
    pub(crate) fn kill_daemon(&self) {
        signal(self.daemon_pid(), Signal::KILL);
        wait_until("the killed daemon's end", PATIENCE, || match Wire::open(&self.socket()) {
            Ok(_) => Err("it still listens"),
            Err(_) => Ok(()),
        });
    }

    /// `fore status --json`.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.fore(&["status", "--json"]).exits(0).json()
    }

    /// Fails unless the daemon `pid` is the one that answers, and answers a search.
    #[track_caller]
    pub(crate) fn still_serves(&self, pid: u32) {
        assert_eq!(self.daemon_pid(), pid, "the daemon is another; log: {}", self.log());
        self.wire().search("is anybody there", None);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("daemon.log:\n{}", self.log());
        }
        // Asked while it can still answer; elsewhere than on Linux it is the only way to know.
        let listening = UnixPid::of_listener(&self.socket());
        for pid in processes_at_home(&self.home).into_iter().chain(listening.map(|pid| pid.0)) {
            signal(pid, Signal::KILL);
        }
    }
}

/// Pid of whoever listens, if it is not this test itself (which plays a daemon at times).
struct UnixPid(u32);

impl UnixPid {
    fn of_listener(socket: &Path) -> Option<UnixPid> {
        if cfg!(target_os = "linux") || !socket.exists() {
            return None;
        }
        let mut wire = Wire::open(socket).ok()?;
        wire.greet(crate::wire::PROTOCOL);
        let pid = u32::try_from(wire.hello["pid"].as_u64()?).ok()?;
        (pid != std::process::id()).then_some(UnixPid(pid))
    }
}

/// Sends `signal`; a process that has ended already is fine.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid is positive");
    kill_process(pid, signal).ok();
}

/// Every process whose environment names `home`: the daemon, clients, a terminal.
fn processes_at_home(home: &Path) -> Vec<u32> {
    let ours = format!("HOME={}\0", home.display()).into_bytes();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|all| all.windows(ours.len()).any(|window| window == ours))
    })
    .collect()
}

/// The model that `fore model pull` has made for whoever runs the tests.
pub(crate) fn real_model() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache")
    });
    let path = cache.join("forethought/models").join(MODEL);
    assert!(
        path.exists(),
        "these tests need the real model at {}; run: fore model pull",
        path.display()
    );
    path
}

/// The file whose lock tells whose turn it is: shared by most tests, whole for those that time.
fn turn() -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("turn.lock");
    File::create(path).expect("cargo made the folder")
}
