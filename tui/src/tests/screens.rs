//! What is drawn, at fixed sizes.

use daemon_protocol::{
    ErrorKind, Event, Failure, IndexStatus, Phase, Stage as Ranking, TrainingStatus,
};
use insta::{Settings, assert_snapshot};
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::{ASK, LOOK, Stage, git, hit, indexing, status, training};
use crate::look::{Colors, Look};
use crate::message::Message;
use crate::model::Connection;
use crate::preview::Preview;

/// Compares a screen with the snapshot of that name.
pub(super) fn check(name: &str, screen: TestBackend) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, screen));
}

/// At the least size, at that of old terminals, and at a large one.
pub(super) const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (200, 60)];

/// Compares the screen at each size with its snapshot.
pub(super) fn check_sizes(name: &str, stage: &mut Stage) {
    for (width, height) in SIZES {
        check(&format!("{name}_{width}x{height}"), stage.screen(width, height));
    }
}

#[test]
fn start() {
    let mut stage = Stage::new();
    check_sizes("start", &mut stage);
}

#[test]
fn before_there_is_a_daemon() {
    let mut stage = Stage::new();
    stage.model.connection = Connection::Connecting { again: false };
    stage.keys("git rebase<enter>");
    check_sizes("connecting", &mut stage);
    let reason = "no model in ~/.cache/forethought/models; run: fore model pull";
    stage.say(Message::ConnectFailed(reason.to_owned()));
    check_sizes("unconnected", &mut stage);
}

#[test]
fn a_small_screen_shows_the_preview_in_the_place_of_the_results() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-home>");
    stage.read_preview(60);
    stage.say(Message::Resized { width: 40, height: 10 });
    stage.keys("<tab>");
    check_sizes("preview", &mut stage);
    stage.say(Message::Resized { width: 40, height: 10 });
    stage.keys("<pgdn>");
    let screen = stage.screen(40, 10).to_string();
    assert!(screen.contains("18  this is line 018"), "{screen}");
    assert!(stage.screen(100, 30).to_string().contains("4 results"), "there is room for both");
    stage.screen(40, 10);
    stage.keys("<esc>");
    assert!(stage.screen(40, 10).to_string().contains("4 results"));
}

#[test]
fn what_is_found_as_it_is_typed() {
    let mut stage = Stage::instant();
    stage.keys("git");
    let id = crate::model::INSTANT_ID_FIRST;
    stage.hear(Event::Hits { id, stage: Ranking::Final, hits: super::draft() });
    stage.read_preview(60);
    check_sizes("typed", &mut stage);
}

#[test]
fn the_ranking_before() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-b>");
    check_sizes("before", &mut stage);
}

#[test]
fn questions_asked_before() {
    let mut stage = Stage::new();
    let asked = ["why does git rebase", "how is tea made", "what is a rebase\x1b[31m"];
    stage.say(Message::History(asked.map(str::to_owned).to_vec()));
    stage.keys("<ctrl-r>reb<down>");
    check_sizes("found", &mut stage);
}

#[test]
fn words_are_marked_in_the_preview() {
    let mut stage = Stage::asked();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: vec![git()] });
    let text = format!("{}A Git and a gitignore; git.\n", "this is line 001\n".repeat(14));
    let wish = git();
    stage.say(Message::Preview(Box::new(Preview::cut(&wish, text.as_bytes(), 0))));
    let screen = stage.screen(120, 30);
    let marked = |cell: &&Cell| cell.fg == Color::Yellow;
    let preview = screen.buffer().content().chunks(120).map(|row| &row[68..]);
    let marked: String = preview.flatten().filter(marked).map(Cell::symbol).collect();
    assert!(marked.ends_with("Gitgit"), "{marked}");
}

#[test]
fn colours_are_the_terminals_or_true_ones_for_its_background() {
    let mut tints = std::collections::BTreeSet::new();
    for colors in [Colors::Ansi, Colors::True] {
        for light in [false, true] {
            let mut stage = Stage::answered();
            stage.model.settings.look = Look { colors, light, ..LOOK };
            let screen = stage.screen(80, 24);
            let sign = screen.buffer()[(0, 0)].fg;
            assert_eq!(matches!(sign, Color::Rgb(..)), colors == Colors::True);
            tints.insert(format!("{sign:?}"));
        }
    }
    assert_eq!(tints.len(), 4, "{tints:?}");
}

