//! How often our client allocates for a call: `allocations URL` prints one line of JSON and fails above the ceilings.

use anyhow::{Context, Result, ensure};
use bloomchats::{Blooio, Config};
use bloomchats_benches::fixture::{CHAT, KEY};
use dhat::{Alloc, HeapStats, Profiler};

#[global_allocator]
static COUNTED: Alloc = Alloc;

/// Calls that are averaged over.
const CALLS: u64 = 200;
/// Most allocations of a send, and of a list of 100 contacts with their tags.
const CEILING: (u64, u64) = (65, 950);

fn main() -> Result<()> {
    let url = std::env::args().nth(1).context("usage: allocations URL")?;
    let client = Blooio::open(Config::blooio().with_api_key(KEY).with_base_url(url))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _profiler = Profiler::builder().testing().build();
    let (sends, lists) = runtime.block_on(async {
        let v2 = client.v2();
        let send = async || v2.messages().send(CHAT).text("Hello").await.map(drop);
        let list = async || v2.contacts().list().await.map(drop);
        send().await?;
        let before = HeapStats::get().total_blocks;
        for _ in 0..CALLS {
            send().await?;
        }
        let between = HeapStats::get().total_blocks;
        for _ in 0..CALLS {
            list().await?;
        }
        anyhow::Ok(((between - before) / CALLS, (HeapStats::get().total_blocks - between) / CALLS))
    })?;
    println!(r#"{{"allocations_a_send":{sends},"allocations_a_list":{lists}}}"#);
    ensure!(sends <= CEILING.0 && lists <= CEILING.1, "more than {CEILING:?}");
    Ok(())
}
