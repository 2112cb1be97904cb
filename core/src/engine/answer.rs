//! From a server's answer to a value the contract promises, or to the error it stands for.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::listing::{self, Listing};
use super::operation::{Operation, Paging, Schema, SendForm};
use super::retry::is_quota;
use super::shape;
use crate::error::redact::redact;
use crate::error::{Error, ErrorKind};

/// How much of a body that is not JSON an error keeps.
const KEPT_TEXT: usize = 16 * 1024;

/// A successful answer, checked.
#[derive(Debug)]
pub(crate) struct Value2xx {
    pub model: &'static str,
    /// For pages: where the items are, and what follows.
    pub page: Option<Listing>,
    pub body: Bytes,
}

/// Reads a 2xx body. `Err` says what is wrong with it, without quoting it.
pub(crate) fn read(
    operation: &Operation,
    status: u16,
    body: &Bytes,
    dry_run: bool,
) -> std::result::Result<Value2xx, String> {
    let row = operation.answers.iter().find(|row| row.status == status);
    let row =
        row.or_else(|| operation.answers.iter().find(|row| row.status == 0)).or_else(|| operation.answers.first());
    let (mut model, schema, unwrap) = row.map_or(("", &Schema::Any, ""), |row| (row.model, row.schema, row.unwrap));
    if !matches!(operation.paging, Paging::None) {
        let (page, body) = decode(body, |text| listing::survey(&operation.paging, text))?;
        return Ok(Value2xx { model, page: Some(page?), body });
    }
    let (value, mut body) = match body.iter().all(u8::is_ascii_whitespace) {
        true if matches!(schema, Schema::Any) => (Value::Null, Bytes::from_static(b"null")),
        _ => decode(body, |text| serde_json::from_str::<Value>(text))?,
    };
    let is_fan_out = operation.send.is_some_and(|form| fans_out(form, &value));
    if is_fan_out {
        model = "FanOutResult";
    } else {
        shape::check_answer("", &value, schema)?;
    }
    if let Some(form) = operation.send.filter(|form| *form != SendForm::V4CreateChat) {
        let value = with_message_ids(form, value, dry_run)?;
        if form != SendForm::V2 && !is_fan_out {
            model = "MessageSendResult";
        }
        return Ok(Value2xx { model, page: None, body: shape::text(&value).into() });
    }
    if !unwrap.is_empty() {
        body = inner(&body, unwrap).ok_or_else(|| format!("{unwrap}: is missing"))?;
    }
    Ok(Value2xx { model, page: None, body })
}

/// Reads a body, lone surrogates replaced, and gives it back as it was read.
fn decode<T>(body: &Bytes, read: impl Fn(&str) -> serde_json::Result<T>) -> std::result::Result<(T, Bytes), String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err("the body is empty".into());
    }
    let text = std::str::from_utf8(body).map_err(|_| "the body is not valid UTF-8")?;
    if let Ok(read) = read(text) {
        return Ok((read, body.clone()));
    }
    let repaired = shape::without_lone_surrogates(body, char::REPLACEMENT_CHARACTER).map(Bytes::from);
    let read = repaired.as_ref().and_then(|body| read(std::str::from_utf8(body).ok()?).ok());
    read.zip(repaired).ok_or_else(|| "the body is not JSON".into())
}

/// A field's own bytes, so that numbers keep every digit the service sent.
fn inner(body: &Bytes, field: &str) -> Option<Bytes> {
    let fields: std::collections::BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    Some(body.slice_ref(fields.get(field)?.get().as_bytes()))
}

fn fans_out(form: SendForm, value: &Value) -> bool {
    !matches!(form, SendForm::V2 | SendForm::V4CreateChat) && value.get("data").is_some_and(Value::is_array)
}

/// Whether an error body is a fan-out in which no recipient could be served.
pub(crate) fn is_fan_out(operation: Option<SendForm>, body: Option<&Value>) -> bool {
    operation.zip(body).is_some_and(|(form, body)| fans_out(form, body))
}

