//! Whether what a document says it is called is a title: programs fill the place by themselves.

/// Endings of file names that programs leave in the title.
#[rustfmt::skip]
const FILE_ENDINGS: &[&str] = &[
    "ai", "cdr", "doc", "docm", "docx", "dot", "dvi", "eps", "fm", "htm", "html", "indd", "jpg", "key",
    "md", "mif", "odg", "odp", "ods", "odt", "p65", "pages", "pdf", "png", "pmd", "pps", "ppt", "pptx",
    "ps", "pub", "qxd", "rtf", "sxw", "tex", "tif", "tiff", "txt", "vsd", "wpd", "xls", "xlsx",
];

/// What programs put before the name of the file.
const PROGRAMS: &[&str] = &["Microsoft Word - ", "Microsoft PowerPoint - ", "Microsoft Excel - "];

/// Titles that say that there is none.
#[rustfmt::skip]
const NO_TITLES: &[&str] = &[
    "document", "no title", "none", "null", "powerpoint presentation", "powerpoint-präsentation",
    "presentation", "slide 1", "title", "unbekannt", "unbenannt", "unknown", "untitled", "untitled document",
    "untitled-1", "(anonymous)", "anonymous",
];

/// The title of a document, if what its file calls so is one.
pub(crate) fn sane(text: &str) -> Option<String> {
    let visible = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
    let text: String = text.chars().map(visible).filter(|&c| c != '\u{fffd}').collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let rest = PROGRAMS.iter().find_map(|program| text.strip_prefix(program)).unwrap_or(&text);
    let lower = rest.to_lowercase();
    let is_said = rest.chars().filter(|c| c.is_alphanumeric()).count() > 1;
    let is_title = is_said && !NO_TITLES.contains(&lower.as_str()) && !is_file_name(&lower);
    is_title.then(|| rest.to_owned())
}

/// Whether it is a path, or a single word with the ending of a file; a name of several words with an
/// ending is one too, for titles do not end so.
fn is_file_name(lower: &str) -> bool {
    let is_path = !lower.contains(' ') && (lower.contains('/') || lower.contains('\\'));
    let is_drive = lower.get(1..3) == Some(":\\") || lower.starts_with("file:");
    let ending = lower.rsplit_once('.').map(|(_, ending)| ending);
    is_path || is_drive || ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_title_is_one() {
        let cases = [
            ("A Study of Frogs", Some("A Study of Frogs")),
            ("Microsoft Word - Annual report", Some("Annual report")),
            ("Microsoft Word - report.doc", None),
            ("  Two\n lines\0 ", Some("Two lines")),
            ("Node.js in practice", Some("Node.js in practice")),
            ("untitled", None),
            ("PowerPoint Presentation", None),
            ("PowerPoint Primer", Some("PowerPoint Primer")),
            ("Slide 10 rules", Some("Slide 10 rules")),
            ("", None),
            ("- -", None),
            ("thesis_final.dvi", None),
            ("/home/me/x", None),
            ("C:\\docs and things\\x", None),
            ("TCP/IP illustrated", Some("TCP/IP illustrated")),
        ];
        for (given, want) in cases {
            assert_eq!(sane(given).as_deref(), want, "{given:?}");
        }
    }
}
