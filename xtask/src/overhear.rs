//! Reads everything the suites print, and every log they write, for what nobody may read there: keys, signing secrets, numbers,
//! addresses, messages. The suites are full of them, so a library that let one slip would show it here.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::shell::scratch;

/// Marks the process whose output is read.
const INNER: &str = "BLOOMCHATS_OVERHEARD";

/// Beginnings of credentials, as the suites and the sandbox use them.
const CREDENTIALS: &[&str] =
    &["bl_test_", "bl_live_", "bl_sandbox_", "dmtb_test_", "dmtb_live_", "dmtb_sandbox_", "whsec_", "Bearer "];

/// The text of nearly every message that the suites send.
const MESSAGE: &str = "Hello";

/// Whether this process is the one whose output is read.
pub fn is_overheard() -> bool {
    std::env::var_os(INNER).is_some()
}

/// Loggers of clients that are not ours and tell what they like: the vendor's, and those our tests compare with.
const STRANGERS: &[&str] = &["blooio._base_client", "httpx", "urllib3.connectionpool"];

/// Runs this very command again and reads along.
pub fn run_overheard(root: &Path) -> Result<()> {
    let logs = scratch(root, "logs")?;
    for old in std::fs::read_dir(&logs)? {
        std::fs::remove_file(old?.path())?;
    }
    let file = logs.join("pytest.log");
    let log = format!("--log-file={} --log-file-mode=a --log-file-level=DEBUG", file.display());
    let without: String = STRANGERS.iter().map(|name| format!(" --log-disable={name}")).collect();
    let mut inner = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(INNER, "1")
        .env("PYTEST_ADDOPTS", log + &without)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("xtask cannot start itself")?;
    let (out, err) = (inner.stdout.take().context("no output")?, inner.stderr.take().context("no output")?);
    let heard = Mutex::new(Heard::default());
    thread::scope(|scope| {
        scope.spawn(|| heard_through(out, std::io::stdout(), &heard));
        scope.spawn(|| heard_through(err, std::io::stderr(), &heard));
    });
    let status = inner.wait()?;
    let mut heard = heard.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for log in std::fs::read_dir(&logs)? {
        std::fs::read_to_string(log?.path())?.lines().for_each(|line| heard.line(line));
    }
    ensure!(status.success(), "the tests failed ({status})");
    println!("{} lines of output and logs read for keys, numbers, addresses and messages", heard.lines);
    if !heard.private.is_empty() {
        bail!("private text was printed:\n{}", heard.private.join("\n"));
    }
    Ok(())
}

#[derive(Default)]
struct Heard {
    lines: usize,
    private: Vec<String>,
}

impl Heard {
    fn line(&mut self, line: &str) {
        self.lines += 1;
        if let Some((what, at)) = private(line) {
            // What follows is not repeated here either.
            self.private.push(format!("{what} after {:?}", &line[..at]));
        }
    }
}

fn heard_through(from: impl Read, mut to: impl Write, heard: &Mutex<Heard>) {
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // A closed terminal is no reason to stop listening.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).line(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

/// What a line gives away, and where.
fn private(line: &str) -> Option<(&'static str, usize)> {
    let credential = CREDENTIALS.iter().find_map(|start| {
        let at = line.find(start)?;
        line[at + start.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()).then_some(("a credential", at))
    });
    credential
        .or_else(|| line.find(MESSAGE).map(|at| ("a message", at)))
        .or_else(|| number(line).map(|at| ("a number", at)))
        .or_else(|| address(line).map(|at| ("an address", at)))
}

/// A North American number, as the suites use them: `+1` or `%2B1` or `1`, and ten digits that begin with 202, 500 or 555.
fn number(line: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    ["1202", "1500", "1555"].iter().flat_map(|area| line.match_indices(area)).map(|(at, _)| at).find(|&at| {
        let begins = !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) || line[..at].ends_with("%2B");
        begins && digits(&line[at..]) == 11
    })
}

/// `name@host.tld` of the hosts that the suites use.
fn address(line: &str) -> Option<usize> {
    line.match_indices('@').map(|(at, _)| at).find(|&at| {
        let named = line[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        named && ["example.com", "example.org", "icloud.com"].iter().any(|host| line[at + 1..].starts_with(host))
    })
}

#[cfg(test)]
mod tests {
    use super::private;

    #[test]
    fn what_is_private_is_noticed() {
        for line in [
            "key bl_test_key",
            "authorization: Bearer abc",
            "signed with whsec_0123",
            "to +15551234567.",
            "/chats/%2B15551234567/messages",
            "chat 12025550101",
            "Ada <ada@example.com>",
            "said \"Hello\"",
        ] {
            assert!(private(line).is_some(), "{line}");
        }
    }

    #[test]
    fn what_is_not_is_let_pass() {
        for line in [
            "test bl_test_ ... ok",
            "whsec_ secrets are required",
            "91555123456789 bytes, 1555 rows, 0x15551234567a",
            "added @types/node@26.1.2",
            "see user@host and name@0.1.0",
        ] {
            assert!(private(line).is_none(), "{line}: {:?}", private(line));
        }
    }
}
