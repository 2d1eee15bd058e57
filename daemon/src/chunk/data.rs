//! Finds the top-level keys of YAML, TOML and JSON by their lines alone, as these are written by hand or laid
//! out by tools; in one long line none is found.

use super::code::Item;

/// Bytes of a key that are looked at; what is longer is data.
const KEY_BYTES_MAX: usize = 256;

/// The top-level keys and tables from byte `start` on, in order.
pub(super) fn items(text: &str, start: usize) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    // Of the first key in quotes: those of JSON are as deep as the first, those within TOML's tables are not shown.
    let (mut json, mut inside) = (None, false);
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let bare = line.trim_start_matches([' ', '\t']);
        let depth = line.len() - bare.len();
        let name = if let (0, Some(table)) = (depth, table(bare)) {
            inside = true;
            Some(table)
        } else if let Some(key) = quoted_key(bare).filter(|_| !inside) {
            (depth == *json.get_or_insert(depth)).then_some(key)
        } else if depth == 0 && !inside {
            key(bare)
        } else {
            None
        };
        if name.is_some() {
            items.push(Item { start: begin, name });
        }
    }
    items
}

/// `[table]` or `[[table]]`, alone on its line.
fn table(line: &str) -> Option<&str> {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let name = line.strip_prefix('[')?.strip_suffix(']')?;
    let name = name.strip_prefix('[').map_or(Some(name), |name| name.strip_suffix(']'))?.trim();
    let signs = |c: char| c.is_alphanumeric() || "_-.\"' :".contains(c);
    (!name.is_empty() && name.len() <= KEY_BYTES_MAX && name.chars().all(signs)).then_some(name)
}

/// `"key": `
fn quoted_key(line: &str) -> Option<&str> {
    let (key, rest) = line.strip_prefix('"')?.split_once('"')?;
    (rest.trim_start().starts_with(':') && key.len() <= KEY_BYTES_MAX).then_some(key)
}

/// `key:` with nothing or a blank behind it, or `key = `.
fn key(line: &str) -> Option<&str> {
    let end = line.find([':', '='])?;
    let (key, rest) = (line[..end].trim_end(), &line[end + 1..]);
    let apart = rest.trim().is_empty() || rest.starts_with([' ', '\t']);
    let signs = |c: char| c.is_alphanumeric() || "_-./ ".contains(c);
    let named =
        key.starts_with(|c: char| c.is_alphanumeric() || c == '_') && key.chars().all(signs);
    (apart && named && key.len() <= KEY_BYTES_MAX).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_level_keys_are_items() {
        let table: &[(&str, &[&str])] = &[
            ("# note\nname: x\non:\n  push:\n    a: b\njobs:\n- c: d\n", &["name", "on", "jobs"]),
            ("---\na: 1\n---\nb: 2\n", &["a", "b"]),
            ("http://x\n- a: b\n\"quoted key\": c\n", &["quoted key"]),
            ("a = 1\n[t.u] # note\nb = 2\n[[v]]\nc = [\n[1, 2],\n]\n", &["a", "t.u", "v"]),
            ("{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": []\n}\n", &["a", "c"]),
            ("{\"a\": 1}\n", &[]),
            ("", &[]),
        ];
        for (text, expected) in table {
            let names: Vec<&str> = items(text, 0).iter().filter_map(|item| item.name).collect();
            assert_eq!(&names, expected, "{text:?}");
        }
    }
}
