//! What the command prints, wherever that goes: a reader that went away is no reason to panic.

use std::fmt::Display;
use std::io::{Error, ErrorKind, Write, stderr, stdout};

/// Prints lines to standard output, and finds out whether they got there.
pub(crate) fn print(lines: impl Display) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{lines}").and_then(|()| out.flush()).map_err(named)
}

/// Says a line to a person. Nobody could be told that it did not get there.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(stderr().lock(), "{line}");
}

/// Whether it means no more than that nobody reads on, as with `| head`.
pub(crate) fn is_unread(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Where it failed, in words.
fn named(error: Error) -> Error {
    Error::new(error.kind(), format!("standard output: {error}"))
}
