//! One delivery: its attempts, and the posting of each.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::Subscription;
use super::signature::sign;
use crate::namespace::Namespace;

/// Waits after the first, second, … failed attempt: six attempts in all.
pub(crate) const WAITS_MS: &[i64] = &[30_000, 60_000, 120_000, 240_000, 480_000];
/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of a receiver's answer is read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// How much of it is kept for the logs.
const ANSWER_KEPT: usize = 4 * 1024;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Pending,
    Delivered,
    Failed,
    /// Its URL is not one the sandbox calls.
    NotSent,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Delivered => "delivered",
            State::Failed => "failed",
            State::NotSent => "not_sent",
        }
    }
}

/// One event on its way to one subscription.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// `wdel_…`
    pub(crate) id: String,
    pub(crate) subscription: String,
    pub(crate) url: String,
    pub(crate) event_id: String,
    pub(crate) event: &'static str,
    pub(crate) message_id: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) created_at: i64,
    pub(crate) state: State,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) next_attempt_at: Option<i64>,
    /// The delivery (v4) or event (v2) this repeats.
    pub(crate) replay_of: Option<String>,
    /// Whether it is tried again after a failure.
    pub(crate) persistent: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) at: i64,
    pub(crate) outcome: Option<Outcome>,
}

/// What a receiver made of an attempt.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) at: i64,
    /// `None` when no answer came.
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) size: usize,
    /// Why no answer came.
    pub(crate) error: Option<&'static str>,
}

impl Outcome {
    pub(crate) fn received(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The answer as JSON where it is some, else as text.
    pub(crate) fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(_) if self.body.is_empty() => serde_json::Value::Null,
            Err(_) => String::from_utf8_lossy(&self.body).into_owned().into(),
        }
    }
}

/// One attempt, ready to leave.
#[derive(Debug)]
pub(crate) struct Post {
    delivery: u64,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Post {
    pub(crate) fn new(id: u64, receiver: &Subscription, delivery: &Delivery, now: i64) -> Post {
        let mut headers = delivery.headers.clone();
        headers.push(("x-blooio-signature", sign(&receiver.secret, now.div_euclid(1000), &delivery.body)));
        Post { delivery: id, url: receiver.url.clone(), headers, body: delivery.body.clone() }
    }
}

/// Posts deliveries; connections are kept for the next one.
pub(crate) type Sender = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn sender() -> Sender {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends one attempt and tells the namespace how it went.
pub(crate) async fn post(namespace: Arc<Namespace>, sender: Sender, post: Post) {
    let delivery = post.delivery;
    let sent = tokio::time::timeout(TIMEOUT, send(sender, post)).await;
    let mut outcome = sent.unwrap_or_else(|_| nothing("timeout"));
    outcome.at = namespace.now_ms();
    namespace.with(|state| {
        let world = &mut state.blooio;
        let scale = world.switches.webhook_time_scale;
        world.webhooks.settle(&mut world.timers, scale, delivery, outcome);
    });
}

fn nothing(error: &'static str) -> Outcome {
    Outcome { at: 0, status: None, content_type: None, body: Bytes::new(), size: 0, error: Some(error) }
}

async fn send(sender: Sender, post: Post) -> Outcome {
    let mut request =
        Request::post(post.url).header("content-type", "application/json").header("user-agent", "Blooio-Sandbox");
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(Full::new(post.body)) else { return nothing("invalid_request") };
    let Ok(answer) = sender.request(request).await else { return nothing("connection_failed") };
    let status = Some(answer.status().as_u16());
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
    // A body read to its end frees its connection for the next delivery.
    let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default();
    let size = body.len();
    Outcome { at: 0, status, content_type, body: body.slice(..size.min(ANSWER_KEPT)), size, error: None }
}
