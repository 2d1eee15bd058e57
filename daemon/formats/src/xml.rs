//! XML as the readers here need it: tags that open and close, and text between with its references
//! resolved. Entities that a document declares itself are left out, so none can grow.

use std::borrow::Cow;

use daemon::convert::Unconverted;
use quick_xml::Reader;
use quick_xml::escape;
use quick_xml::events::{BytesEnd, BytesStart, Event};

pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
}

pub(crate) enum Piece<'a> {
    Open(BytesStart<'a>),
    /// Follows each `Open`, of an empty element too.
    Close(BytesEnd<'a>),
    Text(Cow<'a, str>),
}

impl<'a> Xml<'a> {
    pub(crate) fn new(text: &'a str) -> Xml<'a> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        Xml { reader }
    }

    /// The next piece; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'a>>, Unconverted> {
        loop {
            let event = self.reader.read_event();
            let event = event.map_err(|e| Unconverted::Damaged(e.to_string()))?;
            return Ok(Some(match event {
                Event::Start(tag) | Event::Empty(tag) => Piece::Open(tag),
                Event::End(tag) => Piece::Close(tag),
                Event::Text(text) => Piece::Text(text.xml10_content()),
                Event::CData(text) => Piece::Text(text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(c)) => Piece::Text(Cow::Owned(c.to_string())),
                    _ => match escape::resolve_predefined_entity(&reference) {
                        Some(text) => Piece::Text(Cow::Borrowed(text)),
                        None => continue,
                    },
                },
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            }));
        }
    }
}

/// An attribute's value by its name without prefix.
pub(crate) fn attribute(tag: &BytesStart, name: &str) -> Option<String> {
    let mut all = tag.attributes();
    let found = all.with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name)?;
    let value = escape::unescape(&found.value).map(Cow::into_owned);
    Some(value.unwrap_or_else(|_| found.value.into_owned()))
}

/// XML is UTF-8 or has a byte order mark, in all packages that are read here.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let (text, ..) = encoding_rs::UTF_8.decode(bytes);
    text.into_owned()
}

/// An attribute's value by its name, where it has some prefix.
pub(crate) fn attribute_in_namespace(tag: &BytesStart, name: &str) -> Option<String> {
    let mut all = tag.attributes();
    let mut all = all.with_checks(false).flatten();
    let found = all.find(|a| a.key.prefix().is_some() && a.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}
