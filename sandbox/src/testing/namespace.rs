//! New namespaces.

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::SandboxError;
use crate::Sandbox;

/// A namespace about to be made; awaiting it makes it. What is not said is as in the sandbox it comes from.
#[derive(Debug)]
pub struct NewNamespace<'a> {
    sandbox: &'a Sandbox,
    body: Map<String, Value>,
}

#[derive(Deserialize)]
struct Made {
    blooio_api_key: String,
    bloomchats_api_key: String,
}

impl<'a> NewNamespace<'a> {
    pub(super) fn new(sandbox: &'a Sandbox) -> NewNamespace<'a> {
        NewNamespace { sandbox, body: Map::new() }
    }

    /// Decides the data: the same seed gives the same people, chats and contacts.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.body.insert("seed".to_owned(), seed.cast_signed().into());
        self
    }

    /// Sets one vendor switch.
    #[must_use]
    pub fn switch(mut self, name: &str, value: impl Into<Value>) -> Self {
        let switches = self.body.entry("switches").or_insert_with(|| json!({}));
        switches[name] = value.into();
        self
    }

    /// Where its clock begins, in epoch milliseconds.
    #[must_use]
    pub fn now(mut self, now: i64) -> Self {
        self.body.insert("now".to_owned(), now.into());
        self
    }

    /// Whether its clock begins frozen.
    #[must_use]
    pub fn frozen(mut self, frozen: bool) -> Self {
        self.body.insert("frozen".to_owned(), frozen.into());
        self
    }
}

impl<'a> IntoFuture for NewNamespace<'a> {
    type Output = Result<Sandbox, SandboxError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let desk = &self.sandbox.desk;
            let made: Made = desk.ask("POST", "/namespaces", Value::Object(self.body)).await?;
            Ok(Sandbox {
                server: Arc::clone(&self.sandbox.server),
                url: self.sandbox.url.clone(),
                desk: desk.with_key(made.blooio_api_key.clone()),
                blooio_api_key: made.blooio_api_key,
                bloomchats_api_key: made.bloomchats_api_key,
            })
        })
    }
}
