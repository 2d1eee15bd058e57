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
    /// A thought's text, cut to the model's thought budget.
    ThoughtText(&'a str),
    /// A thought's sampled ids, cut to the same budget.
    ThoughtTokens(&'a [u32]),
    /// A passage, cut to the model's passage budget.
    Passage(&'a str),
}

/// `<query>q</query><thought>[t eos]<emb>`; the thought-free form has no eos (`dataset.py:121`).
pub fn query<'a>(question: &'a str, thought: Option<&'a crate::Thought>) -> Vec<Piece<'a>> {
    let mut pieces = vec![
        Piece::Marker(Role::QueryOpen),
        Piece::Question(question),
        Piece::Marker(Role::QueryClose),
        Piece::Marker(Role::Thought),
    ];
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
