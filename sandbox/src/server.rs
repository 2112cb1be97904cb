//! From a connection to an answer: every request takes these steps, whatever API it is for.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use crate::bloomchats::BloomChats;
use crate::connection::{Cut, MAXIMUM};
use crate::control::Receivers;
use crate::limit::{Standing, Window};
use crate::logs::{Row, kept};
use crate::namespace::{Namespace, Namespaces};
use crate::refusal::Refusal;
use crate::route::{self, Found, Handling};
use crate::service::{Answer, Call, KeyRefused, Query, Service, idempotency_key};
use crate::v2::V2;
use crate::v4::V4;

/// The last second an HTTP date can tell, 31 December 9999.
const LAST_DATE_MS: i64 = 253_402_300_799_000;

/// The services this server stands in for.
pub(crate) static SERVICES: [&dyn Service; 3] = [&V2, &V4, &BloomChats];

/// Serves until its runtime goes.
pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, namespaces: Arc<Namespaces>, app: Arc<App>) {
    namespaces.start();
    let router = axum::Router::new().fallback(answer).with_state(app);
    if let Err(error) = crate::connection::serve(listener, tls, router, MAXIMUM).await {
        eprintln!("bloomchats sandbox: {error}");
    }
}

pub(crate) struct App {
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) url: String,
    pub(crate) receivers: Receivers,
    /// Whether other machines may steer it too.
    pub(crate) open: bool,
}

/// A request whose body has arrived, or is known not to.
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    body: Result<Bytes, Refusal>,
}

impl Incoming {
    /// A control request from this very process.
    pub(crate) fn local(method: &str, query: &str, key: &str, body: String) -> Incoming {
        let bearer = HeaderValue::try_from(format!("Bearer {key}")).ok();
        let mut headers = HeaderMap::from_iter(bearer.map(|bearer| (AUTHORIZATION, bearer)));
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        let (path, query) = (String::new(), query.to_owned());
        Incoming { method: method.to_owned(), path, query, headers, body: Ok(Bytes::from(body)) }
    }

    fn log(&self, at: i64) -> Row {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        Row {
            at,
            method: self.method.clone(),
            target: format!("{}{query}", self.path),
            idempotency_key: idempotency_key(&self.headers),
            body: self.body.as_ref().map_or(Value::Null, |body| kept(body)),
            status: None,
            fault: false,
        }
    }

