//! `/_sandbox`: what the services do not have, for tests to steer the sandbox.

use std::sync::Arc;

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::fields::Fields;
use crate::limit::Window;
use crate::namespace::Namespace;
use crate::refusal::Refusal;
use crate::server::{App, Incoming, SERVICES};
use crate::service::{Answer, KeyRefused, Outcome};

/// Answers a control request; `path` is what follows `/_sandbox`.
pub(crate) fn answer(app: &App, incoming: Incoming, path: &str) -> Answer {
    route(app, incoming, path).unwrap_or_else(|refusal| {
        let error = refusal.reason();
        let mut answer =
            Answer::new(refusal.status, json!({"error": error, "message": refusal.message, "status": refusal.status}));
        answer.headers = refusal.headers;
        answer
    })
}

fn route(app: &App, mut incoming: Incoming, path: &str) -> Outcome {
    same_machine(&incoming.headers)?;
    let body = incoming.body()?;
    match (incoming.method.as_str(), path) {
        ("POST", "/namespaces") => create_namespace(app, &body),
        ("PUT", "/limits") => set_limit(app, &incoming.headers, &body),
        (_, "/namespaces") => Err(wrong_method("POST")),
        (_, "/limits") => Err(wrong_method("PUT")),
        _ => Err(Refusal::not_found("No such control endpoint.")),
    }
}

/// `{"seed"?}` → fresh keys with a world of their own.
fn create_namespace(app: &App, body: &[u8]) -> Outcome {
    let body = parse(body)?;
    let seed = fields(&body)?.integer("seed")?;
    let namespace = app.namespaces.create(seed.map(i64::cast_unsigned));
    Ok(Answer::new(
        201,
        json!({
            "url": format!("http://{}", app.address),
            "blooio_api_key": namespace.keys.blooio,
            "bloomchats_api_key": namespace.keys.bloomchats,
        }),
    ))
}

/// `{"api", "per_minute"}` → the limit of the calling key's namespace, counted from now; `null` takes it off again.
fn set_limit(app: &App, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let body = parse(body)?;
    let fields = fields(&body)?;
    let api = fields.required_text("api")?;
    let service = SERVICES.iter().find(|service| service.name() == api);
    let service = service.ok_or_else(|| fields.refuse("api", "one of bloomchats, v2, v4"))?;
    let per_minute = fields.integer("per_minute")?.map(u64::try_from).transpose();
    let per_minute = per_minute.map_err(|_| fields.refuse("per_minute", "an integer of at least 0, or null"))?;
    let namespace = calling_namespace(app, headers)?;
    namespace.with(|state| state.windows.insert(service.name(), Window::new(per_minute)));
    Ok(Answer::ok(json!({"api": service.name(), "per_minute": per_minute})))
}

fn calling_namespace(app: &App, headers: &HeaderMap) -> Result<Arc<Namespace>, Refusal> {
    let keys = SERVICES.iter().map(|service| (service.product(), service.key(headers)));
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

/// A page in a browser must not steer the sandbox, neither across origins nor through a rebound name.
fn same_machine(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    let host = text("host").unwrap_or_default();
    let origin = text("origin");
    let origin_host = origin.as_deref().map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    let local = |host: &str| {
        let name = host
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
            .map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    };
    if local(&host) && origin_host.is_none_or(local) {
        return Ok(());
    }
    Err(Refusal::new(403, "Control requests must come from this machine."))
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::bad_request("The body is not valid JSON."))
}

fn fields(body: &Value) -> Result<Fields<'_>, Refusal> {
    let map = body.as_object().ok_or_else(|| Refusal::bad_request("The body must be a JSON object."))?;
    Ok(Fields::new(map, |name, must_be| Refusal::bad_request(format!("{name} must be {must_be}."))))
}

fn wrong_method(right: &'static str) -> Refusal {
    Refusal::new(405, format!("This path takes {right} only.")).header("allow", right)
}
