//! The process that draws a page: it is this program of tests once more, which has hayro draw the file, or a shell that
//! does what no page should.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daemon_protocol::{Event, Place, Stage as Ranking};
use ratatui::layout::Size;
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;
use tui_hayro::Wanted;

use super::picturing::Easel;
use super::world::{Daemon, World, both, within};
use crate::drawing::Drawing;
use crate::message::Message;
use crate::page::{Canvas, Order, Pages};

/// As the test harness calls the test that is the process.
const TEST: &str = "tests::drawing::a_page_is_drawn";
/// In the environment of that process: page, width and height.
const WANTED: &str = "FORETHOUGHT_TEST_PAGE";
/// What the harness prints is not to be read as the picture.
const SCRIPT: &str = "exec 3>&1 >/dev/null; FORETHOUGHT_TEST_PAGE=\"$2 $3 $4\" exec \"$0\" --exact \"$1\" --nocapture";

fn shell(script: &str, more: &[&str]) -> Pages {
    let arguments = ["-c", script].into_iter().chain(more.iter().copied()).map(str::to_owned);
    let ask = || Some(Arc::new(Easel) as Arc<dyn Canvas>);
    Pages { ask, program: "/bin/sh".into(), arguments: arguments.collect() }
}

/// What draws pages in fact.
fn hayro() -> Pages {
    let me = env::current_exe().unwrap();
    shell(SCRIPT, &[me.to_str().unwrap(), TEST])
}

fn drawing(pages: Pages) -> Drawing {
    let mut drawing = Drawing::new(Some(pages));
    drawing.on(Some(Arc::new(Easel)));
    drawing
}

fn order(id: u64, path: &Path, page: u32) -> Order {
    let path = path.to_str().unwrap().to_owned();
    Order { id, path, page, width: 300, height: 400 }
}

/// A file of one page of 600 × 800 points; more in its trailer.
fn pdf(trailer: &str) -> String {
    let content = "BT /F 40 Tf 1 0 0 1 50 700 Tm (A lamp smokes) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R \
         /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = "xref\n0 5\n0000000000 65535 f \n".to_owned();
    for (object, number) in objects.iter().zip(1..) {
        table += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let begin = file.len();
    file += &format!("{table}trailer << /Size 5 /Root 1 0 R {trailer} >>\n");
    file + &format!("startxref\n{begin}\n%%EOF\n")
}

/// A folder with a sound file, a locked one and one that is none.
fn files() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let key = "4f".repeat(32);
    let lock = format!(
        "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{key}> /U <{key}> >> /ID [<00> <00>]"
    );
    for (name, file) in
        [("lamp.pdf", pdf("")), ("locked.pdf", pdf(&lock)), ("broken.pdf", "%PDF-1.7\nno".into())]
    {
        fs::write(dir.path().join(name), file).unwrap();
    }
    dir
}

/// What became of the page that was asked for with `id`.
async fn drawn(drawing: &mut Drawing, id: u64) -> Result<Size, String> {
    match within(drawing.next()).await {
        Message::Drawn { id: of, picture } if of == id => picture.map(|picture| picture.size()),
        other => panic!("{other:?}"),
    }
}

async fn drawn_by(pages: Pages, path: &Path, page: u32) -> Result<Size, String> {
    let mut drawing = drawing(pages);
    drawing.want(order(7, path, page));
    drawn(&mut drawing, 7).await
}

#[tokio::test]
async fn a_page_is_drawn() {
    if let Ok(wanted) = env::var(WANTED) {
        let numbers: Vec<u16> = wanted.split(' ').map(|number| number.parse().unwrap()).collect();
        let [page, width, height] = numbers[..] else { panic!("{wanted}") };
        let output = File::options().write(true).open("/dev/fd/3").unwrap();
        let wanted = Wanted { page: page.into(), width, height };
        tui_hayro::draw(std::io::stdin(), output, wanted).unwrap();
        return;
    }
    let dir = files();
    let file = |name: &str| dir.path().join(name);
    assert_eq!(drawn_by(hayro(), &file("lamp.pdf"), 1).await, Ok(Size::new(30, 20)));
    for (name, page, told) in [
        ("lamp.pdf", 2, "it has no page 2, but 1"),
        ("locked.pdf", 1, "it is locked with a password"),
        ("broken.pdf", 1, "it is damaged: no pages can be found in it"),
        ("none.pdf", 1, "its file cannot be read: No such file or directory (os error 2)"),
        (".", 1, "its file cannot be read: not a file any more"),
    ] {
        assert_eq!(drawn_by(hayro(), &file(name), page).await, Err(told.to_owned()), "{name}");
    }
}

