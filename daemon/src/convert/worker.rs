//! Readers in a process of their own, and what is said to it: a damaged or hostile file ends that
//! process, not the daemon, and the next file gets another.
//!
//! A request is one line of JSON, the file's name, how many bytes follow and what is asked of them, and then
//! these bytes; the answer is one line of JSON. The process ends when its input does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use daemon_protocol::Place;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Convert, Converted, DEFINITIONS_MAX, TEXT_BYTES_MAX, Unconverted};
use crate::document::Definition;
use crate::limits::{
    CONVERT_TIME_MAX, LABEL_CHARS_MAX, OUTLINE_TIME_MAX, WORKER_FILES_MAX, WORKER_TIME_MAX,
};

/// Longest answer in bytes: a text in which every byte had to be escaped, and its places.
const ANSWER_BYTES_MAX: u64 = 8 * TEXT_BYTES_MAX as u64;

/// Longest first line of a request: a path, escaped.
const REQUEST_BYTES_MAX: u64 = 64 << 10;

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    name: PathBuf,
    bytes: usize,
    /// They are source code, and what they define is wanted; else their text is.
    #[serde(default)]
    outline: bool,
}

/// A reader of files that starts a program and asks it. One file at a time: who comes second waits.
pub struct Workers {
    program: PathBuf,
    arguments: Vec<String>,
    time_max: Duration,
    worker: Mutex<Option<Worker>>,
}

impl Workers {
    /// Processes of `program` with `arguments`, which call [`serve`].
    pub fn new(program: PathBuf, arguments: Vec<String>) -> Workers {
        Workers { program, arguments, time_max: CONVERT_TIME_MAX, worker: Mutex::new(None) }
    }

    fn start(&self) -> io::Result<Worker> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("its pipes are gone"));
        };
        Ok(Worker { child, input, output: BufReader::new(output), files: 0, busy: Duration::ZERO })
    }
}

impl Convert for Workers {
    fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
        let request = Request { name: path.to_owned(), bytes: bytes.len(), outline: false };
        self.ask(&request, bytes, self.time_max).and_then(checked)
    }

    fn outline(&self, path: &Path, text: &str) -> Result<Vec<Definition>, Unconverted> {
        let request = Request { name: path.to_owned(), bytes: text.len(), outline: true };
        let time_max = self.time_max.min(OUTLINE_TIME_MAX);
        self.ask(&request, text.as_bytes(), time_max).and_then(|outline| nested(outline, text))
    }

    fn rest(&self) {
        // Who is being asked has work, and its asker is the next to rest.
        if let Ok(mut held) = self.worker.try_lock() {
            *held = None;
        }
    }
}

impl Workers {
    /// What a process answers, which is not to be believed.
    fn ask<T: DeserializeOwned + Send>(
        &self,
        request: &Request,
        bytes: &[u8],
        time_max: Duration,
    ) -> Result<T, Unconverted> {
        let mut held = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut worker = match held.take() {
                Some(worker) => worker,
                None => self.start().map_err(|error| {
                    let program = self.program.display();
                    Unconverted::Unavailable(format!("{program} does not start: {error}"))
                })?,
            };
            let started = Instant::now();
            match worker.ask(request, bytes, time_max) {
                Ok(answer) => {
                    worker.files += 1;
                    worker.busy += started.elapsed();
                    if worker.files < WORKER_FILES_MAX && worker.busy < WORKER_TIME_MAX {
                        *held = Some(worker);
                    }
                    return answer;
                }
                // What files before this one left behind may be why: a process of its own decides.
                Err(Silence::Broken(_)) if worker.files > 0 => {}
                Err(silence) => return Err(silence.told(worker.end(), started.elapsed())),
            }
        }
    }
}

/// Why no answer came.
enum Silence {
    Late,
    Broken(io::Error),
}

impl Silence {
    fn told(self, ended: Option<ExitStatus>, after: Duration) -> Unconverted {
        let seconds = after.as_secs();
        Unconverted::Failed(match (self, ended) {
            (Silence::Late, _) => format!("it was not done after {seconds} s"),
            (Silence::Broken(_), Some(status)) if !status.success() => {
                format!("it broke down after {seconds} s ({status}), as without memory or stack")
            }
            (Silence::Broken(error), _) => error.to_string(),
        })
    }
}

