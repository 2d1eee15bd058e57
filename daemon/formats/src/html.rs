//! HTML and XHTML to Markdown, in one pass over the tags.
//!
//! No tree is built: what is nested thousands deep, never closed or closed twice costs no more than
//! anything else, in time or in stack. What a tree would know, that a `<p>` ends where the next begins,
//! is known here by each block ending the one before.

mod page;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use daemon::convert::{Converted, Unconverted};
use daemon::extract::is_mostly_utf8;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult,
    Tokenizer,
};

use crate::text::{Text, within};
use page::Page;

/// Bytes in which a page says how it is encoded: browsers look at 1,024, and people write more.
const HEAD_BYTES: usize = 4 << 10;

pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let controls = head.iter().filter(|b| matches!(b, 0..=8 | 14..=26)).count();
    if controls * 20 > head.len() && wide(head).is_none() && Encoding::for_bom(head).is_none() {
        return Err(Unconverted::Damaged("no text".to_owned()));
    }
    let (text, title) = markdown(&decode(bytes))?;
    text.converted(title)
}

/// Whether the content is a page, or a piece of one, whatever it is called.
pub(crate) fn is_page(bytes: &[u8]) -> bool {
    const BEGINS: &[&str] =
        &["<!doctype html", "<html", "<head", "<meta", "<style", "<body", "<table", "<div"];
    let head = decode(&bytes[..bytes.len().min(512)]).trim_start().to_lowercase();
    BEGINS.iter().any(|begin| head.starts_with(begin))
}

/// A page as Markdown, and its title.
pub(crate) fn markdown(html: &str) -> Result<(Text, Option<String>), Unconverted> {
    let page = render(html, true);
    // What is left out was never closed, or is all there is: then it is no menu.
    let page = if page.unclosed() || page.is_empty() { render(html, false) } else { page };
    let (text, title) = page.finish();
    text.within()?;
    Ok((text, title))
}

fn render(html: &str, tidy: bool) -> Page {
    let head: String = html.chars().take(1024).collect();
    let xml =
        head.trim_start().starts_with("<?xml") || head.contains("http://www.w3.org/1999/xhtml");
    let tokenizer =
        Tokenizer::new(Sink { page: RefCell::new(Page::new(tidy)), xml }, Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // Stops for scripts that are to be run, and none is.
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.page.into_inner()
}

struct Sink {
    page: RefCell<Page>,
    /// `<title/>` is empty in XHTML, and open in HTML, where drawings and formulas alone end so.
    xml: bool,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut page = self.page.borrow_mut();
        // The rest is not wanted, as the whole will be refused.
        if within(page.bytes()).is_err() {
            return TokenSinkResult::Continue;
        }
        match token {
            TagToken(tag) if tag.kind == StartTag => {
                page.open(&tag);
                if tag.self_closing && (self.xml || matches!(&*tag.name, "math" | "svg")) {
                    page.close(&tag.name);
                    return TokenSinkResult::Continue;
                }
                return raw(&tag);
            }
            TagToken(tag) => page.close(&tag.name),
            CharacterTokens(text) => page.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    /// Sections of character data are text in XHTML, and comments in HTML.
    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.xml
    }
}

/// How the content of an element is to be read that holds no tags.
fn raw(tag: &Tag) -> TokenSinkResult<()> {
    match &*tag.name {
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
            TokenSinkResult::RawData(RawKind::Rawtext)
        }
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

/// The text of a page.
pub(crate) fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let said = declared(head);
    // ASCII that stands for Japanese is valid UTF-8, and nothing else is that by chance.
    let shifted = said.filter(|said| said.name() == "ISO-2022-JP");
    let valid = std::str::from_utf8(bytes).is_ok().then_some(UTF_8);
    // One damaged character does not make a page Latin.
    let likely = || if is_mostly_utf8(bytes) { UTF_8 } else { WINDOWS_1252 };
    let encoding = shifted.or_else(|| wide(head)).or(valid).or(said).unwrap_or_else(likely);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-16 without its mark: every other byte of a page's head is zero.
fn wide(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
    let most = |zeros: usize| head.len() > 8 && zeros * 2 > head.len() / 2;
    match (most(zeros(0)), most(zeros(1))) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// What `<meta charset>`, its older form, or the XML declaration says.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_lowercase();
    ["charset=", "encoding="].iter().find_map(|key| {
        let at = head.find(key)? + key.len();
        let value = head[at..].trim_start_matches([' ', '"', '\'']);
        let label = value.split(['"', '\'', ' ', ';', '>', '/', '?']).next()?;
        let encoding = Encoding::for_label(label.as_bytes())?;
        // A page that could be read this far is not UTF-16, whatever it says.
        Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
    })
}
