//! A document as it is indexed, around one passage: what a client shows of a file that it cannot read
//! itself. The IO is the store's; [`around`] is pure.

use daemon_protocol::{Event, Failure, READ_BYTES_MAX};

use crate::error::{internal, invalid};
use crate::shared::Shared;
use crate::store::Passage;

/// Answers a `read`.
pub(crate) async fn read(
    shared: &Shared,
    id: u64,
    path: String,
    byte_start: usize,
) -> Result<Event, Failure> {
    let store = &shared.generations.serving().store;
    let passages = store.document(path.clone()).await.map_err(|e| internal(e.to_string()))?;
    if passages.is_empty() {
        let hint = "`fore why-not PATH` says what became of a file";
        return Err(invalid(format!("nothing of {path} is indexed"), hint));
    }
    let passages = around(&passages, byte_start, READ_BYTES_MAX).iter().map(shown).collect();
    Ok(Event::Text { id, path, passages })
}

fn shown(passage: &Passage) -> daemon_protocol::Passage {
    daemon_protocol::Passage {
        byte_start: passage.bytes.start,
        line_start: passage.lines.0,
        place: passage.place.clone(),
        text: passage.text.clone(),
    }
}

/// The passages around the one that begins at `byte_start`, or else the last one before it: at most
/// `bytes_max` of text on each side, the passage itself counted to what follows, and shown at least.
fn around(passages: &[Passage], byte_start: usize, bytes_max: usize) -> &[Passage] {
    let after = passages.partition_point(|passage| passage.bytes.start <= byte_start);
    let middle = after.saturating_sub(1).min(passages.len());
    let within = |passages: &mut dyn Iterator<Item = &Passage>| {
        let mut left = bytes_max;
        passages
            .take_while(|passage| {
                let fits = passage.text.len() <= left;
                left = left.saturating_sub(passage.text.len());
                fits
            })
            .count()
    };
    let before = within(&mut passages[..middle].iter().rev());
    let from = within(&mut passages[middle..].iter()).max(1);
    &passages[middle - before..(middle + from).min(passages.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_is_shown_as_fits_on_each_side() {
        let passages: Vec<Passage> = (0..10)
            .map(|number| Passage {
                heading: String::new(),
                bytes: number * 10..number * 10 + 4,
                lines: (1, 1),
                place: None,
                text: "text".to_owned(),
            })
            .collect();
        let cases = [
            (50, 1_000, 0..10),
            (50, 8, 3..7),
            (50, 9, 3..7),
            (50, 3, 5..6),
            (0, 8, 0..2),
            (90, 8, 7..10),
            (55, 4, 4..6),
            (999, 4, 8..10),
        ];
        for (byte_start, bytes_max, expected) in cases {
            let found = around(&passages, byte_start, bytes_max);
            assert_eq!(found, &passages[expected.clone()], "{byte_start} {bytes_max} {expected:?}");
        }
        assert!(around(&[], 5, 100).is_empty());
    }
}
