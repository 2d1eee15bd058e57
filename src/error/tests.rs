use super::*;

#[test]
fn a_program_reads_a_failure_with_its_kind() {
    let failure = |kind| Failure { kind, message: "m".to_owned(), hint: Some("h".to_owned()) };
    let connect =
        || ClientError::Connect { path: "/s".to_owned(), source: io::ErrorKind::NotFound.into() };
    for (error, kind, exit) in [
        (AppError::new("m"), "failed", 2),
        (AppError::new("m").exiting(NOTHING).of(Kind::NothingIndexed), "nothing_indexed", 1),
        (AppError::reading(Path::new("/x"), &io::ErrorKind::NotFound.into()), "io", 2),
        (connect().into(), "daemon", 2),
        (failure(ErrorKind::Invalid).into(), "invalid", 2),
        (failure(ErrorKind::Busy).into(), "busy", 2),
        (failure(ErrorKind::Internal).into(), "failed", 2),
        (TrainError::Stopped.into(), "cancelled", 130),
    ] {
        let told: serde_json::Value = serde_json::from_str(&error.json()).unwrap();
        let told = &told["error"];
        assert_eq!((&told["kind"], &told["exit"]), (&json!(kind), &json!(exit)), "{error}");
        assert_eq!(told["message"], json!(error.message));
        assert_eq!(told["hints"], json!(error.hints));
    }
}
