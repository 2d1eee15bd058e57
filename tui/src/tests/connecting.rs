//! A daemon that is not there yet, goes and comes back, as the model sees it.

use daemon_protocol::{Event, IndexStatus};

use super::{ASK, Stage, ask, indexing, status, training};
use crate::message::{Command, Message};
use crate::model::Connection;

#[test]
fn a_daemon_that_breaks_off_is_called_again_once() {
    let mut stage = Stage::drafted();
    stage.hear(indexing());
    stage.commands.clear();
    stage.say(Message::Lost("it closed the connection".to_owned()));
    let notice = stage.model.notice.clone().expect("said");
    assert_eq!(notice.text, "the daemon is gone: it closed the connection");
    assert_eq!(stage.commands, [Command::Connect]);
    assert_eq!(stage.model.connection, Connection::Connecting { again: true });
    // What it told last is not true any more.
    assert!(stage.model.index.is_none() && stage.model.daemon.is_none());
    stage.say(Message::Connected);
    let notice = stage.model.notice.clone().expect("said");
    assert_eq!(notice.text, "the daemon answers again; F5 asks again");
    // One that goes without a word would do so for ever.
    stage.commands.clear();
    stage.say(Message::Lost("it closed the connection".to_owned()));
    assert_eq!(stage.model.connection, Connection::Lost);
    assert!(stage.commands.is_empty());
    stage.keys("<f5>");
    assert_eq!(stage.commands, [Command::Connect]);
    stage.say(Message::Connected);
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 1, "git rebase main", None)));
}

#[test]
fn a_daemon_that_was_stopped_is_called_back_by_the_next_question() {
    let mut stage = Stage::drafted();
    stage.commands.clear();
    stage.hear(Event::Closing { reason: "a client stopped it".to_owned() });
    stage.say(Message::Lost("it closed the connection".to_owned()));
    let notice = stage.model.notice.clone().expect("said");
    assert_eq!(notice.text, "the daemon is gone: a client stopped it");
    assert!(stage.commands.is_empty(), "whoever stopped it meant it");
    stage.keys("!<enter>");
    assert_eq!(stage.commands, [Command::Connect]);
    stage.keys("!<enter>");
    assert_eq!(stage.commands, [Command::Connect], "one attempt at a time");
    stage.say(Message::ConnectFailed("no model".to_owned()));
    assert_eq!(stage.model.connection, Connection::Lost);
    stage.keys("<enter>");
    stage.say(Message::Connected);
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 3, "git rebase main!!", None)));
    assert!(stage.model.busy());
}

#[test]
fn a_question_waits_for_the_first_connection() {
    let mut stage = Stage::new();
    stage.model.connection = Connection::Connecting { again: false };
    stage.keys("git<enter>");
    assert!(stage.commands.is_empty() && stage.model.busy());
    stage.say(Message::ConnectFailed("no model; run: fore model pull".to_owned()));
    let notice = stage.model.notice.clone().expect("said");
    assert_eq!(
        (notice.text.as_str(), notice.hint.as_deref()),
        ("no model; run: fore model pull", Some("F5 tries again"))
    );
    assert_eq!((stage.model.query.text(), stage.model.busy()), ("git", false));
    stage.keys("<ctrl-u><f5>");
    assert_eq!(stage.commands, [Command::Connect], "without a question too");
    stage.keys("git<enter>");
    stage.say(Message::Connected);
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 1, "git", None)));
}

#[test]
fn a_run_of_training_is_forgotten_with_the_connection() {
    let mut stage = Stage::new();
    for lost in [
        Message::Lost("it closed the connection".to_owned()),
        Message::Daemon(Box::new(Event::Closing { reason: "stopped by request".to_owned() })),
    ] {
        stage.hear(Event::Training { status: Some(training("training")) });
        assert_eq!(stage.model.training, Some(training("training")));
        // A status may be older than the last event.
        stage.hear(status(IndexStatus::default()));
        assert!(stage.model.training.is_some());
        stage.say(lost);
        assert_eq!(stage.model.training, None);
        stage.say(Message::Connected);
    }
}
