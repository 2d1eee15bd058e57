//! An expert for Exploration: another model behind an OpenAI-compatible endpoint on this machine.

use std::net::IpAddr;
use std::time::Duration;

use models::UserError;
use models::explore::Chat;
use serde_json::{Value, json};

/// A small model on a CPU takes seconds for a thought; after this it is taken for hung.
const ANSWER_MAX: Duration = Duration::from_secs(120);
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// As the paper's sampling, which leaves the server's default.
const TEMPERATURE: f64 = 1.0;

/// See the module.
#[derive(Debug)]
pub(crate) struct Expert {
    agent: ureq::Agent,
    address: String,
    model: String,
}

impl Expert {
    /// An expert at `url`, which must be on this machine: nothing of a folder leaves it.
    pub(crate) fn new(url: &str, model: &str) -> Result<Expert, UserError> {
        let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let host = authority.map(|authority| match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => authority.split(':').next().unwrap_or(authority),
        });
        let local = host.is_some_and(|host| {
            host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        });
        if !local {
            return Err(UserError::new(format!("{url} is not on this machine")).hint(
                "an expert is asked over loopback only: --expert-url http://127.0.0.1:PORT/v1",
            ));
        }
        let agent =
            ureq::AgentBuilder::new().timeout_connect(CONNECT_MAX).timeout(ANSWER_MAX).build();
        let address = format!("{}/chat/completions", url.trim_end_matches('/'));
        Ok(Expert { agent, address, model: model.to_owned() })
    }

    /// Its answer, of at most `tokens_max` tokens.
    pub(crate) fn ask(
        &self,
        (system, user): &Chat,
        tokens_max: usize,
        seed: u64,
    ) -> Result<String, UserError> {
        let failed = |why: String| {
            UserError::new(format!("the expert at {}: {why}", self.address))
                .hint("leave it out, or run the same command again once it answers")
        };
        let request = json!({
            "model": self.model,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": user},
            ],
            "max_tokens": tokens_max,
            "temperature": TEMPERATURE,
            "seed": seed,
        });
        let response = self
            .agent
            .post(&self.address)
            .set("Content-Type", "application/json")
            .send_string(&request.to_string());
        let response = response.map_err(|error| failed(error.to_string()))?;
        let text = response.into_string().map_err(|error| failed(error.to_string()))?;
        let answer: Value = serde_json::from_str(&text).map_err(|e| failed(e.to_string()))?;
        match &answer["choices"][0]["message"] {
            Value::Null => Err(failed("its answer has no choices[0].message".to_owned())),
            // A model that reasons may have said nothing by its last token: no thought, no failure.
            message => Ok(message["content"].as_str().unwrap_or_default().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// Answers one request with `status` and `body`; gives the request's body.
    fn server(status: &'static str, body: &'static str) -> (String, JoinHandle<Value>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut request = vec![0; length];
            reader.read_exact(&mut request).unwrap();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            serde_json::from_slice(&request).unwrap()
        });
        (url, thread)
    }

    #[test]
    fn an_expert_is_asked_as_openai_is() {
        let (url, thread) =
            server("200 OK", r#"{"choices": [{"message": {"content": "Trim the wick."}}]}"#);
        let expert = Expert::new(&url, "big").unwrap();
        let answer = expert.ask(&("be brief".to_owned(), "why".to_owned()), 48, 7).unwrap();
        assert_eq!(answer, "Trim the wick.");
        let request = thread.join().unwrap();
        assert_eq!(request["model"], "big");
        assert_eq!(request["messages"][1], json!({"role": "user", "content": "why"}));
        assert_eq!((&request["max_tokens"], &request["seed"]), (&json!(48), &json!(7)));
    }

    #[test]
    fn an_expert_may_have_nothing_to_say() {
        let (url, thread) = server("200 OK", r#"{"choices": [{"message": {"content": null}}]}"#);
        let expert = Expert::new(&url, "big").unwrap();
        assert_eq!(expert.ask(&(String::new(), String::new()), 8, 0).unwrap(), "");
        thread.join().unwrap();
    }

    #[test]
    fn what_an_expert_gets_wrong_is_said_with_its_address() {
        for (status, body, said) in [
            ("200 OK", "{}", "no choices"),
            ("200 OK", r#"{"choices": []}"#, "no choices"),
            ("200 OK", "oops", "expected value"),
            ("500 Internal Server Error", "{}", "500"),
        ] {
            let (url, thread) = server(status, body);
            let expert = Expert::new(&url, "big").unwrap();
            let error = expert.ask(&(String::new(), String::new()), 8, 0).unwrap_err();
            assert!(error.message.contains(said) && error.message.contains(&url), "{error}");
            thread.join().unwrap();
        }
    }

    #[test]
    fn nothing_is_sent_to_another_machine() {
        let far =
            ["http://example.org/v1", "https://127.0.0.1/v1", "http://10.0.0.1:80", "localhost"];
        for url in far {
            let error = Expert::new(url, "m").map(|_| ()).unwrap_err();
            assert!(error.message.contains("not on this machine"), "{url}: {error}");
        }
        for url in ["http://localhost:1/v1", "http://127.0.0.2:1", "http://[::1]:8080/v1/"] {
            assert!(Expert::new(url, "m").is_ok(), "{url}");
        }
    }
}
