//! Mail, one message or a box of them: who, when, what about, what it says, and what was attached.

#[cfg(test)]
mod tests;

use daemon::convert::{Converted, Unconverted};
use daemon_protocol::Place;
use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use crate::html;
use crate::text::{Text, one_line};

/// Parts of one message.
const PARTS_MAX: usize = 10_000;
/// Messages within messages that are read: forwarded ones, and what these forward.
const DEPTH_MAX: usize = 5;
/// Bytes of a text that is attached: longer ones are logs and data, of which the name is read.
const ATTACHED_BYTES_MAX: usize = 256 << 10;
/// Addresses of one line: the receivers of a circular are nobody's question.
const ADDRESSES_MAX: usize = 50;

pub(crate) fn message(bytes: &[u8]) -> Result<Converted, Unconverted> {
    // Some programs write the line that begins a message of a box before a single one.
    let envelope =
        bytes.starts_with(b"From ").then(|| bytes.iter().position(|byte| *byte == b'\n')).flatten();
    let bytes = &bytes[envelope.map_or(0, |end| end + 1)..];
    let mut text = Text::default();
    if bytes.trim_ascii().is_empty() {
        return text.converted(None);
    }
    let Some(message) = parse(bytes) else {
        return Err(Unconverted::Damaged(
            "no message: it has none of the headers of one".to_owned(),
        ));
    };
    write(&mut text, &message, 1)?;
    text.converted(message.subject().map(str::to_owned))
}

pub(crate) fn mailbox(bytes: &[u8]) -> Result<Converted, Unconverted> {
    let mut text = Text::default();
    if !bytes.starts_with(b"From ") && !bytes.trim_ascii().is_empty() {
        return Err(Unconverted::Damaged(
            "no mailbox: it does not begin with a message".to_owned(),
        ));
    }
    for (message, number) in MessageIterator::new(bytes).zip(1..) {
        let message = message.map_err(|error| Unconverted::Damaged(error.to_string()))?;
        // What nobody can read among others is no reason to leave these out.
        let Some(message) = parse(message.contents()) else { continue };
        text.mark(Place::Message(number));
        write(&mut text, &message, 1)?;
    }
    text.converted(None)
}

/// A message; none if there is no header that each has.
fn parse(bytes: &[u8]) -> Option<Message<'_>> {
    let message = MessageParser::default().parse(bytes)?;
    let known = message.from().is_some()
        || message.to().is_some()
        || message.subject().is_some()
        || message.date().is_some()
        || message.received().is_some()
        || message.root_part().content_type().is_some();
    known.then_some(message)
}

fn write(text: &mut Text, message: &Message, level: usize) -> Result<(), Unconverted> {
    if message.parts.len() > PARTS_MAX {
        return Err(Unconverted::TooMuch(format!("a message of more than {PARTS_MAX} parts")));
    }
    text.heading(level, message.subject().unwrap_or_default());
    let date = message.date().filter(|date| date.is_valid());
    let date = date.map(|date| date.to_rfc3339().replacen('T', " ", 1));
    let lines = [
        ("From", people(message.from())),
        ("To", people(message.to())),
        ("Cc", people(message.cc())),
        ("Date", date),
    ];
    let lines = lines.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", value?)));
    text.block(&lines.collect::<Vec<_>>().join("\n"));
    for part in message.text_bodies() {
        body(text, &part.body)?;
    }
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    for part in message.attachments() {
        let name = part.attachment_name().map(one_line).filter(|name| !name.is_empty());
        match &part.body {
            PartType::Message(message) if level < DEPTH_MAX => write(text, message, level + 1)?,
            PartType::Text(words) | PartType::Html(words) if words.len() <= ATTACHED_BYTES_MAX => {
                texts.push((name.clone().unwrap_or_default(), &part.body));
            }
            _ => {}
        }
        names.extend(name);
    }
    if !names.is_empty() {
        text.block(&format!("Attachments: {}", names.join(", ")));
    }
    for (name, attached) in texts {
        text.heading(level + 1, &name);
        body(text, attached)?;
    }
    text.within()
}

/// A part that is shown as text; of one that is a page, what it says.
fn body(text: &mut Text, body: &PartType) -> Result<(), Unconverted> {
    match body {
        PartType::Text(words) => text.block(words.trim()),
        PartType::Html(page) => text.append(&html::markdown(page)?.0),
        PartType::Binary(_)
        | PartType::InlineBinary(_)
        | PartType::Message(_)
        | PartType::Multipart(_) => {}
    }
    text.within()
}

/// Names with their addresses.
fn people(address: Option<&Address>) -> Option<String> {
    let people: Vec<String> = address?
        .iter()
        .take(ADDRESSES_MAX)
        .filter_map(|person| match (person.name(), person.address()) {
            (Some(name), Some(address)) => {
                Some(format!("{} <{}>", one_line(name), one_line(address)))
            }
            (name, address) => name.or(address).map(one_line),
        })
        .collect();
    (!people.is_empty()).then(|| people.join(", "))
}
