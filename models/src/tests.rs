//! Pure logic by data tables.

use std::ops::ControlFlow;

use crate::prompt::{self, Piece, Role};
use crate::scripted::ScriptedMind;
use crate::{Embedding, Mind, Sampling, Thought, combine, thought};

#[test]
fn loops_are_found_where_they_start() {
    let table: &[(&[u32], Option<usize>)] = &[
        (&[], None),
        (&[1, 2, 3, 4, 5, 6], None),
        (&[9, 7, 7, 7], None),
        (&[9, 7, 7, 7, 7, 7, 7], Some(2)),
        (&[1, 2, 1, 2, 1, 2], Some(2)),
        (&[5, 1, 2, 3, 1, 2, 3, 1, 2, 3], Some(4)),
        (&[5, 1, 2, 3, 1, 2, 3, 1, 2], None),
        (&[5, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7], None),
        (&[9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8], Some(9)),
    ];
    for (tokens, expected) in table {
        assert_eq!(thought::loop_start(tokens), *expected, "{tokens:?}");
    }
}

#[test]
fn a_thought_of_punctuation_says_nothing() {
    for (text, expected) in
        [("", true), (" \n", true), ("...!?", true), ("a.", false), ("漢", false)]
    {
        assert_eq!(thought::is_empty(text), expected, "{text:?}");
    }
}

#[test]
fn combine_weighs_the_bare_query_as_worked_by_hand() {
    let x = Embedding::normalised(vec![1.0, 0.0]).expect("finite");
    let y = Embedding::normalised(vec![0.0, 2.0]).expect("finite");
    // w = 0.75: (0.75, 0.25) / sqrt(0.625)
    let mixed = combine(&x, std::slice::from_ref(&y), 0.75).expect("finite");
    assert!((mixed.as_slice()[0] - 0.948_683_3).abs() < 1e-6);
    assert!((mixed.as_slice()[1] - 0.316_227_8).abs() < 1e-6);
    // w = 0 is the paper's plain mean: (0.5, 0.5) normalised.
    let mean = combine(&x, &[x.clone(), y.clone()], 0.0).expect("finite");
    assert!((mean.dot(&x) - 0.5_f32.sqrt()).abs() < 1e-6);
    assert_eq!(combine(&x, &[], 0.0).expect("finite"), x);
}

#[test]
fn an_embedding_is_finite_and_not_zero() {
    for bad in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
        assert!(Embedding::normalised(bad).is_err());
    }
}

#[test]
fn prompts_follow_the_paper() {
    let sampled = Thought { tokens: vec![4, 5], ..Thought::default() };
    assert_eq!(
        prompt::query("q", Some(&sampled)),
        [
            Piece::Marker(Role::QueryOpen),
            Piece::Question("q"),
            Piece::Marker(Role::QueryClose),
            Piece::Marker(Role::Thought),
            Piece::ThoughtTokens(&[4, 5]),
            Piece::Marker(Role::Eos),
            Piece::Marker(Role::Emb),
        ]
    );
    let grounded = Thought { context: "found".to_owned(), ..sampled };
    let pieces = prompt::query("q", Some(&grounded));
    assert_eq!(pieces[1..3], [Piece::Question("q"), Piece::Context("found")]);
    assert_eq!(pieces.len(), 8);
    assert_eq!(prompt::query("q", None).len(), 5);
    assert_eq!(prompt::passage("p"), [Piece::Passage("p"), Piece::Marker(Role::Emb)]);
}

#[test]
fn the_scripted_mind_streams_and_stops_between_tokens() {
    let mut mind = ScriptedMind::new("test");
    let mut seen = String::new();
    let sampling = Sampling { thoughts: 2, ..Sampling::default() };
    let thoughts = mind
        .think("rust borrow", "", &sampling, &mut |delta| {
            seen.push_str(delta.text);
            if delta.index == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .expect("scripted");
    assert_eq!(thoughts.len(), 1);
    assert_eq!(seen, "thought 0 about rust borrowthought ");
    let query = mind.embed_query("rust borrow", &thoughts).expect("scripted");
    let near =
        &mind.embed_passages(&["borrow checker in rust".into(), "bread".into()]).expect("scripted");
    assert!(query.dot(&near[0]) > query.dot(&near[1]));
}

#[test]
fn bad_rows_are_reported_by_line() {
    let text = "{\"query\":\"q\",\"pos\":[\"p\"]}\n\n{\"query\":\" \",\"pos\":[\"p\"]}\n{\"query\":\"q\",\"pos\":[]}\nnot json\n";
    let (pairs, bad) = crate::dataset::parse(text);
    assert_eq!(pairs.len(), 1);
    assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn a_chat_template_spells_markers_as_text_of_the_template() {
    for (markers, expected) in [
        (["<q>", "</q>", "<t>"], "{{ '<q>' + messages[-1]['content'] + '</q><t>' }}"),
        (["'", "\\", "<t>"], "{{ '\\'' + messages[-1]['content'] + '\\\\<t>' }}"),
    ] {
        let [open, close, thought] = markers;
        assert_eq!(prompt::chat_template(open, close, thought), expected);
    }
}
