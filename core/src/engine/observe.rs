//! What a call tells those who watch it: one event an attempt and one a call, and the same as spans of `tracing`.
//!
//! Attribute names are OpenTelemetry's for HTTP clients. The path is the operation's template, never the filled one, and nothing here
//! ever holds a key, a number, an address or a text.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tracing::field::Empty;
use tracing::{Level, Span};

use super::operation::{Api, Operation};
use super::progress::Progress;
use super::request::Request;
use super::{Engine, attempt, call};
use crate::error::Result;

/// Is told of every event of a call, on whatever thread drives the call; it must return soon and not panic.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// One exchange with the service, told once it is known whether another follows.
    Attempt,
    /// The whole call, from its first wait to its end.
    Call,
}

/// Something that came to its end. A call that is refused before anything could be sent has no events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// An attempt or a call.
    pub scope: Scope,
    /// The operation's public name, as `blooio.v2.messages.send`; `messages.wait` shows as the polls it makes.
    pub operation: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path with argument names in braces, the base URL's prefix included; `None` for `request()`, whose path is the caller's.
    pub template: Option<String>,
    /// Host name of the service.
    pub server_address: String,
    /// Its port.
    pub server_port: u16,
    /// Wall clock at the beginning, in epoch ms.
    pub started_ms: i64,
    /// How long it took.
    pub duration: Duration,
    /// HTTP status of the answer; of the last one on a call.
    pub status: Option<u16>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// What went wrong: on an attempt the status as digits, or `connection`, `timeout`, `decode`; on a call the error's kind; `cancelled` on
    /// both when the call was dropped.
    pub error: Option<String>,
    /// On an attempt, those before it; on a call, those made.
    pub attempts: u32,
    /// On an attempt, the wait before the next one, if one follows.
    pub retry_in: Option<Duration>,
    /// Whether the service may have done what was asked, as far as it is known at this point.
    pub maybe_sent: bool,
}

impl Event {
    /// The form in which events cross to other languages: `{scope, operation, started_ms, duration_ms, retry_in_ms?, attributes}`.
    pub fn to_json(&self) -> Value {
        let mut attributes = Map::new();
        let mut attribute = |name: &str, value: Value| {
            if !value.is_null() {
                attributes.insert(name.to_owned(), value);
            }
        };
        attribute("bloomchats.operation", self.operation.into());
        attribute("http.request.method", self.method.into());
        attribute("url.template", self.template.as_deref().into());
        attribute("server.address", self.server_address.as_str().into());
        attribute("server.port", self.server_port.into());
        attribute("http.response.status_code", self.status.into());
        attribute("error.type", self.error.as_deref().into());
        attribute("bloomchats.request_id", self.request_id.as_deref().into());
        attribute("bloomchats.maybe_sent", self.maybe_sent.into());
        let scope = match self.scope {
            Scope::Attempt => {
                // The conventions leave the count out on a first try.
                attribute("http.request.resend_count", Some(self.attempts).filter(|count| *count > 0).into());
                "attempt"
            }
            Scope::Call => {
                attribute("bloomchats.attempts", self.attempts.into());
                "call"
            }
        };
        let mut event = json!({
            "scope": scope,
            "operation": self.operation,
            "started_ms": self.started_ms,
            "duration_ms": ms(self.duration),
            "attributes": attributes,
        });
        if let Some(wait) = self.retry_in {
            event["retry_in_ms"] = ms(wait);
        }
        event
    }
}

/// Whole milliseconds as an integer, others with a fraction.
fn ms(time: Duration) -> Value {
    match time.subsec_micros() % 1000 {
        0 => (time.as_millis() as u64).into(),
        _ => (time.as_micros() as f64 / 1000.0).into(),
    }
}

/// The eyes on one call. Dropped before its end, it tells of a cancelled one.
pub(crate) struct Watch<'a> {
    engine: &'a Engine,
    progress: &'a Progress,
    /// Nothing when nobody watches: then a call pays one look for it.
    seen: Option<Box<Seen>>,
}

struct Seen {
    call: Timed,
    attempt: Option<Timed>,
    begun: u32,
    /// Attempts of earlier calls under the same progress: those of a wait.
    earlier: u32,
}

struct Timed {
    event: Event,
    begun: Duration,
    over: bool,
    span: Span,
}

