//! What every [`Store`] must do, as one function that each store's tests call on an empty store.

use super::{Document, Passage, Place, Scope, Stamp, Store};

/// Width of the vectors that [`check`] stores.
pub const WIDTH: usize = 4;

/// A document whose passage `i` has text `texts[i]` and the unit vector along axis `axes[i]`.
pub fn document(path: &str, texts: &[&str], axes: &[usize]) -> Document {
    let passages = texts
        .iter()
        .zip(axes)
        .enumerate()
        .map(|(line, (text, axis))| {
            let mut vector = vec![0.0; WIDTH];
            vector[*axis] = 1.0;
            let passage = Passage {
                heading: format!("Heading {line}"),
                bytes: line * 100..line * 100 + text.len(),
                lines: (line + 1, line + 1),
                place: (line % 2 == 1).then(|| Place::Sheet(format!("Sheet {line}"))),
                text: (*text).to_owned(),
            };
            (passage, vector)
        })
        .collect();
    let stamp = Stamp {
        bytes: texts.concat().len() as u64,
        changed_ns: 1_700_000_000_123_456_789,
        written_ns: 1_600_000_000_123_456_789,
        hash: texts.concat(),
    };
    let (title, names) = (format!("Title of {path}"), format!("kept in {path}"));
    let tags = vec!["harbour".to_owned(), format!("kept/in {path}")];
    let digests = texts.iter().map(|text| format!("of {text}")).collect();
    let path = path.to_owned();
    Document { path, title, names, tags, stamp, passages, digests, moved_from: None }
}

/// Runs the contract. Panics, as an assertion does, where it is broken.
pub async fn check(store: &dyn Store) {
    let axis =
        |axis: usize| (0..WIDTH).map(|i| if i == axis { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
    let at = |path: &'static str, ordinal: usize| (path.to_owned(), ordinal);
    let all = Scope::All;

    // An empty store answers, with nothing.
    assert!(store.known().await.expect("known").is_empty());
    assert!(store.by_vector(axis(0), 5, all.clone()).await.expect("vector").is_empty());
    assert!(store.by_text("anything".into(), 5, all.clone()).await.expect("text").is_empty());

    let a = document("/a", &["the lighthouse keeper", "oil for the lamp"], &[0, 1]);
    let b = document("/it's \"b\"", &["sailing past the lighthouse lighthouse"], &[2]);
    store.replace(vec![a.clone(), b.clone(), document("/empty", &[], &[])]).await.expect("replace");
    let known = store.known().await.expect("known");
    assert_eq!(known.len(), 3);
    assert_eq!((known["/a"].passages, &known["/a"].stamp), (2, &a.stamp));
    assert_eq!(known["/a"].tags, a.tags);
    assert_eq!(known["/empty"].passages, 0);

    // What went in comes out, and an empty document is never found.
    let found = store.by_vector(axis(1), 5, all.clone()).await.expect("vector");
    assert_eq!(found.len(), 3, "passages of real documents only");
    assert_eq!((found[0].path.as_str(), found[0].ordinal), ("/a", 1));
    assert_eq!(found[0].passage, a.passages[1].0);
    assert_eq!(found[0].title, a.title);
    assert!((found[0].score - 1.0).abs() < 1e-4 && found[1].score.abs() < 1e-4);

    // A document is read in order.
    let passages = |of: &Document| of.passages.iter().map(|(p, _)| p.clone()).collect::<Vec<_>>();
    assert_eq!(store.document("/a".into()).await.expect("document"), passages(&a));
    assert_eq!(store.document("/it's \"b\"".into()).await.expect("document"), passages(&b));
    for none in ["/empty", "/unknown"] {
        assert!(store.document(none.into()).await.expect("document").is_empty());
    }

    // What was embedded is found again by its digest, of the paths that are named.
    let of = async |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        store.vectors(paths).await.expect("vectors")
    };
    let vectors = of(&["/a", "/empty", "/unknown"]).await;
    assert_eq!(
        vectors.keys().collect::<Vec<_>>(),
        ["of oil for the lamp", "of the lighthouse keeper"]
    );
    assert_eq!(vectors["of oil for the lamp"], axis(1));
    assert!(of(&[]).await.is_empty());

    // Text search sees title, heading and text; punctuation and operators are only words.
    let found = store.by_text("lighthouse".into(), 5, all.clone()).await.expect("text");
    let mut ids: Vec<_> = found.iter().map(|f| (f.path.clone(), f.ordinal)).collect();
    ids.sort();
    assert_eq!(ids, [at("/a", 0), at("/it's \"b\"", 0)]);
    assert!(found[0].score >= found[1].score && found[1].score > 0.0);
    for odd in ["", " ", "\"", "a AND (", "+lamp -oil", "it's", "col:*", "漢字"] {
        store
            .by_text(odd.into(), 5, all.clone())
            .await
            .unwrap_or_else(|error| panic!("{odd:?}: {error}"));
    }

    // Scope and limit.
    let only = Scope::Paths(vec!["/it's \"b\"".into()]);
    assert_eq!(store.by_vector(axis(0), 5, only.clone()).await.expect("vector").len(), 1);
    assert_eq!(store.by_text("lighthouse".into(), 5, only).await.expect("text").len(), 1);
    for none in [Scope::Paths(vec![]), Scope::Runs(vec![])] {
        assert!(store.by_vector(axis(0), 5, none.clone()).await.expect("vector").is_empty());
        assert!(store.by_text("lighthouse".into(), 5, none).await.expect("text").is_empty());
    }
    assert_eq!(store.by_vector(axis(0), 2, all.clone()).await.expect("vector").len(), 2);

    // Replacing leaves nothing of the old; maintaining changes nothing seen.
    let shorter = document("/a", &["a single anchor"], &[3]);
    store.replace(vec![shorter.clone()]).await.expect("replace");
    store.maintain().await.expect("maintain");
    let found = store.by_vector(axis(3), 5, all.clone()).await.expect("vector");
    assert_eq!(found.iter().filter(|f| f.path == "/a").count(), 1);
    assert_eq!(found[0].passage, shorter.passages[0].0);
    assert_eq!(store.by_text("lamp".into(), 5, all.clone()).await.expect("text").len(), 0);
    assert_eq!(store.by_text("anchor".into(), 5, all.clone()).await.expect("text").len(), 1);

    // Of a document that was moved nothing stays where it was.
    let moved =
        Document { moved_from: Some("/a".into()), ..document("/c", &["a single anchor"], &[3]) };
    store.replace(vec![moved]).await.expect("move");
    let found = store.by_text("anchor".into(), 5, all.clone()).await.expect("text");
    assert_eq!(found.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["/c"]);
    assert!(!store.known().await.expect("known").contains_key("/a"));
    let back = Document { moved_from: Some("/c".into()), ..shorter };
    store.replace(vec![back]).await.expect("move back");
    assert_eq!(of(&["/a", "/c"]).await.keys().collect::<Vec<_>>(), ["of a single anchor"]);

    store.remove(vec!["/a".into(), "/unknown".into()]).await.expect("remove");
    store.replace(vec![b]).await.expect("the same again");
    assert_eq!(
        store.known().await.expect("known").keys().collect::<Vec<_>>(),
        ["/empty", "/it's \"b\""]
    );
    assert_eq!(store.by_text("lighthouse".into(), 5, all).await.expect("text").len(), 1);
}
