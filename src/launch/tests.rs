use super::*;
use crate::launch::probe::broke_off;

#[test]
fn a_daemon_that_ends_while_it_is_called_is_called_again() {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, NotFound, PermissionDenied, WouldBlock,
    };
    let connect = |kind: io::ErrorKind| {
        let path = "/run/daemon.sock".to_owned();
        ClientError::Connect { path, source: kind.into() }
    };
    for (error, again) in [
        (connect(ConnectionReset), true),
        (connect(WouldBlock), true),
        (ClientError::Io(ConnectionReset.into()), true),
        (ClientError::Closed, true),
        (connect(NotFound), false),
        (connect(ConnectionRefused), false),
        (connect(PermissionDenied), false),
    ] {
        assert_eq!(broke_off(&error), again, "{error:?}");
    }
}

#[test]
fn the_last_error_of_a_log_is_found_with_its_hints() {
    let full = AppError::new("no model in /m").hint("run: fore model pull").hint("or bring one");
    for (log, message, hints) in [
        (full.to_string(), "no model in /m", &["run: fore model pull", "or bring one"][..]),
        ("INFO a\nerror: old\nINFO b\nerror: new\n".to_owned(), "new", &[]),
        ("error: two\nlines\n  hint: x\nINFO c\n  hint: not ours".to_owned(), "two\nlines", &["x"]),
    ] {
        let error = last_error(&log).unwrap();
        assert_eq!(error.message, message);
        assert_eq!(error.hints, hints);
    }
    assert!(last_error("INFO a\nthread panicked").is_none());
}

#[test]
fn only_what_was_written_since_the_start_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state/daemon.log");
    let (_, start) = open_log(&path).unwrap();
    assert_eq!(start, 0);
    fs::write(&path, "error: of yesterday\n").unwrap();
    let (_, start) = open_log(&path).unwrap();
    assert_eq!(read_tail(&path, start).unwrap(), "");
    assert_eq!(read_tail(&path, 7).unwrap(), "of yesterday\n");
}

#[test]
fn a_large_log_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("daemon.log");
    File::create(&path).unwrap().set_len(LOG_BYTES_MAX + 1).unwrap();
    let (_, start) = open_log(&path).unwrap();
    assert_eq!(start, 0);
    assert_eq!(fs::metadata(dir.path().join("daemon.log.1")).unwrap().len(), LOG_BYTES_MAX + 1);
}