/// Adds `message_id` and `message_ids`, the one thing every caller of a send needs, to a result and to each result of
/// a fan-out; refuses results without them.
pub(crate) fn with_message_ids(form: SendForm, value: Value, dry_run: bool) -> std::result::Result<Value, String> {
    let Value::Object(mut map) = value else { return Err("the body: expected an object".into()) };
    if form != SendForm::V2 && map.get("data").is_some_and(Value::is_array) {
        let mut ids = Vec::new();
        for item in
            map.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
        {
            let own: Vec<String> = text(item, "id").into_iter().collect();
            ids.extend(own.clone());
            insert_ids(item, own);
        }
        insert_ids(&mut map, ids);
        return Ok(Value::Object(map));
    }
    let several = map.get("message_ids").and_then(Value::as_array).filter(|_| form == SendForm::V2);
    let several: Vec<String> = several.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let name = if form == SendForm::V2 { "message_id" } else { "id" };
    let ids = if several.is_empty() { text(&map, name).into_iter().collect() } else { several };
    if ids.is_empty() && !dry_run && map.get("dry_run") != Some(&Value::Bool(true)) {
        return Err(
            if form == SendForm::V2 { "message_id and message_ids: are missing" } else { "id: is missing" }.into()
        );
    }
    insert_ids(&mut map, ids);
    Ok(Value::Object(map))
}

fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    map.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn insert_ids(map: &mut Map<String, Value>, ids: Vec<String>) {
    let only = ids.first().filter(|_| ids.len() == 1).map_or(Value::Null, |id| id.as_str().into());
    map.insert("message_id".into(), only);
    map.insert("message_ids".into(), ids.into());
}

/// The error an answer of status 300 or more stands for.
pub(crate) fn refusal(
    status: u16,
    headers: &HeaderMap,
    body: Option<&Bytes>,
    private: &[String],
    wait: impl FnOnce(Option<&Value>) -> Option<Duration>,
) -> Error {
    let text = body.filter(|body| !body.is_empty()).map(|body| {
        shape::parse(body, char::REPLACEMENT_CHARACTER)
            .unwrap_or_else(|| Value::String(String::from_utf8_lossy(&body[..body.len().min(KEPT_TEXT)]).into_owned()))
    });
    let json = text.as_ref().filter(|value| value.is_object());
    let code = json.and_then(code_of);
    let kind = match (status, code.as_deref()) {
        (429, Some(code)) if is_quota(code) => ErrorKind::QuotaExceeded,
        _ => ErrorKind::of_status(status),
    };
    let said =
        json.and_then(|body| body.pointer("/error/message").or_else(|| body.get("message"))).and_then(Value::as_str);
    let message = match said {
        Some(said) => redact(said, private),
        None => format!("the service answered {status}{}", reason_phrase(status)),
    };
    let resets_at = json
        .and_then(|body| body.get("resets_at").or_else(|| body.pointer("/error/details/resets_at")))
        .and_then(Value::as_i64);
    let wait = wait(text.as_ref());
    Error::new(kind, message)
        .with_status(status)
        .with_code(code)
        .with_request_id(request_id(headers))
        .with_retry_after(wait)
        .with_resets_at(resets_at)
        .with_body(text)
}

fn reason_phrase(status: u16) -> String {
    let phrase = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    phrase.map_or_else(String::new, |phrase| format!(" ({phrase})"))
}

/// `error.code`, else `code`, else `error` where it reads like a code.
fn code_of(body: &Value) -> Option<String> {
    let nested = body.pointer("/error/code").and_then(Value::as_str);
    let flat = body.get("code").and_then(Value::as_str);
    let slug = body.get("error").and_then(Value::as_str).filter(|error| is_slug(error));
    nested.or(flat).or(slug).map(str::to_owned)
}

/// `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`
fn is_slug(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .split('_')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// A header's (first) value, legible whatever the server sent.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "cf-ray"].iter().find_map(|name| header(headers, name)).map(Cow::into_owned)
}

/// A 2xx the contract does not promise.
pub(crate) fn undecodable(status: u16, headers: &HeaderMap, body: Option<&Bytes>, problem: &str) -> Error {
    let content_type = header(headers, "content-type").unwrap_or("no content type".into());
    let text = body.map(|body| Value::String(String::from_utf8_lossy(&body[..body.len().min(KEPT_TEXT)]).into_owned()));
    Error::new(ErrorKind::Decode, format!("the service answered {status}, but {problem} ({content_type})"))
        .with_status(status)
        .with_request_id(request_id(headers))
        .with_body(text)
}
