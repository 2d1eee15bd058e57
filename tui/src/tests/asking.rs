//! Questions: asked, looked for while they are typed, stopped, remembered.

use daemon_protocol::{Ask, ErrorKind, Event, Request, Stage as Ranking, Timings};

use super::{ASK, Stage, ask, code, draft, failed, git, hit, reranked, tea, timings};
use crate::message::{Command, Message};
use crate::model::{AskPhase, INSTANT_ID_FIRST as FIRST, Moved};

#[test]
fn enter_asks_what_is_new_and_opens_what_is_answered() {
    let open = || Command::Open { path: git().path, line: git().line };
    let mut stage = Stage::answered();
    stage.keys("<ctrl-home>");
    assert!(stage.commands.contains(&ask(ASK, "git rebase main", None)));
    for (keys, last) in [
        ("<enter>", open()),
        (" <enter>", open()),
        ("s<enter>", ask(ASK + 1, "git rebase main s", None)),
        ("<ctrl-t><enter>", ask(ASK + 2, "git rebase main s", Some(0))),
    ] {
        stage.commands.clear();
        stage.keys(keys);
        assert_eq!(stage.commands.last(), Some(&last), "{keys}");
    }
}

#[test]
fn nothing_is_asked_twice_while_it_runs_or_when_it_is_empty() {
    let mut stage = Stage::new();
    stage.keys("  <enter>");
    assert!(stage.commands.is_empty());
    stage.keys("git<enter><enter>");
    assert_eq!(stage.commands, [ask(ASK, "git", None)]);
}

#[test]
fn the_newest_question_wins() {
    let mut stage = Stage::drafted();
    stage.keys(" now<enter>");
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 1, "git rebase main now", None)));
    assert_eq!(stage.model.rows.len(), 3, "the rows before stay until there are others");
    stage.think(0, "late");
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: draft() });
    stage.hear(failed(ASK, ErrorKind::Cancelled));
    stage.hear(Event::Done { id: ASK, timings: timings() });
    let asking = stage.model.asking.as_ref().expect("asked");
    assert_eq!(asking.phase, AskPhase::Running);
    assert!(asking.thoughts.is_empty() && stage.model.rows.len() == 3);
    assert!(stage.model.notice.is_none());
}

#[test]
fn what_a_question_was_taken_for_is_told() {
    let mut stage = Stage::drafted();
    let notes = vec!["after:x is no date".to_owned(), "lang:y is no language".to_owned()];
    stage.hear(Event::Done { id: ASK, timings: Timings { notes, ..timings() } });
    let notice = stage.model.notice.as_ref().expect("told");
    assert_eq!(notice.text, "after:x is no date; lang:y is no language");
}

#[test]
fn escape_cancels_then_clears() {
    let mut stage = Stage::drafted();
    stage.keys("<esc>");
    assert_eq!(stage.commands.last(), Some(&Command::Send(Request::Cancel { id: ASK })));
    assert!(!stage.model.busy());
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: Vec::new() });
    stage.hear(failed(ASK, ErrorKind::Cancelled));
    assert_eq!(stage.model.rows.len(), 3, "the draft stays");
    assert_eq!(stage.model.query.text(), "git rebase main");
    stage.keys("<esc>");
    assert_eq!(stage.model.query.text(), "");
}

#[test]
fn after_a_failure_enter_opens_the_draft() {
    let mut stage = Stage::drafted();
    stage.hear(failed(ASK, ErrorKind::Busy));
    stage.keys("<enter>");
    let first = draft().remove(0);
    let opened = Command::Open { path: first.path, line: first.line };
    assert_eq!(stage.commands.last(), Some(&opened));
    assert_eq!(stage.model.rows.len(), 3);
    stage.keys("<f5>");
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 1, "git rebase main", None)));
}

#[test]
fn thoughts_are_bounded() {
    let mut stage = Stage::asked();
    stage.think(usize::MAX, "x");
    for _ in 0..100 {
        stage.think(1, &"x".repeat(1 << 12));
    }
    let asking = stage.model.asking.as_ref().expect("asked");
    assert_eq!(
        asking.thoughts.iter().map(|thought| thought.text.len()).collect::<Vec<_>>(),
        [0, 1 << 16]
    );
}

/// What is asked while `text` is typed.
fn look(id: u64, text: &str) -> Command {
    Command::Send(Request::Ask(Ask {
        id,
        text: text.to_owned(),
        limit: 10,
        thoughts: Some(0),
        read_ms: Some(0),
        path: None,
        given: Vec::new(),
    }))
}

