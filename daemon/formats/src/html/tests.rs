use daemon::convert::Unconverted;

use crate::tests::{read, text};

#[track_caller]
fn check(html: &str, expected: &str) {
    assert_eq!(text("html", html.as_bytes()), expected);
}

#[test]
fn keeps_headings_lists_tables_and_code() {
    check(
        "<html><head><title>T</title><style>p{}</style><script>if (a<b) x()</script></head><body>\
         <h1>Top <em>one</em></h1><p>First  line\nwraps.<p>Second<br>line\
         <ul><li>one<li>two<ol start=3><li>deep</ol></ul>\
         <table><tr><th>Name<th>Sum</tr><tr><td>ACME<td>12</table>\
         <pre>let a = 1;\n  let b;</pre><h3>Last</h3>",
        "# Top one\n\nFirst line wraps.\n\nSecond\nline\n\n- one\n- two\n  3. deep\n\n\
         | Name | Sum |\n| --- | --- |\n| ACME | 12 |\n\n```\nlet a = 1;\n  let b;\n```\n\n### Last",
    );
}

#[test]
fn has_the_words_of_links_and_pictures() {
    check(
        "<p>See <a href='x'>the <b>manual</b></a>, <img src=a.png alt='a red fox'>here.",
        "See the manual, a red fox here.",
    );
    check("a<b>b</b>c d<i> e</i>", "abc d e");
    check("<p>5 &lt; 6 &amp; 7&nbsp;&euro; snake_case</p>", "5 < 6 & 7 € snake_case");
}

#[test]
fn leaves_menus_and_hidden_parts_out_but_never_all() {
    check("<nav><a>Home</a></nav><p hidden>no</p><p>yes", "yes");
    check("<nav><p>All there is</nav>", "All there is");
    check("<nav><p>Never closed<p>text", "Never closed\n\ntext");
    check("<p>a<svg viewBox='0 0 1 1'/><p>b<svg><text>no</text></svg><p>c", "a\n\nb\n\nc");
    check("<select><option>one<p>text", "one\n\ntext");
    check("<template><p>no", "");
}

#[test]
fn readings_end_with_their_word() {
    check("<p><ruby>東<rb>京<rt>とう<rt>きょう</ruby>へ<p>next", "東京へ\n\nnext");
    check("<p><ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>を", "漢字を");
}

#[test]
fn a_line_of_code_in_an_element_is_a_line() {
    check("<pre><div>a {</div><div>  b</div>}</pre>", "```\na {\n  b\n}\n```");
    check("<pre><ol><li>a<li>  b</ol></pre>after", "```\na\n  b\n```\n\nafter");
}

#[test]
fn one_damaged_character_costs_one() {
    let page = "<p>Zwölf Käfer, über Äste</p>".as_bytes();
    let damaged = [page, b"<p>\xff end"].concat();
    assert_eq!(text("html", &damaged), "Zwölf Käfer, über Äste\n\n\u{fffd} end");
    assert_eq!(text("html", b"<p>Zw\xf6lf"), "Zwölf");
}

#[test]
fn takes_tables_that_place_things_for_blocks() {
    check(
        "<table><tr><td><h2>Left</h2><p>text</td><td><ul><li>a<li>b</ul></td></tr></table>",
        "## Left\n\ntext\n\n- a\n- b",
    );
}

#[test]
fn knows_the_title() {
    let title = |html: &str| read("html", html.as_bytes()).unwrap().title;
    assert_eq!(title("<title> A &amp;\n B </title>x"), Some("A & B".to_owned()));
    assert_eq!(title("<p>x"), None);
    let xhtml = "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head><body><p>x</p></body></html>";
    assert_eq!(read("xhtml", xhtml.as_bytes()).unwrap().text, "x");
}

#[test]
fn reads_what_the_page_says_it_is_written_in() {
    assert_eq!(text("html", "<meta charset=utf-8><p>Grüße".as_bytes()), "Grüße");
    assert_eq!(text("html", b"<meta charset=iso-8859-2><p>\xb1"), "ą");
    assert_eq!(text("html", b"<p>caf\xe9"), "café");
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert_eq!(text("html", &wide("\u{feff}<p>日本")), "日本");
    assert_eq!(text("html", &wide("<html><body><p>plain</p>")), "plain");
    let shifted = b"<meta charset=iso-2022-jp><p>\x1b$B%F%9%H\x1b(B";
    assert_eq!(text("html", shifted), "テスト");
}

#[test]
fn an_empty_page_has_no_text() {
    check("", "");
    check("<html><head></head><body> </body></html>", "");
}

#[test]
fn refuses_data() {
    let data: Vec<u8> = (0..4096_u32).map(|n| (n * 7 % 23) as u8).collect();
    assert!(matches!(read("html", &data), Err(Unconverted::Damaged(_))));
}

#[test]
fn nesting_costs_neither_stack_nor_time() {
    for tag in ["div", "ul><li", "table><tr><td", "b", "pre", "svg", "nav"] {
        let open = format!("<{tag}>").repeat(20_000);
        assert!(text("html", format!("{open}deep").as_bytes()).contains("deep"), "{tag}");
        let close: String =
            tag.rsplit("><").map(|tag| format!("</{tag}>")).collect::<String>().repeat(20_000);
        let text = text("html", format!("{open}deep{close}<p>after").as_bytes());
        assert!(text.ends_with("after"), "{tag}");
    }
}

#[test]
fn declared_entities_do_not_grow() {
    let html = format!("{}<p>&g; end", crate::tests::ENTITIES);
    assert!(text("xhtml", html.as_bytes()).len() < 1000);
}

#[test]
fn refuses_more_text_than_a_file_may_be() {
    let html = "<p>0123456789".repeat(2 << 20);
    assert!(matches!(read("html", html.as_bytes()), Err(Unconverted::TooMuch(_))));
}
