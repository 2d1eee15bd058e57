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

#[test]
fn a_path_from_here_is_made_whole() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().canonicalize().unwrap().join("notes");
    std::fs::create_dir_all(here.join("sub")).unwrap();
    for (path, expected) in [
        (".", here.to_str().unwrap()),
        ("./sub/", here.join("sub").to_str().unwrap()),
        ("../notes/./sub", here.join("sub").to_str().unwrap()),
        ("..", dir.path().canonicalize().unwrap().to_str().unwrap()),
        ("./nowhere", "./nowhere"),
        ("sub", "sub"),
        ("*.md", "*.md"),
        (".hidden", ".hidden"),
        ("/n/a", "/n/a"),
    ] {
        assert_eq!(there(path, &here), expected, "{path}");
    }
}
