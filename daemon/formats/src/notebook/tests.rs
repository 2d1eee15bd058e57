use daemon::convert::Unconverted;
use daemon_protocol::Place;

use crate::tests::{places, read, text};

#[test]
fn reads_what_is_written_the_code_and_short_outputs() {
    let notebook = r##"{"nbformat":4,"nbformat_minor":5,"metadata":{"kernelspec":{"language":"python","name":"p"}},"cells":[
        {"cell_type":"markdown","metadata":{},"source":["# Load\n","some *data*"]},
        {"cell_type":"code","metadata":{},"execution_count":1,"source":"import os\nprint(1)","outputs":[
            {"output_type":"stream","name":"stdout","text":["1\n"]},
            {"output_type":"display_data","metadata":{},"data":{"image/png":"iVBORw0KGgo=","text/plain":["<Figure size 1>"]}},
            {"output_type":"execute_result","metadata":{},"execution_count":1,"data":{"text/plain":"42"}},
            {"output_type":"display_data","metadata":{},"data":{"text/plain":"<Markdown>","text/markdown":["a **lamp**\n"]}},
            {"output_type":"error","ename":"KeyError","evalue":"'a'","traceback":["\u001b[31mlong"]}]},
        {"cell_type":"code","metadata":{},"execution_count":null,"source":[],"outputs":[]},
        {"cell_type":"raw","metadata":{},"source":"raw"}]}"##;
    let converted = read("ipynb", notebook.as_bytes()).unwrap();
    assert_eq!(
        converted.text,
        "# Load\nsome *data*\n\n```python\nimport os\nprint(1)\n```\n\n```\n1\n```\n\n```\n42\n```\n\n\
         a **lamp**\n\n```\nKeyError: 'a'\n```\n\nraw"
    );
    let cells =
        [(Place::Cell(1), "# Load"), (Place::Cell(2), "```python"), (Place::Cell(4), "raw")];
    assert_eq!(places(&converted), cells);
}

#[test]
fn reads_the_format_of_old() {
    let notebook = r#"{"nbformat":3,"metadata":{"name":"x"},"worksheets":[{"cells":[
        {"cell_type":"heading","level":2,"source":["Top"]},
        {"cell_type":"code","language":"python","input":["a = 1"],"outputs":[{"output_type":"stream","text":"one"}]}]}]}"#;
    assert_eq!(
        text("ipynb", notebook.as_bytes()),
        "## Top\n\n```python\na = 1\n```\n\n```\none\n```"
    );
}

#[test]
fn leaves_long_outputs_and_colours_out() {
    let cell = |text: &str| {
        let cell = serde_json::json!({"cells": [{"cell_type": "code", "source": "x", "outputs": [{"text": text}]}]});
        super::read(cell.to_string().as_bytes()).unwrap().text
    };
    assert_eq!(cell(&"long ".repeat(1000)), "```\nx\n```");
    assert_eq!(cell("\u{1b}[1;31mred\u{1b}[0m text"), "```\nx\n```\n\n```\nred text\n```");
}

#[test]
fn an_empty_notebook_has_no_text() {
    assert_eq!(text("ipynb", br#"{"cells":[]}"#), "");
}

#[test]
fn refuses_what_is_no_notebook() {
    let deep = "[".repeat(20_000);
    for bytes in [&b""[..], b"words", b"{}", b"[1]", deep.as_bytes()] {
        assert!(matches!(read("ipynb", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
    }
}
