//! The daemon of the bench: two hundred results in one file, and a thought that comes without end.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use daemon_protocol::{
    Event, Hello, Hit, IndexStatus, PROTOCOL, Ranks, Request, Scores, Stage, Timings, frame,
};

pub(crate) const RESULTS: usize = 200;
pub(crate) const LINES: usize = 10_000;
/// Every line of the file, its end included.
const LINE_BYTES: usize = 45;
const TOKENS_PER_S: u32 = 100;

/// The text of line `number`, from 1.
pub(crate) fn line(number: usize) -> String {
    format!("{number:06} {:>37}\n", "the wick of the lamp is too high".to_owned())
}

/// Where result number `index`, from 0, begins: all are in the middle of the file, so that the preview is
/// all of it.
pub(crate) fn passage_line(index: usize) -> usize {
    LINES / 2 - RESULTS + 2 * index
}

/// Serves one client until it goes. `thinking` says how long the thought goes on.
pub(crate) fn serve(listener: &UnixListener, file: &Path, thinking: &Arc<AtomicBool>) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut requests = BufReader::new(stream.try_clone().unwrap()).lines();
    requests.next().unwrap().unwrap();
    let hello = Hello { protocol: PROTOCOL, version: "bench".to_owned(), pid: std::process::id() };
    stream.write_all(&frame::encode(&hello).unwrap()).unwrap();
    let mut decoder = frame::Decoder::default();
    for request in requests {
        let Ok(request) = request else { return };
        decoder.push(format!("{request}\n").as_bytes());
        match decoder.take().unwrap().unwrap() {
            Request::Subscribe { .. } => {
                let status = IndexStatus { documents: RESULTS, ..Default::default() };
                say(&mut stream, &Event::Indexing { status });
            }
            Request::Ask(ask) => {
                let hits = hits(file);
                say(&mut stream, &Event::Hits { id: ask.id, stage: Stage::Draft, hits });
                let (stream, thinking) = (stream.try_clone().unwrap(), Arc::clone(thinking));
                thread::spawn(move || think(stream, ask.id, &thinking));
            }
            _ => {}
        }
    }
}

fn think(mut stream: UnixStream, id: u64, thinking: &AtomicBool) {
    let start = Instant::now();
    let mut tokens = 0;
    while thinking.load(Ordering::SeqCst) {
        let delta = if tokens % 4 == 3 { " lamp" } else { " wick" }.to_owned();
        say(&mut stream, &Event::Thought { id, index: 0, delta });
        tokens += 1;
        // Not a pause between two, which would add up.
        let due = start + Duration::from_secs(1) * tokens / TOKENS_PER_S;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let timings = Timings { thought_tokens: tokens as usize, ..Timings::default() };
    say(&mut stream, &Event::Done { id, timings });
}

fn say(stream: &mut UnixStream, event: &Event) {
    stream.write_all(&frame::encode(event).unwrap()).unwrap();
}

fn hits(file: &Path) -> Vec<Hit> {
    let hit = |index: usize| {
        let line_start = passage_line(index);
        let byte_start = (line_start - 1) * LINE_BYTES;
        let text: String = (line_start..line_start + 4).map(line).collect();
        let highlights = text.match_indices("lamp").map(|(at, word)| (at, at + word.len()));
        Hit {
            path: file.display().to_string(),
            title: "Lamps".to_owned(),
            heading: "Light > Paraffin".to_owned(),
            line_start,
            line_end: line_start + 3,
            line: line_start,
            byte_start,
            byte_end: byte_start + text.len(),
            converted: false,
            place: None,
            score: 0.03,
            highlights: highlights.collect(),
            snippet: text,
            ranks: Ranks::default(),
            scores: Scores::default(),
            words: Vec::new(),
            missing: Vec::new(),
            reading: None,
            also: Vec::new(),
            marked: None,
        }
    };
    (0..RESULTS).map(hit).collect()
}
