//! From a server's answer to a value the contract promises, or to the error it stands for.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AsHeaderName, CONTENT_TYPE, HeaderMap, HeaderName};
use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::listing::{Listing, Survey};
use super::operation::{Operation, Paging, Schema, SendForm};
use super::retry::is_quota;
use super::shape::{self, Fits};
use crate::error::{Error, ErrorKind};
use crate::sight::{self, Key, See, Sight, Skip};

/// How much of a body that is not JSON, or of a message, an error keeps.
const KEPT_TEXT: usize = 16 * 1024;

/// A successful answer, checked.
pub(crate) struct Value2xx {
    pub model: &'static str,
    /// For pages: where the items are, and what follows.
    pub page: Option<Box<Listing>>,
    pub body: Bytes,
}

/// Reads a 2xx body. `Err` says what is wrong with it, without quoting it.
pub(crate) fn read(
    operation: &Operation,
    status: u16,
    body: &Bytes,
    dry_run: bool,
    survey: Survey,
) -> std::result::Result<Value2xx, String> {
    let row = operation.answers.iter().find(|row| row.status == status);
    let row =
        row.or_else(|| operation.answers.iter().find(|row| row.status == 0)).or_else(|| operation.answers.first());
    let (model, schema, unwrap) = row.map_or(("", &Schema::Any, ""), |row| (row.model, row.schema, row.unwrap));
    if !matches!(operation.paging, Paging::None) {
        let (page, body) = decode(body, |text| survey(&operation.paging, text))?;
        return Ok(Value2xx { model, page: Some(Box::new(page?)), body });
    }
    if let Some(form) = operation.send.filter(|form| *form != SendForm::V4CreateChat) {
        return read_sent(form, model, schema, body, dry_run);
    }
    if matches!(schema, Schema::Any) && body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value2xx { model, page: None, body: Bytes::from_static(b"null") });
    }
    let (fits, mut body) = decode(body, |text| sight::read(text, Fits(schema)))?;
    if !fits {
        shape::check_answer("", &serde_json::from_slice(&body).unwrap_or_default(), schema)?;
    }
    if !unwrap.is_empty() {
        body = inner(&body, unwrap).ok_or_else(|| format!("{unwrap}: is missing"))?;
    }
    Ok(Value2xx { model, page: None, body })
}

/// Reads the answer to a send, and adds the ids of its messages.
fn read_sent(
    form: SendForm,
    model: &'static str,
    schema: &Schema,
    body: &Bytes,
    dry_run: bool,
) -> std::result::Result<Value2xx, String> {
    let single = if form == SendForm::V2 { model } else { "MessageSendResult" };
    let (id, body) = decode(body, |text| sight::read(text, OneId(form)))?;
    if let (Some(id), Schema::Object([])) = (id, schema) {
        return Ok(Value2xx { model: single, page: None, body: with_one_id(form, &body, id) });
    }
    let (value, _) = decode(&body, |text| serde_json::from_str::<Value>(text))?;
    let is_fan_out = fans_out(form, &value);
    if !is_fan_out {
        shape::check_answer("", &value, schema)?;
    }
    let value = with_message_ids(form, value, dry_run)?;
    let model = if is_fan_out { "FanOutResult" } else { single };
    Ok(Value2xx { model, page: None, body: shape::text(&value).into() })
}

/// Finds the id of an answer that stands for one message and does not have the fields yet that [`with_message_ids`] adds.
struct OneId(SendForm);

impl Sight for OneId {
    type Made = Option<String>;

    fn scalar(self, _: Value) -> Option<String> {
        None
    }

