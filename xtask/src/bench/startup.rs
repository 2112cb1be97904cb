//! What it costs to load a package, against a program that does not: CPU time, memory, threads, sockets, and opening a client.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::clients::Workshop;

/// The least of so many starts counts: whatever else the machine does only adds.
const STARTS: usize = 20;

#[derive(Deserialize)]
struct Start {
    cpu_ms: f64,
    memory_mb: f64,
    threads: u32,
    sockets: u32,
    /// The first client, where that loads what importing did not.
    #[serde(default)]
    first_ms: Option<f64>,
    open_ms: f64,
}

/// Most CPU time in ms and memory in MB that loading may take, and most time in ms for opening a client after the first.
struct Budget {
    cpu_ms: f64,
    memory_mb: Option<f64>,
    open_ms: f64,
}

/// Measures the packages that `workshop` has installed.
pub fn run_startup(workshop: &Workshop) -> Result<()> {
    let python = || {
        let mut command = Command::new(workshop.python());
        command.arg(workshop.root.join("benches/python/startup.py"));
        command
    };
    hold("Python", python, &Budget { cpu_ms: 15.0, memory_mb: Some(8.0), open_ms: 1.0 })?;
    let node = || {
        let mut command = Command::new("node");
        command.arg(workshop.root.join("benches/node/startup.cjs"));
        command.env("BLOOMCHATS_PACKAGE", workshop.root.join("bindings-node"));
        command
    };
    hold("Node", node, &Budget { cpu_ms: 15.0, memory_mb: None, open_ms: 1.0 })
}

fn hold(language: &str, program: impl Fn() -> Command, budget: &Budget) -> Result<()> {
    let (mut bare, mut loaded) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        bare.push(start(program().arg("bare"))?);
        loaded.push(start(&mut program())?);
    }
    let least = |of: fn(&Start) -> f64, starts: &[Start]| starts.iter().map(of).fold(f64::INFINITY, f64::min);
    let over = |of: fn(&Start) -> f64| least(of, &loaded) - least(of, &bare);
    let (cpu, memory, open) =
        (over(|start| start.cpu_ms), over(|start| start.memory_mb), least(|start| start.open_ms, &loaded));
    let first = loaded.iter().filter_map(|start| start.first_ms).reduce(f64::min);
    let first = first.map(|ms| format!(", the first client {ms:.1} ms")).unwrap_or_default();
    println!("{language}: loading takes {cpu:.1} ms of CPU and {memory:.1} MB{first}, opening a client {open:.3} ms");
    ensure!(cpu <= budget.cpu_ms, "{language}: loading may take {} ms", budget.cpu_ms);
    ensure!(budget.memory_mb.is_none_or(|most| memory <= most), "{language}: loading takes too much memory");
    ensure!(open <= budget.open_ms, "{language}: opening a client may take {} ms", budget.open_ms);
    let count = |of: fn(&Start) -> u32| (of(&loaded[0]), of(&bare[0]));
    for (what, (has, had)) in [("thread", count(|start| start.threads)), ("socket", count(|start| start.sockets))] {
        ensure!(has <= had, "{language}: a {what} before the first call");
    }
    Ok(())
}

fn start(command: &mut Command) -> Result<Start> {
    let done = command.output().context("cannot be started")?;
    let said = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&said)
        .with_context(|| format!("{command:?} said {said:?} {}", String::from_utf8_lossy(&done.stderr)))
}
