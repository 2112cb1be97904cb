//! `/_sandbox`: what the services do not have, for tests to steer the sandbox.

mod clock;
mod faults;
mod guard;
mod inbound;
mod limits;
mod lines;
mod logs;
mod namespaces;
mod phones;
mod pictures;
mod receivers;
mod reset;
mod switches;

use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::namespace::Namespace;
use crate::refusal::Refusal;
use crate::route::{self, Found, Route};
use crate::server::{App, Incoming, SERVICES, decode};
use crate::service::{Answer, KeyRefused, Outcome, Query};

pub(crate) use receivers::Receivers;

/// One control request.
struct Control<'a> {
    app: &'a App,
    /// The one its key names, else the default one.
    namespace: Arc<Namespace>,
    path: Vec<String>,
    query: Query,
    headers: &'a HeaderMap,
    /// The body as it came.
    raw: Bytes,
    body: Value,
}

type Handler = fn(&Control<'_>) -> Outcome;

static ROUTES: [Route<Handler>; 22] = [
    route("POST", "/namespaces", namespaces::create),
    route("PUT", "/limits", limits::set),
    route("GET", "/faults", faults::list),
    route("PUT", "/faults", faults::replace),
    route("POST", "/faults", faults::add),
    route("DELETE", "/faults", faults::clear),
    route("GET", "/phones/{number}/inbox", phones::inbox),
    route("PUT", "/lines/{number}", lines::set),
    route("POST", "/receivers", receivers::create),
    route("GET", "/receivers/{id}", receivers::read),
    route("PUT", "/receivers/{id}", receivers::set),
    route("POST", "/receivers/{id}", receivers::deliver),
    route("GET", "/pictures/{name}", pictures::get),
    route("POST", "/inbound", inbound::simulate),
    route("GET", "/clock", clock::read),
    route("PUT", "/clock", clock::set),
    route("POST", "/clock/advance", clock::advance),
    route("POST", "/reset", reset::reset),
    route("GET", "/requests", logs::requests),
    route("GET", "/deliveries", logs::deliveries),
    route("GET", "/switches", switches::list),
    route("PUT", "/switches", switches::set),
];

const fn route(method: &'static str, template: &'static str, handling: Handler) -> Route<Handler> {
    Route { method, template, handling }
}

/// Answers a control request; `path` is what follows `/_sandbox`.
pub(crate) async fn answer(app: &App, incoming: Incoming, path: &str) -> Answer {
    let (namespace, answer) = match handle(app, incoming, path) {
        Ok(handled) => handled,
        Err(refusal) => return refused(refusal),
    };
    answer.settled(&namespace).await
}

fn handle(app: &App, mut incoming: Incoming, path: &str) -> Result<(Arc<Namespace>, Answer), Refusal> {
    guard::check(&incoming.headers, app.open)?;
    let segments = decode(path)?;
    let found = match route::find(&ROUTES, &incoming.method, &segments) {
        Found::Route(route) => route,
        Found::OtherMethods(methods) => {
            return Err(Refusal::new(405, format!("This path takes {methods} only.")).header("allow", methods));
        }
        Found::Nothing => return Err(Refusal::not_found("No such control endpoint.")),
    };
    let namespace = calling_namespace(app, &incoming)?;
    let raw = incoming.body()?;
    let control = Control {
        app,
        namespace,
        path: route::values(found.template, segments),
        query: Query::parse(&incoming.query),
        headers: &incoming.headers,
        body: parse(&raw)?,
        raw,
    };
    let answer = (found.handling)(&control)?;
    Ok((control.namespace, answer))
}

fn refused(refusal: Refusal) -> Answer {
    let body = json!({"error": refusal.reason(), "message": refusal.message, "status": refusal.status});
    Answer { headers: refusal.headers, ..Answer::new(refusal.status, body) }
}

fn calling_namespace(app: &App, incoming: &Incoming) -> Result<Arc<Namespace>, Refusal> {
    let keys = SERVICES.iter().map(|service| (service.product(), service.key(&incoming.headers)));
    let mut given = None;
    for (product, key) in keys {
        given = given.or(key);
        if let Some(namespace) = key.and_then(|key| app.namespaces.find(product, key)) {
            return Ok(namespace);
        }
    }
    match given {
        None => Ok(Arc::clone(app.namespaces.default())),
        Some(key) if KeyRefused::of(Some(key)) == KeyRefused::Live => {
            Err(Refusal::new(401, KeyRefused::USE_SANDBOX_KEY))
        }
        Some(_) => Err(Refusal::new(401, "No namespace has this key.")),
    }
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::bad_request("The body is not valid JSON."))
}

impl Control<'_> {
    fn object(&self) -> Result<&Map<String, Value>, Refusal> {
        self.body.as_object().ok_or_else(|| Refusal::bad_request("The body must be a JSON object."))
    }

    fn fields(&self) -> Result<Fields<'_>, Refusal> {
        Ok(fields(self.object()?))
    }
}

fn fields(map: &Map<String, Value>) -> Fields<'_> {
    Fields::new(map, |name, must_be| Refusal::bad_request(format!("{name} must be {must_be}.")))
}
