//! `fore ask`: one question, its thoughts streamed to stderr, its hits on stdout.

use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

use daemon_protocol::{
    self as protocol, Event, IndexStatus, LIMIT_MAX, Phase, QUESTION_CHARS_MAX, READ_MS_MAX,
    Request, Stage,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tui_answer::status::unwritten;
use tui_answer::{Answer, Look, Pipe, Style, Template, ThoughtStream};
use tui_text::{counted, harmless};

use crate::cli::{number_in, thoughts};
use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, INTERRUPTED, Kind, NOTHING};
use crate::launch;
use crate::term::streams::{self, Stdout};

/// Answer a question with ranked passages.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The question; several words need no quotes. `-`, or nothing in a pipe, reads it from standard input.
    #[arg(value_name = "QUESTION")]
    question: Vec<String>,
    /// Ask the question that is saved under this name; see `fore saved`.
    #[arg(long, value_name = "NAME", conflicts_with = "question")]
    saved: Option<String>,
    /// Print one JSON array of hits.
    #[arg(long, group = "form")]
    json: bool,
    /// Print one JSON object a line: first the question, thoughts and timings, then the hits.
    #[arg(long, group = "form")]
    jsonl: bool,
    /// Print one JSON object with the question, thoughts, what is missing, timings and hits.
    #[arg(long, group = "form")]
    envelope: bool,
    /// Print the JSON Schema of that object, and ask nothing.
    #[arg(long, group = "form", conflicts_with = "question")]
    schema: bool,
    /// Print the paths of documents alone, each once.
    #[arg(short = 'l', long, group = "form")]
    files: bool,
    /// Print a line a hit, as in `path:line:col`; also place, score, rank, title, heading, snippet.
    #[arg(long, value_name = "TEMPLATE", group = "form", value_parser = Template::parse)]
    format: Option<Template>,
    /// Tell below each hit why it stands where it does: its words, and its ranks and scores at each stage.
    #[arg(long, conflicts_with_all = ["form", "null"])]
    explain: bool,
    /// End each path or line with NUL in place of a newline, for `xargs -0`; alone it is -l.
    #[arg(short = '0', long, conflicts_with_all = ["json", "jsonl", "envelope", "schema"])]
    null: bool,
    /// Most hits printed.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = limit)]
    limit: usize,
    /// How many thoughts to think; 0 searches without thinking.
    #[arg(long, value_name = "N", value_parser = thoughts)]
    thoughts: Option<usize>,
    /// Search without thinking.
    #[arg(long, conflicts_with = "thoughts")]
    no_think: bool,
    /// How long the first passages may be read before they are ranked; 0 does not read.
    #[arg(long, value_name = "MILLISECONDS", value_parser = read_ms)]
    read_ms: Option<u64>,
    /// Only documents whose absolute path, or path below its folder, matches; of several, one.
    #[arg(long, value_name = "GLOB")]
    path: Vec<String>,
}

fn read_ms(text: &str) -> Result<u64, String> {
    number_in(text, 0, READ_MS_MAX)
}

fn limit(text: &str) -> Result<usize, String> {
    number_in(text, 1, LIMIT_MAX)
}

