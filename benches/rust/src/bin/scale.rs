//! What our client does when there is much of everything: `scale URL waiting|sends|rows COUNT` prints one line of JSON and fails
//! where memory grows with what has already been done.
//!
//! `waiting`: so many calls at once, none answered before all have come (`server --hold COUNT`). `sends`: so many, 64 at a time.
//! `rows`: a list that long, item by item (`server --rows COUNT`). Linux only: memory is read from /proc.

use anyhow::{Context, Result, bail, ensure};
use bloomchats::{Blooio, Config};
use bloomchats_benches::drive::cpu_time;
use bloomchats_benches::fixture::{CHAT, KEY, MESSAGE};
use tokio::task::JoinSet;

/// What growth means: this much more at the end than after the first tenth.
const GROWTH_KB: u64 = 4_096;

fn main() -> Result<()> {
    let given: Vec<_> = std::env::args().skip(1).collect();
    let [url, what, count] = given.as_slice() else { bail!("usage: scale URL waiting|sends|rows COUNT") };
    let client = Blooio::open(Config::blooio().with_api_key(KEY).with_base_url(url))?;
    let count: usize = count.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match what.as_str() {
            "waiting" => waiting(client, count).await,
            "sends" => sends(client, count).await,
            _ => rows(client, count).await,
        }
    })
}

async fn send(client: Blooio) -> Result<()> {
    let sent = client.v2().messages().send(CHAT).text("Hello").await?;
    ensure!(sent.message_id.as_deref() == Some(MESSAGE), "another message was sent");
    Ok(())
}

async fn waiting(client: Blooio, count: usize) -> Result<()> {
    let before = memory_kb()?;
    let mut calls = JoinSet::new();
    for _ in 0..count {
        calls.spawn(send(client.clone()));
    }
    // The first answer comes when every call waits, so at that moment all of them are still held.
    calls.join_next().await.context("no call was made")???;
    let held = memory_kb()? - before;
    while let Some(done) = calls.join_next().await {
        done??;
    }
    println!(r#"{{"waiting":{count},"kb_each":{:.1}}}"#, held as f64 / count as f64);
    Ok(())
}

async fn sends(client: Blooio, count: usize) -> Result<()> {
    let tenth = (count / 10).max(1);
    let (mut first, mut last, mut memory) = (0.0, 0.0, Vec::new());
    for part in 0..10 {
        let begun = cpu_time();
        let mut calls = JoinSet::new();
        for _ in 0..64 {
            let client = client.clone();
            calls.spawn(async move {
                for _ in 0..tenth.div_ceil(64) {
                    send(client.clone()).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = calls.join_next().await {
            done??;
        }
        last = (cpu_time() - begun).as_nanos() as f64 / 1e3 / tenth as f64;
        first = if part == 1 { last } else { first };
        memory.push(memory_kb()?);
    }
    println!(r#"{{"sends":{count},"cpu_us_early":{first:.1},"cpu_us_late":{last:.1},"memory_kb":{memory:?}}}"#);
    steady(&memory)
}

async fn rows(client: Blooio, count: usize) -> Result<()> {
    let begun = cpu_time();
    let (mut seen, mut memory) = (0, Vec::new());
    let mut contacts = client.v2().contacts().list().items();
    while let Some(contact) = contacts.next().await {
        contact?;
        seen += 1;
        if seen % (count / 10).max(1) == 0 {
            memory.push(memory_kb()?);
        }
    }
    ensure!(seen == count, "{seen} rows came instead of {count}");
    let each = (cpu_time() - begun).as_nanos() as f64 / 1e3 / count as f64;
    println!(r#"{{"rows":{count},"cpu_us_each":{each:.2},"memory_kb":{memory:?}}}"#);
    steady(&memory)
}

fn steady(memory: &[u64]) -> Result<()> {
    let (Some(early), Some(late)) = (memory.first(), memory.last()) else { return Ok(()) };
    ensure!(*late <= early + GROWTH_KB, "memory grew from {early} to {late} KB");
    Ok(())
}

/// Memory this process has in use.
fn memory_kb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc names no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
