//! A client that speaks the protocol as lines of JSON, a server, and a daemon that knows one document.

use std::path::PathBuf;
use std::sync::Arc;

use daemon_protocol::client::FrameReader;
use daemon_protocol::frame::encode;
use daemon_protocol::{
    DaemonStatus, ErrorKind, Event, Failure, Folder, Hello, Hit, IndexStatus, PROTOCOL, Passage,
    Ranks, Request, Scores, Stage, Timings,
};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split,
};
use tokio::net::{UnixListener, UnixStream};

use super::*;

/// A daemon that watches `/notes` and knows `/notes/lamp.md`.
async fn answer_one(stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut reader = FrameReader::new(read);
    let hello = Hello { protocol: PROTOCOL, version: "0.1.0".to_owned(), pid: 1 };
    write.write_all(&encode(&hello).unwrap()).await.unwrap();
    let _: Option<Hello> = reader.read().await.unwrap();
    while let Ok(Some(request)) = reader.read::<Request>().await {
        for event in events(request) {
            write.write_all(&encode(&event).unwrap()).await.unwrap();
        }
    }
}

fn events(request: Request) -> Vec<Event> {
    let passage = |at: usize| Passage {
        byte_start: 10 * at,
        line_start: at,
        place: None,
        text: format!("passage {at}"),
    };
    match request {
        Request::Status { id } => vec![Event::Status { id, status: Box::new(status()) }],
        Request::Ask(ask) => {
            let id = ask.id;
            let thought = |delta: &str| Event::Thought { id, index: 0, delta: delta.to_owned() };
            let mut events = vec![Event::Hits { id, stage: Stage::Draft, hits: Vec::new() }];
            if ask.thoughts != Some(0) {
                events.extend([thought(" the wick"), thought(" is high")]);
            }
            events.push(Event::Hits { id, stage: Stage::Final, hits: vec![hit(&ask.text)] });
            events.push(Event::Done { id, timings: Timings::default() });
            events
        }
        Request::Similar { id, byte_start: 10, .. } => vec![
            Event::Hits { id, stage: Stage::Final, hits: vec![hit("similar")] },
            Event::Done { id, timings: Timings::default() },
        ],
        Request::Read { id, path, .. } if path == "/notes/lamp.md" => {
            vec![Event::Text { id, path, passages: (1..=9).map(passage).collect() }]
        }
        Request::Read { id, .. } | Request::Similar { id, .. } => {
            let error = Failure {
                kind: ErrorKind::Invalid,
                message: "no such".to_owned(),
                hint: Some("look".to_owned()),
            };
            vec![Event::Failed { id, error }]
        }
        _ => Vec::new(),
    }
}

fn hit(snippet: &str) -> Hit {
    Hit {
        path: "/notes/lamp.md".to_owned(),
        title: "Light".to_owned(),
        heading: "Light > Paraffin".to_owned(),
        line_start: 3,
        line_end: 5,
        line: 4,
        byte_start: 10,
        byte_end: 20,
        converted: false,
        place: None,
        score: 1.5,
        snippet: snippet.to_owned(),
        highlights: Vec::new(),
        ranks: Ranks::default(),
        scores: Scores::default(),
        words: Vec::new(),
        missing: Vec::new(),
        reading: None,
        also: Vec::new(),
        marked: None,
    }
}

fn status() -> DaemonStatus {
    DaemonStatus {
        version: "0.1.0".to_owned(),
        pid: 1,
        uptime_s: 1,
        model: "smol".to_owned(),
        fingerprint: "f".to_owned(),
        device: "cpu".to_owned(),
        memory_bytes: 0,
        memory_peak_bytes: 0,
        folders: vec![Folder {
            path: "/notes".to_owned(),
            documents: 1,
            passages: 9,
            problem: None,
        }],
        kinds: Default::default(),
        left_out: Default::default(),
        index: IndexStatus { documents: 1, passages: 9, ..IndexStatus::default() },
        training: None,
    }
}

/// A client after the handshake.
struct Agent {
    lines: BufReader<ReadHalf<DuplexStream>>,
    write: WriteHalf<DuplexStream>,
    last_id: u64,
    _socket: tempfile::TempDir,
}

