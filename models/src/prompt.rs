//! Question -> what the model reads, as pieces that are tokenised apart (pure, versioned).
//!
//! Two prompts are kept apart. *Thinking* by a base model goes through its chat template, since it
//! was never trained on our markers. *Embedding* always uses the markers of the paper:
//! `<query>{q}</query><thought>{t}{eos}<emb>`, and a passage is bare text and `<emb>`. Pieces are
//! tokenised one by one and joined as ids, so that no marker is ever spelt in text and a thought
//! keeps the very ids that were sampled.

/// Changes whenever any prompt below changes; part of a model's fingerprint.
pub const VERSION: u32 = 1;

/// The paper's task sentence (its figure and `gen_data.sh:9`).
pub const TASK: &str = "Think about a plausible response to address the query.";

/// Most tokens of the found sentences that a grounded thought is shown: mistral.rs reads a prompt
/// at some 120 tokens a second on two cores, so this costs most of a second.
pub const CONTEXT_TOKENS_MAX: usize = 96;

/// What stands between a passage that is read and the question whose likelihood tells what it is
/// worth: `<bos>passage\n\nQuestion: question`.
pub const READ_BETWEEN: &str = "\n\nQuestion: ";

/// Most tokens of the question that reading counts: what is longer is pasted text.
pub const READ_QUESTION_TOKENS_MAX: usize = 64;

/// What found sentences are tokenised as: on a line of their own after the question.
pub fn context_text(context: &str) -> String {
    format!("\n{context}")
}

/// A special token's part in our prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `<query>`, opens the question.
    QueryOpen,
    /// `</query>`, closes it.
    QueryClose,
    /// `<thought>`, after which the model thinks.
    Thought,
    /// `<emb>`, whose state is the vector.
    Emb,
    /// The model's own end of sequence, which closes a thought.
    Eos,
}

/// One piece of a prompt: a marker, text still to be tokenised, or ids already sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A special token by its role.
    Marker(Role),
    /// The question, cut to the model's query budget when tokenised.
    Question(&'a str),
    /// What an instant search found for the question, on a line of its own, cut to
    /// [`CONTEXT_TOKENS_MAX`]. Attended to, not part of the vector's mean.
    Context(&'a str),
    /// A thought's text, cut to the model's thought budget.
    ThoughtText(&'a str),
    /// A thought's sampled ids, cut to the same budget.
    ThoughtTokens(&'a [u32]),
    /// A passage, cut to the model's passage budget.
    Passage(&'a str),
}

/// `<query>q</query><thought>[t eos]<emb>`; the thought-free form has no eos (`dataset.py:121`).
/// A grounded thought follows `<query>q\ncontext</query><thought>`, just as it was thought.
pub fn query<'a>(question: &'a str, thought: Option<&'a crate::Thought>) -> Vec<Piece<'a>> {
    let mut pieces = vec![Piece::Marker(Role::QueryOpen), Piece::Question(question)];
    if let Some(thought) = thought.filter(|thought| !thought.context.is_empty()) {
        pieces.push(Piece::Context(&thought.context));
    }
    pieces.extend([Piece::Marker(Role::QueryClose), Piece::Marker(Role::Thought)]);
    if let Some(thought) = thought {
        pieces.push(if thought.tokens.is_empty() {
            Piece::ThoughtText(&thought.text)
        } else {
            Piece::ThoughtTokens(&thought.tokens)
        });
        pieces.push(Piece::Marker(Role::Eos));
    }
    pieces.push(Piece::Marker(Role::Emb));
    pieces
}

/// Question and thought, if there is one, for a retriever that knows no markers.
pub fn plain(question: &str, thought: &str) -> String {
    format!("{question} {}", thought.trim()).trim_end().to_owned()
}

/// The chat template that asks for a thought about the last message of a conversation, as [`query`] does: for programs
/// that know templates and none of our markers, which are given as the vocabulary spells them.
pub fn chat_template(query_open: &str, query_close: &str, thought: &str) -> String {
    let text = |marker: &str| format!("'{}'", marker.replace('\\', "\\\\").replace('\'', "\\'"));
    let (open, close) = (text(query_open), text(&format!("{query_close}{thought}")));
    format!("{{{{ {open} + messages[-1]['content'] + {close} }}}}")
}

/// Passage text and `<emb>`; the paper's code gives documents no opening marker.
pub fn passage(text: &str) -> Vec<Piece<'_>> {
    vec![Piece::Passage(text), Piece::Marker(Role::Emb)]
}

/// What a base model is told before it has been trained to think: (system, user) chat messages.
pub fn base_chat(question: &str) -> (String, String) {
    let system = format!(
        "You help a search engine. {TASK} Answer in one or two plain sentences, as a passage of a document that holds the answer would. Do not repeat the query."
    );
    (system, format!("Query: {question}"))
}
