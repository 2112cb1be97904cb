//! The sandbox's clock.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, SandboxError};

/// A namespace's time: of messages, webhooks, timers and limits. Clients keep their own.
///
/// # Errors
/// Every method fails when the sandbox has ended, and those that move time when it would go beyond the year 9999.
#[derive(Clone, Debug)]
pub struct Clock(pub(super) Desk);

#[derive(Deserialize)]
struct Time {
    now: i64,
    frozen: bool,
}

#[allow(clippy::missing_errors_doc, reason = "said once, at the type")]
impl Clock {
    /// Epoch milliseconds.
    pub async fn now(&self) -> Result<i64, SandboxError> {
        Ok(self.read().await?.now)
    }

    /// Whether time stands still between calls.
    pub async fn frozen(&self) -> Result<bool, SandboxError> {
        Ok(self.read().await?.frozen)
    }

    /// Stops it; `set` and `advance` move it on.
    pub async fn freeze(&self) -> Result<(), SandboxError> {
        self.0.tell("PUT", "/clock", json!({"frozen": true})).await
    }

    /// Lets it run with real time again.
    pub async fn run(&self) -> Result<(), SandboxError> {
        self.0.tell("PUT", "/clock", json!({"frozen": false})).await
    }

    /// Jumps to epoch milliseconds; what is due then happens at once.
    pub async fn set(&self, now: i64) -> Result<(), SandboxError> {
        self.0.tell("PUT", "/clock", json!({"now": now})).await
    }

    /// Lives through that much time: timers fire in order, and each webhook attempt has its answer before it goes on.
    pub async fn advance(&self, time: Duration) -> Result<(), SandboxError> {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.tell("POST", "/clock/advance", json!({"ms": ms})).await
    }

    async fn read(&self) -> Result<Time, SandboxError> {
        self.0.ask("GET", "/clock", Value::Null).await
    }
}