#[tokio::test]
async fn what_no_picture_should_do_ends_in_a_sentence() {
    let dir = files();
    let lamp = dir.path().join("lamp.pdf");
    for (script, told) in [
        ("kill -9 $$", "what draws it ended with signal: 9 (SIGKILL)"),
        ("exit 3", "what draws it ended with exit status: 3"),
        ("printf ''", "what draws it gave no picture"),
        ("printf 'P6 2 2 255\\nshort'", "what draws it gave no picture"),
        ("printf 'P6 99999 1 255\\n'", "what draws it gave no picture"),
        ("printf 'P6 0 0 255\\n'", "what draws it gave no picture"),
        ("printf 'P6 no end'", "what draws it gave no picture"),
    ] {
        assert_eq!(drawn_by(shell(script, &[]), &lamp, 1).await, Err(told.to_owned()), "{script}");
    }
    let endless = drawn_by(shell("exec cat /dev/zero", &[]), &lamp, 1).await;
    assert_eq!(endless, Err("what draws it ended with signal: 13 (SIGPIPE)".to_owned()));
    let nothing = Pages { program: dir.path().join("nothing"), ..shell("", &[]) };
    let told = drawn_by(nothing, &lamp, 1).await.unwrap_err();
    assert!(told.starts_with("what draws it did not start: "), "{told}");
}

/// The process that wrote its number into the file, once it has.
async fn written(file: &Path) -> Pid {
    let read = async {
        loop {
            let number = fs::read_to_string(file).unwrap_or_default();
            if let Some(pid) = number.strip_suffix('\n').and_then(|number| number.parse().ok()) {
                return Pid::from_raw(pid).unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    within(read).await
}

async fn gone(pid: Pid) {
    within(async {
        while test_kill_process(pid).is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Begins to draw a page that never ends, and tells its process.
async fn stuck(drawing: &mut Drawing, dir: &Path) -> Pid {
    drawing.want(order(1, &dir.join("lamp.pdf"), 1));
    let pid = dir.join("pid");
    tokio::select! {
        message = drawing.next() => panic!("{message:?}"),
        pid = written(&pid) => pid,
    }
}

/// Page 1 is never done; any other is, at once.
fn stubborn(dir: &Path) -> Pages {
    let script =
        "if [ $1 = 1 ]; then echo $$ > \"$0/pid\"; exec sleep 600; fi; printf 'P6 1 1 255\\nrgb'";
    shell(script, &[dir.to_str().unwrap()])
}

#[tokio::test]
async fn the_newest_page_is_drawn_and_the_older_is_ended() {
    let dir = files();
    let lamp = dir.path().join("lamp.pdf");
    let mut drawing = drawing(stubborn(dir.path()));
    let old = stuck(&mut drawing, dir.path()).await;
    for (id, page) in [(2, 2), (3, 3), (4, 4)] {
        drawing.want(order(id, &lamp, page));
    }
    assert_eq!(drawn(&mut drawing, 4).await, Ok(Size::new(1, 1)));
    gone(old).await;
}

#[tokio::test]
async fn a_page_has_so_much_time_and_no_more() {
    let dir = files();
    let mut drawing = drawing(stubborn(dir.path()));
    drawing.patience = Duration::from_millis(300);
    drawing.want(order(1, &dir.path().join("lamp.pdf"), 1));
    let told = drawn(&mut drawing, 1).await.unwrap_err();
    assert_eq!(told, "drawing it takes longer than 0 s");
    // It may have ended before it said who it is.
    if let Ok(number) = fs::read_to_string(dir.path().join("pid")) {
        gone(Pid::from_raw(number.trim().parse().unwrap()).unwrap()).await;
    }
}

#[tokio::test]
async fn nothing_draws_on_when_the_screen_is_left() {
    let dir = files();
    let mut drawing = drawing(stubborn(dir.path()));
    let old = stuck(&mut drawing, dir.path()).await;
    drop(drawing);
    gone(old).await;
}

#[tokio::test]
async fn from_a_key_to_the_page() {
    let world = World::drawing(hayro());
    let dir = files();
    let mut paper = world.hit();
    paper.path = dir.path().join("lamp.pdf").to_str().unwrap().to_owned();
    (paper.converted, paper.place) = (true, Some(Place::Page(1)));
    let World { listener, mut person, app, home: _home } = world;
    let play = async {
        let mut daemon = Daemon::accept(&listener).await;
        person.types("lamp<enter>").await;
        let (id, _) = daemon.asked().await;
        daemon.says(Event::Hits { id, stage: Ranking::Final, hits: vec![paper] }).await;
        person.sees("lamp.pdf").await;
        person.types("<alt-v>").await;
        person.sees("▓▓▓▓").await;
        person.told.wait_for(|told| told.farewell == "forget it").await.expect("told");
        // Keys are heard again.
        person.types("<alt-v>").await;
        person.sees("the preview is text").await;
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}
