//! What a person does about thoughts and results, and how it is seen.

use daemon_protocol::{Ask, ErrorKind, Event, Hit, Ranks, Request, Scores, Stage as Ranking};

use super::screens::{check, check_sizes};
use super::{ASK, Stage, code, failed, git, reranked, tea, timings};
use crate::explain;
use crate::message::{Command, Message};
use crate::model::{AskPhase, Focus};

fn asked(id: u64, thoughts: Option<usize>, given: &[&str]) -> Command {
    Command::Send(Request::Ask(Ask {
        id,
        text: "git rebase main".to_owned(),
        limit: 10,
        thoughts,
        read_ms: None,
        path: None,
        given: given.iter().map(|text| (*text).to_owned()).collect(),
    }))
}

#[test]
fn enough_ends_thinking_once() {
    let mut stage = Stage::drafted();
    stage.commands.clear();
    stage.think(0, "Rebasing replays");
    assert!(stage.screen(80, 24).to_string().contains("thought 1 · Ctrl-S: enough"));
    stage.keys("<ctrl-s><ctrl-s>");
    assert_eq!(stage.commands, [Command::Send(Request::Enough { id: ASK })]);
    assert!(stage.screen(80, 24).to_string().contains("that is enough; ranking"));
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    stage.hear(Event::Done { id: ASK, timings: timings() });
    assert_eq!(stage.results().0.len(), 4);
    stage.keys("<ctrl-s>");
    assert!(stage.commands.iter().filter(|c| matches!(c, Command::Send(_))).count() == 1);
    assert!(stage.model.notice.is_some());
}

#[test]
fn a_thought_is_edited_and_searched_with() {
    let mut stage = Stage::answered();
    stage.commands.clear();
    let second = "A note on git would mention fetch first.";
    stage.keys("<ctrl-o>");
    assert!(stage.screen(80, 24).to_string().contains(&format!("thought › {second}")));
    check_sizes("thought", &mut stage);
    // The other one, of which a word becomes another.
    stage.keys("<up><ctrl-w>top.<enter>");
    let given = ["Rebasing replays commits on another top.", second];
    assert_eq!(stage.commands.last(), Some(&asked(ASK + 1, Some(0), &given)));
    assert!(stage.kept.len() == 1, "it is the same question");
    let asking = stage.model.asking.as_ref().unwrap();
    assert_eq!(asking.thoughts.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), given);
    stage.hear(Event::Hits { id: ASK + 1, stage: Ranking::Final, hits: reranked() });
    let done = daemon_protocol::Timings { thought_tokens: 0, ..timings() };
    stage.hear(Event::Done { id: ASK + 1, timings: done });
    assert!(stage.screen(80, 24).to_string().contains("2 thoughts, given"));
    // It is answered: Enter opens.
    stage.keys("<enter>");
    assert!(matches!(stage.commands.last(), Some(Command::Open { .. })), "{:?}", stage.commands);
    // Esc leaves the question as it was.
    stage.keys("<ctrl-o>x<esc>");
    assert!(stage.model.editing.is_none() && stage.model.query.text() == "git rebase main");
    // An emptied thought is left out.
    stage.keys("<ctrl-o><ctrl-u><enter>");
    assert_eq!(stage.commands.last(), Some(&asked(ASK + 2, Some(0), &given[..1])));
}

#[test]
fn one_more_thought_comes_beside_those_there_are() {
    let mut stage = Stage::answered();
    stage.keys("<alt-a>");
    let both =
        ["Rebasing replays commits on another base.", "A note on git would mention fetch first."];
    assert_eq!(stage.commands.last(), Some(&asked(ASK + 1, Some(1), &both)));
    stage.hear(Event::Thought { id: ASK + 1, index: 2, delta: "A third".to_owned() });
    assert!(stage.screen(100, 30).to_string().contains("3  A third"));
    let mut empty = Stage::new();
    empty.keys("<alt-a><ctrl-o>");
    assert!(empty.commands.is_empty() && empty.model.editing.is_none());
}