/// A running process.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    files: usize,
    busy: Duration,
}

impl Worker {
    /// The process's answer, if there is one in `time`; without one it is of no use any more.
    fn ask<T: DeserializeOwned + Send>(
        &mut self,
        request: &Request,
        bytes: &[u8],
        time: Duration,
    ) -> Result<Result<T, Unconverted>, Silence> {
        let Worker { child, input, output, .. } = self;
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(1);
            scope.spawn(move || sender.send(exchange(input, output, request, bytes)).ok());
            match receiver.recv_timeout(time) {
                Ok(answer) => answer.map_err(Silence::Broken),
                Err(_) => {
                    // Which ends the exchange too, and so the thread.
                    child.kill().ok();
                    Err(Silence::Late)
                }
            }
        })
    }

    /// How the process ended by itself; none if it has not, and what it said was no answer.
    fn end(mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + END_WAIT_MAX;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(END_LOOK_EVERY),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How long a process that has gone silent may take to end by itself, so that its own status is told.
const END_WAIT_MAX: Duration = Duration::from_secs(1);
const END_LOOK_EVERY: Duration = Duration::from_millis(2);

/// Says one file and hears one answer.
fn exchange<T: DeserializeOwned>(
    input: &mut ChildStdin,
    output: &mut BufReader<ChildStdout>,
    request: &Request,
    bytes: &[u8],
) -> io::Result<Result<T, Unconverted>> {
    input.write_all(format!("{}\n", serde_json::to_string(&request)?).as_bytes())?;
    input.write_all(bytes)?;
    input.flush()?;
    let line = line(output, ANSWER_BYTES_MAX)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(serde_json::from_str(&line)?)
}

/// A process that has read a hostile file is not believed: the rest relies on these.
fn checked(mut converted: Converted) -> Result<Converted, Unconverted> {
    for mark in &mut converted.marks {
        if let Place::Sheet(name) = &mut mark.place
            && let Some((end, _)) = name.char_indices().nth(LABEL_CHARS_MAX)
        {
            name.truncate(end);
        }
    }
    let Converted { text, marks, .. } = &converted;
    let in_text = marks.iter().all(|mark| text.is_char_boundary(mark.at));
    let refuse = |why: &str| Err(Unconverted::Failed(why.to_owned()));
    match () {
        () if text.len() > TEXT_BYTES_MAX => refuse("it gave more text than is allowed"),
        () if !in_text || !marks.is_sorted_by_key(|mark| mark.at) => {
            refuse("it named places that are not in the text")
        }
        () => Ok(converted),
    }
}

/// An outline is believed as little: it lies in the text, in order, one within the other or behind it.
fn nested(mut outline: Vec<Definition>, text: &str) -> Result<Vec<Definition>, Unconverted> {
    outline.truncate(DEFINITIONS_MAX);
    let mut last = 0;
    let mut around: Vec<usize> = Vec::new();
    for Definition { bytes, name } in &outline {
        while around.last().is_some_and(|end| *end <= bytes.start) {
            around.pop();
        }
        let is_in_text = !bytes.is_empty()
            && text.is_char_boundary(bytes.start)
            && text.is_char_boundary(bytes.end);
        let is_nested = last <= bytes.start && around.last().is_none_or(|end| bytes.end <= *end);
        if !is_in_text || !is_nested || name.contains(char::is_control) {
            return Err(Unconverted::Failed("its outline is none of the text".to_owned()));
        }
        last = bytes.start;
        around.push(bytes.end);
    }
    Ok(outline)
}

/// The next line without its end, of at most `max` bytes; none at the end of input.
fn line(input: &mut impl BufRead, max: u64) -> io::Result<Option<String>> {
    let mut line = String::new();
    input.take(max).read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(Some(line.to_owned())),
        None if line.is_empty() => Ok(None),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "its answer has no end")),
    }
}

