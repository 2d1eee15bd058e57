//! `fore marks`: which passages were marked as right or wrong for which questions, for people, for `fore
//! eval` and for `fore train`.

use std::process::ExitCode;

use clap::Subcommand;
use daemon_protocol::{Event, Mark, Request};
use serde_json::json;
use tui_answer::marks::{self, Form};

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, Kind, NOTHING};
use crate::launch;
use crate::term::streams::{self, Stdout};

/// List what was marked as right or wrong, or take marks back.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the marks, the oldest first, each with its number.
    List {
        #[command(flatten)]
        form: FormArgs,
    },
    /// Take back the marks of these numbers.
    Remove {
        #[arg(value_name = "NUMBER", required = true)]
        numbers: Vec<usize>,
    },
}

#[derive(Debug, clap::Args)]
struct FormArgs {
    /// Print one JSON array of marks.
    #[arg(long)]
    json: bool,
    /// Print a line a question with what is right for it, as `fore eval --judgments` reads them.
    #[arg(long, conflicts_with = "json")]
    judgments: bool,
    /// Print a line a question with the passages that are right and wrong for it, as training reads pairs.
    #[arg(long, conflicts_with_all = ["json", "judgments"])]
    pairs: bool,
}

pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let mut conversation = launch::connect(config).await?;
    let all = marks_of(&mut conversation).await?;
    match &args.what {
        Some(What::Remove { numbers }) => remove(numbers, &all, &mut conversation, config).await,
        Some(What::List { form }) => list(form, all, &mut conversation, config).await,
        None => list(&args.form, all, &mut conversation, config).await,
    }
}

async fn list(
    form: &FormArgs,
    all: Vec<Mark>,
    conversation: &mut Conversation,
    config: &Config,
) -> Result<ExitCode, AppError> {
    let text = if form.json {
        format!("{}\n", json!(all))
    } else if form.judgments {
        marks::judgments(&all)
    } else if form.pairs {
        let mut texts = Vec::new();
        for mark in &all {
            texts.push(text(mark, conversation).await?);
        }
        marks::pairs(&all, &texts)
    } else {
        marks::list(&all, Form { working_dir: &config.working_dir })
    };
    if all.is_empty() {
        streams::note(config.quiet, "nothing is marked yet; mark results on the full screen");
    }
    Stdout::lock().print(&text)?;
    Ok(if all.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

async fn remove(
    numbers: &[usize],
    all: &[Mark],
    conversation: &mut Conversation,
    config: &Config,
) -> Result<ExitCode, AppError> {
    // All are looked up first, so that a wrong number takes nothing back.
    let numbered = |number: &usize| {
        let mark = number.checked_sub(1).and_then(|at| all.get(at));
        mark.ok_or_else(|| {
            AppError::new(format!("there is no mark {number}"))
                .hint("see them all: fore marks")
                .of(Kind::Invalid)
        })
    };
    let chosen: Vec<&Mark> = numbers.iter().map(numbered).collect::<Result<_, _>>()?;
    for Mark { question, path, byte_start, byte_end, .. } in chosen {
        let (question, path) = (question.clone(), path.clone());
        let (byte_start, byte_end) = (*byte_start, *byte_end);
        let asked = conversation
            .send(|id| Request::Mark { id, question, path, byte_start, byte_end, right: None })
            .await?;
        loop {
            match conversation.next().await? {
                Event::Marked { id, .. } if id == asked => break,
                Event::Failed { id, error } if id == asked => return Err(error.into()),
                _ => {}
            }
        }
    }
    streams::note(
        config.quiet,
        &format!("taken back: {}", tui_text::counted(numbers.len(), "mark")),
    );
    Ok(ExitCode::SUCCESS)
}

/// All marks; they come in several pieces.
async fn marks_of(conversation: &mut Conversation) -> Result<Vec<Mark>, AppError> {
    let asked = conversation.send(|id| Request::Marks { id }).await?;
    let mut all = Vec::new();
    loop {
        match conversation.next().await? {
            Event::Marks { id, marks, more } if id == asked => {
                all.extend(marks);
                if !more {
                    return Ok(all);
                }
            }
            Event::Failed { id, error } if id == asked => return Err(error.into()),
            _ => {}
        }
    }
}

/// The passage that was marked, if its document still has it there.
async fn text(mark: &Mark, conversation: &mut Conversation) -> Result<Option<String>, AppError> {
    let passages = match conversation.read(&mark.path, mark.byte_start).await {
        Ok(passages) => passages,
        // The document is gone, or another by now.
        Err(error) if error.kind == Kind::Invalid => return Ok(None),
        Err(error) => return Err(error),
    };
    let own = passages.into_iter().find(|passage| passage.byte_start == mark.byte_start);
    Ok(own.map(|passage| passage.text))
}
