//! A webhook receiver that checks signatures by itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::mpsc;

pub struct Receiver {
    pub url: String,
    /// What it answers.
    pub status: Arc<AtomicU16>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

#[derive(Debug)]
pub struct Delivery {
    pub headers: HeaderMap,
    pub raw: Bytes,
    pub body: Value,
}

type Shared = (mpsc::UnboundedSender<Delivery>, Arc<AtomicU16>);

impl Receiver {
    pub async fn start() -> Receiver {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, deliveries) = mpsc::unbounded_channel();
        let status = Arc::new(AtomicU16::new(200));
        let router = axum::Router::new().fallback(take).with_state((sender, Arc::clone(&status)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, status, deliveries }
    }

    /// The next delivery, within five seconds.
    pub async fn next(&mut self) -> Delivery {
        let next = tokio::time::timeout(Duration::from_secs(5), self.deliveries.recv()).await;
        next.expect("a delivery in time").expect("a running receiver")
    }

    /// `count` deliveries, in order of their event's name.
    pub async fn sorted(&mut self, count: usize) -> Vec<Delivery> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await);
        }
        all.sort_by_key(|delivery| delivery.header("x-blooio-event").to_owned());
        all
    }

    pub async fn nothing_for(&mut self, time: Duration) {
        if let Ok(Some(delivery)) = tokio::time::timeout(time, self.deliveries.recv()).await {
            panic!("unexpected: {}", delivery.body);
        }
    }
}

async fn take(State((sender, status)): State<Shared>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    let body = serde_json::from_slice(&raw).unwrap();
    let _ = sender.send(Delivery { headers, raw, body });
    StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap()
}

impl Delivery {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether the signature is the one this secret makes, now.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(self.signed_at()) < 10, "{}", self.header("x-blooio-signature"));
        self.has_digest_of(secret)
    }

    /// When it was signed, in epoch seconds.
    pub fn signed_at(&self) -> u64 {
        self.signature().0.parse().unwrap()
    }

    /// Whether the signature is the one this secret makes, at whatever time.
    pub fn has_digest_of(&self, secret: &str) -> bool {
        let (time, digest) = self.signature();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(&self.raw);
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        expected == digest
    }

    fn signature(&self) -> (&str, &str) {
        self.header("x-blooio-signature").strip_prefix("t=").unwrap().split_once(",v1=").unwrap()
    }
}
