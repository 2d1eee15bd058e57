use super::*;
use crate::cli::Global;
use crate::config::Surroundings;

#[tokio::test]
async fn a_stale_socket_is_replaced_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("daemon.sock");

    let (listener, file) = bind(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let in_use = bind(&path).map(|_| ()).unwrap_err();
    assert!(in_use.message.starts_with("something else listens"), "{}", in_use.message);

    // The listener gone and its file still there is what SIGKILL leaves.
    drop(listener);
    assert!(path.exists());
    let (_listener, again) = bind(&path).unwrap();
    drop(file);
    assert!(path.exists(), "another's was removed");
    drop(again);
    assert!(!path.exists());

    fs::write(&path, "a file").unwrap();
    let not_ours = bind(&path).map(|_| ()).unwrap_err();
    assert!(not_ours.message.ends_with("is not a socket"), "{}", not_ours.message);
    assert_eq!(fs::read(&path).unwrap(), b"a file");
}

#[tokio::test]
async fn the_second_daemon_learns_who_is_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_owned();
    let outside = Surroundings {
        variable: &|name| (name == "HOME").then(|| home.clone().into_os_string()),
        user_id: 0,
        working_dir: home.clone(),
    };
    let (config, _) = Config::load(&Global::default(), &outside).unwrap();
    private::folders(&config).unwrap();
    let _first = take_lock(&config.paths).await.unwrap();
    let error = take_lock(&config.paths).await.map(|_| ()).unwrap_err();
    let expected = format!("a daemon is running already (pid {})", std::process::id());
    assert_eq!(error.message, expected);
    assert_eq!(error.exit, crate::error::ERROR);
}