#[test]
fn a_thought_that_is_kept_goes_with_the_next_question() {
    let mut stage = Stage::answered();
    stage.keys("<alt-p>");
    let second = "A note on git would mention fetch first.";
    assert_eq!(stage.model.pinned, [second]);
    assert!(stage.screen(100, 30).to_string().contains("2• A note"), "{}", stage.screen(100, 30));
    // What is kept makes another question of it.
    stage.keys("<enter>");
    assert_eq!(stage.commands.last(), Some(&asked(ASK + 1, Some(1), &[second])));
    stage.keys("<alt-p>");
    assert!(stage.model.pinned.is_empty());
}

/// `hits` as the daemon explains them.
fn explained() -> Vec<Hit> {
    let mut hits = reranked();
    hits[0].ranks = Ranks {
        text: Some(1),
        vector: Some(2),
        draft: Some(3),
        bare: Some(4),
        fused: Some(2),
        read: Some(2),
    };
    hits[0].scores = Scores {
        text: Some(7.25),
        vector: Some(0.512),
        bare: Some(0.402),
        fused: Some(1.25),
        draft: Some(1.1),
    };
    hits[0].words = vec!["git".to_owned(), "rebase".to_owned()];
    hits[0].missing = vec!["main".to_owned()];
    hits[0].reading = Some(-0.25);
    hits[0].marked = Some(true);
    hits[0].also =
        vec!["/home/me/old/git.md".to_owned(), "/home/me/work/copy\x1b of git.md".to_owned()];
    hits[1].reading = Some(0.0);
    hits
}

fn explaining() -> Stage {
    let mut stage = Stage::drafted();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: explained() });
    stage.hear(Event::Done { id: ASK, timings: timings() });
    stage.keys("<ctrl-home><f2>");
    stage
}

#[test]
fn a_result_is_explained_in_the_place_of_its_preview() {
    let mut stage = explaining();
    check("explain_80x24", stage.screen(80, 24));
    check("explain_200x60", stage.screen(200, 60));
    // The next one, whose copies are none.
    stage.keys("<down>");
    let screen = stage.screen(100, 30).to_string();
    assert!(screen.contains("likeliest after") && !screen.contains("also in"), "{screen}");
    stage.keys("<f2>");
    assert!(stage.model.explain.is_none());
    // A small screen has room for one of both, which scrolls.
    stage.keys("<up>");
    stage.say(Message::Resized { width: 40, height: 10 });
    stage.keys("<alt-e>");
    check("explain_40x10", stage.screen(40, 10));
    let last = explain::last_top(&stage.model);
    assert!(last > 0);
    stage.keys("<pgdn><pgdn><pgdn><pgdn>");
    assert_eq!(stage.model.explain, Some(last));
    assert!(
        stage.screen(40, 10).to_string().contains("copy· of git.md"),
        "{}",
        stage.screen(40, 10)
    );
    stage.keys("<home>");
    assert_eq!(stage.model.explain, Some(0));
    stage.keys("<esc>");
    assert_eq!((stage.model.explain, stage.model.focus), (None, Focus::Results));
    let mut none = Stage::new();
    none.keys("<f2>");
    assert!(none.model.explain.is_none() && none.model.notice.is_some());
}

#[test]
fn a_result_is_marked_and_the_mark_taken_back() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-home>");
    stage.commands.clear();
    let Hit { path, byte_start, byte_end, .. } = git();
    let mark = |id: u64, right: Option<bool>| {
        let (question, path) = ("git rebase main".to_owned(), path.clone());
        Command::Send(Request::Mark { id, question, path, byte_start, byte_end, right })
    };
    let mut id = stage.model.next_id;
    for (keys, right, sign) in [
        ("<ctrl-g>", Some(true), "✓"),
        ("<ctrl-x>", Some(false), "✗"),
        ("<alt-->", None, "1 ▲2 notes"),
        ("<alt-+>", Some(true), "✓"),
    ] {
        stage.keys(keys);
        assert_eq!(stage.commands.last(), Some(&mark(id, right)));
        let screen = stage.screen(80, 24).to_string();
        assert!(screen.contains(sign), "{keys}: {screen}");
        id += 1;
    }
    // It is seen in the draft, too.
    stage.keys("<ctrl-b>");
    assert_eq!(stage.model.rows[2].hit.marked, Some(true));
    // Refused, it is as it was.
    stage.keys("<ctrl-b><ctrl-x>");
    stage.hear(failed(id, ErrorKind::Invalid));
    assert_eq!(stage.model.rows[0].hit.marked, Some(true));
    assert!(stage.model.asking.as_ref().is_some_and(|asking| asking.phase != AskPhase::Failed));
}

