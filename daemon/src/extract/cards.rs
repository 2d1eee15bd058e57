//! Calendars and address cards (iCalendar, vCard) as one reads them: folded lines whole, and what is quoted or escaped as
//! its letters. Pure, and linear in the text. The lines that a line is made of leave as many empty ones behind it, so
//! that the number of a line is the file's.

/// The text without folds, quotes and escapes; a picture within is left out.
pub(super) fn unfolded(text: &str) -> String {
    let mut unfolded = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(first) = lines.next() {
        let mut line = bare(first).to_owned();
        let mut ends = usize::from(first.ends_with('\n'));
        let is_quoted = is_quoted(&line);
        loop {
            let is_soft = is_quoted && line.ends_with('=');
            let next = lines.next_if(|next| is_soft || next.starts_with([' ', '\t']));
            let Some(next) = next else { break };
            let more = bare(next);
            if is_soft {
                line.pop();
                line.push_str(more);
            } else {
                line.push_str(&more[1..]);
            }
            ends += usize::from(next.ends_with('\n'));
        }
        unfolded.push_str(&said(&line, is_quoted));
        unfolded.extend(std::iter::repeat_n('\n', ends));
    }
    unfolded
}

/// A line without its end.
fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// What stands before a line's value: its name and what is said of how the value is written.
fn head(line: &str) -> &str {
    let mut quoted = false;
    let end = line.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    });
    &line[..end.unwrap_or(0)]
}

fn is_quoted(line: &str) -> bool {
    head(line).to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

/// A whole line with its value as it is read.
fn said(line: &str, is_quoted: bool) -> String {
    let head = head(line);
    let value = &line[head.len()..];
    let said = head.to_ascii_uppercase();
    let is_data = said.contains("ENCODING=B") || value.starts_with(":data:");
    if is_data {
        return format!("{head}:");
    }
    let value = if is_quoted { unquoted(value) } else { value.to_owned() };
    format!("{head}{}", unescaped(&value))
}

/// Without quoted-printable, in UTF-8, or in Latin where it is none.
fn unquoted(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|_| *first == b'=') {
            Some(byte) => {
                bytes.push(if byte.is_ascii_control() { b' ' } else { byte });
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

/// Without backslashes before signs; a line's end within a value is a blank.
fn unescaped(value: &str) -> String {
    let mut unescaped = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let next =
            chars.next_if(|next| c == '\\' && matches!(next, 'n' | 'N' | ',' | ';' | ':' | '\\'));
        unescaped.push(match next {
            Some('n' | 'N') => ' ',
            Some(sign) => sign,
            None => c,
        });
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_keep_their_numbers() {
        let cases = [
            ("A:okapi\r\n six\r\nB:x\r\n", "A:okapisix\n\nB:x\n"),
            (
                "DESCRIPTION:one\\, two\\nthree\n  four\n\tfive",
                "DESCRIPTION:one, two three fourfive\n\n",
            ),
            (
                "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BC=\nrgen\nEND:VCARD",
                "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Jürgen\n\nEND:VCARD",
            ),
            ("N;QUOTED-PRINTABLE:J=FCrgen=0D=0A=4", "N;QUOTED-PRINTABLE:Jürgen  =4"),
            ("PHOTO;ENCODING=b;TYPE=JPEG:AAAA\n BBBB\nFN:x", "PHOTO;ENCODING=b;TYPE=JPEG:\n\nFN:x"),
            ("X;P=\"a:b\":c\\\\d", "X;P=\"a:b\":c\\d"),
            ("a line without a name = 1\\x", "a line without a name = 1\\x"),
            ("\n x\n", "x\n\n"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(unfolded(text), expected, "{text:?}");
        }
    }
}