    fn text(self, _: &str) -> Option<String> {
        None
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Option<String>, A::Error> {
        Skip.list(list).map(|()| None)
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> Result<Option<String>, A::Error> {
        let (id, others): (_, &[&str]) = match self.0 {
            SendForm::V2 => ("message_id", &["message_ids"]),
            _ => ("id", &["data", "message_id", "message_ids"]),
        };
        let (mut found, mut plain) = (None, true);
        while let Some(is_id) = object.next_key_seed(Key(|key: &str| match key {
            _ if key == id => Some(true),
            _ if others.contains(&key) => None,
            _ => Some(false),
        }))? {
            match is_id {
                Some(true) => found = object.next_value_seed(See(Text))?,
                other => {
                    plain &= other.is_some();
                    object.next_value_seed(See(Skip))?;
                }
            }
        }
        Ok(found.filter(|_| plain))
    }
}

/// A string, and nothing else.
struct Text;

impl Sight for Text {
    type Made = Option<String>;

    fn scalar(self, _: Value) -> Option<String> {
        None
    }

    fn text(self, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Option<String>, A::Error> {
        Skip.list(list).map(|()| None)
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Option<String>, A::Error> {
        Skip.object(object).map(|()| None)
    }
}

/// What [`with_message_ids`] makes of a body in which [`OneId`] found `id`: every byte of the service's stays.
fn with_one_id(form: SendForm, body: &Bytes, id: String) -> Bytes {
    let id = shape::text(&id.into());
    let open = body.trim_ascii_end();
    let mut out = Vec::with_capacity(open.len() + 2 * id.len() + 32);
    out.extend_from_slice(open.strip_suffix(b"}").unwrap_or(open));
    if form != SendForm::V2 {
        out.extend_from_slice(b",\"message_id\":");
        out.extend_from_slice(id.as_bytes());
    }
    out.extend_from_slice(b",\"message_ids\":[");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"]}");
    out.into()
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
    let inner: &RawValue = sight::field(std::str::from_utf8(body).ok()?, field).ok()??;
    Some(body.slice_ref(inner.get().as_bytes()))
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
    hide: impl Fn(&str) -> String,
    wait: impl FnOnce(Option<&Value>) -> Option<Duration>,
) -> Error {
    let text = body.filter(|body| !body.is_empty()).map(|body| {
        shape::parse(body, char::REPLACEMENT_CHARACTER)
            .unwrap_or_else(|| Value::String(String::from_utf8_lossy(&body[..body.len().min(KEPT_TEXT)]).into_owned()))
    });
    let json = text.as_ref().filter(|value| value.is_object());
    let code = json.and_then(|body| code_of(body, &hide));
    let kind = match (status, code.as_deref()) {
        (429, Some(code)) if is_quota(code) => ErrorKind::QuotaExceeded,
        _ => ErrorKind::of_status(status),
    };
    let said =
        json.and_then(|body| body.pointer("/error/message").or_else(|| body.get("message"))).and_then(Value::as_str);
    // What is longer is no sentence, and takes long to search for the caller's own words.
    let message = match said.filter(|said| said.len() <= KEPT_TEXT) {
        Some(said) => hide(said),
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

/// `error.code`, else `code`, else `error` where it reads like a code. It is shown and logged, so that whatever may be somebody's number
/// or text is none.
fn code_of(body: &Value, hide: impl Fn(&str) -> String) -> Option<String> {
    let nested = body.pointer("/error/code").and_then(Value::as_str);
    let flat = body.get("code").and_then(Value::as_str);
    let slug = body.get("error").and_then(Value::as_str).filter(|error| is_slug(error));
    let code = nested.or(flat).or(slug)?;
    let is_code = (1..=128).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    (is_code && hide(code) == code).then(|| code.to_owned())
}

/// `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`
fn is_slug(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .split('_')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// A header's (first) value, legible whatever the server sent.
pub(crate) fn header(headers: &HeaderMap, name: impl AsHeaderName) -> Option<Cow<'_, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// The service's id of a request. It is shown and logged, so that whatever looks like a sentence, an address or a number is none.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    static NAMES: [HeaderName; 3] = [
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("request-id"),
        HeaderName::from_static("cf-ray"),
    ];
    let id = NAMES.iter().find_map(|name| header(headers, name))?;
    let is_id = (1..=200).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic() && b != b'@');
    (is_id && !id.starts_with('+')).then(|| id.into_owned())
}

/// The type in a header, without its parameters.
fn media_type(header: &str) -> &str {
    let name = header.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+".contains(&b));
    match name.split_once('/') {
        Some((kind, form)) if name.len() <= 64 && is_token(kind) && is_token(form) => name,
        _ => "no readable content type",
    }
}

/// A 2xx the contract does not promise.
pub(crate) fn undecodable(status: u16, headers: &HeaderMap, body: Option<&Bytes>, problem: &str) -> Error {
    let content_type = header(headers, CONTENT_TYPE);
    let content_type = content_type.as_deref().map_or("no content type", media_type);
    let text = body.map(|body| Value::String(String::from_utf8_lossy(&body[..body.len().min(KEPT_TEXT)]).into_owned()));
    Error::new(ErrorKind::Decode, format!("the service answered {status}, but {problem} ({content_type})"))
        .with_status(status)
        .with_request_id(request_id(headers))
        .with_body(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_added_to_the_text_as_they_are_to_the_value() {
        let bodies = [
            r#"{"message_id":"m_1","status":"queued"}"#,
            r#" {"status": "a\u00e4\n", "message_id": "m\"1", "message_id": "m_2", "n": 12345678901234567890123} "#,
            r#"{"message_id":"m_1","message_ids":["m_2","m_3"]}"#,
            r#"{"message_id":7,"message_ids":"m_1"}"#,
            r#"{"message_id":"m_1","message_id":null}"#,
            r#"{"id":"m_1","data":{"id":"m_2"},"message_id":"other"}"#,
            r#"{"id":"m_1","channel":{"data":[],"message_ids":1}}"#,
            r#"{"id":"m_1","data":[{"id":"m_2"},{"error":{}}]}"#,
            r#"{"data":[]}"#,
            r#"{"dry_run":true}"#,
            "{}",
            "[]",
            "null",
            r#""m_1""#,
        ];
        for body in bodies {
            for form in [SendForm::V2, SendForm::V4Chat] {
                for dry_run in [false, true] {
                    let read = read_sent(form, "", &Schema::Object(&[]), &Bytes::from_static(body.as_bytes()), dry_run);
                    let text = read.map(|read| -> Value { serde_json::from_slice(&read.body).unwrap() });
                    let value: Value = serde_json::from_str(body).unwrap();
                    let fits = shape::check_answer("", &value, &Schema::Object(&[]));
                    assert_eq!(text, fits.and_then(|()| with_message_ids(form, value, dry_run)), "{form:?} {body}");
                }
            }
        }
    }
}