/// Answers requests of `input` on `output` until there are no more.
///
/// # Errors
/// If either cannot be read or written, or what comes is no request.
pub fn serve(
    mut input: impl BufRead,
    mut output: impl Write,
    convert: &dyn Convert,
) -> io::Result<()> {
    while let Some(line) = line(&mut input, REQUEST_BYTES_MAX)? {
        let Request { name, bytes: length, outline } = serde_json::from_str(&line)?;
        let mut bytes = Vec::new();
        input.by_ref().take(length as u64).read_to_end(&mut bytes)?;
        let answer = if outline {
            let text = String::from_utf8(bytes).map_err(io::Error::other)?;
            serde_json::to_string(&convert.outline(&name, &text))?
        } else {
            serde_json::to_string(&convert.convert(&name, &bytes))?
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Kind;

    /// What `script`, as the process, makes of files one after the other.
    fn asked(
        script: &str,
        time_max: Duration,
        files: usize,
    ) -> Vec<Result<Converted, Unconverted>> {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        let workers = Workers { time_max, ..Workers::new("/bin/sh".into(), arguments) };
        let big = vec![b'x'; 1 << 20];
        (0..files).map(|_| workers.convert(Path::new("a.pdf"), &big)).collect()
    }

    /// Reads a request of 1 MiB and answers with `line`.
    fn answering(line: &str) -> String {
        format!("read -r first; head -c 1048576 > /dev/null; echo '{line}'")
    }

    #[test]
    fn an_answer_is_taken_and_a_process_that_ended_is_replaced() {
        let script = answering(
            r#"{"Ok":{"kind":"text","title":null,"text":"äb","marks":[{"at":2,"place":{"page":2}}]}}"#,
        );
        // It ends after one answer, which is not the next file's fault.
        let [first, second, third] = &asked(&script, CONVERT_TIME_MAX, 3)[..] else { panic!() };
        assert_eq!(first.as_ref().unwrap().text, "äb");
        assert_eq!(first.as_ref().unwrap().kind, Kind::Text);
        assert_eq!((first, first), (second, third));
    }

    #[test]
    fn what_goes_wrong_is_one_line_of_error() {
        let cases = [
            (answering(r#"{"Err":"locked"}"#), "needs a password"),
            (answering("nonsense"), "expected value"),
            (
                answering(
                    r#"{"Ok":{"kind":"text","title":null,"text":"ä","marks":[{"at":1,"place":{"page":2}}]}}"#,
                ),
                "not in the text",
            ),
            (format!("{}; exec sleep 600", answering("nonsense")), "expected value"),
            ("read -r first; kill -ABRT $$".to_owned(), "signal: 6"),
            ("exit 3".to_owned(), "exit status: 3"),
            ("exec sleep 600".to_owned(), "not done after"),
            (
                "read -r first; head -c 1048576 > /dev/null; exec sleep 600".to_owned(),
                "not done after",
            ),
        ];
        for (script, expected) in cases {
            let time_max = Duration::from_secs(if script.contains("sleep") { 1 } else { 60 });
            let told = asked(&script, time_max, 1).remove(0).unwrap_err().to_string();
            assert!(told.contains(expected) && !told.contains('\n'), "{script}: {told}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let told = Workers::new("/nowhere/fore".into(), vec![]).convert(Path::new("a.pdf"), b"x");
        assert!(told.unwrap_err().to_string().contains("/nowhere/fore does not start"));
    }

    #[test]
    fn requests_are_served_until_there_are_no_more() {
        struct Lengths;
        impl Convert for Lengths {
            fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
                if bytes.is_empty() {
                    return Err(Unconverted::Locked);
                }
                let text = format!("{} {}", path.display(), bytes.len());
                Ok(Converted { kind: Kind::Text, title: None, text, marks: vec![] })
            }
        }
        let input = "{\"name\":\"a\\nb.pdf\",\"bytes\":3}\n\n\0x{\"name\":\"c\",\"bytes\":0}\n";
        let mut output = Vec::new();
        serve(input.as_bytes(), &mut output, &Lengths).unwrap();
        let lines: Vec<Result<Converted, Unconverted>> = String::from_utf8(output)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].as_ref().unwrap().text, "a\nb.pdf 3");
        assert_eq!(lines[1], Err(Unconverted::Locked));
        for broken in ["{\"name\":\"a\"}\n", "half a line"] {
            assert!(serve(broken.as_bytes(), io::sink(), &Lengths).is_err());
        }
    }
}
