//! What stands in a Markdown text and is not Markdown: comments, and blocks of other languages.

/// How a hidden stretch begins, at the beginning of a line, and ends. The first is found behind
/// text as well.
const HIDDEN: &[(&str, &str)] = &[
    ("<!--", "-->"),
    ("{/*", "*/}"),
    ("%%", "%%"),
    ("$$", "$$"),
    ("<pre", "</pre>"),
    ("<script", "</script>"),
    ("<style", "</style>"),
    ("<textarea", "</textarea>"),
    ("{% comment", "{% endcomment"),
    ("{% highlight", "{% endhighlight"),
    ("{% raw", "{% endraw"),
];

/// Tags that begin a block of HTML, up to a blank line.
#[rustfmt::skip]
const TAGS: &[&str] = &[
    "address", "article", "aside", "blockquote", "center", "details", "dialog", "div", "dl",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "iframe", "li", "main", "menu", "nav", "ol", "p", "section", "summary", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
];

/// Finds where hidden stretches end. Linear, since what is found is not looked at again, and what
/// is not found is not looked for again.
pub(super) struct Hidden<'a> {
    text: &'a str,
    /// Those of [`HIDDEN`] whose end does not come any more.
    endless: [bool; HIDDEN.len()],
}

impl<'a> Hidden<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, endless: [false; HIDDEN.len()] }
    }

    /// Where the line ends that ends the stretch which begins with `line`, at byte `at`. A stretch
    /// without an end hides nothing: better a heading too many than a file without any.
    pub(super) fn block(&mut self, at: usize, line: &str) -> Option<usize> {
        let begun = HIDDEN.iter().position(|(open, _)| {
            let rest = line.strip_prefix(open);
            rest.is_some_and(|rest| {
                !open.starts_with('<') || !rest.starts_with(char::is_alphanumeric)
            })
        })?;
        let end = self.end(begun, at + HIDDEN[begun].0.len())?;
        Some(self.comment(end, self.line(end)).unwrap_or(end + self.line(end).len()))
    }

    /// Where the line ends that ends a comment which begins somewhere in `rest`, at byte `at`.
    pub(super) fn comment(&mut self, mut at: usize, rest: &str) -> Option<usize> {
        let (open, close) = HIDDEN[0];
        let mut rest = rest;
        let mut ended = None;
        while let Some(begin) = rest.rfind(open) {
            let inside = &rest[begin + open.len()..];
            let quoted = rest[..begin].matches('`').count() % 2 == 1;
            if inside.contains(close) || quoted {
                break;
            }
            let end = self.end(0, at + begin + open.len())?;
            rest = self.line(end);
            at = end;
            ended = Some(end + rest.len());
        }
        ended
    }

    /// Behind the next end of a stretch of this sort.
    fn end(&mut self, sort: usize, from: usize) -> Option<usize> {
        if self.endless[sort] {
            return None;
        }
        let close = HIDDEN[sort].1;
        let found = self.text[from..].find(close).map(|at| from + at + close.len());
        self.endless[sort] = found.is_none();
        found
    }

    /// The rest of the line from byte `at` on.
    fn line(&self, at: usize) -> &'a str {
        let rest = &self.text[at..];
        &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)]
    }
}

/// Whether the line begins a block of HTML.
pub(super) fn is_html(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('<') else { return false };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let ended =
        rest[end..].is_empty() || rest[end..].starts_with([' ', '\t', '\r', '\n', '>', '/']);
    ended && TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(&rest[..end]))
}
