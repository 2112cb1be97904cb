//! `cargo xtask bench`: every client makes the same calls to one fixture server, in turn, and is measured against bare hyper.

mod clients;
mod cores;
mod instructions;
mod machine;
mod report;
mod running;
mod scale;
mod startup;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::profile::{Code, Counts};
use crate::shell::scratch;
use clients::{Client, Http, Workshop};
use cores::{Who, on_cores_of};
use running::Running;

/// What `cargo xtask bench` can be asked.
#[derive(Args, Default)]
pub struct Options {
    /// A few calls of each client, unoptimised: that every one gets the right answers, and that nothing grows.
    #[arg(long)]
    quick: bool,
    /// Count the instructions of a call instead, and fail if they have become more.
    #[arg(long)]
    instructions: bool,
    /// With `--instructions`: make the counts the new baseline.
    #[arg(long, requires = "instructions")]
    bless: bool,
    /// Measure instead what loading the Python and Node packages costs, and fail beyond their budgets.
    #[arg(long, conflicts_with_all = ["quick", "instructions"])]
    startup: bool,
    /// Measure instead thousands of waiting calls, a million sends and rows, and allocations; fail where memory grows.
    #[arg(long, conflicts_with_all = ["quick", "instructions", "startup"])]
    scale: bool,
    /// Over TLS, by HTTP/2 where a client offers it or by HTTP/1.1, with the clients that can be told whom to trust.
    #[arg(long, num_args = 0..=1, default_missing_value = "h2", conflicts_with_all = ["quick", "instructions", "startup", "scale"])]
    tls: Option<Http>,
    /// The fixture server never sleeps, so that no client pays for waking it, as none does for a server on another machine.
    #[arg(long, conflicts_with_all = ["quick", "instructions", "startup", "scale", "tls"])]
    awake: bool,
    /// Our packages as anyone's own build makes them, without the profile that guides the released ones: see `cargo xtask package`.
    #[arg(long, conflicts_with_all = ["quick", "instructions", "scale"])]
    plain: bool,
    /// Only clients whose name holds this, beside bare hyper. May be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// How often every client is started; medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// A call and how many of it run at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cell {
    scenario: &'static str,
    concurrency: usize,
}

const CELLS: [Cell; 6] = [
    Cell { scenario: "send", concurrency: 1 },
    Cell { scenario: "send", concurrency: 16 },
    Cell { scenario: "send", concurrency: 64 },
    Cell { scenario: "list", concurrency: 1 },
    Cell { scenario: "list", concurrency: 16 },
    Cell { scenario: "list", concurrency: 64 },
];

/// The client that the others are compared with.
const YARDSTICK: &str = "hyper";

/// So many parts has a client whenever it is started.
const PARTS: usize = 7;

/// Before its parts a client runs this long, and makes at least so many calls: Node compiles what it runs only after a while.
const WARM_UP_US: f64 = 1_000_000.0;
const FEWEST: usize = 1_000;

/// So many calls of each kind make a profile.
const COUNTED: usize = 2_000;

/// What a client's program says of a part, in µs: of all calls together, and of a call.
#[derive(Clone, Copy, Deserialize, Serialize)]
struct Cost {
    calls: u64,
    cpu_us: f64,
    wall_us: f64,
    p50_us: f64,
    p99_us: f64,
}

/// A part of a client's, and the yardstick's before it.
#[derive(Clone, Copy, Serialize)]
struct Pair {
    cost: Cost,
    yardstick: Cost,
}

