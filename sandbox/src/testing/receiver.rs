//! A place for webhooks to arrive at.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, SandboxError};

/// A webhook that arrived.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Epoch milliseconds of the sandbox's clock.
    pub at: i64,
    /// What it was answered with.
    pub status: u16,
    /// By lower-case name.
    pub headers: HashMap<String, String>,
    /// Byte for byte what the signature covers.
    pub body: String,
}

impl Webhook {
    /// The `X-Blooio-Signature` header, for `webhook::verify`.
    pub fn signature(&self) -> Option<&str> {
        self.headers.get("x-blooio-signature").map(String::as_str)
    }
}

#[derive(Deserialize)]
pub(super) struct Facts {
    id: String,
    url: String,
    received: Vec<Webhook>,
}

/// A URL that takes webhooks, for tests that have no server of their own.
#[derive(Clone, Debug)]
pub struct Receiver {
    desk: Desk,
    path: String,
    url: String,
}

impl Receiver {
    pub(super) fn new(desk: Desk, facts: Facts) -> Receiver {
        Receiver { desk, path: format!("/receivers/{}", facts.id), url: facts.url }
    }

    /// What to create a webhook with.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What arrived so far, oldest first; the last 1 000.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn received(&self) -> Result<Vec<Webhook>, SandboxError> {
        Ok(self.desk.ask::<Facts>("GET", &self.path, Value::Null).await?.received)
    }

    /// Answers with this status from now on. Anything else than 2xx is an outage.
    ///
    /// # Errors
    /// For a number that is no status.
    pub async fn answer(&self, status: u16) -> Result<(), SandboxError> {
        self.desk.tell("PUT", &self.path, json!({"status": status})).await
    }
}
