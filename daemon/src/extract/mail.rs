//! Mail that is stored without an ending that says so: mailboxes of Thunderbird and mutt, and messages each in a file of
//! its own (Maildir, MH). Pure.

use std::path::Path;

use super::{extension, name};

/// Bytes at the beginning of a message in which its headers are looked at.
const HEAD_BYTES: usize = 16 << 10;

/// What programs call mailboxes.
const MAILBOXES: &[&str] = &[
    "archive",
    "archives",
    "drafts",
    "inbox",
    "junk",
    "mbox",
    "outbox",
    "sent",
    "sent items",
    "sent-1",
    "sent-mail",
    "templates",
    "trash",
    "unsent messages",
];

/// Folders of a Maildir.
const MAILDIR: &[&str] = &["cur", "new"];

/// Headers that a program wrote, which no note has by chance.
const WRITTEN: &[&str] = &["delivered-to", "message-id", "mime-version", "received", "return-path"];

/// Whether a file is called like a mailbox, which may be larger than a text.
pub(super) fn is_mailbox(path: &Path) -> bool {
    extension(path).is_empty() && MAILBOXES.contains(&name(path).as_str())
}

/// The ending of the kind of mail that `bytes` are, if they are any and the name says nothing.
pub(super) fn found(path: &Path, bytes: &[u8]) -> Option<&'static str> {
    let ending = extension(path);
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let is_maildir = folder.is_some_and(|folder| MAILDIR.contains(&folder));
    if !is_maildir && !ending.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD_BYTES)]);
    match head.split_once('\n') {
        Some((first, rest)) if is_envelope(first) && headers(rest).next().is_some() => Some("mbox"),
        _ if is_message(&head) => Some("eml"),
        _ => None,
    }
}

/// Whether a line begins a message in a mailbox: `From who Thu Mar  5 10:20:30 2026`.
fn is_envelope(line: &str) -> bool {
    let is_clock = |word: &str| {
        word.contains(':') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
    };
    line.strip_prefix("From ").is_some_and(|rest| rest.split_whitespace().any(is_clock))
}

/// Whether the text begins with the headers of a message.
fn is_message(head: &str) -> bool {
    let names: Vec<String> = headers(head).map(str::to_lowercase).collect();
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    has(&["from"]) && has(&["date", "subject", "to"]) && has(WRITTEN)
}

/// The names of the headers that a text begins with.
fn headers(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let own = lines.filter(|line| !line.starts_with([' ', '\t']));
    own.map_while(|line| {
        let (name, _) = line.split_once(':')?;
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_name.then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_known_by_how_it_begins() {
        let mbox = "From a@b.c Thu Mar  5 10:20:30 2026\nSubject: One\n\ntext\n";
        let mail =
            "Return-Path: <a@b.c>\nReceived: from x\n by y\nFrom: a@b.c\nSubject: One\n\ntext\n";
        let note = "From: me\nTo: you\nSubject: a note\n\ntext\n";
        let cases = [
            ("/m/Inbox", mbox, Some("mbox")),
            ("/m/archive.2019", mbox, Some("mbox")),
            ("/m/a.patch", mbox, None),
            ("/m/note.txt", mbox, None),
            ("/m/letter", "From here to 10:30 it rains\nand then\n", None),
            ("/m/letter", "From here on\nit: rains\n", None),
            ("/m/cur/1700.M2P1.host:2,S", mail, Some("eml")),
            ("/m/cur/1700.M2P1.host:2,S", note, None),
            ("/m/new/1700.M2P1.host", mail, Some("eml")),
            ("/m/inbox/17", mail, Some("eml")),
            ("/m/tmp/1700.M2P1.host", mail, None),
            ("/m/mail.txt", mail, None),
            ("/m/README", note, None),
            ("/m/cur/a", "", None),
        ];
        for (path, text, expected) in cases {
            assert_eq!(found(Path::new(path), text.as_bytes()), expected, "{path}: {text}");
        }
        assert!(is_mailbox(Path::new("/m/INBOX")) && !is_mailbox(Path::new("/m/inbox.md")));
    }
}
