//! Searches that are saved under a name: named, listed, asked again, taken away.

use tui_saved::Search;

use super::screens::check_sizes;
use super::{ASK, Stage, ask};
use crate::message::{Command, Message};

fn search(name: &str, question: &str) -> Search {
    Search { name: name.to_owned(), question: question.to_owned() }
}

/// With three of them.
fn saved() -> Stage {
    let mut stage = Stage::new();
    stage.say(Message::Saved(vec![
        search("lamp", "why does it smoke type:md"),
        search("tides", "low tide after:7d"),
        search("b\u{1b}[31m 犬", "what does a dog eat -path:old"),
    ]));
    stage
}

#[test]
fn a_question_is_saved_with_its_filters() {
    let mut stage = saved();
    stage.keys("<alt-s>");
    assert!(stage.screen(80, 24).to_string().contains("no question to save"));
    stage.keys(" git type:md<alt-s>");
    assert!(stage.screen(80, 24).to_string().contains("save as › a name"));
    stage.keys("?rebase<bs>X<enter>");
    assert_eq!(stage.commands.pop(), Some(Command::Save(search("?rebasX", "git type:md"))));
    assert_eq!(stage.model.query.text(), " git type:md", "the line is the question's again");
    // One that is saved already is offered its name, to be changed.
    stage.keys("<ctrl-u>low tide after:7d<alt-s>");
    assert!(stage.screen(80, 24).to_string().contains("save as › tides"));
    stage.keys("<esc>");
    assert_eq!((stage.commands.pop(), stage.model.query.text()), (None, "low tide after:7d"));
    stage.keys("<alt-s><ctrl-u><enter>");
    assert_eq!(stage.commands.pop(), None, "a name is needed");
}

#[test]
fn saved_searches_are_found_asked_edited_and_taken_away() {
    let mut stage = saved();
    stage.keys("<alt-f>ti<enter>");
    assert_eq!(stage.commands.pop(), Some(ask(ASK, "low tide after:7d", None)));
    // By their questions, too.
    stage.keys("<alt-f>smoke<tab>");
    assert_eq!(stage.model.query.text(), "why does it smoke type:md");
    assert_eq!(stage.commands.pop(), None, "Tab puts it into the line");
    stage.keys("<alt-f><down><ctrl-x>");
    assert_eq!(stage.commands.pop(), Some(Command::Unsave("tides".to_owned())));
    let left: Vec<&str> = stage.model.saved.iter().map(|search| search.name.as_str()).collect();
    assert_eq!(left, ["lamp", "b\u{1b}[31m 犬"]);
    stage.keys("<ctrl-x><ctrl-x><ctrl-x>");
    assert!(stage.model.saved.is_empty());
    stage.keys("<enter>");
    assert!(stage.model.finding.is_none(), "with none to choose it is left");
    // In the history there is nothing to take away.
    stage.say(Message::History(vec!["how is tea made".to_owned()]));
    stage.keys("<ctrl-r><ctrl-x>");
    assert!(stage.model.history.iter().any(|question| question == "how is tea made"));
}

#[test]
fn saved_searches_on_the_screen() {
    let mut stage = saved();
    stage.keys("<alt-f><down>");
    check_sizes("saved", &mut stage);
    stage.keys("<esc>git rebase<alt-s>work");
    check_sizes("naming", &mut stage);
}
