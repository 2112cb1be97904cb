//! Medians over the rounds, and the tables that show them.

use std::fmt::Write;

use serde::Serialize;

use super::clients::{Client, Http};
use super::{CELLS, Cell, Cost, Costs, YARDSTICK};

/// A whole run.
#[derive(Serialize)]
pub struct Report {
    machine: Vec<String>,
    rows: Vec<Row>,
}

/// One client in one cell, by medians over the rounds.
#[derive(Serialize)]
struct Row {
    client: &'static str,
    typed: bool,
    /// Where others speak HTTP/2.
    http1: bool,
    scenario: &'static str,
    concurrency: usize,
    cpu_us_per_call: f64,
    /// CPU time against bare hyper's in the same round, so that a machine that gets slower changes nothing.
    ratio: f64,
    calls_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    rounds: Vec<Cost>,
}

/// What a table says of a client in a cell.
type Show = fn(&Row) -> String;

impl Report {
    pub fn of(clients: &[Client], costs: &Costs, machine: Vec<String>, tls: Option<Http>) -> Report {
        let row = |client: &Client, cell: Cell| {
            let rounds = costs[&(client.name, cell)].clone();
            let bare = &costs[&(YARDSTICK, cell)];
            let over = |of: &dyn Fn(&Cost) -> f64| median(rounds.iter().map(of).collect());
            Row {
                client: client.name,
                typed: client.typed,
                http1: tls == Some(Http::Two) && client.tls == Some(Http::One),
                scenario: cell.scenario,
                concurrency: cell.concurrency,
                cpu_us_per_call: over(&cpu),
                ratio: median(rounds.iter().zip(bare).map(|(cost, bare)| cpu(cost) / cpu(bare)).collect()),
                calls_per_second: over(&|cost| cost.calls as f64 / cost.wall_us * 1e6),
                p50_us: over(&|cost| cost.p50_us),
                p99_us: over(&|cost| cost.p99_us),
                rounds,
            }
        };
        let rows = clients.iter().flat_map(|client| CELLS.map(|cell| row(client, cell))).collect();
        Report { machine, rows }
    }

    /// Markdown: the machine, CPU time and its ratio, throughput, latency.
    pub fn table(&self) -> String {
        let mut out = format!("{}\n", self.machine.join("; "));
        let tables: [(&str, Show); 3] = [
            ("CPU µs a call (× bare hyper)", |row| format!("{:.1} ({:.2})", row.cpu_us_per_call, row.ratio)),
            ("calls a second", |row| format!("{:.0}", row.calls_per_second)),
            ("latency in µs, p50 / p99", |row| format!("{:.0} / {:.0}", row.p50_us, row.p99_us)),
        ];
        for (title, show) in tables {
            let cells = CELLS.map(|cell| format!("{} {}", cell.scenario, cell.concurrency)).join(" | ");
            let _ = write!(out, "\n| {title} | {cells} |\n|---|{}\n", "---|".repeat(CELLS.len()));
            for rows in self.rows.chunks(CELLS.len()) {
                let shown: Vec<_> = rows.iter().map(show).collect();
                let note = match (rows[0].typed, rows[0].http1) {
                    (true, false) => "",
                    (true, true) => " (HTTP/1.1)",
                    (false, false) => " (plain JSON)",
                    (false, true) => " (plain JSON, HTTP/1.1)",
                };
                let _ = writeln!(out, "| {}{note} | {} |", rows[0].client, shown.join(" | "));
            }
        }
        out
    }
}

fn cpu(cost: &Cost) -> f64 {
    cost.cpu_us / cost.calls as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
