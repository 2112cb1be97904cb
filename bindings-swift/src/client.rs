//! Clients, and the pages their lists give.

use std::sync::Arc;

use bloomchats::{Config, Credential, File, Script};
use serde_json::json;

use crate::Fault;
use crate::call::{Call, Provider};

/// A client of one product.
#[derive(uniffi::Object)]
pub struct Client {
    client: bloomchats::Client,
    script: Option<Script>,
}

/// An upload.
#[derive(uniffi::Record)]
pub struct Upload {
    pub field: String,
    pub filename: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

#[uniffi::export]
impl Client {
    /// Opens a client from a configuration as JSON. `provider`: its keys are asked for when they are needed.
    #[uniffi::constructor]
    pub fn open(config: Vec<u8>, provider: bool) -> Result<Arc<Client>, Fault> {
        let client = bloomchats::Client::open(read(&config, provider)?)?;
        Ok(Arc::new(Client { client, script: None }))
    }

    /// Opens a client whose answers come from a transcript and whose time is virtual.
    #[uniffi::constructor]
    pub fn open_scripted(config: Vec<u8>, provider: bool, transcript: Vec<u8>) -> Result<Arc<Client>, Fault> {
        let (client, script) = bloomchats::Client::open_scripted(read(&config, provider)?, transcript)?;
        Ok(Arc::new(Client { client, script: Some(script) }))
    }

    /// Prepares a call; it begins when it is first asked how it stands. `watched`: it tells of its events too.
    pub fn begin(
        &self,
        operation: String,
        arguments: Vec<u8>,
        options: Vec<u8>,
        files: Vec<Upload>,
        watched: bool,
    ) -> Result<Arc<Call>, Fault> {
        let mut call = bloomchats::Call::from_json(operation, &arguments, &options)?;
        let file = |file: Upload| File::new(file.field, file.filename, file.content_type, file.bytes);
        call.files = files.into_iter().map(file).collect();
        let (progress, run) = self.client.start(call);
        Ok(Call::new(progress, Box::pin(run), watched))
    }

    /// What a scripted client did so far: JSON `{"requests", "waits_ms", "left"}`; empty for any other.
    pub fn script(&self) -> Result<Vec<u8>, Fault> {
        let record = |script: &Script| {
            json!({"requests": script.requests(), "waits_ms": script.waits_ms(), "left": script.left()})
                .to_string()
                .into()
        };
        Ok(self.script.as_ref().map(record).unwrap_or_default())
    }
}

fn read(config: &[u8], provider: bool) -> bloomchats::Result<Config> {
    let mut config = Config::from_json(config)?;
    if provider {
        config.credential = Some(Credential::Provider(Arc::new(Provider)));
    }
    Ok(config)
}

/// The way on from a page.
#[derive(uniffi::Object)]
pub struct NextPage(pub(crate) bloomchats::NextPage);

#[uniffi::export]
impl NextPage {
    /// Prepares its fetch. A failed one can be tried again.
    pub fn begin(&self, watched: bool) -> Result<Arc<Call>, Fault> {
        let (progress, run) = self.0.start();
        Ok(Call::new(progress, Box::pin(run), watched))
    }
}
