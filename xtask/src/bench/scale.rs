//! Our Rust client under much of everything: calls that wait, sends, rows; and its allocations.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Server;
use super::clients::Workshop;
use crate::shell::run;

/// How many calls wait at once, how many are sent, how many rows are listed.
pub struct Size(pub usize, pub usize, pub usize);

impl Size {
    /// What the issue of scale is about.
    pub const FULL: Size = Size(10_000, 1_000_000, 1_000_000);
    /// The same in seconds.
    pub const REDUCED: Size = Size(500, 20_000, 20_000);
}

/// Runs the programs one after the other; each fails where it must not grow and does.
pub fn run_scale(workshop: &Workshop, size: &Size) -> Result<()> {
    let program = |name: &str, url: &str, rest: &[&str]| run(Command::new(workshop.rust(name)).arg(url).args(rest));
    let server = |option: &str, count: &str| Server::start(&workshop.server(), &[option, count]);
    let plain: &Path = &workshop.server();
    program("allocations", &Server::start(plain, &[])?.url, &[])?;
    let Size(waiting, sends, rows) = size;
    // A tenth of them first: what each costs must not depend on how many there are.
    for waiting in [waiting / 10, *waiting].map(|count| count.to_string()) {
        program("scale", &server("--hold", &waiting)?.url, &["waiting", &waiting])?;
    }
    let (sends, rows) = (sends.to_string(), rows.to_string());
    program("scale", &Server::start(plain, &[])?.url, &["sends", &sends])?;
    program("scale", &server("--rows", &rows)?.url, &["rows", &rows])
}
