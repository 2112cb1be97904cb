//! `request()`: any path below an API's prefix, with the engine's checks, credentials, limits and errors.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::operation::{Api, Argument, BodyKind, Field, Idempotency, Method, Operation, Paging, Place, Schema};
use super::request::{self, Bodies, Private, Request, Traits};
use super::{CallOptions, listing, shape, url};
use crate::config::Settings;
use crate::error::{Error, Result};

const fn argument(name: &'static str, required: bool, schema: &'static Schema) -> Argument {
    Argument { place: Place::Body, field: Field { name, wire: name, required, schema } }
}

/// What `request()` accepts; its HTTP is made by [`build`].
pub(crate) static RAW: Operation = Operation {
    name: "request",
    api: Api::BlooioV2,
    method: Method::Get,
    path: "",
    arguments: &[
        argument("method", true, &Schema::String),
        argument("path", true, &Schema::String),
        argument("query", false, &Schema::Nullable(&Schema::Object(&[]))),
        argument("body", false, &Schema::Any),
    ],
    body: BodyKind::Json,
    content: None,
    idempotency: Idempotency::Sent,
    read_only: false,
    effect_get: false,
    one_time_secret: false,
    send: None,
    paging: Paging::None,
    answers: &[],
};

/// The API that a public name `<client>.request` addresses.
pub(crate) fn api_of(name: &str) -> Option<Api> {
    match name {
        "bloomchats.request" => Some(Api::BloomChats),
        "blooio.v2.request" => Some(Api::BlooioV2),
        "blooio.v4.request" => Some(Api::BlooioV4),
        _ => None,
    }
}

/// Checks and freezes a raw request.
pub(crate) fn build<'a>(
    settings: &Settings,
    api: Api,
    arguments: &'a Map<String, Value>,
    options: &'a CallOptions,
) -> Result<Request<'a>> {
    request::check_names(&RAW, arguments)?;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let method = match text("method").to_ascii_uppercase().as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return Err(Error::argument("method", "must be GET, POST, PUT, PATCH or DELETE")),
    };
    let root = settings.root(api);
    let path = path(root.prefix(), text("path"), api)?;
    let mut query: Vec<(String, String)> = match arguments.get("query") {
        Some(Value::Object(query)) => query
            .iter()
            .map(|(name, value)| plain(name, value).map(|value| (name.clone(), value)))
            .collect::<Result<_>>()?,
        _ => Vec::new(),
    };
    query.extend(request::extra_query(options)?);
    let body = body(method, arguments.get("body"), options)?;
    let content_type = body.is_some().then(|| request::JSON.clone());
    let harmless = method == Method::Get;
    Ok(Request {
        api,
        method,
        uri: root.uri(url::with_query(path, query.iter().map(|(name, value)| (name.as_str(), value.as_str()))))?,
        headers: request::headers(settings, content_type, options)?,
        body: Bodies::One(body.unwrap_or_default()),
        traits: Traits {
            harmless,
            replayable: harmless || matches!(method, Method::Put | Method::Delete),
            one_time_secret: false,
            dry_run: false,
            idempotency: if method == Method::Post { Idempotency::Sent } else { Idempotency::None },
        },
        private: Private { arguments, files: &[], options, gather: private_values },
        survey: listing::survey::<()>,
    })
}

fn private_values(arguments: &Map<String, Value>, options: &CallOptions) -> Vec<String> {
    let values = ["query", "body"].into_iter().filter_map(|name| arguments.get(name));
    let mut private = request::private_texts(values, options);
    let path = arguments.get("path").and_then(Value::as_str).unwrap_or_default();
    private.extend(path.split('/').filter(|segment| request::is_private(segment)).map(str::to_owned));
    private
}

fn plain(name: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(Error::argument(format!("query.{name}"), "expected a string, a number or a boolean")),
    }
}

fn body(method: Method, body: Option<&Value>, options: &CallOptions) -> Result<Option<Bytes>> {
    let body = match (body, options.extra_body.is_empty()) {
        (body, true) => body.cloned(),
        (None | Some(Value::Object(_)), false) => {
            let mut map = body.and_then(Value::as_object).cloned().unwrap_or_default();
            map.extend(options.extra_body.clone());
            Some(Value::Object(map))
        }
        (Some(_), false) => return Err(Error::argument("extra_body", "can only extend a body that is an object")),
    };
    if body.is_some() && method == Method::Get {
        return Err(Error::argument("body", "a GET request has no body"));
    }
    Ok(body.map(|body| {
        let mut out = Vec::new();
        shape::write(&mut out, &body, &Schema::Any);
        out.into()
    }))
}

/// The path below the prefix, encoded where it is not yet.
fn path(root: &str, given: &str, api: Api) -> Result<String> {
    let refuse = |problem: &str| Err(Error::argument("path", problem));
    let Some(rest) = given.strip_prefix('/') else {
        return refuse("must begin with / and is relative to the API's prefix, as /contacts");
    };
    if given.contains(['?', '#']) {
        return refuse("must not hold ? or #; pass query instead");
    }
    let prefix = match api {
        Api::BloomChats => "/api",
        Api::BlooioV2 => "/v2/api",
        Api::BlooioV4 => "/v4",
    };
    if given.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return refuse(&format!("repeats the prefix {prefix}; paths are relative to it"));
    }
    let mut path = root.to_owned();
    for segment in rest.split('/') {
        path.push('/');
        path.push_str(&self::segment(segment)?);
    }
    Ok(path)
}

/// A segment that is fully encoded stays; one without any escape is encoded; a mixture has no clear meaning.
fn segment(segment: &str) -> Result<String> {
    let encoded = url::segment("path", segment, false)?;
    let bytes = segment.as_bytes();
    let escapes = bytes.iter().filter(|b| **b == b'%').count();
    let valid =
        bytes.windows(3).filter(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit()).count();
    let unreserved = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(b));
    match escapes {
        0 => Ok(encoded.to_string()),
        _ if escapes == valid && unreserved => Ok(segment.to_owned()),
        _ => Err(Error::argument(
            "path",
            "mixes percent-encoded and unencoded characters; encode each segment wholly or not at all",
        )),
    }
}
