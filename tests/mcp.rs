//! An agent's session with `fore mcp`, as lines of JSON: the protocol as a stranger would speak it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

struct Agent {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last_id: u64,
}

impl Agent {
    fn begin(sandbox: &Sandbox) -> Agent {
        let mut command = sandbox.command(&["mcp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let (input, output) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let mut agent = Agent { server, input, output: BufReader::new(output), last_id: 0 };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}
        });
        let begun = agent.call("initialize", hello);
        assert_eq!(begun["result"]["serverInfo"]["name"], json!("forethought"), "{begun}");
        agent.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        agent
    }

    fn send(&mut self, message: Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    #[track_caller]
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server has gone");
            let message: Value =
                serde_json::from_str(&line).expect("stdout is the protocol's alone");
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    /// The result of a tool, and whether it is an error.
    #[track_caller]
    fn tool(&mut self, name: &str, arguments: Value) -> (Value, bool) {
        let answer = self.call("tools/call", json!({"name": name, "arguments": arguments}));
        let result = answer["result"].clone();
        let is_error = result["isError"] == json!(true);
        let value =
            if is_error { &result["content"][0]["text"] } else { &result["structuredContent"] };
        (value.clone(), is_error)
    }
}

#[test]
fn an_agent_asks_reads_and_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.think_briefly();
    sandbox.write(
        "lamp.md",
        "# Light\n\nFor evenings.\n\n## Paraffin\n\nA lamp may smoke when the wick is high.\n",
    );
    sandbox.write("bread.md", "# Bread\n\nKnead the dough for ten minutes, then let it rest.\n");
    let secret = sandbox.home().join("secret.md");
    std::fs::write(&secret, "The password is under the mat.\n").unwrap();
    sandbox.add_notes();

    let mut agent = Agent::begin(&sandbox);
    let tools = agent.call("tools/list", json!({}));
    let tools = tools["result"]["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ask", "read", "search", "similar", "status"]);

    let (status, _) = agent.tool("status", json!({}));
    assert_eq!(
        (&status["documents"], &status["up_to_date"]),
        (&json!(2), &json!(true)),
        "{status}"
    );
    let (answer, _) =
        agent.tool("ask", json!({"question": "why does my lamp smoke", "thoughts": 1}));
    assert!(answer["thoughts"][0].as_str().unwrap().len() > 4, "{answer}");
    let (found, _) = agent.tool("search", json!({"query": "wick", "limit": 1}));
    assert_eq!(found["thoughts"], json!([]), "{found}");
    let hit = &found["hits"][0];
    assert_eq!(hit["path"], json!(sandbox.notes().join("lamp.md")), "{found}");

    let here = json!({"path": hit["path"], "byte_start": hit["byte_start"]});
    let (read, _) = agent.tool("read", here.clone());
    let texts: String = read["passages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["text"].as_str())
        .collect();
    assert!(texts.contains("the wick is high") && texts.contains("For evenings"), "{read}");
    let (like, is_error) = agent.tool("similar", here);
    assert!(!is_error && !like["hits"].as_array().unwrap().is_empty(), "{like}");

    for path in
        [secret.display().to_string(), format!("{}/../secret.md", sandbox.notes().display())]
    {
        let (told, is_error) = agent.tool("read", json!({"path": path}));
        assert!(
            is_error && told.as_str().unwrap().contains("is outside the watched folders"),
            "{told}"
        );
    }
    // A daemon that is gone is started again by the next call.
    sandbox.kill_daemon();
    let (found, _) = agent.tool("search", json!({"query": "dough", "limit": 1}));
    assert_eq!(found["hits"][0]["path"], json!(sandbox.notes().join("bread.md")), "{found}");

    let Agent { mut server, input, .. } = agent;
    drop(input);
    assert!(server.wait().unwrap().success(), "it ends well when the agent leaves");
}
