use daemon::convert::Unconverted;
use daemon_protocol::Place;

use crate::tests::{places, read, text};

#[test]
fn reads_who_when_what_and_what_was_attached() {
    let mail = "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: a@example.org, B <b@example.org>\r\n\
        Date: Thu, 5 Mar 2026 10:20:30 +0100\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n\
        Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n\
        --y\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8sIHdvcmxkIQ==\r\n\
        --y\r\nContent-Type: text/html\r\n\r\n<p>Hello, world!</p>\r\n--y--\r\n\
        --x\r\nContent-Type: application/pdf; name=\"invoice 3.pdf\"\r\nContent-Disposition: attachment; filename=\"invoice 3.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n";
    let converted = read("eml", mail.as_bytes()).unwrap();
    assert_eq!(
        converted.text,
        "# Grüße\n\nFrom: Jürgen <j@example.org>\nTo: a@example.org, B <b@example.org>\n\
         Date: 2026-03-05 10:20:30+01:00\n\nHello, world!\n\nAttachments: invoice 3.pdf"
    );
    assert_eq!(converted.title.as_deref(), Some("Grüße"));
    assert_eq!(converted.marks, []);
}

#[test]
fn reads_pages_and_what_was_forwarded() {
    let mail = "From: a@b.c\nSubject: Fwd\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n\n\
        <h2>Look</h2><ul><li>here</ul>\n--x\nContent-Type: message/rfc822\n\nFrom: d@e.f\nSubject: Inner\n\ntext\n--x--\n";
    assert_eq!(
        text("eml", mail.as_bytes()),
        "# Fwd\n\nFrom: a@b.c\n\n## Look\n\n- here\n\n## Inner\n\nFrom: d@e.f\n\ntext"
    );
}

#[test]
fn reads_texts_that_are_attached() {
    let mail = |text: &str| {
        format!(
            "From: a@b.c\nSubject: S\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhello\n\
             --x\nContent-Type: text/plain; name=n.txt\nContent-Disposition: attachment; filename=n.txt\n\n{text}\n--x--\n"
        )
    };
    let head = "# S\n\nFrom: a@b.c\n\nhello\n\nAttachments: n.txt";
    assert_eq!(text("eml", mail("a lamp").as_bytes()), format!("{head}\n\n## n.txt\n\na lamp"));
    let long = mail(&"log ".repeat(100 << 10));
    assert_eq!(text("eml", long.as_bytes()), head);
}

#[test]
fn reads_the_messages_of_a_box() {
    let mailbox = "From a@b.c Thu Mar  5 10:20:30 2026\nFrom: a@b.c\nSubject: One\n\nfirst\n>From here\n\n\
        From d@e.f Thu Mar  5 10:20:31 2026\nFrom: d@e.f\nSubject: Two\n\nsecond\n";
    let converted = read("mbox", mailbox.as_bytes()).unwrap();
    assert_eq!(
        converted.text,
        "# One\n\nFrom: a@b.c\n\nfirst\nFrom here\n\n# Two\n\nFrom: d@e.f\n\nsecond"
    );
    assert_eq!(places(&converted), [(Place::Message(1), "# One"), (Place::Message(2), "# Two")]);
    assert_eq!(converted.title, None);
    // A message that a program saved with the line that begins it in a box.
    let single = mailbox.split("\n\nFrom d").next().unwrap();
    assert_eq!(read("eml", single.as_bytes()).unwrap().title.as_deref(), Some("One"));
}

#[test]
fn nothing_is_an_empty_box() {
    assert_eq!(text("mbox", b""), "");
    assert_eq!(text("eml", b"\n"), "");
}

#[test]
fn refuses_what_is_no_mail() {
    for bytes in [&b"words only"[..], b"PK\x03\x04\0\0\0\0"] {
        assert!(matches!(read("eml", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
        assert!(matches!(read("mbox", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
    }
}

#[test]
fn parts_within_parts_do_no_harm() {
    let deep: String = (0..20_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    let mail = format!("From: a@b.c\nSubject: Deep\n{deep}Content-Type: text/plain\n\ntext\n");
    match read("eml", mail.as_bytes()) {
        Ok(converted) => assert!(converted.text.starts_with("# Deep")),
        Err(error) => assert!(matches!(error, Unconverted::TooMuch(_)), "{error}"),
    }
    let inner = "Content-Type: message/rfc822\n\nFrom: a@b.c\nSubject: In\n".repeat(20_000);
    let mail = format!("From: a@b.c\nSubject: Deep\n{inner}\ntext\n");
    match read("eml", mail.as_bytes()) {
        Ok(converted) => assert!(converted.text.starts_with("# Deep")),
        Err(error) => assert!(matches!(error, Unconverted::TooMuch(_)), "{error}"),
    }
}
