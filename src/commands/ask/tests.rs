use super::*;

#[test]
fn a_question_must_say_something_and_be_a_question() {
    for (question, expected) in [
        ("", Err("the question is empty")),
        (" \n\t", Err("the question is empty")),
        (" why \n", Ok("why")),
        (&"é".repeat(QUESTION_CHARS_MAX), Ok(&*"é".repeat(QUESTION_CHARS_MAX))),
        (&"a".repeat(100_000), Err("the question has 100000 characters")),
    ] {
        match (checked(question), expected) {
            (Ok(given), Ok(expected)) => assert_eq!(given, expected),
            (Err(error), Err(expected)) => {
                assert!(error.message.starts_with(expected), "{}", error.message);
                assert_eq!((error.exit, error.hints.len()), (crate::error::ERROR, 1));
            }
            (given, _) => panic!("{given:?}"),
        }
    }
}
