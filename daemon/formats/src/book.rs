//! EPUB books: the files of their reading order as chapters, each read as the page that it is.

#[cfg(test)]
mod tests;

use std::io::Cursor;

use daemon::convert::{Converted, Unconverted};
use daemon_protocol::Place;
use rbook::Epub;

use crate::html;
use crate::text::{Text, one_line};
use crate::xml::{self, Piece, Xml};
use crate::zipped::Zipped;

/// Ways to hide fonts from copying, which leave the text as it is.
const FONTS_ONLY: &[&str] =
    &["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"];

pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    let mut zip = Zipped::bounded(bytes)?;
    if is_locked(&mut zip)? {
        return Err(Unconverted::Protected);
    }
    let book = Epub::options().strict(false).skip_toc(true).read(Cursor::new(bytes.to_vec()));
    let book = book.map_err(|error| Unconverted::Damaged(error.to_string()))?;
    let title = book.metadata().title().map(|title| title.value().to_owned());
    let (mut text, mut unread) = (Text::default(), None);
    let authors: Vec<String> =
        book.metadata().creators().map(|author| one_line(author.value())).collect();
    let mut is_read = false;
    let chapters = book.spine().iter().count();
    if !authors.is_empty() {
        text.block(&format!("Author: {}", authors.join(", ")));
    }
    for (part, number) in book.spine().iter().zip(1..) {
        // A book may list a file that it lost, or a picture; the others are read, and counted as listed.
        let Some(entry) =
            part.manifest_entry().filter(|entry| !entry.media_type().starts_with("image/"))
        else {
            continue;
        };
        let page = match entry.read_bytes() {
            Ok(page) => page,
            Err(error) => {
                unread = Some(Unconverted::Damaged(error.to_string()));
                continue;
            }
        };
        let (chapter, _) = html::markdown(&html::decode(&page))?;
        is_read |= !chapter.as_str().is_empty();
        text.mark(Place::Chapter(number));
        text.append(&chapter);
        text.within()?;
    }
    if chapters == 0 {
        return Err(Unconverted::Damaged("the book lists no chapter".to_owned()));
    }
    match unread {
        Some(why) if !is_read => Err(why),
        _ => text.converted(title),
    }
}

/// Whether more than fonts are encrypted.
fn is_locked(zip: &mut Zipped) -> Result<bool, Unconverted> {
    let Some(text) = zip.xml("META-INF/encryption.xml")? else { return Ok(false) };
    let mut xml = Xml::new(&text);
    let mut data = false;
    while let Some(piece) = xml.next()? {
        let Piece::Open(tag) = piece else { continue };
        match tag.local_name().as_ref() {
            "EncryptedData" => data = true,
            "EncryptionMethod" if data => {
                let way = xml::attribute(&tag, "Algorithm").unwrap_or_default();
                if !FONTS_ONLY.contains(&way.as_str()) {
                    return Ok(true);
                }
                data = false;
            }
            _ => {}
        }
    }
    Ok(false)
}
