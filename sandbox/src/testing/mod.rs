//! What tests do with a sandbox: look at it and steer it. Each call is a control request that never leaves the process.
//!
//! `Debug` shows what people received and sent, as a failed assertion has to: everything in a sandbox is made up. It shows no key.

mod clock;
mod faults;
mod logs;
mod namespace;
mod phone;
mod receiver;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use crate::control;
use crate::server::{App, Incoming};

pub use clock::Clock;
pub use faults::{Fault, Faults, ScriptedFault};
pub use logs::{Delivery, DeliveryAttempt, LoggedRequest};
pub use namespace::NewNamespace;
pub use phone::{Act, Happening, Phone, Poll, Received};
pub use receiver::{Receiver, Webhook};

/// Why the sandbox does not do what it is asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SandboxError {
    /// The status of its refusal; `None` when it has ended.
    pub status: Option<u16>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SandboxError {}

/// The control API of one namespace.
#[derive(Clone)]
pub(crate) struct Desk {
    app: Arc<App>,
    runtime: Handle,
    key: String,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    pub(crate) fn new(app: Arc<App>, runtime: Handle, key: String) -> Desk {
        Desk { app, runtime, key }
    }

    fn with_key(&self, key: String) -> Desk {
        Desk { key, ..self.clone() }
    }

    /// The answer to a control request; `path` is what follows `/_sandbox`.
    async fn ask<T: DeserializeOwned>(&self, method: &str, path: &str, body: Value) -> Result<T, SandboxError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let incoming = Incoming::local(method, query, &self.key, body.to_string());
        let (app, path) = (Arc::clone(&self.app), path.to_owned());
        let answered = self.runtime.spawn(async move { control::answer(&app, incoming, &path).await }).await;
        let answer =
            answered.map_err(|_| SandboxError { status: None, message: "the sandbox has ended".to_owned() })?;
        let status = Some(answer.status);
        if answer.status >= 300 {
            let message = answer.body["message"].as_str().unwrap_or("refused").to_owned();
            return Err(SandboxError { status, message });
        }
        serde_json::from_value(answer.body).map_err(|error| SandboxError { status, message: error.to_string() })
    }

    async fn tell(&self, method: &str, path: &str, body: Value) -> Result<(), SandboxError> {
        self.ask::<Value>(method, path, body).await.map(drop)
    }
}

impl crate::Sandbox {
    /// New keys and a world of their own in the same process: parallel tests do not see each other.
    pub fn namespace(&self) -> NewNamespace<'_> {
        NewNamespace::new(self)
    }

    /// Everything as it was made, except the keys.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn reset(&self) -> Result<(), SandboxError> {
        self.desk.tell("POST", "/reset", json!({})).await
    }

    /// Its time.
    pub fn clock(&self) -> Clock {
        Clock(self.desk.clone())
    }

    /// What goes wrong.
    pub fn faults(&self) -> Faults {
        Faults(self.desk.clone())
    }

    /// A person, by E.164 number or email address.
    pub fn phone(&self, number: impl Into<String>) -> Phone {
        Phone { desk: self.desk.clone(), number: number.into() }
    }

    /// A URL that takes webhooks and answers them with 200.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn receiver(&self) -> Result<Receiver, SandboxError> {
        let made = self.desk.ask("POST", "/receivers", json!({})).await?;
        Ok(Receiver::new(self.desk.clone(), made))
    }

    /// The last 1 000 requests to the services, oldest first.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn requests(&self) -> Result<Vec<LoggedRequest>, SandboxError> {
        Ok(self.desk.ask::<logs::Requests>("GET", "/requests", Value::Null).await?.requests)
    }

    /// The last 5 000 webhook deliveries with their attempts, oldest first.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn deliveries(&self) -> Result<Vec<Delivery>, SandboxError> {
        Ok(self.desk.ask::<logs::Deliveries>("GET", "/deliveries", Value::Null).await?.deliveries)
    }

    /// The vendor switches, by name.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn switches(&self) -> Result<Map<String, Value>, SandboxError> {
        self.desk.ask("GET", "/switches", Value::Null).await
    }

    /// Sets vendor switches; those that are not named stay.
    ///
    /// # Errors
    /// For a switch there is not, or a value it does not take.
    pub async fn set_switches(&self, switches: Map<String, Value>) -> Result<(), SandboxError> {
        self.desk.tell("PUT", "/switches", Value::Object(switches)).await
    }

    /// At most that many requests a minute on an API (`bloomchats`, `v2`, `v4`), counted from now; `None` takes the limit off.
    ///
    /// # Errors
    /// For an API there is not.
    pub async fn set_limit(&self, api: &str, per_minute: Option<u64>) -> Result<(), SandboxError> {
        self.desk.tell("PUT", "/limits", json!({"api": api, "per_minute": per_minute})).await
    }

    /// Changes what becomes of a line of ours, with the events that tell of it: `status` is `active`, `pending_verification`,
    /// `suspended`, `banned` or `deprecated`, `safety` is `none`, `queue`, `slow`, `pause_new`, `reply_only` or `review`.
    ///
    /// # Errors
    /// For a line there is not, or another word.
    pub async fn set_line(&self, number: &str, status: Option<&str>, safety: Option<&str>) -> Result<(), SandboxError> {
        let mut body = Map::new();
        for (name, value) in [("status", status), ("safety", safety)] {
            body.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        self.desk.tell("PUT", &format!("/lines/{}", encoded(number)), Value::Object(body)).await
    }

    /// Variables that point `Blooio::from_env()` and `BloomChats::from_env()` here, in this process or another.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("BLOOIO_BASE_URL", self.url()),
            ("BLOOIO_API_KEY", self.blooio_api_key().to_owned()),
            ("BLOOMCHATS_BASE_URL", self.url()),
            ("BLOOMCHATS_API_KEY", self.bloomchats_api_key().to_owned()),
        ]
    }
}

#[cfg(feature = "clients")]
impl crate::Sandbox {
    /// A client of Blooio on this sandbox.
    ///
    /// # Errors
    /// As `Blooio::open`.
    pub fn blooio(&self) -> bloomchats::Result<bloomchats::Blooio> {
        bloomchats::Blooio::open(self.config(bloomchats::Product::Blooio))
    }

    /// A client of BloomChats on this sandbox.
    ///
    /// # Errors
    /// As `BloomChats::open`.
    pub fn bloomchats(&self) -> bloomchats::Result<bloomchats::BloomChats> {
        bloomchats::BloomChats::open(self.config(bloomchats::Product::BloomChats))
    }

    /// The settings of these clients, for one with another key, a provider, limits or an observer.
    pub fn config(&self, product: bloomchats::Product) -> bloomchats::Config {
        let key = match product {
            bloomchats::Product::Blooio => self.blooio_api_key(),
            bloomchats::Product::BloomChats => self.bloomchats_api_key(),
        };
        let mut config = bloomchats::Config::new(product).with_base_url(self.url()).with_api_key(key);
        // Without it the first call says that the sandbox is not trusted.
        config.ca_certs = self.ca_path().and_then(|path| std::fs::read(path).ok());
        config
    }
}

fn encoded(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string()
}
