//! Our client, whole: typed models, keys, checks, retries.

use std::sync::OnceLock;

use anyhow::Result;
use bloomchats::{Blooio, Config};
use bloomchats_benches::drive::{self, Caller};
use bloomchats_benches::fixture::{CHAT, KEY};

struct Ours(Blooio);

impl Caller for Ours {
    async fn send(&mut self) -> Result<Option<String>> {
        Ok(self.0.v2().messages().send(CHAT).text("Hello").await?.message_id)
    }

    async fn list(&mut self) -> Result<(usize, Option<String>)> {
        let contacts = self.0.v2().contacts().list().await?.items;
        Ok((contacts.len(), contacts.into_iter().last().and_then(|contact| contact.identifier)))
    }
}

fn main() -> Result<()> {
    let client = OnceLock::new();
    drive::run(|url| {
        let client = client.get_or_init(|| Blooio::open(Config::blooio().with_api_key(KEY).with_base_url(url)));
        let client = client.clone();
        async { Ok(Ours(client?)) }
    })
}
