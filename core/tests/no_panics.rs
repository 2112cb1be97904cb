//! No reachable panic: library code holds none of the words that end in one. Clippy denies most of them as well; this
//! also covers what it lets pass, and an `allow` that somebody might put above them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)] // a test panics when something is wrong

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;

const WORDS: &[&str] = &[
    ".unwrap()",
    ".unwrap_err()",
    ".expect(",
    ".expect_err(",
    "panic!(",
    "unreachable!(",
    "unimplemented!(",
    "todo!(",
    "assert!(",
    "assert_eq!(",
    "process::exit",
    "process::abort",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
    "unsafe ",
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn library_code_cannot_panic_on_purpose() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources moved");
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // Unit tests stand at the end of their file.
        let library = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in library.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if WORDS.iter().any(|word| code.contains(word)) {
                found.push(format!("{}:{}: {}", file.strip_prefix(&root).unwrap().display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_panic_tells_its_place_and_nobodys_words() {
    const CHILD: &str = "BLOOMCHATS_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        bloomchats::keep_panics_private();
        assert!(panic::catch_unwind(|| panic!("+15551234567 says hello")).is_err());
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["a_panic_tells_its_place_and_nobodys_words", "--exact", "--nocapture"]).env(CHILD, "1");
    let said = child.output().unwrap();
    let told = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && told.contains("internal error at core/tests/no_panics.rs:"), "{told}");
    assert!(!told.contains("15551234567"), "{told}");
}

#[test]
fn every_bridge_keeps_panics_private() {
    for language in ["python", "node", "swift"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../bindings-{language}/src"));
        let mut files = Vec::new();
        sources(&folder, &mut files);
        let calls = |file: &PathBuf| fs::read_to_string(file).unwrap().contains("bloomchats::keep_panics_private();");
        assert!(files.iter().any(calls), "{language}'s bridge lets panics tell what they quote");
    }
}
