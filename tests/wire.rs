//! A client of the daemon that speaks raw JSON: the protocol as a stranger would implement it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::PATIENCE;

/// The protocol that these tests were written against.
pub(crate) const PROTOCOL: u64 = 5;

/// A connection.
pub(crate) struct Wire {
    stream: BufReader<UnixStream>,
    /// The daemon's first line; null before [`Wire::greet`].
    pub(crate) hello: Value,
}

impl Wire {
    /// Connects and exchanges hellos.
    #[track_caller]
    pub(crate) fn connect(socket: &Path) -> Wire {
        let mut wire = Wire::open(socket).expect("the daemon listens");
        wire.greet(PROTOCOL);
        wire
    }

    /// Connects only.
    pub(crate) fn open(socket: &Path) -> std::io::Result<Wire> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Wire { stream: BufReader::new(stream), hello: Value::Null })
    }

    /// Says hello in `protocol` and keeps the answer.
    #[track_caller]
    pub(crate) fn greet(&mut self, protocol: u64) {
        self.send(&json!({"protocol": protocol, "version": "test", "pid": std::process::id()}));
        self.hello = self.next().expect("the daemon says hello");
    }

    /// Sends one line.
    #[track_caller]
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_raw(format!("{message}\n").as_bytes());
    }

    /// Sends any bytes; a daemon that has hung up is no failure of the test's.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).ok();
    }

    /// The next event; `None` when the daemon has closed.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).expect("an event is a line of JSON")),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no event from the daemon: {error}"),
        }
    }

    /// Reads up to the first event that `wanted` accepts, and returns it.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().unwrap_or_else(|| panic!("the daemon closed before {what}"));
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Asks without reading and thinking; final hits, best first.
    #[track_caller]
    pub(crate) fn search(&mut self, text: &str, path: Option<&str>) -> Vec<Value> {
        self.send(&json!({
            "request": "ask", "id": 70, "text": text, "limit": 100, "thoughts": 0, "read_ms": 0,
            "path": path,
        }));
        let mut hits = Vec::new();
        loop {
            let event = self.next().expect("an answer");
            match event["event"].as_str() {
                Some("hits") => hits = event["hits"].as_array().expect("an array").clone(),
                Some("done") => return hits,
                Some("failed") => panic!("{event}"),
                _ => {}
            }
        }
    }

    /// Path and byte range of every passage of the documents that `path` matches.
    #[track_caller]
    pub(crate) fn passages(&mut self, path: &str) -> BTreeSet<(String, u64, u64)> {
        let hits = self.search("anything", Some(path));
        let found: BTreeSet<_> = hits
            .iter()
            .map(|hit| {
                let number = |key: &str| hit[key].as_u64().expect("a number");
                let path = hit["path"].as_str().expect("a path").to_owned();
                (path, number("byte_start"), number("byte_end"))
            })
            .collect();
        assert_eq!(found.len(), hits.len(), "a passage came twice: {hits:#?}");
        found
    }
}