impl Stage {
    /// Answers what was asked while typing.
    fn found(&mut self, id: u64, hits: Vec<daemon_protocol::Hit>) {
        self.hear(Event::Hits { id, stage: Ranking::Final, hits });
        self.hear(Event::Done { id, timings: timings() });
    }
}

#[test]
fn what_is_typed_is_looked_for_one_at_a_time() {
    let mut stage = Stage::instant();
    stage.keys("git");
    assert_eq!(stage.commands, [look(FIRST, "g")]);
    stage.commands.clear();
    stage.found(FIRST, vec![tea()]);
    assert_eq!(stage.results().0, ["/home/me/tea.md"]);
    assert!(stage.commands.contains(&look(FIRST + 1, "git")), "the line as it is now");
    // A filter that is half typed is refused, and nobody is told.
    stage.commands.clear();
    stage.keys(" af");
    stage.hear(failed(FIRST + 1, ErrorKind::Invalid));
    assert_eq!(stage.commands, [look(FIRST + 2, "git af")]);
    assert!(stage.model.notice.is_none() && !stage.model.busy());
    stage.commands.clear();
    stage.found(FIRST + 2, draft());
    stage.keys(" ");
    assert!(!stage.commands.iter().any(|command| matches!(command, Command::Send(_))), "the same");
    assert_eq!(stage.model.rows[0].moved, Moved::Unknown);
    // An answer to something older than what is awaited changes nothing.
    stage.hear(Event::Hits { id: FIRST, stage: Ranking::Final, hits: Vec::new() });
    assert_eq!(stage.model.rows.len(), 3);
}

#[test]
fn enter_thinks_about_what_was_found_as_it_was_typed() {
    let mut stage = Stage::instant();
    stage.keys("git");
    stage.found(FIRST, draft());
    stage.hear(failed(FIRST + 1, ErrorKind::Invalid));
    stage.commands.clear();
    stage.keys("<enter>");
    assert_eq!(stage.commands, [ask(ASK, "git", None)]);
    assert_eq!(stage.model.rows.len(), 3, "what was found stays meanwhile");
    stage.commands.clear();
    stage.keys("!");
    assert!(stage.commands.is_empty(), "the question under way is not cut off");
    stage.keys("<bs><enter>");
    assert!(stage.commands.is_empty(), "nor are other rows opened than its own");
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: draft() });
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    assert_eq!(stage.model.rows[0].moved, Moved::Up(2));
}

#[test]
fn who_has_moved_among_what_was_found_opens_it() {
    let mut stage = Stage::instant();
    stage.keys("g");
    stage.found(FIRST, draft());
    stage.keys("<down><enter>");
    let opened = Command::Open { path: code().path, line: code().line };
    assert_eq!(stage.commands.last(), Some(&opened));
    stage.commands.clear();
    stage.keys("<f5>");
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: draft() });
    assert_eq!(stage.results().1, Some(code().path.as_str()), "the passage stays selected");
}

#[test]
fn an_answer_comes_back_with_its_question() {
    let mut stage = Stage::answered();
    stage.model.settings.instant = true;
    stage.keys("<ctrl-home>s");
    assert_eq!(stage.commands.last(), Some(&look(FIRST, "git rebase mains")));
    stage.found(FIRST, vec![tea()]);
    assert!(stage.model.asking.is_none() && stage.model.rows.len() == 1);
    stage.keys("<bs>");
    let asking = stage.model.asking.as_ref().expect("the answer");
    assert_eq!((asking.thoughts.len(), stage.model.rows.len()), (2, 4));
    assert_eq!(stage.results().1, Some(git().path.as_str()));
    stage.commands.clear();
    stage.keys("<enter>");
    assert_eq!(stage.commands, [Command::Open { path: git().path, line: git().line }]);
}

#[test]
fn what_was_typed_before_there_was_a_daemon_is_looked_for() {
    let mut stage = Stage::instant();
    stage.say(Message::Lost("gone".to_owned()));
    stage.keys("git");
    stage.commands.clear();
    stage.say(Message::Connected);
    assert_eq!(stage.commands.last(), Some(&look(FIRST, "git")));
}

