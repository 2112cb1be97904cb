//! What a namespace was asked, and what webhooks it sent. Times are epoch milliseconds of the sandbox's clock.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Requests {
    pub(super) requests: Vec<LoggedRequest>,
}

#[derive(Deserialize)]
pub(super) struct Deliveries {
    pub(super) deliveries: Vec<Delivery>,
}

/// A request to one of the services.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// When.
    pub at: i64,
    /// HTTP method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The JSON body, up to 4 KB.
    pub body: Value,
    /// What it was answered with; `None` when a fault left no answer.
    pub status: Option<u16>,
    /// Whether a scripted fault struck it.
    pub fault: bool,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// When it was made.
    pub at: i64,
    /// When its answer came, or was known not to.
    pub answered_at: Option<i64>,
    /// The receiver's answer; `None` when none came.
    pub status: Option<u16>,
    /// Why none came.
    pub error: Option<String>,
}

/// A webhook on its way to one receiver.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Delivery {
    /// As v4 names it: `wdel_…`.
    pub id: String,
    /// The subscription.
    pub webhook_id: String,
    /// Where it goes.
    pub url: String,
    /// What it tells of.
    pub event_id: String,
    /// The event's type.
    pub event: String,
    /// `pending`, `delivered`, `failed`, or `not_sent` when its URL is none the sandbox calls.
    pub state: String,
    /// The delivery (v4) or event (v2) it repeats.
    pub replay_of: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it is tried next.
    pub next_attempt_at: Option<i64>,
    /// Attempts so far.
    pub attempts: Vec<DeliveryAttempt>,
    /// The JSON that is delivered.
    pub body: Value,
}
