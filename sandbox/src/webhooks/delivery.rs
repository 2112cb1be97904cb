//! Attempts to deliver, and when to try again.

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

/// A delivery that has not succeeded yet.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) subscription: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) attempts: usize,
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
        headers.push(("x-blooio-signature", sign(&receiver.secret, now / 1000, &delivery.body)));
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
    let received = tokio::time::timeout(TIMEOUT, send(sender, post)).await.unwrap_or(false);
    let now = namespace.now_ms();
    namespace.with(|state| {
        let world = &mut state.blooio;
        world.webhooks.settle(&mut world.timers, now, delivery, received);
    });
}

async fn send(sender: Sender, post: Post) -> bool {
    let mut request =
        Request::post(post.url).header("content-type", "application/json").header("user-agent", "Blooio-Sandbox");
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(Full::new(post.body)) else { return false };
    let Ok(answer) = sender.request(request).await else { return false };
    let received = answer.status().is_success();
    // A read body frees its connection for the next delivery; what it says does not matter.
    let _ = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
    received
}
