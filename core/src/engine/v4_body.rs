//! The two generations of v4 send bodies, written from one set of arguments.
//!
//! The older generation wraps the content in a tagged `content` object and spells sender and recipient as objects; the
//! newer one puts everything at the top level. Not every message can be said in the older one.

use serde_json::{Map, Value, json};

use super::operation::{Operation, Place, Schema, SendForm};
use super::shape::ObjectWriter;

/// Content groups and modifiers that exist only as flat fields, whether they come as arguments or in `extra_body`.
const FLAT_ONLY: &[&str] = &["template", "app_clip", "imessage_app", "format"];
const MODIFIERS: &[&str] = &["reply_to", "effect", "link_preview"];

/// The tagged form of a checked send, or `None` where the message has no such form.
pub(crate) fn content(
    operation: &Operation,
    form: SendForm,
    args: &Map<String, Value>,
    extra: &Map<String, Value>,
) -> Option<Vec<u8>> {
    if form == SendForm::V4CreateChat {
        return create_chat(args, extra);
    }
    if FLAT_ONLY.iter().any(|name| args.contains_key(*name) || extra.contains_key(*name)) {
        return None;
    }
    let mut body = Vec::new();
    let mut object = ObjectWriter::new(&mut body);
    if form == SendForm::V4Routed {
        for (name, json) in sender(args)? {
            object.key(name).extend_from_slice(&json);
        }
    }
    if let Some(to) = args.get("to") {
        object.field("to", &recipient(to), &Schema::Any);
    }
    tagged(operation, args, object.key("content"))?;
    if let Some(dry_run) = args.get("dry_run") {
        object.field("dry_run", dry_run, &Schema::Any);
    }
    for (name, value) in extra {
        object.field(name, value, &Schema::Any);
    }
    object.end();
    Some(body)
}

fn create_chat(args: &Map<String, Value>, extra: &Map<String, Value>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut object = ObjectWriter::new(&mut body);
    object.field("channel_id", args.get("channel_id")?, &Schema::Any);
    object.field("to", &recipient(args.get("to")?), &Schema::Any);
    for (name, value) in extra {
        object.field(name, value, &Schema::Any);
    }
    object.end();
    Some(body)
}

fn tagged(operation: &Operation, args: &Map<String, Value>, out: &mut Vec<u8>) -> Option<()> {
    let given = |name: &str| args.get(name);
    // (type, fields of the content as (wire name, argument), modifiers it can carry)
    let (kind, fields, modifiers): (&str, Vec<(&str, &Value)>, &[&str]) = if let Some(attachments) =
        given("attachments")
    {
        let caption = given("text").map(|text| ("caption", text));
        ("media", [("attachments", attachments)].into_iter().chain(caption).collect(), &["reply_to"])
    } else if let Some(text) = given("text") {
        ("text", vec![("text", text)], MODIFIERS)
    } else if let Some(parts) = given("parts") {
        let plain =
            |part: &Value| part.as_object().is_some_and(|part| part.keys().all(|key| key == "text" || key == "url"));
        if !parts.as_array()?.iter().all(plain) {
            return None;
        }
        ("multipart", vec![("parts", parts)], &["reply_to"])
    } else if let Some(link) = given("rich_link") {
        ("rich_link", members(link, &["url", "title"])?, &["reply_to"])
    } else if let Some(interactive) = given("interactive") {
        ("interactive", members(interactive, &["kind"])?, &[])
    } else {
        ("poll", members(given("poll")?, &["title", "options"])?, &[])
    };
    if MODIFIERS.iter().any(|name| given(name).is_some() && !modifiers.contains(name)) {
        return None;
    }
    let mut object = ObjectWriter::new(out);
    object.field("type", &Value::from(kind), &Schema::Any);
    let modifiers = modifiers.iter().filter_map(|name| given(name).map(|value| (*name, value)));
    for (name, value) in fields.into_iter().chain(modifiers) {
        object.field(name, value, schema_of(operation, name));
    }
    object.end();
    Some(())
}

/// An object's members: the listed ones first, in order, then the rest as they are sorted.
fn members<'a>(object: &'a Value, first: &[&'a str]) -> Option<Vec<(&'a str, &'a Value)>> {
    let object = object.as_object()?;
    let listed = first.iter().filter_map(|name| object.get(*name).map(|value| (*name, value)));
    let others =
        object.iter().filter(|(name, _)| !first.contains(&name.as_str())).map(|(name, value)| (name.as_str(), value));
    Some(listed.chain(others).collect())
}

fn schema_of(operation: &Operation, name: &str) -> &'static Schema {
    let argument =
        operation.arguments.iter().find(|argument| argument.place == Place::Body && argument.field.name == name);
    argument.map_or(&Schema::Any, |argument| argument.field.schema)
}

/// `from` and `priority_id` of the older generation as JSON, or `None` where only the flat form can name this sender.
fn sender(args: &Map<String, Value>) -> Option<Vec<(&'static str, Vec<u8>)>> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let selector = match (text("from"), text("channel_type"), text("priority_id"), args.get("hybrid")) {
        (None, None, None, None) => return Some(Vec::new()),
        (Some(from), None, None, None) if from.starts_with("ch_") => object(&[("id", from)]),
        (Some(from), Some(channel_type), None, None) if is_number(from) => {
            object(&[("type", channel_type), ("number", from)])
        }
        (None, Some(channel_type), None, None) => object(&[("type", channel_type)]),
        (None, None, Some(priority), None) => {
            return Some(vec![("priority_id", Value::from(priority).to_string().into())]);
        }
        (None, Some(channel_type), Some(priority), None) => {
            object(&[("type", channel_type), ("priority_id", priority)])
        }
        (None, None, None, Some(Value::String(number))) => object(&[("type", "hybrid"), ("number", number)]),
        _ => return None,
    };
    Some(vec![("from", selector)])
}

fn object(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = ObjectWriter::new(&mut out);
    for (name, value) in fields {
        object.field(name, &Value::from(*value), &Schema::Any);
    }
    object.end();
    out
}

fn is_number(from: &str) -> bool {
    from.starts_with('+') || from.chars().all(|c| c.is_ascii_digit() || " ()-.".contains(c))
}

fn recipient(to: &Value) -> Value {
    match to {
        Value::String(identifier) => json!({"identifier": identifier}),
        Value::Array(identifiers) => json!({"identifiers": identifiers}),
        other => other.clone(),
    }
}

/// Whether a refusal of the tagged form invites the flat one: an error object (not a fan-out) without a code, or with the one that names the content.
pub(crate) fn invites_flat(status: u16, code: Option<&str>, body: Option<&Value>) -> bool {
    let is_error = body.and_then(Value::as_object).is_some_and(|body| body.contains_key("error"));
    matches!(status, 400 | 422) && is_error && matches!(code, None | Some("invalid_content"))
}
