use models::files::Lock;

use super::*;

#[test]
fn a_directory_is_made_private_and_others_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("a/forethought");
    check(&dir).unwrap();
    prepare(&dir).unwrap();
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);

    let readable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&dir, readable).unwrap();
    prepare(&dir).unwrap();
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);

    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(&dir, open).unwrap();
    assert!(prepare(&dir).unwrap_err().message.contains("only you can write to"));

    let link = base.path().join("link");
    std::os::unix::fs::symlink(base.path(), &link).unwrap();
    assert!(check(&link).is_err());
    let file = base.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(check(&file).is_err());
}

#[test]
fn a_lock_has_one_holder_who_signs_it() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("lock");
    assert_eq!(holder(&path).unwrap(), Holder::Nobody);
    let mut lock = Lock::try_take(&path).unwrap().unwrap();
    assert_eq!(holder(&path).unwrap(), Holder::Process(None));
    lock.sign(Path::new("/run/a b\nc.sock")).unwrap();
    assert_eq!(holder(&path).unwrap(), Holder::Process(Some(std::process::id())));
    assert!(Lock::try_take(&path).unwrap().is_none());
    drop(lock);
    assert_eq!(holder(&path).unwrap(), Holder::Nobody);
    assert!(Lock::try_take(&path).unwrap().is_some());
}
