use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::AT_PAGE;

/// A program that prints its name and what it is given, a line each.
fn program(folder: &Path, name: &str, says: &str) {
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{says}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_viewer_is_told_the_page_as_it_understands_it() {
    let path = "/a b/it's $(x).pdf";
    for (of, there, expected) in [
        ("org.gnome.Evince.desktop", "evince", &["evince", "--page-index=3", "--", path][..]),
        ("okularApplication_pdf.desktop", "okular", &["okular", "--page", "3", "--", path]),
        ("org.pwmt.zathura-pdf-mupdf.desktop", "zathura", &["zathura", "--page=3", "--", path]),
        ("mupdf.desktop", "mupdf", &["mupdf", path, "3"]),
        ("qpdfview.desktop", "qpdfview", &["qpdfview", "--unique", "/a b/it's $(x).pdf#3"]),
        // The program is not in the path, is unknown, or there is none.
        ("org.gnome.Evince.desktop", "okular", &["xdg-open", path]),
        ("firefox.desktop", "firefox", &["xdg-open", path]),
        ("", "evince", &["xdg-open", path]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let prints = "printf '%s\\n' \"${0##*/}\" \"$@\"";
        program(
            folder.path(),
            "xdg-mime",
            &format!("[ \"$*\" = 'query default application/pdf' ] && echo {of}"),
        );
        for name in [there, "xdg-open"] {
            program(folder.path(), name, prints);
        }
        let told = Command::new("/bin/sh")
            .args(["-c", AT_PAGE, "fore", path, "3"])
            .env("PATH", folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{of}, {there}");
    }
}
