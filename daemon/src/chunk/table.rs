//! Finds the header and the records of a table as text, whatever parts its fields. Not a CSV parser: it
//! knows just enough of quotes not to cut a record in two.

/// What parts fields, the likelier first where two come as often.
const DELIMITERS: &[char] = &['\t', ';', '|', ','];

/// Bytes of a line that are looked at for a header: more than a heading shows of it.
const HEADER_BYTES_MAX: usize = 4 << 10;

/// Fields of a header that are shown.
const FIELDS_MAX: usize = 64;

/// What the table's fields are called, if its first record says so rather than being one of many: at least two
/// names, and no number among them.
pub(super) fn header(text: &str) -> Option<String> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start_matches(['\r', '\n']);
    // Excel writes this for itself.
    if let Some(line) = rest.strip_prefix("sep=") {
        rest = line.split_once('\n')?.1;
    }
    let rest = &rest[..rest.floor_char_boundary(HEADER_BYTES_MAX)];
    let fields = fields(&rest[..record(rest)]);
    let named = fields.iter().filter(|field| field.contains(char::is_alphabetic)).count();
    let numbers = fields.iter().any(|field| {
        field.contains(|c: char| c.is_ascii_digit()) && !field.contains(char::is_alphabetic)
    });
    let named = named > 1 && !numbers;
    named.then(|| fields.join(", "))
}

/// The fields of a record without their quotes; a line that nothing parts is one field.
fn fields(record: &str) -> Vec<String> {
    let often = |delimiter: &char| outside_quotes(record, *delimiter).count();
    let most = DELIMITERS.iter().map(often).max().unwrap_or(0);
    let Some(delimiter) = DELIMITERS.iter().find(|delimiter| often(delimiter) == most) else {
        return Vec::new();
    };
    let mut start = 0;
    let ends = outside_quotes(record, *delimiter).chain([record.len()]).take(FIELDS_MAX);
    let fields = ends.map(|end| {
        let field = record[start..end].trim_start_matches(*delimiter).trim();
        start = end;
        let bare = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
        let words = bare.unwrap_or(field).split_whitespace();
        words.collect::<Vec<_>>().join(" ").replace("\"\"", "\"")
    });
    fields.filter(|field| !field.is_empty()).collect()
}

/// Where `sign` stands outside quoted fields.
fn outside_quotes(text: &str, sign: char) -> impl Iterator<Item = usize> {
    let mut quotes = Quotes::default();
    text.char_indices().filter(move |(_, c)| !quotes.quoted(*c) && *c == sign).map(|(at, _)| at)
}

/// Length in bytes of the first record of `rest`, its line end included. A quote that nothing closes takes in
/// all that is left, for whoever cuts to cut at lines.
pub(super) fn record(rest: &str) -> usize {
    outside_quotes(rest, '\n').next().map_or(rest.len(), |end| end + 1)
}

/// Follows quoted fields, sign by sign. A quote within a field, as in `5" pipe`, opens none; of two in a row the
/// second opens again what the first has closed.
struct Quotes {
    quoted: bool,
    before: char,
}

impl Default for Quotes {
    fn default() -> Self {
        Self { quoted: false, before: '\n' }
    }
}

impl Quotes {
    fn quoted(&mut self, c: char) -> bool {
        let begins = self.before == '\n' || self.before == '"' || DELIMITERS.contains(&self.before);
        if c == '"' && (self.quoted || begins) {
            self.quoted = !self.quoted;
        }
        self.before = c;
        self.quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_names() {
        let table = [
            ("name,age\nann,3\n", Some("name, age")),
            ("\u{feff}name;born, where;age\r\n", Some("name, born, where, age")),
            ("name\tsize | unit\n", Some("name, size | unit")),
            ("a|b|c\n1|2|3\n", Some("a, b, c")),
            ("\"full \"\"name\"\"\",\"two\nlines\",x\n", Some("full \"name\", two lines, x")),
            ("sep=;\r\nname;age\r\n", Some("name, age")),
            (",name,q1\n", Some("name, q1")),
            // No names: one of many records, one column, nothing.
            ("ann,3\nbob,4\n", None),
            ("2024-01-02,rain\n", None),
            ("apple\npear\n", None),
            ("", None),
            ("sep=;", None),
        ];
        for (text, expected) in table {
            assert_eq!(header(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn records_hold_quoted_lines() {
        let table = [
            ("a,b\nc,d\n", "a,b\n"),
            ("a,\"b\nc\",d\ne\n", "a,\"b\nc\",d\n"),
            ("a,\"b \"\"c\"\"\n\",d\ne\n", "a,\"b \"\"c\"\"\n\",d\n"),
            ("a 5\" pipe,b\nc\n", "a 5\" pipe,b\n"),
            ("\"\",b\nc\n", "\"\",b\n"),
            ("\"never\nclosed\n", "\"never\nclosed\n"),
            ("last", "last"),
        ];
        for (text, expected) in table {
            assert_eq!(&text[..record(text)], expected, "{text:?}");
        }
    }
}
