//! Which of two programs is the newer one, by the versions in their hellos.

use std::cmp::Ordering;

/// How `version` compares with `other`, by major, minor and patch; nothing is said of a version that has
/// not these three numbers. What is behind a `-` or a `+` does not count.
pub fn compare(version: &str, other: &str) -> Option<Ordering> {
    Some(numbers(version)?.cmp(&numbers(other)?))
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let release = version.split(['-', '+']).next()?;
    let numbers: Option<Vec<u64>> = release.split('.').map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        let table = [
            ("0.1.0", "0.1.0", Some(Ordering::Equal)),
            ("0.9.0", "0.10.0", Some(Ordering::Less)),
            ("1.0.0", "0.10.9", Some(Ordering::Greater)),
            ("0.1.1-rc.1", "0.1.1+build", Some(Ordering::Equal)),
            ("0.1", "0.1.0", None),
            ("test", "0.1.0", None),
            ("0.1.0", "", None),
        ];
        for (version, other, expected) in table {
            assert_eq!(compare(version, other), expected, "{version} and {other}");
        }
    }
}
