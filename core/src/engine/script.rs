//! A scripted world: answers from a transcript, virtual time, and a record of what the engine did.
//!
//! The conformance corpus runs on it, and so do users' unit tests. Nothing here opens a socket.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::clock::Clock;
use super::progress::Progress;
use super::transport::{Body, Exchanging, Fault, MAX_BODY, Transport, WireAnswer, WireRequest};
use super::{BoxFuture, lock};
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transcript {
    exchanges: VecDeque<Exchange>,
    #[serde(default = "half")]
    jitter: f64,
    #[serde(default = "start")]
    now_ms: i64,
    #[serde(default)]
    yields: bool,
}

const fn half() -> f64 {
    0.5
}

const fn start() -> i64 {
    1_790_000_000_000
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "an exchange such as {\"status\": 200, \"json\": {}}")]
struct Exchange {
    status: u16,
    headers: Map<String, Value>,
    json: Option<Box<serde_json::value::RawValue>>,
    body: Option<String>,
    body_base64: Option<String>,
    body_repeat: Option<Repeat>,
    fault: Option<ScriptedFault>,
    delay_ms: u64,
    /// Sets the wall clock forward or back, as people and NTP do; virtual time goes on as before.
    clock_jump_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    text: String,
    times: usize,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum ScriptedFault {
    Connect,
    Reset,
    Truncated,
    Timeout,
}

/// Reads back what a scripted client did.
#[derive(Clone)]
pub struct Script(Arc<World>);

struct World {
    exchanges: Mutex<VecDeque<Exchange>>,
    requests: Mutex<Vec<WireRequest>>,
    waits: Mutex<Vec<Duration>>,
    now: Mutex<Duration>,
    /// Wall clock at virtual time zero, in epoch milliseconds.
    start_ms: AtomicI64,
    jitter: f64,
    yields: bool,
}

impl Script {
    /// Parses a transcript: `{"exchanges": [...], "jitter": 0.5, "now_ms": …, "yields": false}`.
    ///
    /// With `yields`, every exchange and every wait is pending once before it ends, so that a test can drop a call there.
    pub(crate) fn new(transcript: &[u8]) -> Result<Script> {
        let transcript: Transcript = serde_json::from_slice(transcript)
            .map_err(|e| Error::config(format!("the transcript cannot be read: {e}")))?;
        Ok(Script(Arc::new(World {
            exchanges: Mutex::new(transcript.exchanges),
            requests: Mutex::default(),
            waits: Mutex::default(),
            now: Mutex::default(),
            start_ms: transcript.now_ms.into(),
            jitter: transcript.jitter.clamp(0.0, 1.0),
            yields: transcript.yields,
        })))
    }

    /// Every request so far: `[{method, url, headers, body}]`; a body that is not UTF-8 stands as `body_base16`.
    pub fn requests(&self) -> Value {
        let requests = lock(&self.0.requests);
        requests.iter().map(record).collect()
    }

    /// Every wait of the engine so far, in ms.
    pub fn waits_ms(&self) -> Vec<u64> {
        lock(&self.0.waits).iter().map(|wait| wait.as_millis() as u64).collect()
    }

    /// Virtual time since the client was opened.
    pub fn elapsed(&self) -> Duration {
        *lock(&self.0.now)
    }

    /// Exchanges the engine has not used.
    pub fn left(&self) -> usize {
        lock(&self.0.exchanges).len()
    }
}

fn record(request: &WireRequest) -> Value {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value).into())).collect();
    let mut record = json!({"method": request.method.as_str(), "url": request.uri.to_string(), "headers": headers});
    match std::str::from_utf8(&request.body) {
        Ok(text) => record["body"] = text.into(),
        Err(_) => record["body_base16"] = request.body.iter().map(|b| format!("{b:02x}")).collect::<String>().into(),
    }
    record
}

impl World {
    async fn give_way(&self) {
        if self.yields {
            tokio::task::yield_now().await;
        }
    }

    /// Whether the next exchange has a connection.
    fn connects(&self) -> bool {
        let connected = |exchange: &Exchange| !matches!(exchange.fault, Some(ScriptedFault::Connect));
        lock(&self.exchanges).front().is_none_or(connected)
    }

