//! A client's program while it runs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::clients::Client;
use super::cores::{Who, on_cores_of};
use super::{Cell, Cost, Server};

/// A part lasts about this long: short, so that a client and the yardstick, which has its part right before, meet the same machine,
/// whatever else runs on it.
const PART_US: f64 = 100_000.0;

/// A client's program, which waits to be told how many calls its next part has, and ends when nobody is left to tell it.
pub struct Running {
    name: &'static str,
    process: Child,
    parts: ChildStdin,
    told: BufReader<ChildStdout>,
    /// The calls of a part.
    calls: usize,
}

impl Running {
    /// Starts a client, whose first part has so many calls.
    pub fn start(client: &Client, command: &mut Command, server: &Server, cell: Cell, calls: usize) -> Result<Running> {
        command.arg(&server.url).args([cell.scenario, &cell.concurrency.to_string(), &calls.to_string()]);
        if let Some(authority) = &server.authority {
            command.env_remove("SSL_CERT_DIR");
            command.envs(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"].map(|name| (name, authority)));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let who = if cell.concurrency == 1 { Who::Alone } else { Who::Crowd };
        let name = client.name;
        let mut process = on_cores_of(who, || command.spawn()).with_context(|| format!("{name} cannot be started"))?;
        let (Some(parts), Some(told)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("{name} has no input or no output");
        };
        Ok(Running { name, process, parts, told: BufReader::new(told), calls })
    }

    /// A client after its first part, which tells how many calls the later ones have.
    pub fn warm(client: &Client, server: &Server, cell: Cell, calls: usize) -> Result<Running> {
        let mut running = Running::start(client, &mut client.command(), server, cell, calls)?;
        let cost = running.cost()?;
        running.calls = ((PART_US / cost.wall_us * calls as f64) as usize).max(cell.concurrency * 2);
        Ok(running)
    }

    /// Another part.
    pub fn part(&mut self) -> Result<Cost> {
        writeln!(self.parts, "{}", self.calls)?;
        self.cost()
    }

    /// What a part cost, once it is over.
    pub fn cost(&mut self) -> Result<Cost> {
        let mut said = String::new();
        self.told.read_line(&mut said)?;
        let cost: Cost = serde_json::from_str(&said).with_context(|| format!("{} said {said:?}", self.name))?;
        ensure!(cost.calls == self.calls as u64, "{} made {} calls of {}", self.name, cost.calls, self.calls);
        Ok(cost)
    }

    /// Fails where the client does.
    pub fn end(mut self) -> Result<()> {
        drop(self.parts);
        let status = self.process.wait()?;
        ensure!(status.success(), "{} failed ({status})", self.name);
        Ok(())
    }
}
