//! Which of a question's words a passage has. Pure, and linear in both.

use std::collections::HashSet;

use daemon_protocol::EXPLAINED_WORDS_MAX;
use models::stem::stem;
use unicode_segmentation::UnicodeSegmentation;

use super::{STOP_WORDS, WORD_BYTES_MAX, pieces};
use crate::words::{folded, joined, noun};

/// Words of a question that say something, as they were typed; each stem once.
#[derive(Debug, Default)]
pub struct AskedWords {
    /// A word, its stem, and those of the parts of a name.
    words: Vec<(String, String, Vec<String>)>,
    /// First letters of all stems: what begins otherwise need not be stemmed.
    initials: HashSet<char>,
}

impl AskedWords {
    /// The first [`EXPLAINED_WORDS_MAX`] of `question`.
    pub fn of(question: &str) -> AskedWords {
        let words = || question.unicode_words().filter(|word| word.len() < WORD_BYTES_MAX);
        let telling = |word: &&str| !STOP_WORDS.contains(&folded(word).to_lowercase().as_str());
        let mut chosen: Vec<&str> = words().filter(telling).collect();
        if chosen.is_empty() {
            chosen = words().collect();
        }
        let mut asked = AskedWords::default();
        for word in chosen {
            let whole = stemmed(word);
            let is_new = asked.words.iter().all(|(_, other, _)| *other != whole);
            if is_new && asked.words.len() < EXPLAINED_WORDS_MAX {
                let noun = noun(&folded(word)).map(stemmed);
                let parts: Vec<String> = parts(word).map(stemmed).chain(noun).collect();
                let stems = parts.iter().chain([&whole]);
                asked.initials.extend(stems.filter_map(|stem| stem.chars().next()));
                asked.words.push((word.to_owned(), whole, parts));
            }
        }
        asked
    }

    /// Those that stand in one of `texts`, and those that stand in none. A name in code stands there, too, if all
    /// of its parts do.
    pub fn split(&self, texts: [&str; 3]) -> (Vec<String>, Vec<String>) {
        let mut stems = HashSet::new();
        for word in texts.iter().flat_map(|text| text.unicode_words()) {
            if word.len() < WORD_BYTES_MAX {
                let of_word = std::iter::once(word).chain(parts(word)).chain(pairs(word));
                stems.extend(of_word.filter_map(|word| self.stem_of(word)));
                stems.extend(noun(&folded(word)).and_then(|noun| self.stem_of(noun)));
            }
        }
        let stands = |(_, whole, parts): &&(String, String, Vec<String>)| {
            stems.contains(whole)
                || (!parts.is_empty() && parts.iter().all(|part| stems.contains(part)))
        };
        let (has, lacks): (Vec<_>, Vec<_>) = self.words.iter().partition(stands);
        let typed = |words: Vec<&(String, String, Vec<String>)>| {
            words.into_iter().map(|(word, ..)| word.clone()).collect()
        };
        (typed(has), typed(lacks))
    }

    /// The stem of a word that may be one of these.
    fn stem_of(&self, word: &str) -> Option<String> {
        let word = folded(word).to_lowercase();
        let first = word.chars().next()?;
        self.initials.contains(&first).then(|| stem(&word))
    }
}

fn stemmed(word: &str) -> String {
    stem(&folded(word).to_lowercase())
}

/// The parts of a name that has several, without the signs between them.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let parts = pieces(word);
    let parts = if parts.len() > 1 { parts } else { Vec::new() };
    let parts = parts.into_iter().map(|part| &word[part]);
    parts.filter(|part| part.contains(char::is_alphanumeric))
}

/// Neighbours among the parts of a name that are a word together.
fn pairs(word: &str) -> impl Iterator<Item = &str> {
    joined(word, &pieces(word)).into_iter().map(|(_, both)| &word[both])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(question: &str, text: &str, has: &[&str], lacks: &[&str]) {
        let split = AskedWords::of(question).split(["", "", text]);
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(split, (owned(has), owned(lacks)), "{question} in {text}");
    }

    #[test]
    fn words_are_told_as_they_were_typed() {
        check(
            "How do I Rebase my branches?",
            "Rebasing a branch replays it.",
            &["Rebase", "branches"],
            &[],
        );
        check("rebase and rebasing, squash", "nothing", &[], &["rebase", "squash"]);
        // Words that say nothing are told if there are no others.
        check("who is it", "It is here.", &["is", "it"], &["who"]);
        check("Café späte", "cafe Spate", &["Café", "späte"], &[]);
        check("", "text", &[], &[]);
        check("text", "", &[], &["text"]);
    }

    #[test]
    fn a_name_is_known_by_its_parts() {
        check("getUserById", "let key = getUserById(7);", &["getUserById"], &[]);
        check("getUserById", "get the user by his id", &["getUserById"], &[]);
        check("getUserById", "get the user", &[], &["getUserById"]);
        check("response", "parse_http_response(x)", &["response"], &[]);
        check("user", "getUserById", &["user"], &[]);
        check("iphone 15", "iPhone15ProMax", &["iphone", "15"], &[]);
    }

    #[test]
    fn a_noun_is_known_without_its_particle() {
        check("서울은", "서울에서 비가 온다", &["서울은"], &[]);
        check("서울", "서울은", &["서울"], &[]);
        check("서울은", "부산은", &[], &["서울은"]);
    }

    #[test]
    fn few_and_short_words_fit_a_frame() {
        let many: String = (0..99).map(|number| format!("word{number} ")).collect();
        let (has, lacks) = AskedWords::of(&many).split(["", "", "word3"]);
        assert_eq!((has, lacks.len()), (vec!["word3".to_owned()], EXPLAINED_WORDS_MAX - 1));
        check(&"x".repeat(WORD_BYTES_MAX), "text", &[], &[]);
    }
}
