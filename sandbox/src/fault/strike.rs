//! Carrying a fault out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use serde_json::Value;
use tokio::time::Sleep;

use super::{Action, Kind};
use crate::connection::Cut;
use crate::limit::Standing;
use crate::refusal::Refusal;
use crate::server::{finish, refused, respond};
use crate::service::{KeyRefused, Service};

impl Action {
    /// The answer as the fault leaves it; `handle` makes the real one.
    pub(crate) async fn strike(
        self,
        service: &dyn Service,
        now_ms: i64,
        handle: impl Future<Output = Response>,
    ) -> Response {
        let Action { kind, handled } = self;
        match kind {
            Kind::Pass => handle.await,
            Kind::Delay { ms } => {
                let pause = tokio::time::sleep(Duration::from_millis(ms));
                if handled {
                    let answer = handle.await;
                    pause.await;
                    return answer;
                }
                pause.await;
                handle.await
            }
            Kind::Half => in_pieces(handle.await, usize::MAX, Duration::ZERO, true).await,
            Kind::Slow { bytes, ms } => in_pieces(handle.await, bytes, Duration::from_millis(ms), false).await,
            Kind::Drop | Kind::Reset | Kind::Status { .. } => {
                if handled {
                    drop(handle.await);
                }
                kind.instead(service, now_ms)
            }
        }
    }
}

impl Kind {
    fn instead(self, service: &dyn Service, now_ms: i64) -> Response {
        let Kind::Status { status, code, retry_after, headers, body } = self else {
            let mut response = Response::default();
            response.extensions_mut().insert(if self == Kind::Reset { Cut::Reset } else { Cut::Close });
            return response;
        };
        let mut refusal = Refusal::new(status, "A scripted fault.");
        refusal.code = code.map(Into::into);
        if let Some(wait) = retry_after {
            if let Ok(seconds) = wait.parse::<u64>() {
                refusal = refusal.with("retry_after", seconds);
            }
            refusal = refusal.header("retry-after", wait);
        }
        let answer = match status {
            401 => service.key_refused(KeyRefused::Unknown),
            _ => refused(service, refusal),
        };
        let mut response = respond(finish(service, &Standing::untouched(now_ms), answer));
        match body {
            None => {}
            // A string goes out as it is, so that bodies which are no JSON can be scripted too.
            Some(Value::String(text)) => {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
                *response.body_mut() = Body::from(text);
            }
            Some(other) => *response.body_mut() = Body::from(other.to_string()),
        }
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The same answer, its body cut into pieces with pauses between them, or ending after half of it.
async fn in_pieces(response: Response, bytes: usize, pause: Duration, half: bool) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, usize::MAX).await else { return Response::default() };
    head.headers.insert(CONTENT_LENGTH, whole.len().into());
    let rest = if half { whole.slice(..whole.len() / 2) } else { whole };
    Response::from_parts(head, Body::new(Pieces { rest, bytes, pause, waiting: None, breaks_off: half }))
}

struct Pieces {
    rest: Bytes,
    bytes: usize,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    breaks_off: bool,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(waiting) = &mut self.waiting {
            std::task::ready!(waiting.as_mut().poll(context));
        }
        if self.rest.is_empty() {
            return Poll::Ready(self.breaks_off.then(|| Err(std::io::ErrorKind::ConnectionAborted.into())));
        }
        let size = self.bytes.min(self.rest.len());
        let piece = self.rest.split_to(size);
        // A pause also lets the piece leave before the connection breaks off.
        let pause = self.pause.max(Duration::from_millis(1));
        self.waiting = Some(Box::pin(tokio::time::sleep(pause)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
