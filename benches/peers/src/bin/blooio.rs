//! The `blooio` crate: typed models, retries.

use std::sync::Arc;

use anyhow::Result;
use blooio::resources::contacts::ListContacts;
use blooio::{BlooioCreds, Client, ClientConfig};
use bloomchats_peers::drive::{self, Caller};
use bloomchats_peers::fixture::{CHAT, KEY};

struct Peer(Arc<(Client, BlooioCreds)>);

impl Caller for Peer {
    async fn send(&mut self) -> Result<Option<String>> {
        let (client, key) = &*self.0;
        Ok(client.account(key).chat(CHAT).send_text("Hello").await?.message_id)
    }

    async fn list(&mut self) -> Result<(usize, Option<String>)> {
        let (client, key) = &*self.0;
        let page = ListContacts { limit: Some(100), offset: Some(0), ..ListContacts::default() };
        let contacts = client.account(key).contacts().list_with(page).await?.contacts;
        Ok((contacts.len(), contacts.into_iter().last().and_then(|contact| contact.identifier)))
    }
}

fn main() -> Result<()> {
    bloomchats_peers::provide_tls();
    let url = std::env::args().nth(1).unwrap_or_default();
    let config = ClientConfig::new().with_base_url(format!("{url}/v2/api"));
    let shared = Arc::new((Client::from_config(config)?, BlooioCreds::new(KEY)));
    drive::run(|_| {
        let shared = shared.clone();
        async { Ok(Peer(shared)) }
    })
}
