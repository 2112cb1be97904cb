//! The main job in Rust. Keys come from BLOOIO_API_KEY and BLOOMCHATS_API_KEY; BLOOIO_BASE_URL and
//! BLOOMCHATS_BASE_URL point it at a sandbox.
//!
//! cargo run --example quickstart

use std::time::Duration;

use bloomchats::{Blooio, BloomChats, ErrorKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> bloomchats::Result<()> {
    let contacts = BloomChats::from_env()?.contacts().list().await?;
    println!("BloomChats: {} contacts", contacts.items.len());

    let blooio = Blooio::from_env()?;
    let messages = blooio.v2().messages();
    let sent = messages.send("+15551234567").text("Hello").await?;
    let status = messages.wait("+15551234567", &sent).timeout(Duration::from_secs(30)).await?;
    println!("Blooio v2: {:?} is {:?}", sent.message_ids, status.status);

    let messages = blooio.v4().messages();
    messages.send("+15551234567").text("Hello").dry_run(true).await?;
    let sent = messages.send("+15551234567").text("Hello").await?;
    println!("Blooio v4: a dry run, then {:?}", sent.message_ids());

    match blooio.v2().messages().get("+15551234567", "no-such-message").await {
        Err(error) if error.kind() == ErrorKind::NotFound => println!("as expected: {error}"),
        Err(error) => return Err(error),
        Ok(_) => println!("there is a message by that id after all"),
    }
    Ok(())
}
