//! Medians over the rounds, and the tables that show them.

use std::fmt::Write;

use serde::Serialize;

use super::clients::{Client, Http};
use super::{CELLS, Cell, Cost, Pair, Pairs};

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
    /// CPU time against bare hyper's right before, so that a machine that gets slower changes nothing.
    ratio: f64,
    /// Between these lies the middle half of the parts' ratios.
    quartiles: [f64; 2],
    calls_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    pairs: Vec<Pair>,
}

/// What a table says of a client in a cell.
type Show = fn(&Row) -> String;

impl Report {
    pub fn of(clients: &[Client], pairs: &Pairs, machine: Vec<String>, tls: Option<Http>) -> Report {
        let row = |client: &Client, cell: Cell| {
            let pairs = pairs[&(client.name, cell)].clone();
            let over = |of: &dyn Fn(&Pair) -> f64, share| quantile(pairs.iter().map(of).collect(), share);
            let ratio = |pair: &Pair| cpu(&pair.cost) / cpu(&pair.yardstick);
            Row {
                client: client.name,
                typed: client.typed,
                http1: tls == Some(Http::Two) && client.tls == Some(Http::One),
                scenario: cell.scenario,
                concurrency: cell.concurrency,
                cpu_us_per_call: over(&|pair| cpu(&pair.cost), 0.5),
                ratio: over(&ratio, 0.5),
                quartiles: [0.25, 0.75].map(|share| over(&ratio, share)),
                calls_per_second: over(&|pair| pair.cost.calls as f64 / pair.cost.wall_us * 1e6, 0.5),
                p50_us: over(&|pair| pair.cost.p50_us, 0.5),
                p99_us: over(&|pair| pair.cost.p99_us, 0.5),
                pairs,
            }
        };
        let rows = clients.iter().flat_map(|client| CELLS.map(|cell| row(client, cell))).collect();
        Report { machine, rows }
    }

    /// Markdown: the machine, CPU time and its ratio with how it varied, throughput, latency.
    pub fn table(&self) -> String {
        let mut out = format!("{}\n", self.machine.join("; "));
        let tables: [(&str, Show); 4] = [
            ("CPU µs a call (× bare hyper)", |row| format!("{:.1} ({:.2})", row.cpu_us_per_call, row.ratio)),
            ("× bare hyper, middle half of the parts", |row| {
                let [low, high] = row.quartiles;
                format!("{low:.2} to {high:.2}")
            }),
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

/// The value below which this share of the values lies; the two nearest ones are weighed.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() - 1) as f64 * share;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