impl<'a> Watch<'a> {
    pub fn begin(
        engine: &'a Engine,
        operation: &Operation,
        request: &Request<'_>,
        progress: &'a Progress,
    ) -> Watch<'a> {
        let watched = progress.observer().is_some() || tracing::enabled!(target: "bloomchats", Level::INFO);
        let seen = watched.then(|| {
            let event = describe(engine, operation, request);
            let span = tracing::info_span!(
                target: "bloomchats", "call", otel.name = event.operation, otel.kind = "internal", otel.status_code = Empty,
                bloomchats.attempts = Empty, bloomchats.maybe_sent = Empty, "error.type" = Empty,
            );
            let call = Timed { event, begun: engine.clock.now(), over: false, span };
            Box::new(Seen { call, attempt: None, begun: 0, earlier: progress.attempts() })
        });
        Watch { engine, progress, seen }
    }

    /// The span of the call.
    pub fn span(&self) -> Span {
        self.seen.as_ref().map_or_else(Span::none, |seen| seen.call.span.clone())
    }

    /// An attempt begins, in the span returned.
    pub fn begin_attempt(&mut self) -> Span {
        let Some(seen) = &mut self.seen else { return Span::none() };
        let event = Event {
            scope: Scope::Attempt,
            started_ms: self.engine.clock.unix_ms(),
            attempts: seen.begun,
            ..seen.call.event.clone()
        };
        let span = tracing::info_span!(
            target: "bloomchats", "attempt", otel.kind = "client", otel.status_code = Empty,
            otel.name = event.template.as_deref().map_or_else(|| event.method.to_owned(), |path| format!("{} {path}", event.method)),
            http.request.method = event.method, url.template = event.template, server.address = event.server_address,
            server.port = event.server_port, http.request.resend_count = (event.attempts > 0).then_some(event.attempts),
            http.response.status_code = Empty, "error.type" = Empty, bloomchats.request_id = Empty,
        );
        seen.begun += 1;
        seen.attempt = Some(Timed { event, begun: self.engine.clock.now(), over: false, span: span.clone() });
        span
    }

    /// The attempt is over; what follows from it is told to [`Watch::goes_on`] or [`Watch::end`].
    pub fn end_attempt(&mut self, outcome: &attempt::Outcome) {
        let Some(seen) = &mut self.seen else { return };
        let Some(attempt) = &mut seen.attempt else { return };
        attempt.stop(self.engine);
        let event = &mut attempt.event;
        match outcome {
            Ok(answer) => {
                event.status = Some(answer.status);
                event.request_id = call::request_id(&answer.headers);
            }
            Err(failure) => {
                event.status = failure.error.status();
                event.request_id = failure.error.request_id().map(str::to_owned);
                let refused = event.status.filter(|status| *status >= 300);
                event.error = Some(refused.map_or_else(|| failure.error.kind().as_str().into(), |s| s.to_string()));
            }
        }
        event.maybe_sent = self.progress.maybe_sent();
        (seen.call.event.status, seen.call.event.request_id) = (event.status, event.request_id.clone());
    }

    /// Another attempt follows after `wait`.
    pub fn goes_on(&mut self, wait: Duration) {
        if let Some(mut attempt) = self.seen.as_mut().and_then(|seen| seen.attempt.take()) {
            attempt.event.retry_in = Some(wait);
            attempt.tell(self.progress);
            tracing::info!(target: "bloomchats", retry_in_ms = wait.as_millis() as u64, "another attempt follows");
        }
    }

    /// The call is over.
    pub fn end(&mut self, result: &Result<call::Done>) {
        self.close(result.as_ref().err().map(|error| error.kind().as_str()));
    }

    fn close(&mut self, error: Option<&str>) {
        let Some(seen) = self.seen.take() else { return };
        let Seen { mut call, attempt, earlier, .. } = *seen;
        if let Some(mut attempt) = attempt {
            if !attempt.over {
                attempt.stop(self.engine);
                attempt.event.error = error.map(str::to_owned);
                attempt.event.maybe_sent = self.progress.maybe_sent();
            }
            attempt.tell(self.progress);
        }
        call.stop(self.engine);
        call.event.error = error.map(str::to_owned);
        call.event.attempts = self.progress.attempts().saturating_sub(earlier);
        call.event.maybe_sent = self.progress.maybe_sent();
        call.span.record("bloomchats.attempts", call.event.attempts);
        call.span.record("bloomchats.maybe_sent", call.event.maybe_sent);
        call.tell(self.progress);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.close(Some("cancelled"));
    }
}

impl Timed {
    fn stop(&mut self, engine: &Engine) {
        self.event.duration = engine.clock.now().saturating_sub(self.begun);
        self.over = true;
    }

    fn tell(&self, progress: &Progress) {
        let event = &self.event;
        if let Some(status) = event.status {
            self.span.record("http.response.status_code", status);
        }
        if let Some(id) = &event.request_id {
            self.span.record("bloomchats.request_id", id.as_str());
        }
        if let Some(error) = &event.error {
            self.span.record("error.type", error.as_str());
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(observer) = progress.observer() {
            observer(event);
        }
    }
}

/// What every event of the call has in common.
fn describe(engine: &Engine, operation: &Operation, request: &Request<'_>) -> Event {
    let root = engine.settings.root(request.api);
    let documented = !operation.path.is_empty();
    Event {
        scope: Scope::Call,
        operation: match request.api {
            _ if documented => operation.name,
            Api::BloomChats => "bloomchats.request",
            Api::BlooioV2 => "blooio.v2.request",
            Api::BlooioV4 => "blooio.v4.request",
        },
        method: request.method.as_str(),
        template: documented.then(|| [root.prefix(), operation.path].concat()),
        server_address: root.host().to_owned(),
        server_port: root.port(),
        started_ms: engine.clock.unix_ms(),
        duration: Duration::ZERO,
        status: None,
        request_id: None,
        error: None,
        attempts: 0,
        retry_in: None,
        maybe_sent: false,
    }
}
