//! Instructions that a call takes, kernel aside: the one cost that is the same on every machine under any load, and so can be a gate.
//!
//! A program's start is left out by counting two runs that differ only in how many calls they make.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Server;
use super::clients::Workshop;
use crate::shell::in_ci;

/// More than this share above the baseline fails.
const SLACK: f64 = 0.05;

/// A client of ours, a call, and how many of it are made at least.
const COUNTED: [(&str, &str, u64); 4] =
    [("hyper", "send", 500), ("ours", "send", 500), ("hyper", "list", 100), ("ours", "list", 100)];

/// Counts, and compares with `benches/instructions.toml` or rewrites it.
pub fn run_instructions(root: &Path, workshop: &Workshop, bless: bool) -> Result<()> {
    if !crate::shell::has("valgrind") {
        ensure!(!in_ci(), "valgrind cannot be started, and CI skips nothing");
        println!("instructions: skipped, valgrind cannot be started");
        return Ok(());
    }
    let server = Server::start(&workshop.server(), &[])?;
    let file = root.join("benches/instructions.toml");
    let baseline: BTreeMap<String, u64> = toml::from_str(&std::fs::read_to_string(&file)?)?;
    let (mut counts, mut worse) = (BTreeMap::new(), Vec::new());
    for (program, scenario, calls) in COUNTED {
        let of = |calls| collected(&workshop.rust(program), &server.url, scenario, calls);
        let count = (of(calls * 3)? - of(calls)?) / (calls * 2);
        let name = format!("{program}-{scenario}");
        let before = baseline.get(&name).copied().unwrap_or(0);
        println!("{name}: {count} instructions a call (baseline {before})");
        if count as f64 > before as f64 * (1.0 + SLACK) {
            worse.push(name.clone());
        }
        counts.insert(name, count);
    }
    if bless {
        let head = "# Instructions of a call in user space, written by `cargo xtask bench --instructions --bless`.\n\n";
        return Ok(std::fs::write(&file, format!("{head}{}", toml::to_string(&counts)?))?);
    }
    ensure!(
        worse.is_empty(),
        "{worse:?} take over 5 % more instructions; if that is meant: cargo xtask bench --instructions --bless"
    );
    Ok(())
}

/// Instructions of a whole run, as valgrind counts them.
fn collected(program: &Path, url: &str, scenario: &str, calls: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(program).args([url, scenario, "1", &calls.to_string()]);
    let done = valgrind.output().context("valgrind cannot be started")?;
    let said = String::from_utf8_lossy(&done.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.filter(|_| done.status.success()).with_context(|| format!("valgrind said {said}"))
}
