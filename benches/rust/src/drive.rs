//! Runs a client: so many calls, so many at a time, on one thread, and what they cost.
//!
//! `PROGRAM URL send|list CONCURRENCY CALLS` prints one line of JSON: CPU time of the process, user and system, and wall time,
//! both without start and warm-up, and the latencies' median and 99th percentile. Every number that standard input then has is that
//! of the calls of another part, which prints another line.

use std::future::Future;
use std::io::stdin;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;

use crate::fixture::{MESSAGE, ROWS, identifier};

/// Which call is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// A text to a conversation.
    Send,
    /// The first page of a list.
    List,
}

/// One of the callers that run at once.
pub trait Caller: Send + 'static {
    /// Sends a text and gives the message's id.
    fn send(&mut self) -> impl Future<Output = Result<Option<String>>> + Send;
    /// Lists contacts and gives their number and the last one's identifier.
    fn list(&mut self) -> impl Future<Output = Result<(usize, Option<String>)>> + Send;
}

struct Task {
    url: String,
    scenario: Scenario,
    concurrency: usize,
    calls: usize,
}

impl Task {
    fn from_arguments() -> Result<Task> {
        let given: Vec<_> = std::env::args().skip(1).collect();
        let [url, scenario, concurrency, calls] = given.as_slice() else {
            bail!("usage: PROGRAM URL send|list CONCURRENCY CALLS");
        };
        let scenario = if scenario == "list" { Scenario::List } else { Scenario::Send };
        Ok(Task { url: url.clone(), scenario, concurrency: concurrency.parse()?, calls: calls.parse()? })
    }
}

/// Measures the callers that `open` makes, each with the server's origin, and prints what they cost.
pub fn run<C, F>(open: impl Fn(String) -> F) -> Result<()>
where
    C: Caller,
    F: Future<Output = Result<C>>,
{
    let task = Task::from_arguments()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut callers = Vec::new();
        for _ in 0..task.concurrency {
            callers.push(open(task.url.clone()).await?);
        }
        let mut parts = stdin().lines();
        let mut part = task.calls;
        loop {
            // First calls open connections, and before a later part what a call needs has left the processor's caches.
            (callers, _) = calls(callers, task.scenario, task.concurrency * 2).await?;
            let (cpu, begun) = (cpu_time(), Instant::now());
            let latencies;
            (callers, latencies) = calls(callers, task.scenario, part).await?;
            tell(cpu_time() - cpu, begun.elapsed(), latencies);
            let Some(next) = parts.next() else { return Ok(()) };
            part = next?.parse()?;
        }
    })
}

fn tell(cpu: Duration, wall: Duration, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let percentile = |share: usize| latencies[(latencies.len() - 1) * share / 100].as_nanos() as f64 / 1e3;
    println!(
        r#"{{"calls":{},"cpu_us":{:.1},"wall_us":{:.1},"p50_us":{:.1},"p99_us":{:.1}}}"#,
        latencies.len(),
        cpu.as_nanos() as f64 / 1e3,
        wall.as_nanos() as f64 / 1e3,
        percentile(50),
        percentile(99),
    );
}

async fn calls<C: Caller>(callers: Vec<C>, scenario: Scenario, calls: usize) -> Result<(Vec<C>, Vec<Duration>)> {
    let (each, rest) = (calls / callers.len(), calls % callers.len());
    let mut running = JoinSet::new();
    for (place, mut caller) in callers.into_iter().enumerate() {
        running.spawn(async move {
            let mut latencies = Vec::with_capacity(each + 1);
            for _ in 0..each + usize::from(place < rest) {
                let begun = Instant::now();
                call(&mut caller, scenario).await?;
                latencies.push(begun.elapsed());
            }
            anyhow::Ok((caller, latencies))
        });
    }
    let (mut callers, mut all) = (Vec::new(), Vec::with_capacity(calls));
    while let Some(done) = running.join_next().await {
        let (caller, latencies) = done??;
        callers.push(caller);
        all.extend(latencies);
    }
    Ok((callers, all))
}

/// One call, whose answer must be the fixture's.
async fn call(caller: &mut impl Caller, scenario: Scenario) -> Result<()> {
    match scenario {
        Scenario::Send => {
            ensure!(caller.send().await?.as_deref() == Some(MESSAGE), "another message was sent")
        }
        Scenario::List => {
            let (rows, last) = caller.list().await?;
            ensure!(rows == ROWS && last == Some(identifier(ROWS - 1)), "another list came");
        }
    }
    Ok(())
}

/// CPU time of this process so far, user and system.
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
