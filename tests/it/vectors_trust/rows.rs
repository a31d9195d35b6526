//! Every file has its row, what does not hold is told once, and the last line has the verdict.

use super::*;

/// Alters the files; the exit code, the lines that tell of what does not hold, and the last line.
fn verdict(alter: impl FnOnce(&Copy), code: i32, line: &str, last: &str) {
    let copy = Copy::new();
    alter(&copy);
    let (exit, told) = copy.verify();
    assert!(told.len() == 1 && told[0].contains(line), "{line}\n{told:#?}");
    assert_eq!(exit, code, "{told:#?}");
    let page = text(&capcheck(&["vectors", "verify", copy.path().to_str().unwrap()]).stdout);
    assert_eq!(page.lines().last(), Some(last), "{page}");
    assert!(page.lines().any(|line| line.starts_with("union.json ")), "{page}");
}

#[test]
fn a_file_that_cannot_be_had_is_told_once() {
    let unread = "DOES NOT HOLD: 1 file not read";
    let instead = |copy: &Copy| {
        fs::remove_file(copy.file(UNION)).unwrap();
        copy.file(UNION)
    };
    let row = |message: &str| format!("union.json              not read: {message}");
    let directory = |copy: &Copy| fs::create_dir(instead(copy)).unwrap();
    verdict(directory, 2, &row("is a directory"), unread);
    let large = |copy: &Copy| fs::write(copy.file(UNION), vec![b' '; (16 << 20) + 1]).unwrap();
    verdict(large, 2, &row("larger than 16 MiB, which no such file is"), unread);
    verdict(|copy| drop(instead(copy)), 1, &row("missing, and manifest.json lists it"), unread);
    #[cfg(unix)]
    {
        let dangling = |copy: &Copy| std::os::unix::fs::symlink("/nowhere", instead(copy)).unwrap();
        verdict(dangling, 1, &row("missing, and manifest.json lists it"), unread);
    }
}

#[test]
fn what_can_be_read_and_does_not_hold_is_told_once() {
    verdict(
        |copy| copy.replace("exchanges.json", "HTTP/1.1", "HTTP/1.0"),
        1,
        "  exchanges.json: its SHA-256 is ".trim_start(),
        "DOES NOT HOLD: 1 fault of files or manifest",
    );
    verdict(
        |copy| {
            copy.replace("exchanges.json", "\"schema_version\": 2", "\"schema_version\": 9");
            copy.enter("exchanges.json");
        },
        1,
        "exchanges.json          not read: schema_version is 9",
        "DOES NOT HOLD: 1 file not read",
    );
}