/// Asks and prints.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    if args.schema {
        Stdout::lock().print(&tui_answer::schema())?;
        return Ok(ExitCode::SUCCESS);
    }
    let question = match &args.saved {
        Some(name) => tui_saved::find(&config.paths.saved, name)?,
        None => question(&args.question)?,
    };
    let question = checked(&question)?;
    let paths: Vec<String> =
        args.path.iter().map(|path| there(path, &config.working_dir)).collect();
    let (text, path) = narrowed(&question, &paths)?;
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| AppError::io("watching for Ctrl-C", &error))?;
    let connected = tokio::select! {
        connected = connect(config) => connected?,
        _ = interrupt.recv() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let print = |answer: &Answer, columns: &[usize]| {
        Stdout::lock().print(&printed(answer, columns, args, config))
    };
    let mut conversation = match connected {
        Connected::Searchable(conversation) => conversation,
        Connected::Empty(why) => {
            print(&Answer { question, ..Answer::default() }, &[])?;
            return Err(why);
        }
    };
    let ask = protocol::Ask {
        id: 0,
        text,
        limit: args.limit,
        thoughts: if args.no_think { Some(0) } else { args.thoughts },
        read_ms: args.read_ms,
        path,
        given: Vec::new(),
    };
    let Some(answer) = listen(ask, config, &mut conversation, &mut interrupt).await? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let answer = Answer { question, ..answer };
    let columns = match &args.format {
        Some(template) if template.has_column() => columns(&answer, &mut conversation).await?,
        _ => Vec::new(),
    };
    print(&answer, &columns)?;
    Ok(if answer.hits.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

/// The answer as the flags want it.
fn printed(answer: &Answer, columns: &[usize], args: &Args, config: &Config) -> String {
    let terminal = streams::stdout_is_terminal();
    let end = if args.null { '\0' } else { '\n' };
    let pipe = Pipe { working_dir: &config.working_dir, end, terminal };
    if args.json {
        tui_answer::array(answer)
    } else if args.jsonl {
        tui_answer::json_lines(answer)
    } else if args.envelope {
        tui_answer::envelope(answer)
    } else if let Some(template) = &args.format {
        template.lines(answer, columns, pipe)
    } else if args.files || args.null {
        tui_answer::paths(answer, pipe)
    } else {
        let style = Style::when(config.colored(terminal));
        let look = Look { style, links: terminal && config.links, explained: args.explain };
        tui_answer::text(answer, look, &config.working_dir)
    }
}

/// The words of the command line, or what stands in standard input: all of it, up to what is too long in
/// any case.
fn question(words: &[String]) -> Result<String, AppError> {
    let piped = words.is_empty() && !io::stdin().is_terminal();
    if !piped && words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut bytes = Vec::new();
    let most = 4 * QUESTION_CHARS_MAX as u64 + 4;
    let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|error| AppError::io("reading the question from standard input", &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A path as the daemon takes it, which knows nothing of where the person is: `.`, `..` and what begins with them are
/// made whole if they are there; all else is a name or a glob, that counts from a watched folder.
fn there(path: &str, working_dir: &Path) -> String {
    let is_from_here = matches!(path.split('/').next(), Some("." | ".."));
    let whole = is_from_here.then(|| working_dir.join(path).canonicalize().ok()).flatten();
    whole
        .and_then(|whole| whole.into_os_string().into_string().ok())
        .unwrap_or_else(|| path.to_owned())
}

/// The text that is asked, and the one path it is narrowed to. Several go before the question, as the
/// filters of which one must hold.
fn narrowed(question: &str, paths: &[String]) -> Result<(String, Option<String>), AppError> {
    let [_, _, ..] = paths else {
        return Ok((question.to_owned(), paths.first().cloned()));
    };
    let mut text = String::new();
    for path in paths {
        if path.trim().is_empty() || path.contains('"') {
            return Err(AppError::new(format!(
                "--path {path:?}: one of several cannot be written so"
            ))
            .hint("a glob may stand for it: ? for a quote")
            .of(Kind::Invalid));
        }
        text.push_str(&format!("path:\"{path}\" "));
    }
    Ok((text + question, None))
}

/// Where in its line each hit's match begins; passages are asked for, since a snippet has no lines.
async fn columns(answer: &Answer, conversation: &mut Conversation) -> Result<Vec<usize>, AppError> {
    let mut columns = Vec::new();
    for hit in &answer.hits {
        let passages = match hit.converted || hit.highlights.is_empty() {
            true => Vec::new(),
            false => conversation.read(&hit.path, hit.byte_start).await?,
        };
        let own = passages.iter().find(|passage| passage.byte_start == hit.byte_start);
        columns.push(own.map_or(1, |passage| tui_answer::column(hit, passage)));
    }
    Ok(columns)
}

/// The question without white space around it, if it can be asked.
fn checked(question: &str) -> Result<String, AppError> {
    let question = question.trim();
    let length = question.chars().count();
    if question.is_empty() {
        return Err(AppError::new("the question is empty")
            .hint("run: fore ask QUESTION")
            .of(Kind::Invalid));
    }
    if length > QUESTION_CHARS_MAX {
        return Err(AppError::new(format!(
            "the question has {length} characters; at most {QUESTION_CHARS_MAX} are allowed"
        ))
        .hint("ask for what you want to find; a document is indexed with: fore add DIR")
        .of(Kind::Invalid));
    }
    Ok(question.to_owned())
}

enum Connected {
    Searchable(Conversation),
    /// There is nothing to search, and why.
    Empty(AppError),
}

/// Connects, and says on stderr how much can be searched if that is not everything yet.
async fn connect(config: &Config) -> Result<Connected, AppError> {
    let mut conversation = launch::connect(config).await?;
    let status = conversation.status().await?;
    let is_own = config.store.is_none(); // What others write is not all watched here.
    if is_own && status.folders.is_empty() {
        let why = AppError::new("nothing is indexed yet").hint("run: fore add DIR");
        return Ok(Connected::Empty(why.exiting(NOTHING).of(Kind::NothingIndexed)));
    }
    if let Some(why) = unwritten(&status.index).filter(|_| !config.quiet) {
        streams::diagnostic(&why);
    }
    // Not the index status: that is empty until a daemon that has just started has looked.
    if is_own && status.folders.iter().all(|folder| folder.documents == 0) {
        let why = AppError::new("nothing in the watched folders is indexed yet")
            .hint("wait for it with: fore sync")
            .hint("see how far it is with: fore status");
        return Ok(Connected::Empty(why.exiting(NOTHING).of(Kind::NothingIndexed)));
    }
    if status.index.phase == Phase::Encoding && !config.quiet {
        let IndexStatus { documents, round_total, round_done, .. } = status.index;
        let so_far = counted(documents, "document");
        let left = counted(round_total.saturating_sub(round_done), "file");
        streams::diagnostic(&format!(
            "indexing is still going on: {so_far} searchable so far, {left} to go"
        ));
    }
    Ok(Connected::Searchable(conversation))
}

/// Sends the question and gathers the answer; `None` after Ctrl-C.
async fn listen(
    ask: protocol::Ask,
    config: &Config,
    conversation: &mut Conversation,
    interrupt: &mut Signal,
) -> Result<Option<Answer>, AppError> {
    let asked = conversation.send(|id| Request::Ask(protocol::Ask { id, ..ask })).await?;
    let mut answer = Answer::default();
    let mut stream = ThoughtStream::new(Style::when(config.colored(streams::stderr_is_terminal())));
    let show = |text: String| {
        if !config.quiet && !text.is_empty() {
            streams::partial_diagnostic(&text);
        }
    };
    loop {
        let event = tokio::select! {
            event = conversation.next() => event,
            _ = interrupt.recv() => {
                show(stream.end());
                conversation.send(|_| Request::Cancel { id: asked }).await?;
                return Ok(None);
            }
        };
        match event.inspect_err(|_| show(stream.end()))? {
            Event::Thought { id, index, delta } if id == asked => {
                show(stream.push(index, &delta));
                answer.think(index, &delta);
            }
            Event::Hits { id, stage: Stage::Final, hits } if id == asked => {
                show(stream.end());
                answer.hits = hits;
            }
            Event::Done { id, timings } if id == asked => {
                show(stream.end());
                for note in &timings.notes {
                    show(format!("note: {}\n", harmless(note)));
                }
                if let Some(reason) = &timings.degraded {
                    show(format!("answered with less than was asked for: {reason}\n"));
                }
                answer.timings = timings;
                return Ok(Some(answer));
            }
            Event::Failed { id, error } if id == asked => {
                show(stream.end());
                return Err(error.into());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
