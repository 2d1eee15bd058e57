//! The whole loop: a daemon's socket on one side, keys and a screen on the other.

use daemon_protocol::{Event, Hit, Request, Stage as Ranking};
use tokio::io::AsyncWriteExt;

use super::world::{Daemon, World, both, within};
use super::{indexing, timings};
use crate::Outcome;
use crate::signals::Heard;

#[tokio::test]
async fn from_a_question_to_an_edited_file() {
    let world = World::new();
    let (draft, mut last) = (world.hit(), world.hit());
    last.ranks.draft = Some(2);
    let World { home, listener, mut person, app } = world;
    let play = async {
        let mut daemon = Daemon::accept(&listener).await;
        assert!(matches!(daemon.hears().await, Request::Subscribe { .. }));
        assert!(matches!(daemon.hears().await, Request::Status { .. }));
        daemon.says(indexing()).await;
        person.sees("indexing 120/904").await;
        person.types("git").await;
        person.types("?<enter>").await;
        let (id, text) = daemon.asked().await;
        assert_eq!(text, "git?");
        daemon.says(Event::Hits { id, stage: Ranking::Draft, hits: vec![draft] }).await;
        person.sees("draft, still thinking").await;
        person.sees("3▎ Run git rebase.").await;
        for delta in [" Git", " keeps", " history."] {
            daemon.says(Event::Thought { id, index: 0, delta: delta.to_owned() }).await;
            person.sees(delta).await;
        }
        daemon.says(Event::Hits { id, stage: Ranking::Final, hits: vec![last] }).await;
        daemon.says(Event::Done { id, timings: timings() }).await;
        person.sees("▲1 git.md:3").await;
        person.sees("71 tokens").await;
        person.types("<ctrl-y>").await;
        person.told.wait_for(|told| told.clipboard.ends_with("/git.md:3")).await.expect("copied");
        person.types("<enter>").await;
        person.told.wait_for(|told| told.loans == 1).await.expect("the editor ends");
        person.sees("4  a line added").await;
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
    let arguments = std::fs::read_to_string(home.path().join("arguments")).expect("edited");
    assert_eq!(arguments, "+3 git.md");
}

#[tokio::test]
async fn a_newer_question_silences_the_older() {
    let world = World::new();
    let (old, mut new) = (world.hit(), world.hit());
    new.heading = "Newer".to_owned();
    let World { listener, mut person, app, home: _home } = world;
    let play = async {
        let mut daemon = Daemon::accept(&listener).await;
        person.types("git<enter>").await;
        let (first, _) = daemon.asked().await;
        person.types(" two<enter>").await;
        let (second, text) = daemon.asked().await;
        assert_eq!(text, "git two");
        daemon
            .says(Event::Hits { id: first, stage: Ranking::Final, hits: vec![old.clone(), old] })
            .await;
        daemon.says(Event::Hits { id: second, stage: Ranking::Final, hits: vec![new] }).await;
        person.sees("1 result ").await;
        person.sees("Newer").await;
        person.types("<esc>").await;
        assert_eq!(daemon.hears().await, Request::Cancel { id: second });
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn a_daemon_that_goes_is_called_again() {
    let world = World::new();
    let result = world.hit();
    let World { listener, mut person, app, home: _home } = world;
    let play = async {
        let mut daemon = Daemon::accept(&listener).await;
        daemon.says(indexing()).await;
        person.sees("indexing 120/904").await;
        person.types("git<enter>").await;
        daemon.asked().await;
        drop(daemon);
        person.sees("error: the daemon is gone: it closed the connection").await;
        assert!(!person.shown.borrow().contains("indexing"), "nobody knows how far it is");
        let mut daemon = Daemon::accept(&listener).await;
        assert!(matches!(daemon.hears().await, Request::Subscribe { .. }));
        person.sees("the daemon answers again; F5 asks again").await;
        person.types("<f5>").await;
        let (id, text) = daemon.asked().await;
        assert_eq!(text, "git");
        daemon.says(Event::Hits { id, stage: Ranking::Draft, hits: vec![result] }).await;
        person.sees("git.md:3").await;
        // Nonsense breaks the stream; so does a socket without a daemon.
        drop(listener);
        daemon.write.write_all(b"{}\n").await.expect("writes");
        person.sees("no daemon answers at").await;
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn the_first_frame_waits_for_no_daemon() {
    let World { listener, mut person, app, home: _home } = World::new();
    let play = async {
        person.sees("connecting to the daemon").await;
        person.types("git<enter>").await;
        person.sees("waiting for the daemon").await;
        let mut daemon = Daemon::accept(&listener).await;
        assert_eq!(daemon.asked().await.1, "git");
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn stopping_gives_the_terminal_to_the_shell() {
    let World { mut person, app, home: _home, listener: _listener } = World::new();
    let play = async {
        person.types("git<ctrl-z>").await;
        person.told.wait_for(|told| told.stops == 1).await.expect("stops");
        person.signals.send(Heard::Continue).await.expect("the loop listens");
        person.told.wait_for(|told| told.loans == 1 && !told.lent).await.expect("goes on");
        person.types("!").await;
        person.sees("› git!").await;
        person.signals.send(Heard::Stop).await.expect("the loop listens");
        person.told.wait_for(|told| told.stops == 2).await.expect("stops");
        person.signals.send(Heard::Continue).await.expect("the loop listens");
        person.told.wait_for(|told| told.loans == 2 && !told.lent).await.expect("goes on");
        // After SIGSTOP, of which nothing is heard, all is drawn anew as well.
        person.signals.send(Heard::Continue).await.expect("the loop listens");
        person.told.wait_for(|told| told.loans == 3 && !told.lent).await.expect("goes on");
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn signals_end_the_loop_and_are_told_apart() {
    for (heard, outcome, status) in [
        (Heard::Interrupt, Outcome::Interrupted, 130),
        (Heard::Terminate, Outcome::Terminated, 143),
        (Heard::HangUp, Outcome::HungUp, 129),
    ] {
        let World { person, app, home: _home, listener: _listener } = World::new();
        person.signals.send(heard).await.expect("there is room");
        let left = within(app.run()).await.expect("ends well");
        assert_eq!((left, left.exit_status()), (outcome, status));
    }
}

#[tokio::test]
async fn a_file_that_hangs_keeps_nobody() {
    // Like a disk that is gone. The thread ends with the tests' process, as it does with the program's.
    let world = World::reading(|_| {
        loop {
            std::thread::park();
        }
    });
    let result = world.hit();
    let World { listener, mut person, app, home: _home } = world;
    let play = async {
        let mut daemon = Daemon::accept(&listener).await;
        person.types("git<enter>").await;
        let (id, _) = daemon.asked().await;
        let hits = vec![Hit { byte_start: 0, ..result.clone() }, result];
        daemon.says(Event::Hits { id, stage: Ranking::Draft, hits }).await;
        person.sees("2 results").await;
        person.sees("only the snippet: its file takes long to be read").await;
        person.types("<down>").await;
        person.sees("▌ 2 git.md").await;
        person.sees("only the snippet: its file takes long to be read").await;
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn a_terminal_that_closes_ends_the_loop() {
    let World { person, app, home: _home, listener: _listener } = World::new();
    drop(person.keys);
    assert_eq!(within(app.run()).await.expect("ends well"), Outcome::HungUp);
}