    fn pass(&self, time: Duration) {
        let mut now = lock(&self.now);
        *now = now.saturating_add(time);
    }

    fn answer(&self, limit: Duration) -> Result<WireAnswer, Fault> {
        let Some(exchange) = lock(&self.exchanges).pop_front() else {
            return Err(Fault::Setup(Error::config(
                "the script is exhausted: the client asked more often than the transcript answers",
            )));
        };
        let jumped = self.start_ms.load(Ordering::Relaxed).saturating_add(exchange.clock_jump_ms);
        self.start_ms.store(jumped, Ordering::Relaxed);
        let delay = Duration::from_millis(exchange.delay_ms);
        let late = delay > limit || matches!(exchange.fault, Some(ScriptedFault::Timeout));
        self.pass(if late { limit } else { delay });
        match exchange.fault {
            Some(ScriptedFault::Connect) => {
                let how = if late { "it was not made in the attempt's time" } else { "connection refused" };
                return Err(Fault::not_connected(late, format!("{how} (scripted)")));
            }
            _ if late => return Err(Fault::Late),
            Some(ScriptedFault::Reset) => return Err(Fault::Broken { detail: "connection reset (scripted)".into() }),
            _ => {}
        }
        let mut headers = exchange.headers().map_err(Fault::Setup)?;
        if exchange.json.is_some() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        let truncated = matches!(exchange.fault, Some(ScriptedFault::Truncated));
        // A truncation without a status is one after the head of an ordinary success.
        let status = if exchange.status == 0 && truncated { 200 } else { exchange.status };
        let body = if truncated {
            Body::BrokenOff { late: false, detail: "the answer broke off (scripted)".into() }
        } else {
            match exchange.into_bytes().map_err(Fault::Setup)? {
                bytes if bytes.len() > MAX_BODY => Body::TooLarge,
                bytes => Body::Whole(bytes),
            }
        };
        Ok(WireAnswer { status, headers, body })
    }
}

impl Exchange {
    fn headers(&self) -> Result<HeaderMap> {
        let read = |(name, value): (&String, &Value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?))
        };
        let headers: Option<HeaderMap> = self.headers.iter().map(read).collect();
        headers.ok_or_else(|| Error::config("a header of the transcript is none that a server could send"))
    }

    fn into_bytes(self) -> Result<Bytes> {
        if let Some(json) = self.json {
            return Ok(json.get().as_bytes().to_vec().into());
        }
        if let Some(Repeat { text, times }) = self.body_repeat {
            // Beyond the cap its length no longer matters, and memory does.
            return Ok(text.repeat(times.min(MAX_BODY / text.len().max(1) + 1)).into());
        }
        match (self.body, self.body_base64) {
            (Some(body), _) => Ok(body.into()),
            (None, Some(text)) => decode_base64(&text)
                .map(Bytes::from)
                .ok_or_else(|| Error::config("body_base64 of the transcript is not base64")),
            (None, None) => Ok(Bytes::new()),
        }
    }
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let mut bits = 0u32;
    let mut held = 0;
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|b| *b == byte)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

impl Transport for Script {
    fn exchange<'a>(&'a self, request: WireRequest, limit: Duration, progress: &'a Progress) -> Exchanging<'a> {
        lock(&self.0.requests).push(request);
        if self.0.connects() {
            progress.leave();
        }
        let world = self.0.clone();
        Box::pin(async move {
            world.give_way().await;
            world.answer(limit)
        })
    }
}

impl Clock for Script {
    fn now(&self) -> Duration {
        self.elapsed()
    }

    fn unix_ms(&self) -> i64 {
        self.0.start_ms.load(Ordering::Relaxed).saturating_add(self.now().as_millis() as i64)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<()> {
        lock(&self.0.waits).push(time);
        let world = self.0.clone();
        Box::pin(async move {
            world.give_way().await;
            world.pass(time);
        })
    }

    fn patience(&self, _time: Duration) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }

    fn jitter(&self, cap: Duration) -> Duration {
        cap.mul_f64(self.0.jitter)
    }
}