impl Agent {
    async fn begin() -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_one(stream));
            }
        });
        let (ours, theirs) = duplex(1 << 20);
        let (input, output) = split(theirs);
        tokio::spawn(async move { serve(input, output, connect(socket), "9.9.9").await.unwrap() });
        let (read, write) = split(ours);
        let lines = BufReader::new(read);
        let mut agent = Agent { lines, write, last_id: 0, _socket: folder };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}
        });
        let begun = agent.call("initialize", hello).await;
        assert_eq!(
            begun["result"]["serverInfo"],
            json!({"name": "forethought", "version": "9.9.9"})
        );
        assert!(begun["result"]["instructions"].as_str().unwrap().contains("byte_start"));
        agent.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        agent
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).await.unwrap() > 0, "the server has gone");
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    /// What a tool answers, or what it says is wrong.
    async fn tool(&mut self, name: &str, arguments: Value) -> Result<Value, String> {
        let answer = self.call("tools/call", json!({"name": name, "arguments": arguments})).await;
        let result = &answer["result"];
        match result["isError"].as_bool() {
            Some(true) => Err(result["content"][0]["text"].as_str().unwrap().to_owned()),
            _ if answer["error"].is_object() => Err(answer["error"].to_string()),
            _ => Ok(result["structuredContent"].clone()),
        }
    }
}

fn connect(socket: PathBuf) -> Connect {
    let socket = Arc::new(socket);
    Box::new(move || {
        let socket = Arc::clone(&socket);
        Box::pin(async move {
            Client::connect(&socket, "0.1.0").await.map_err(|error| error.to_string())
        })
    })
}

#[tokio::test]
async fn tools_say_what_they_take_and_give_and_change_nothing() {
    let mut agent = Agent::begin().await;
    let list = agent.call("tools/list", json!({})).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ask", "read", "search", "similar", "status"]);
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(true), "{tool}");
        assert_eq!(tool["inputSchema"]["type"], json!("object"), "{tool}");
        assert_eq!(tool["outputSchema"]["type"], json!("object"), "{tool}");
        assert!(tool["description"].as_str().unwrap().len() > 40, "{tool}");
    }
}

#[tokio::test]
async fn an_agent_asks_searches_reads_and_looks_for_more() {
    let mut agent = Agent::begin().await;
    let answer = agent.tool("ask", json!({"question": "why smoke"})).await.unwrap();
    assert_eq!(answer["thoughts"], json!(["the wick is high"]));
    let hit = &answer["hits"][0];
    assert_eq!(
        (&hit["path"], &hit["line"], &hit["byte_start"]),
        (&json!("/notes/lamp.md"), &json!(4), &json!(10))
    );
    assert_eq!(hit["snippet"], json!("why smoke"));

    let answer = agent.tool("search", json!({"query": "smoke", "limit": 3})).await.unwrap();
    assert_eq!(answer["thoughts"], json!([]), "a search does not think");

    let read = agent
        .tool("read", json!({"path": "/notes/./lamp.md", "byte_start": 40, "around": 1}))
        .await
        .unwrap();
    let texts: Vec<&str> = read["passages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["passage 3", "passage 4", "passage 5"]);
    assert_eq!((&read["more_before"], &read["more_after"]), (&json!(true), &json!(true)));

    let like =
        agent.tool("similar", json!({"path": "/notes/lamp.md", "byte_start": 10})).await.unwrap();
    assert_eq!(like["hits"][0]["snippet"], json!("similar"));

    let status = agent.tool("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["folders"][0]["path"], &status["up_to_date"]),
        (&json!("/notes"), &json!(true))
    );
}

#[tokio::test]
async fn what_an_agent_may_not_do_is_said_in_words() {
    let mut agent = Agent::begin().await;
    for (tool, arguments, expected) in [
        (
            "read",
            json!({"path": "/etc/passwd"}),
            "/etc/passwd is refused: it is outside the watched folders",
        ),
        ("read", json!({"path": "/notes/../etc/passwd"}), "is refused"),
        ("similar", json!({"path": "/etc/passwd", "byte_start": 0}), "is refused"),
        ("read", json!({"path": "/notes/gone.md"}), "no such; look"),
        (
            "read",
            json!({"path": "/notes/lamp.md", "around": 99}),
            "around = 99: a number from 0 to 20",
        ),
        ("ask", json!({"question": " "}), "the question is empty"),
        ("ask", json!({"question": "x", "limit": 0}), "limit = 0: a number from 1 to 100"),
        ("ask", json!({"question": "x", "thoughts": 17}), "thoughts = 17: a number from 0 to 16"),
        ("ask", json!({}), "question"),
        ("delete", json!({}), "tool not found"),
    ] {
        let told = agent.tool(tool, arguments.clone()).await.unwrap_err();
        assert!(told.contains(expected), "{tool} {arguments}: {told}");
    }
    // It goes on after all of that.
    agent.tool("status", json!({})).await.unwrap();
}

#[tokio::test]
async fn who_leaves_without_a_word_is_no_error() {
    let (ours, theirs) = duplex(64);
    let (input, output) = split(theirs);
    drop(ours);
    let nowhere: Connect = Box::new(|| Box::pin(async { Err("nowhere".to_owned()) }));
    serve(input, output, nowhere, "1").await.unwrap();
}