#[test]
fn the_ranking_before_is_a_key_away() {
    let mut stage = Stage::drafted();
    stage.keys("<ctrl-b>");
    assert!(stage.model.notice.is_some() && !stage.model.before, "there is no other yet");
    stage.keys("<ctrl-end>");
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Read, hits: vec![git(), code()] });
    stage.keys("<ctrl-b>");
    let moved = |stage: &Stage| stage.model.rows.iter().map(|row| row.moved).collect::<Vec<_>>();
    assert_eq!(moved(&stage), [Moved::Gone, Moved::Kept, Moved::To(1)]);
    assert_eq!(stage.results().1, Some(git().path.as_str()), "the passage stays selected");
    // A new ranking does not take the old one out of sight.
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    assert_eq!(moved(&stage), [Moved::To(4), Moved::Kept, Moved::To(1)]);
    assert_eq!(stage.results().1, Some(git().path.as_str()));
    stage.keys("<ctrl-b>");
    assert_eq!(moved(&stage), [Moved::Up(2), Moved::Kept, Moved::New, Moved::Down(3)]);
    assert_eq!((stage.model.selected, stage.results().1), (0, Some(git().path.as_str())));
}

#[test]
fn passages_of_one_document_are_gone_through_in_its_order() {
    let mut stage = Stage::asked();
    let at = |line| hit("/f", line, "", "text", "text", 0.1);
    let hits = vec![at(50), tea(), at(10), at(90)];
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits });
    let mut seen = Vec::new();
    for key in ["<alt-down>", "<alt-down>", "<alt-down>", "<alt-up>"] {
        stage.keys(key);
        seen.push(stage.model.selected);
    }
    assert_eq!(seen, [3, 2, 0, 2]);
    let notice = stage.model.notice.clone().expect("said");
    assert_eq!(notice.text, "passage 1 of 3 that were found in this document");
}

#[test]
fn a_passage_is_copied_as_a_quotation() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-home><alt-y>");
    let snippet = "> Run git fetch, then\n> git rebase main: your commits are replayed.";
    let place = "/home/me/work/notes/git.md:15";
    let quoted = Command::Copy(format!("{snippet}\n>\n> — `{place}`\n"));
    assert_eq!(stage.commands.last(), Some(&quoted));
    stage.read_preview(60);
    stage.keys("<alt-y>");
    let whole = "> this is line 014\n> this is line 015\n> this is line 016";
    let quoted = Command::Copy(format!("{whole}\n>\n> — `{place}`\n"));
    assert_eq!(stage.commands.last(), Some(&quoted));
}

#[test]
fn questions_are_kept_and_come_back() {
    let mut stage = Stage::new();
    stage.keys("<up>");
    assert!(stage.model.notice.is_some(), "there is none");
    stage.keys("a<enter><ctrl-u>b<enter><ctrl-u>a<enter><ctrl-u> secret<enter>");
    assert_eq!(stage.kept, ["a", "b", "a"]);
    stage.say(Message::History(vec!["old".to_owned(), "b".to_owned()]));
    assert_eq!(stage.model.history, ["old", "b", "a"]);
    stage.keys("<ctrl-u>dra");
    for (key, line) in [
        ("<ctrl-up>", "a"),
        ("<up>", "b"),
        ("<up>", "old"),
        ("<up>", "old"),
        ("<down>", "b"),
        ("<ctrl-down>", "a"),
        ("<down>", "dra"),
    ] {
        stage.keys(key);
        assert_eq!(stage.model.query.text(), line, "{key}");
    }
    stage.keys("<up><left>x<up>");
    assert_eq!(stage.model.query.text(), "a", "what was edited is a new line");
}

#[test]
fn questions_are_searched() {
    let mut stage = Stage::new();
    let kept = ["why does git", "How is Tea made", "git tea", "other"];
    stage.say(Message::History(kept.map(str::to_owned).to_vec()));
    stage.keys("<ctrl-r>tea");
    let found: Vec<&str> = stage.model.found().iter().map(|found| found.question).collect();
    assert_eq!(found, ["git tea", "How is Tea made"]);
    stage.keys("<ctrl-r><enter>");
    assert_eq!(stage.commands.last(), Some(&ask(ASK, "How is Tea made", None)));
    assert!(stage.model.finding.is_none());
    stage.keys("<ctrl-r>why git<tab>");
    assert_eq!(stage.model.query.text(), "why does git");
    stage.keys("<ctrl-r>nothing<enter>");
    assert_eq!((stage.model.query.text(), stage.model.finding.is_none()), ("why does git", true));
    stage.keys("<ctrl-r>tea<bs><esc>");
    assert_eq!(stage.model.query.text(), "why does git");
}
