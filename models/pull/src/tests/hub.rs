//! A hub on loopback, one connection at a time.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

/// How the hub answers one request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// As a server should, `Range` honoured.
    Honest,
    /// The whole file whatever was asked for.
    Whole,
    /// Honest, but the connection ends after so many bytes.
    Cut(usize),
    /// A status and no file.
    Status(u16),
    /// 200 with another file.
    Other(Vec<u8>),
    /// 206 with another range than was asked for.
    Elsewhere,
    /// Nothing, until the hub goes.
    Silence,
}

/// Path and `Range` of one.
pub(super) type Request = (String, Option<String>);

/// A hub that has one file and answers as it was told, then no more.
pub(super) struct Hub {
    pub(super) endpoint: String,
    pub(super) asked: Arc<Mutex<Vec<Request>>>,
    /// Dropped with the hub, which ends a silence.
    _alive: mpsc::Sender<()>,
}

impl Hub {
    pub(super) fn start(file: &[u8], answers: &[Answer]) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (alive, gone) = mpsc::channel();
        let (file, answers, log) = (file.to_vec(), answers.to_vec(), Arc::clone(&asked));
        thread::spawn(move || {
            for answer in answers {
                let Ok((stream, _)) = listener.accept() else { return };
                let request = read_request(&stream);
                log.lock().unwrap().push(request.clone());
                if matches!(answer, Answer::Silence) {
                    gone.recv().ok();
                    return;
                }
                // The client may have hung up already, which is the point of some tests.
                respond(&stream, &answer, &file, request.1.as_deref()).ok();
                stream.shutdown(Shutdown::Both).ok();
            }
        });
        Hub { endpoint, asked, _alive: alive }
    }

    pub(super) fn ranges(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().iter().map(|(_, range)| range.clone()).collect()
    }
}

fn read_request(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let range = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("range").then(|| value.to_owned())
    });
    (path, range)
}

fn respond(
    mut stream: &TcpStream,
    answer: &Answer,
    file: &[u8],
    range: Option<&str>,
) -> std::io::Result<()> {
    let asked = range.map(|range| range["bytes=".len()..range.len() - 1].parse().unwrap());
    let start = if matches!(answer, Answer::Whole) { 0 } else { asked.unwrap_or(0) };
    let body = match answer {
        Answer::Other(other) => other.as_slice(),
        Answer::Status(_) => b"",
        _ => &file[start..],
    };
    let (length, last) = (body.len(), file.len() - 1);
    let status = match answer {
        Answer::Status(status) => format!("{status} Nope"),
        Answer::Elsewhere => format!("206 Partial\r\nContent-Range: bytes 0-9/{}", file.len()),
        _ if start > 0 => {
            format!("206 Partial\r\nContent-Range: bytes {start}-{last}/{}", file.len())
        }
        _ => "200 OK".to_owned(),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    let sent = if let Answer::Cut(sent) = answer { *sent } else { length };
    stream.write_all(&body[..sent.min(length)])
}
