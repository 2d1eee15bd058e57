//! A document as it is indexed, around one passage: what a client shows of a file that it cannot read
//! itself, and what it points at. The IO is the store's; [`around`] is pure.

use daemon_protocol::{Event, Failure, READ_BYTES_MAX};

use crate::engine::Engine;
use crate::error::{internal, invalid};
use crate::shared::Shared;
use crate::store::{Passage, Scope, StoreError};

/// Answers a `read`.
pub(crate) async fn read(
    shared: &Shared,
    id: u64,
    path: String,
    byte_start: usize,
) -> Result<Event, Failure> {
    let engine = shared.generations.serving();
    let passages = document(&engine, &path).await?;
    if passages.is_empty() {
        return Err(unknown(&path));
    }
    let passages = around(&passages, byte_start, READ_BYTES_MAX).iter().map(shown).collect();
    Ok(Event::Text { id, path, passages })
}

/// The passages of the document at `path`; none of one that is not indexed.
pub(crate) async fn document(engine: &Engine, path: &str) -> Result<Vec<Passage>, Failure> {
    engine.store.document(path.to_owned()).await.map_err(failed)
}

/// The title of the document at `path`; empty if it has no passage.
pub(crate) async fn title(engine: &Engine, path: &str) -> Result<String, Failure> {
    // Within one document any vector finds something, and what is found has the title.
    let mut any = vec![0.0; engine.card.width];
    if let Some(first) = any.first_mut() {
        *first = 1.0;
    }
    let alone = Scope::Paths(vec![path.to_owned()]);
    let found = engine.store.by_vector(any, 1, alone).await.map_err(failed)?;
    Ok(found.into_iter().next().map_or_else(String::new, |found| found.title))
}

/// Nothing of the document is indexed.
pub(crate) fn unknown(path: &str) -> Failure {
    let hint = "`fore why-not PATH` says what became of a file";
    invalid(format!("nothing of {path} is indexed"), hint)
}

/// The document has no such passage any more.
pub(crate) fn moved(path: &str, byte_start: usize) -> Failure {
    let message = format!("no passage of {path} begins at byte {byte_start}");
    invalid(message, "the document has changed since; ask again")
}

fn failed(error: StoreError) -> Failure {
    internal(error.to_string())
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