#[test]
fn nothing_moves_where_that_is_unwanted() {
    let mut stage = Stage::asked();
    stage.model.settings.look.still = true;
    let before = stage.screen(80, 24).to_string();
    stage.say(Message::Tick);
    assert_eq!(stage.screen(80, 24).to_string(), before);
    assert!(before.contains("… thinking"), "{before}");
}

#[test]
fn nothing_watched_yet() {
    let mut stage = Stage::new();
    let Event::Status { id, status: mut daemon } = status(IndexStatus::default()) else {
        panic!("a status");
    };
    daemon.folders.clear();
    stage.hear(Event::Status { id, status: daemon });
    assert!(stage.screen(80, 24).to_string().contains("no folder is watched yet"));
}

#[test]
fn why_indexing_waits_is_told() {
    let bar = |waiting: &str, phase, width| {
        let mut stage = Stage::new();
        let waiting = Some(waiting.to_owned());
        let index = IndexStatus { documents: 171, phase, waiting, ..Default::default() };
        stage.hear(Event::Indexing { status: index });
        let screen = stage.screen(width, 24).to_string();
        screen.lines().nth(23).unwrap().trim_matches(['"', ' ']).to_owned()
    };
    for (why, phase, expected) in [
        ("paused for 2 h more", Phase::Idle, "waiting: paused for 2 h more · 171 documents"),
        (
            "on battery, which has 12 % left",
            Phase::Encoding,
            "indexing 0/0 · waiting: on battery, which has 12 % left · 171 documents",
        ),
        ("x\u{1b}[31m\ny", Phase::Idle, "waiting: x\u{fffd}[31m y · 171 documents"),
    ] {
        assert!(bar(why, phase, 120).starts_with(expected), "{}", bar(why, phase, 120));
    }
    let busy = "slow, since other programs use 88 % of the processors";
    assert_eq!(bar(busy, Phase::Idle, 80), format!("waiting: {busy} · 171 documents"));
    assert!(bar(busy, Phase::Idle, 40).starts_with("waiting: slow, since other programs"));
}

#[test]
fn an_index_that_cannot_be_written_is_seen() {
    let mut stage = Stage::new();
    let why = "No space left on device (os error 28)";
    let index = IndexStatus { documents: 171, storing: Some(why.into()), ..Default::default() };
    stage.hear(Event::Indexing { status: index });
    let screen = stage.screen(100, 24).to_string();
    assert!(screen.contains(&format!("the index cannot be written: {why} · 171 doc")), "{screen}");
}

#[test]
fn draft_while_thinking() {
    let mut stage = Stage::drafted();
    stage.hear(indexing());
    stage.read_preview(60);
    stage.think(0, "Rebasing replays commits on another base.");
    stage.think(1, "A note on git would mention fetch first. The branch is moved ");
    stage.think(1, "commit by commit onto the new base, and conflicts are settled one at a time");
    check("draft_100x30", stage.screen(100, 30));
    check_sizes("draft", &mut stage);
}

#[test]
fn answer_with_movement() {
    let mut stage = Stage::answered();
    stage.keys("<ctrl-p><ctrl-p>");
    stage.read_preview(200);
    check("answer_100x30", stage.screen(100, 30));
    stage.keys("<down><down>");
    check_sizes("answer", &mut stage);
}

/// The last row of a screen.
fn bar(stage: &mut Stage, width: u16) -> String {
    let screen = stage.screen(width, 24).to_string();
    let row = screen.lines().next_back().expect("a row");
    row.trim_matches('"').trim_end().to_owned()
}

#[test]
fn a_run_of_training() {
    let mut stage = Stage::new();
    stage.hear(Event::Training { status: Some(training("training")) });
    check_sizes("training", &mut stage);
    let screen = stage.screen(80, 24);
    let accent = screen.buffer()[(0, 23)].fg;
    assert!(accent != Color::Reset && screen.buffer()[(40, 23)].fg == accent, "one part");
    stage.hear(indexing());
    let both = "training step 120/400 · 5 min left · indexing 120/904, 2 min left";
    assert!(bar(&mut stage, 80).starts_with(both), "{}", bar(&mut stage, 80));
    stage.hear(Event::Training { status: None });
    assert!(bar(&mut stage, 80).starts_with("indexing 120/904"), "{}", bar(&mut stage, 80));
}

