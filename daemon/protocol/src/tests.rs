//! Round trips, arbitrary splits and the length cap. Golden frames are in `fixtures/wire`.

use proptest::prelude::*;

use crate::frame::{Decoder, FRAME_BYTES_MAX, FrameError, encode};
use crate::{Ask, Event, Request};

fn ask(text: &str) -> Request {
    Request::Ask(Ask {
        id: 7,
        text: text.to_owned(),
        limit: 10,
        thoughts: None,
        read_ms: None,
        path: None,
        given: Vec::new(),
    })
}

proptest! {
    #[test]
    fn messages_survive_any_split(texts in prop::collection::vec(".{0,40}", 1..5), cut in 1usize..64) {
        let sent: Vec<Request> = texts.iter().map(|text| ask(text)).collect();
        let bytes: Vec<u8> = sent.iter().flat_map(|request| encode(request).expect("small")).collect();
        let mut decoder = Decoder::default();
        let mut received = Vec::new();
        for chunk in bytes.chunks(cut) {
            decoder.push(chunk);
            while let Some(message) = decoder.take::<Request>() {
                received.push(message.expect("what was encoded decodes"));
            }
        }
        prop_assert_eq!(received, sent);
    }
}

#[test]
fn a_line_without_end_is_refused_at_the_cap() {
    let mut decoder = Decoder::default();
    decoder.push(&vec![b'x'; FRAME_BYTES_MAX]);
    assert!(decoder.take::<Request>().is_none());
    decoder.push(b"x");
    assert!(matches!(decoder.take::<Request>(), Some(Err(FrameError::TooLong))));
    assert!(matches!(encode(&"x".repeat(FRAME_BYTES_MAX)), Err(FrameError::TooLong)));
}

#[test]
fn golden_conversations_still_parse_and_print_the_same() {
    let requests = include_str!("../../../fixtures/wire/requests.jsonl");
    let events = include_str!("../../../fixtures/wire/events.jsonl");
    for line in requests.lines() {
        let request: Request = serde_json::from_str(line).expect(line);
        assert_eq!(serde_json::to_string(&request).expect("prints"), line);
    }
    for line in events.lines() {
        let event: Event = serde_json::from_str(line).expect(line);
        assert_eq!(serde_json::to_string(&event).expect("prints"), line);
    }
    assert!(requests.lines().count() >= 20 && events.lines().count() >= 22);
}
