//! Files that are no text, on the real binary: found by page, message or cell, filtered, told of when they
//! cannot be read.

use std::fmt::Write;
use std::fs::File;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A PDF of one line a page, in a font that every reader has.
fn pdf(pages: &[&str]) -> String {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{}] >>",
            pages.len(),
            (0..pages.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect::<String>()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (page, line) in pages.iter().enumerate() {
        let content = format!("BT /F1 12 Tf 72 720 Td ({line}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1).unwrap();
    }
    let table = file.len();
    write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for place in places {
        writeln!(file, "{place:010} 00000 n ").unwrap();
    }
    let size = objects.len() + 1;
    write!(file, "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").unwrap();
    file
}

const MAIL: &str = "From: Ada <ada@example.org>\nTo: Ben <ben@example.org>\nSubject: Ferry times\n\
    Date: Tue, 6 Aug 2024 08:00:00 +0000\n\nThe quokka ferry leaves at seven.\n";

const NOTEBOOK: &str = r##"{"cells":[{"cell_type":"markdown","metadata":{},"source":["# Wombat counts\n"]},
    {"cell_type":"code","metadata":{},"outputs":[],"source":"burrows = count(wombats)"}],
    "metadata":{"kernelspec":{"language":"python","name":"python3"}},"nbformat":4,"nbformat_minor":5}"##;

fn write_documents(sandbox: &Sandbox) {
    sandbox.write("tides.pdf", pdf(&["The narwhal surfaces here.", "The ibex stays ashore."]));
    sandbox.write(
        "page.html",
        "<title>Zoo</title><h1>Animals</h1><p>The <b>okapi</b> eats leaves.</p>",
    );
    sandbox.write("ferry.eml", MAIL);
    let second = MAIL.replace("quokka", "numbat");
    sandbox.write(
        "box.mbox",
        format!(
            "From a Tue Aug  6 08:00:00 2024\n{MAIL}\nFrom b Tue Aug  6 09:00:00 2024\n{second}"
        ),
    );
    sandbox.write("count.ipynb", NOTEBOOK);
    sandbox.write("letter.rtf", r"{\rtf1\ansi The pangolin letter.\par}");
    sandbox.write("rates.csv", "animal,legs\ngannet,2\ntapir,4\n");
    sandbox.write("dig.py", "import os\n\n\ndef bilby_depth(hole):\n    return os.stat(hole)\n");
}

#[test]
fn a_page_becomes_a_picture_or_says_why_not() {
    let sandbox = Sandbox::without_model();
    let tides = pdf(&["The narwhal surfaces here.", "The ibex stays ashore."]);
    let tides = sandbox.write("tides.pdf", tides);
    let no = sandbox.write("no.pdf", "%PDF-1.7\nand no more");
    for (file, page, told) in [
        (&tides, "2", "P6 200 258 255\n"),
        (&tides, "3", "it has no page 3, but 2"),
        (&no, "1", "it is damaged: no pages can be found in it"),
    ] {
        let mut command = sandbox.command(&["draw-page", page, "200", "400"]);
        let output = command.stdin(File::open(file).unwrap()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(80)]);
        assert!(said.starts_with(told), "{said}");
    }
}

#[test]
fn each_kind_is_found_at_its_place() {
    let sandbox = Sandbox::new();
    write_documents(&sandbox);
    sandbox.add_notes();
    let first = |question: &str| -> Value {
        let hits = sandbox.fore(&["ask", "--json", "--no-think", question]).exits(0).json();
        hits[0].clone()
    };
    let cases = [
        ("narwhal", "tides.pdf", "page", Value::from(1)),
        ("ibex", "tides.pdf", "page", Value::from(2)),
        ("okapi type:html", "page.html", "heading", Value::from("Animals")),
        ("quokka ferry type:eml", "ferry.eml", "title", Value::from("Ferry times")),
        ("numbat", "box.mbox", "message", Value::from(2)),
        ("wombats burrows", "count.ipynb", "cell", Value::from(1)),
        ("pangolin", "letter.rtf", "converted", Value::from(true)),
        ("tapir legs", "rates.csv", "line_start", Value::from(1)),
        // As a parser sees it; by indentation it would be the whole line.
        ("bilby lang:python", "dig.py", "heading", Value::from("def bilby_depth")),
    ];
    for (question, file, key, value) in cases {
        let hit = first(question);
        assert!(hit["path"].as_str().unwrap().ends_with(file), "{question}: {hit}");
        assert_eq!(hit[key], value, "{question}: {hit}");
    }
    let told = sandbox.fore(&["ask", "--no-think", "ibex"]).exits(0);
    assert!(told.stdout.contains("tides.pdf:page 2 "), "{}", told.stdout);
    let none = sandbox.fore(&["ask", "--json", "--no-think", "ibex type:docx"]);
    none.exits(2).says(&["type:docx"]);
    let why = sandbox.fore(&["why-not", "tides.pdf", "narwhal", "ferry"]).exits(0);
    for stage in ["it is indexed", "by words: rank ", "by vector: cosine ", "is hit "] {
        assert!(why.stdout.contains(stage), "{stage}: {}", why.stdout);
    }
}

#[test]
fn copies_are_one_hit() {
    let sandbox = Sandbox::new();
    let text =
        "The quokka ferry leaves at seven in the morning and comes back at nine in the evening.\n";
    sandbox.write("a/ferry.md", text);
    sandbox.write("b/times of the ferry.md", text);
    sandbox.add_notes();
    let hits = sandbox.fore(&["ask", "--json", "--no-think", "quokka ferry"]).exits(0).json();
    assert_eq!(hits.as_array().unwrap().len(), 1, "{hits}");
    assert_eq!(hits[0]["also"].as_array().unwrap().len(), 1, "{hits}");
}

#[test]
fn what_cannot_be_read_costs_nothing_else() {
    let sandbox = Sandbox::new();
    write_documents(&sandbox);
    sandbox.write("torn.pdf", &pdf(&["The kiwi."])[..40]);
    sandbox.write("fake.docx", "This is no archive.");
    sandbox.write("empty.pdf", "");
    sandbox.write("deep.html", "<div>".repeat(200_000));
    sandbox.write("blank.pdf", pdf(&[""]));
    sandbox.add_notes();
    let status = sandbox.fore(&["status", "--json"]).exits(0).json();
    assert_eq!(status["kinds"]["mbox"], 1, "{status}");
    let problems = status["index"]["problems"].as_array().unwrap();
    for (name, words) in [
        ("torn.pdf", "damaged"),
        ("fake.docx", "damaged"),
        ("empty.pdf", "damaged"),
        ("blank.pdf", ""),
    ] {
        let of = |problem: &&Value| problem["path"].as_str().unwrap().ends_with(name);
        let problem = problems.iter().find(of).unwrap_or_else(|| panic!("{name}: {problems:?}"));
        assert!(problem["reason"].as_str().unwrap().contains(words), "{problem}");
        let why = sandbox.fore(&["why-not", name]).exits(0);
        assert!(why.stdout.contains("not indexed: "), "{}", why.stdout);
    }
    let hits = sandbox.fore(&["ask", "--json", "--no-think", "okapi"]).exits(0).json();
    assert!(hits[0]["path"].as_str().unwrap().ends_with("page.html"), "{hits}");
    assert!(!sandbox.log().contains("panicked"), "{}", sandbox.log());
}
