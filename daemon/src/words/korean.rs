//! Korean nouns, to which particles are written without a space. Pure.
//!
//! A table of particles and the rule which of them may follow which sound, not a dictionary: what it takes off by mistake
//! is a word more that is searched, and no word less.

/// Letters of a noun that is worth finding: of `나는` the `나` is as often another word.
const NOUN_CHARS_MIN: usize = 2;

/// What the last sound of a noun must be for a particle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Any,
    Consonant,
    Vowel,
    /// Or an ㄹ.
    Open,
}

/// Particles, alone and as they follow one another, and the commonest forms of the verb that makes one of a noun.
#[rustfmt::skip]
const PARTICLES: &[(After, &[&str])] = &[
    (After::Any, &[
        "의", "에", "도", "만", "께", "에는", "에도", "에만", "에의", "에서", "에서는", "에서도", "에서만", "에서의", "에서부터",
        "에게", "에게는", "에게도", "에게서", "에게만", "께서", "께서는", "한테", "한테서", "부터", "부터는", "부터의", "까지", "까지는", "까지도",
        "까지의", "처럼", "보다", "보다는", "보다도", "마다", "조차", "마저", "밖에", "만의", "만을", "만이", "만은", "만으로", "하고", "대로",
        "만큼", "같은", "입니다", "에선", "에겐", "하는", "하지만", "하거나", "하며", "하여", "한다", "합니다", "되는", "된다", "됩니다",
    ]),
    (After::Consonant, &[
        "은", "이", "을", "과", "으로", "과는", "과도", "과의", "으로는", "으로도", "으로만", "으로의", "으로서", "으로써", "으로부터", "이나",
        "이란", "이라", "이라는", "이라고", "이라도", "이며", "이고", "이다", "이지만", "이든", "이든지", "이었다", "이랑", "이야",
    ]),
    (After::Vowel, &[
        "는", "가", "를", "와", "와는", "와도", "와의", "나", "란", "라", "라는", "라고", "라도", "였다", "랑",
    ]),
    (After::Open, &["로", "로는", "로도", "로만", "로의", "로서", "로써", "로부터"]),
];

/// What is no noun before a particle: the particle or the verb is longer than that, and what it stands behind too short.
const NO_NOUNS: &[(&str, &[&str])] =
    &[("는", &["하", "되", "에", "에서"]), ("나", &["거"]), ("로", &["으"]), ("만", &["지"])];

/// Letters of the longest particle.
const PARTICLE_CHARS_MAX: usize = 4;

/// The noun that `word` is with its particle; nothing if it ends in none. The word is composed.
pub fn noun(word: &str) -> Option<&str> {
    if !word.ends_with(is_syllable) {
        return None;
    }
    let ends = word.char_indices().rev().take(PARTICLE_CHARS_MAX).map(|(at, _)| at);
    let mut nouns: Vec<&str> = ends
        .map(|at| word.split_at(at))
        .filter(|(noun, end)| follows(end, noun))
        .map(|(noun, _)| noun)
        .collect();
    // The longest particle.
    nouns.pop()
}

/// Whether the particle `end` may stand behind `noun`.
fn follows(end: &str, noun: &str) -> bool {
    let Some(last) = noun.chars().next_back() else { return false };
    if noun.chars().take(NOUN_CHARS_MIN).count() < NOUN_CHARS_MIN {
        return false;
    }
    let Some((after, _)) = PARTICLES.iter().find(|(_, ends)| ends.contains(&end)) else {
        return false;
    };
    let is_none = |(other, nouns): &(&str, &[&str])| {
        *other == end && nouns.iter().any(|ending| noun.ends_with(ending))
    };
    if NO_NOUNS.iter().any(is_none) {
        return false;
    }
    // How a word of other letters is read is not known.
    let Some(closing) = closing(last) else { return last.is_alphanumeric() };
    match after {
        After::Any => true,
        After::Consonant => closing != 0,
        After::Vowel => closing == 0,
        After::Open => matches!(closing, 0 | RIEUL),
    }
}

fn is_syllable(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

/// The number of ㄹ among [`closing`] consonants.
const RIEUL: u32 = 8;

/// The number of the consonant that a syllable ends in, 0 if that is a vowel: 28 syllables follow one another with the
/// same beginning. Nothing if it is no syllable.
fn closing(c: char) -> Option<u32> {
    is_syllable(c).then(|| (u32::from(c) - u32::from('가')) % 28)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_particle_is_taken_off_where_it_may_stand() {
        let cases = [
            ("서울은", Some("서울")),
            ("서울에서는", Some("서울")),
            ("서울로", Some("서울")),
            ("한국어를", Some("한국어")),
            ("한국어은", None),
            ("학교에서", Some("학교")),
            ("학교으로", None),
            ("부산으로", Some("부산")),
            ("부산로", None),
            ("고양이를", Some("고양이")),
            ("전문가", None),
            ("전문가가", Some("전문가")),
            ("나이", None),
            ("나는", None),
            ("값으로", None),
            ("중에는", None),
            ("하지만", None),
            ("사용하는", Some("사용")),
            ("만드는", Some("만드")),
            ("AWS는", Some("AWS")),
            ("2024년에", Some("2024년")),
            ("서울", None),
            ("에서", None),
            ("은", None),
            ("", None),
            ("lamp", None),
            ("検索", None),
        ];
        for (word, expected) in cases {
            assert_eq!(noun(word), expected, "{word}");
        }
        for (_, ends) in PARTICLES {
            assert!(ends.iter().all(|end| end.chars().count() <= PARTICLE_CHARS_MAX));
        }
    }
}
