//! Clients, and the pages their lists give.

use std::sync::Arc;

use bloomchats::{Config, Credential, File, Script};
use serde_json::json;

use crate::call::{Call, Provider};

/// A client of one product.
pub struct Client {
    client: bloomchats::Client,
    script: Option<Script>,
    asks: bool,
}

impl Client {
    /// Opens a client from a configuration as JSON. `asks`: its keys are asked for when they are needed. With a transcript, its
    /// answers come from there and its time is virtual.
    pub fn open(config: &[u8], asks: bool, transcript: Option<&[u8]>) -> bloomchats::Result<Client> {
        let mut config = Config::from_json(config)?;
        if asks {
            config.credential = Some(Credential::Provider(Arc::new(Provider)));
        }
        let (client, script) = match transcript {
            None => (bloomchats::Client::open(config)?, None),
            Some(transcript) => {
                let (client, script) = bloomchats::Client::open_scripted(config, transcript)?;
                (client, Some(script))
            }
        };
        Ok(Client { client, script, asks })
    }

    /// Prepares a call; it begins when it is first listened to. `watched`: it tells of its events too.
    pub fn begin(
        &self,
        operation: &str,
        arguments: &[u8],
        options: &[u8],
        files: Vec<File>,
        watched: bool,
    ) -> bloomchats::Result<Call> {
        let mut call = bloomchats::Call::from_json(operation, arguments, options)?;
        call.files = files;
        let (progress, run) = self.client.start(call);
        Ok(Call::new(progress, run, watched, self.asks))
    }

    /// What a scripted client did so far: JSON `{"requests", "waits_ms", "left"}`; empty for any other.
    pub fn script(&self) -> Vec<u8> {
        let record = |script: &Script| {
            json!({"requests": script.requests(), "waits_ms": script.waits_ms(), "left": script.left()})
                .to_string()
                .into()
        };
        self.script.as_ref().map(record).unwrap_or_default()
    }
}

/// Prepares the fetch of a page. A failed one can be tried again.
pub fn fetch(page: &bloomchats::NextPage, watched: bool) -> Call {
    let (progress, run) = page.start();
    // Which client it is of is not told; to be able to ask costs little.
    Call::new(progress, run, watched, true)
}