/// The parts of one client in one cell, over all rounds.
type Pairs = BTreeMap<(&'static str, Cell), Vec<Pair>>;

/// Builds the clients, measures them and tells the result.
pub fn run_bench(root: &Path, options: &Options) -> Result<()> {
    let workshop = Workshop::open(root, options.quick)?;
    if options.instructions {
        return instructions::run_instructions(root, &workshop, options.bless);
    }
    if options.scale {
        return scale::run_scale(&workshop, &scale::Size::FULL);
    }
    let code = match options {
        Options { quick: true, .. } => Code::Debug,
        Options { plain: true, .. } => Code::Plain,
        _ => guide_packages(&workshop)?,
    };
    if options.startup {
        clients::packages(&workshop, &code)?;
        return startup::run_startup(&workshop);
    }
    let mut clients = clients::all(&workshop, &code)?;
    if matches!(code, Code::Guided(_)) {
        let rust = train(&workshop, "rust", |code| clients::rust_again(&workshop, code))?;
        clients.extend(clients::rust_again(&workshop, &rust)?);
    }
    let clients = choose(clients, &options.only)?;
    if options.quick {
        try_out(&clients, &Server::start(&workshop.server(), &[])?)?;
        let ours = choose(encrypting(clients), &["ours".into()])?;
        try_out(&ours, &Server::encrypted(&workshop, Http::Two)?)?;
        return scale::run_scale(&workshop, &scale::Size::REDUCED);
    }
    let encrypted = |http| Server::encrypted(&workshop, http);
    let plain = |options: &[&str]| Server::start(&workshop.server(), options);
    let (server, spoken, file) = match options.tls {
        Some(Http::Two) => (encrypted(Http::Two)?, "HTTP/2 over TLS", "report-h2.json"),
        Some(Http::One) => (encrypted(Http::One)?, "HTTP/1.1 over TLS", "report-h1.json"),
        None if options.awake => (plain(&["--awake"])?, "HTTP/1.1, a server that never sleeps", "report-awake.json"),
        None => (plain(&[])?, "HTTP/1.1", "report.json"),
    };
    let clients = if options.tls.is_some() { encrypting(clients) } else { clients };
    let pairs = measure(&clients, &server, options.rounds)?;
    let guided = if options.plain {
        "no package guided by a profile"
    } else {
        "Python's and Node's packages guided by a profile"
    };
    let about = [vec![spoken.to_owned(), guided.to_owned()], machine::describe(&workshop)].concat();
    let report = report::Report::of(&clients, &pairs, about, options.tls);
    let file = scratch(root, "bench")?.join(file);
    std::fs::write(&file, serde_json::to_vec_pretty(&report)?)?;
    println!("\n{}\nwritten to {}", report.table(), file.display());
    Ok(())
}

/// How the released packages are compiled: guided by what the calls measured here run, in plain text and over TLS.
pub fn guided(root: &Path) -> Result<Code> {
    guide_packages(&Workshop::open(root, false)?)
}

fn guide_packages(workshop: &Workshop) -> Result<Code> {
    train(workshop, "packages", |code| choose(clients::packages(workshop, code)?, &["ours".into()]))
}

/// Has the clients that `build` makes count what their calls run, and gives code that is guided by it.
fn train(workshop: &Workshop, what: &str, build: impl Fn(&Code) -> Result<Vec<Client>>) -> Result<Code> {
    let counts = Counts::begin(&workshop.root, what)?;
    let clients = build(&Code::Counting(counts.clone()))?;
    for server in [Server::start(&workshop.server(), &[])?, Server::encrypted(workshop, Http::Two)?] {
        for client in &clients {
            for cell in CELLS {
                let mut command = client.command();
                let counting = counts.of(client.name, &mut command);
                let mut running = Running::start(client, counting, &server, cell, COUNTED)?;
                running.cost()?;
                running.end()?;
            }
            counts.check(client.name)?;
        }
    }
    println!("what calls run was counted in {} clients", clients.len());
    counts.profile(&workshop.root)
}

/// Starts every client once a round, beside one yardstick a cell. Started again, it may be quicker or slower for as long as it runs; kept
/// while others have their turn, its connections may expire.
fn measure(clients: &[Client], server: &Server, rounds: u32) -> Result<Pairs> {
    let calls = try_out(clients, server)?;
    let yardstick = clients.iter().find(|client| client.name == YARDSTICK).context("there is no yardstick")?;
    let mut pairs = Pairs::new();
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        for cell in CELLS {
            let start = |client: &Client| Running::warm(client, server, cell, calls[&(client.name, cell)]);
            let mut yardstick = start(yardstick)?;
            for client in clients {
                let mut running = start(client)?;
                for _ in 0..PARTS {
                    let pair = Pair { yardstick: yardstick.part()?, cost: running.part()? };
                    pairs.entry((client.name, cell)).or_default().push(pair);
                }
                running.end()?;
            }
            yardstick.end()?;
        }
    }
    Ok(pairs)
}

/// Has each client make a few calls in every cell, and says how many warm it up.
fn try_out(clients: &[Client], server: &Server) -> Result<BTreeMap<(&'static str, Cell), usize>> {
    let mut calls = BTreeMap::new();
    for client in clients {
        for cell in CELLS {
            let few = cell.concurrency * 4 + 20;
            let mut running = Running::start(client, &mut client.command(), server, cell, few)?;
            running.cost()?;
            let cost = running.part()?;
            running.end()?;
            let enough = WARM_UP_US * few as f64 / cost.wall_us.max(1.0);
            calls.insert((client.name, cell), (enough as usize).clamp(FEWEST, 200_000));
        }
        println!("{}: right answers from {}", client.name, server.url);
    }
    Ok(calls)
}

fn encrypting(clients: Vec<Client>) -> Vec<Client> {
    clients.into_iter().filter(|client| client.tls.is_some()).collect()
}

/// The suite `bench`: every client gets the right answers, and a call takes no more instructions than it did.
pub fn check(root: &Path) -> Result<()> {
    run_bench(root, &Options { quick: true, ..Options::default() })?;
    run_bench(root, &Options { instructions: true, ..Options::default() })
}

fn choose(all: Vec<Client>, only: &[String]) -> Result<Vec<Client>> {
    let wanted = |client: &Client| only.is_empty() || only.iter().any(|name| client.name.contains(name.as_str()));
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|client| client.name.contains(name.as_str()))) {
        let names: Vec<_> = all.iter().map(|client| client.name).collect();
        bail!("no client's name holds {unknown}; there are {}", names.join(", "));
    }
    Ok(all.into_iter().filter(|client| client.name == YARDSTICK || wanted(client)).collect())
}

/// The fixture server; it stops when this is dropped, or when this process dies.
struct Server {
    process: Child,
    url: String,
    /// Whom its clients have to trust, where it encrypts.
    authority: Option<PathBuf>,
}

impl Server {
    fn start(program: &Path, arguments: &[&str]) -> Result<Server> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            on_cores_of(Who::Server, || command.spawn()).context("the fixture server cannot be started")?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().context("the fixture server has no output")?).read_line(&mut url)?;
        Ok(Server { process, url: url.trim().to_owned(), authority: None })
    }

    fn encrypted(workshop: &Workshop, http: Http) -> Result<Server> {
        let authority = scratch(&workshop.root, "bench")?.join("authority.pem");
        let option = if http == Http::Two { "--tls" } else { "--tls-http1" };
        let mut server = Server::start(&workshop.server(), &[option, &authority.to_string_lossy()])?;
        server.authority = Some(authority);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