    pub(crate) fn body(&mut self) -> Result<Bytes, Refusal> {
        std::mem::replace(&mut self.body, Ok(Bytes::new()))
    }
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Result<Response, Infallible> {
    let (mut head, body) = request.into_parts();
    let body = crate::body::receive(body).await;
    // HTTP/2 names the host in the URL instead.
    let host = head.uri.authority().and_then(|authority| HeaderValue::try_from(authority.as_str()).ok());
    if let Some(host) = host {
        head.headers.entry(HOST).or_insert(host);
    }
    let incoming = Incoming {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    Ok(dispatch(&app, incoming).await)
}

async fn dispatch(app: &App, incoming: Incoming) -> Response {
    if let Some(rest) = below(&incoming.path, "/_sandbox") {
        let rest = rest.to_owned();
        return respond(crate::control::answer(app, incoming, &rest).await);
    }
    let service = SERVICES.iter().find(|service| below(&incoming.path, service.prefix()).is_some());
    let Some(service) = service else {
        return respond(Answer::new(
            404,
            json!({
                "error": "not_found",
                "message": "This is the BloomChats sandbox. Its APIs are under /api, /v2/api and /v4.",
                "status": 404,
            }),
        ));
    };
    let key = service.key(&incoming.headers);
    let Some(namespace) = key.and_then(|key| app.namespaces.find(service.product(), key)) else {
        let now = app.namespaces.default().now_ms();
        let refused = service.key_refused(KeyRefused::of(key));
        return respond(finish(*service, &Standing::untouched(now), refused));
    };
    let mut row = incoming.log(namespace.now_ms());
    let fault = namespace.with(|state| state.faults.take(&incoming.method, &incoming.path, &incoming.headers));
    row.fault = matches!(fault, Ok(Some(_)));
    let mut answer = match fault {
        Ok(None) => serve_api(&namespace, *service, incoming).await,
        Ok(Some(fault)) => {
            let now = namespace.now_ms();
            fault.strike(*service, now, serve_api(&namespace, *service, incoming)).await
        }
        Err(refusal) => {
            let standing = Standing::untouched(namespace.now_ms());
            respond(finish(*service, &standing, refused(*service, refusal)))
        }
    };
    row.status = answer.extensions().get::<Cut>().is_none().then(|| answer.status().as_u16());
    namespace.with(|state| state.requests.add(row));
    date(&mut answer, namespace.now_ms());
    answer
}

/// `Date` is in the sandbox's time too: what clients compute from it must fit the other times.
fn date(answer: &mut Response, now_ms: i64) {
    let now = UNIX_EPOCH.checked_add(Duration::from_millis(now_ms.clamp(0, LAST_DATE_MS).unsigned_abs()));
    let text = now.map(httpdate::fmt_http_date).and_then(|text| HeaderValue::try_from(text).ok());
    text.into_iter().for_each(|text| drop(answer.headers_mut().insert(DATE, text)));
}

/// What follows `prefix` in a path: empty or beginning with `/`.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Limit, path, body, handler: the order in which the services refuse what has a key.
async fn serve_api(namespace: &Arc<Namespace>, service: &dyn Service, mut incoming: Incoming) -> Response {
    let now = namespace.now_ms();
    let answer = namespace.with(|state| {
        let standing = state.windows.entry(service.name()).or_insert_with(|| Window::new(None)).take(now);
        let answer = match standing.allowed {
            true => handle(service, state, &mut incoming),
            false => Err(over_limit(standing.retry_after_s)),
        };
        finish(service, &standing, answer.unwrap_or_else(|refusal| refused(service, refusal)))
    });
    respond(answer.settled(namespace).await)
}

fn handle(
    service: &dyn Service,
    state: &mut crate::namespace::State,
    incoming: &mut Incoming,
) -> Result<Answer, Refusal> {
    let body = incoming.body();
    let target = below(&incoming.path, service.prefix()).unwrap_or_default();
    let segments = decode(target)?;
    let found = match route::find(service.routes(), &incoming.method, &segments) {
        Found::Route(route) => route,
        Found::OtherMethods(methods) => {
            return Err(Refusal::new(405, format!("This path takes {methods} only.")).header("allow", methods));
        }
        Found::Nothing => return Err(Refusal::not_found("No such endpoint.")),
    };
    match found.handling {
        Handling::ComingSoon(resource) => Ok(service.coming_soon(resource)),
        Handling::Here(handler) => {
            let mut call = Call {
                path: route::values(found.template, segments),
                query: Query::parse(&incoming.query),
                headers: &incoming.headers,
                body: &body?,
                method: &incoming.method,
                target,
                state,
            };
            if let Some(answer) = service.replayed(&mut call) {
                return Ok(answer);
            }
            let answer = handler(&mut call)?;
            service.remember(&mut call, &answer);
            Ok(answer)
        }
    }
}

/// Path segments, decoded once; a bare `+` is a blank, as the services read it.
pub(crate) fn decode(target: &str) -> Result<Vec<String>, Refusal> {
    let segments = target.strip_prefix('/').unwrap_or_default().split('/');
    let decoded: Result<Vec<String>, _> = segments
        .map(|segment| percent_decode_str(&segment.replace('+', " ")).decode_utf8().map(|text| text.into_owned()))
        .collect();
    decoded.map_err(|_| Refusal::bad_request("The path is not valid UTF-8 after decoding."))
}

fn over_limit(retry_after_s: u64) -> Refusal {
    Refusal::new(429, format!("Rate limit exceeded. Retry after {retry_after_s} seconds."))
        .with("retry_after", retry_after_s)
        .header("retry-after", retry_after_s.to_string())
}

/// A refusal in the API's shape, with the headers that belong to it.
pub(crate) fn refused(service: &dyn Service, mut refusal: Refusal) -> Answer {
    let headers = std::mem::take(&mut refusal.headers);
    let mut answer = service.render(refusal);
    answer.headers.extend(headers);
    answer
}

pub(crate) fn finish(service: &dyn Service, standing: &Standing, mut answer: Answer) -> Answer {
    answer.headers.extend(service.standing_headers(standing));
    answer
}

pub(crate) fn respond(answer: Answer) -> Response {
    let (media_type, body) = match answer.file {
        Some((media_type, content)) => (media_type, Body::from(content)),
        None => ("application/json", Body::from(answer.body.to_string())),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