#[test]
fn more_like_a_result_and_back() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-home>");
    let id = stage.model.next_id;
    stage.keys("<ctrl-l>");
    let Hit { path, byte_start, .. } = git();
    let similar = Request::Similar { id, path, byte_start, limit: 10 };
    assert_eq!(stage.commands.last(), Some(&Command::Send(similar)));
    assert_eq!(stage.results().0.len(), 4, "what was there stays until there is something new");
    stage.hear(Event::Hits { id, stage: Ranking::Final, hits: vec![tea(), code()] });
    stage.hear(Event::Done { id, timings: timings() });
    assert_eq!(
        stage.results(),
        (vec![tea().path.as_str(), code().path.as_str()], Some(tea().path.as_str()))
    );
    check_sizes("like", &mut stage);
    // They are of no question that could be marked.
    stage.keys("<ctrl-g>");
    assert!(!matches!(stage.commands.last(), Some(Command::Send(Request::Mark { .. }))));
    stage.keys("<down><enter>");
    let opened = Command::Open { path: code().path, line: code().line };
    assert_eq!(stage.commands.last(), Some(&opened));
    // From like to like, and back to the question.
    let id = stage.model.next_id;
    stage.keys("<ctrl-l>");
    stage.hear(Event::Hits { id, stage: Ranking::Final, hits: vec![git()] });
    stage.keys("<esc>");
    assert_eq!(stage.results().0.len(), 4);
    assert!(stage.model.asking.is_some() && stage.model.like.is_none());
    // Refused, nothing changes.
    let id = stage.model.next_id;
    stage.keys("<ctrl-l>");
    stage.hear(failed(id, ErrorKind::Internal));
    assert!(stage.model.like.is_none() && stage.results().0.len() == 4);
}

#[test]
fn what_is_like_goes_when_something_is_typed_or_asked() {
    let mut stage = Stage::answered();
    stage.model.settings.instant = true;
    let id = stage.model.next_id;
    stage.keys("<ctrl-l>");
    stage.hear(Event::Hits { id, stage: Ranking::Final, hits: vec![tea()] });
    stage.keys("s");
    let typed = crate::model::INSTANT_ID_FIRST;
    stage.hear(Event::Hits { id: typed, stage: Ranking::Final, hits: vec![code()] });
    stage.hear(Event::Done { id: typed, timings: timings() });
    assert!(stage.model.like.is_none());
    stage.keys("<bs>");
    assert_eq!(stage.results().0.len(), 4, "the answer comes back with its question");
}

#[test]
fn copies_are_counted_beside_their_result() {
    let mut stage = explaining();
    stage.keys("<f2>");
    let screen = stage.screen(100, 30).to_string();
    assert!(screen.contains("✓ notes/git.md:15 +2"), "{screen}");
}

#[test]
fn all_that_can_be_done_is_searched_and_done() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-k>");
    check_sizes("palette", &mut stage);
    stage.keys("quotation<enter>");
    assert!(matches!(stage.commands.last(), Some(Command::Copy(_))), "{:?}", stage.commands);
    assert!(stage.model.palette.is_none() && stage.model.query.text() == "git rebase main");
    stage.keys("<ctrl-k>no such thing<enter>");
    assert!(stage.model.palette.is_none());
    stage.keys("<ctrl-k>thought kee<down><up><esc>");
    assert!(stage.model.palette.is_none() && stage.model.pinned.is_empty());
    stage.keys("<ctrl-k>keep the thought<enter>");
    assert_eq!(stage.model.pinned.len(), 1);
}
