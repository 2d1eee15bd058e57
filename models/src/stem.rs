//! Words without their endings (pure).

/// A lower-case word without its ending, so that "keeping", "keeper" and "keeps" are one. Crude:
/// English only, and only what helps to point at a word. Search itself stems by a library.
pub fn stem(word: &str) -> String {
    const ENDINGS: [&str; 9] = ["ings", "ing", "ers", "er", "ies", "ed", "es", "ly", "s"];
    let word = word.strip_suffix("'s").or(word.strip_suffix("’s")).unwrap_or(word);
    if !word.is_ascii() {
        return word.to_owned();
    }
    let cut = ENDINGS.iter().find_map(|ending| {
        let rest = word.strip_suffix(ending).filter(|rest| rest.len() >= 3)?;
        Some((rest, *ending))
    });
    let Some((rest, ending)) = cut.filter(|_| !word.ends_with("ss")) else {
        return word.strip_suffix(['e', 'y']).filter(|w| w.len() >= 3).unwrap_or(word).to_owned();
    };
    let bytes = rest.as_bytes();
    let doubled = bytes[rest.len() - 1] == bytes[rest.len() - 2];
    if doubled && !matches!(ending, "es" | "ies" | "s") && !rest.ends_with(['l', 's', 'z']) {
        return rest[..rest.len() - 1].to_owned();
    }
    rest.strip_suffix(['e', 'y']).filter(|w| w.len() >= 3).unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn words_of_one_stem() {
        for family in [
            &["keep", "keeps", "keeper", "keepers", "keeping", "keeper's"][..],
            &["battery", "batteries"],
            &["run", "running", "runner", "runners", "runs"],
            &["make", "makes", "making"],
            &["filter", "filters"],
            &["glass"],
        ] {
            let stems: std::collections::BTreeSet<String> =
                family.iter().map(|w| stem(w)).collect();
            assert_eq!(stems.len(), 1, "{family:?} -> {stems:?}");
        }
        for (a, b) in [("use", "us"), ("sea", "seas!"), ("oil", "oily bird")] {
            assert_ne!(stem(a), stem(b));
        }
    }
}