#[test]
fn what_a_run_does_beside_training() {
    let mut stage = Stage::new();
    for (status, expected) in [
        (training("exploring"), "train: exploring 120/400, 5 min left · "),
        (
            TrainingStatus { eta_s: None, done: 0, total: 0, ..training("checking") },
            "train: checking · ",
        ),
        (
            TrainingStatus { eta_s: Some(9), ..training("a\x1b[31m\nb") },
            "train: a·[31m·b 120/400, 9 s",
        ),
        (
            TrainingStatus { eta_s: Some(18_700), ..training("refining") },
            "train: refining 120/400, 5 h 12 min left · ",
        ),
        (
            TrainingStatus { eta_s: None, loss: None, ndcg_10: Some(1.0), ..training("training") },
            "training step 120/400 · nDCG 1.000 · ",
        ),
    ] {
        stage.hear(Event::Training { status: Some(status) });
        assert!(bar(&mut stage, 80).starts_with(expected), "{}", bar(&mut stage, 80));
    }
}

#[test]
fn help() {
    let mut stage = Stage::new();
    stage.keys("?");
    check_sizes("help", &mut stage);
    stage.keys("<esc>");
    assert!(stage.model.help.is_none());
}

#[test]
fn errors_and_their_hints() {
    let mut stage = Stage::drafted();
    let error = Failure {
        kind: ErrorKind::Busy,
        message: "eight questions wait already".to_owned(),
        hint: Some("ask again in a moment".to_owned()),
    };
    stage.hear(Event::Failed { id: ASK, error });
    check_sizes("failed", &mut stage);
    stage.say(Message::Lost("it closed the connection".to_owned()));
    check_sizes("lost", &mut stage);
}

#[test]
fn a_file_that_is_gone_shows_its_snippet() {
    let mut stage = Stage::asked();
    let gone = hit("/nowhere/gone.md", 4, "Gone", "rebase\x1b[31m\tred", "rebase", 0.01);
    let preview = crate::preview::read(&gone);
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: vec![gone] });
    stage.say(Message::Preview(Box::new(preview)));
    let screen = stage.screen(100, 30).to_string();
    assert!(screen.contains("only the snippet: No such file"), "{screen}");
    assert!(screen.contains("rebase·[31m    red") && !screen.contains('\x1b'), "{screen}");
}

#[test]
fn matching_words_are_marked_with_and_without_colour() {
    for (color, tint, modifier) in
        [(true, Color::Yellow, Modifier::BOLD), (false, Color::Reset, Modifier::UNDERLINED)]
    {
        let mut stage = Stage::asked();
        stage.model.settings.look.colors = if color { Colors::Ansi } else { Colors::None };
        stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: vec![git()] });
        let screen = stage.screen(80, 24);
        let marked: String = screen
            .buffer()
            .content()
            .iter()
            .filter(|cell| cell.fg == tint && cell.modifier.contains(modifier))
            .map(|cell| cell.symbol())
            .collect();
        assert!(marked.starts_with("gitgit"), "{color}: {marked}");
        let colors = screen.buffer().content().iter().any(|cell| cell.fg != Color::Reset);
        assert_eq!(colors, color);
    }
}

#[test]
fn no_size_panics() {
    let mut stage = Stage::answered();
    stage.say(Message::Insert("ein ganz langer Satz, länger als die Zeile 日本語".repeat(9)));
    stage.hear(indexing());
    stage.say(Message::Lost("a long reason ".repeat(40)));
    stage.hear(Event::Training { status: Some(training(&"日本語 ".repeat(99))) });
    let mut helped = Stage::answered();
    helped.keys("<f1>");
    let mut found = Stage::answered();
    found.keys("<ctrl-r>g");
    let mut reads = Stage::answered();
    reads.keys("<tab>");
    for (width, height) in
        (0..45).flat_map(|width| (0..12).map(move |height| (width, height))).chain([(300, 100)])
    {
        stage.screen(width, height);
        for other in [&mut helped, &mut found, &mut reads] {
            other.screen(width, height);
        }
    }
}

#[test]
fn a_late_match_is_seen() {
    let mut stage = Stage::asked();
    let snippet = format!("{}and here the rebase is explained", "some words before it ".repeat(30));
    let late = hit("/home/me/work/late.md", 1, "", &snippet, "rebase", 0.01);
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: vec![late] });
    for (width, height) in [(100, 30), (80, 24), (40, 10)] {
        let screen = stage.screen(width, height).to_string();
        assert!(screen.contains("rebase is"), "{screen}");
    }
}
