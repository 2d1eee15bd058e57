//! `fore ask`: one question, its thoughts streamed to stderr, its hits on stdout.

mod answer;

use std::process::ExitCode;

use daemon_protocol::{
    self as protocol, Event, IndexStatus, LIMIT_MAX, Phase, QUESTION_CHARS_MAX, READ_MS_MAX,
    Request, Stage,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tui_text::counted;

use answer::{Answer, Format, ThoughtStream};

use crate::cli::{number_in, thoughts};
use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, INTERRUPTED, NOTHING};
use crate::launch;
use crate::term::streams::{self, Stdout};
use crate::term::style::Style;
use crate::watched::unwritten;

/// Answer a question with ranked passages.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The question; several words need no quotes.
    #[arg(value_name = "QUESTION")]
    question: Vec<String>,
    /// Print one JSON array of hits.
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
    /// Print one JSON object a line: first the question, thoughts and timings, then the hits.
    #[arg(long)]
    jsonl: bool,
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
    /// Only documents whose absolute path, or path below its folder, matches.
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
}

fn read_ms(text: &str) -> Result<u64, String> {
    number_in(text, 0, READ_MS_MAX)
}

fn limit(text: &str) -> Result<usize, String> {
    number_in(text, 1, LIMIT_MAX)
}

/// Asks and prints.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let question = checked(&args.question.join(" "))?;
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| AppError::io("watching for Ctrl-C", &error))?;
    let connected = tokio::select! {
        connected = connect(config) => connected?,
        _ = interrupt.recv() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let format = match (args.json, args.jsonl) {
        (true, _) => Format::Json,
        (_, true) => Format::Jsonl,
        _ => Format::Text,
    };
    let print = |answer: &Answer| {
        let style = Style::when(config.color && streams::stdout_is_terminal());
        Stdout::lock().print(&answer::answer(answer, format, style, &config.working_dir))
    };
    let mut conversation = match connected {
        Connected::Searchable(conversation) => conversation,
        Connected::Empty(why) => {
            print(&Answer { question, ..Answer::default() })?;
            return Err(why);
        }
    };
    let Some(answer) = listen(question, args, config, &mut conversation, &mut interrupt).await?
    else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    print(&answer)?;
    Ok(if answer.hits.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

/// The question without white space around it, if it can be asked.
fn checked(question: &str) -> Result<String, AppError> {
    let question = question.trim();
    let length = question.chars().count();
    if question.is_empty() {
        return Err(AppError::new("the question is empty").hint("run: fore ask QUESTION"));
    }
    if length > QUESTION_CHARS_MAX {
        return Err(AppError::new(format!(
            "the question has {length} characters; at most {QUESTION_CHARS_MAX} are allowed"
        ))
        .hint("ask for what you want to find; a document is indexed with: fore add DIR"));
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
    if status.folders.is_empty() {
        let why = AppError::new("nothing is indexed yet").hint("run: fore add DIR");
        return Ok(Connected::Empty(why.exiting(NOTHING)));
    }
    if let Some(why) = unwritten(&status.index).filter(|_| !config.quiet) {
        streams::diagnostic(&why);
    }
    // Not the index status: that is empty until a daemon that has just started has looked.
    if status.folders.iter().all(|folder| folder.documents == 0) {
        let why = AppError::new("nothing in the watched folders is indexed yet")
            .hint("wait for it with: fore sync")
            .hint("see how far it is with: fore status");
        return Ok(Connected::Empty(why.exiting(NOTHING)));
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
    question: String,
    args: &Args,
    config: &Config,
    conversation: &mut Conversation,
    interrupt: &mut Signal,
) -> Result<Option<Answer>, AppError> {
    let request = |id| {
        Request::Ask(protocol::Ask {
            id,
            text: question.clone(),
            limit: args.limit,
            thoughts: if args.no_think { Some(0) } else { args.thoughts },
            read_ms: args.read_ms,
            path: args.path.clone(),
            given: Vec::new(),
        })
    };
    let asked = conversation.send(request).await?;
    let mut answer = Answer { question, ..Answer::default() };
    let mut stream = ThoughtStream::new(Style::when(config.color && streams::stderr_is_terminal()));
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
