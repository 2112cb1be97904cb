//! JSON against the contract's shapes: strict on what is sent, lenient on what is received.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operation::{Field, Schema};
use crate::error::{Error, Result};
use crate::sight::{Key, See, Sight, Skip};

/// Noncharacter that marks a lone surrogate found while parsing; never valid in an argument.
pub(crate) const LONE_SURROGATE: char = '\u{FDD0}';

/// Parses JSON that may hold lone surrogates, each of which becomes `stand_in`.
pub(crate) fn parse(bytes: &[u8], stand_in: char) -> Option<Value> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(_) => serde_json::from_slice(&without_lone_surrogates(bytes, stand_in)?).ok(),
    }
}

/// The same JSON with `\uD8xx` halves that have no partner replaced; `None` when there are none.
pub(crate) fn without_lone_surrogates(bytes: &[u8], stand_in: char) -> Option<Vec<u8>> {
    let escape = |at: usize| -> Option<u16> {
        let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut found = false;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let (length, lone) = match escape(at) {
            Some(0xD800..=0xDBFF) => match escape(at + 6) {
                Some(0xDC00..=0xDFFF) => (12, false),
                _ => (6, true),
            },
            Some(0xDC00..=0xDFFF) => (6, true),
            _ => (2, false),
        };
        if lone {
            found = true;
            out.extend_from_slice(stand_in.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            out.extend_from_slice(&bytes[at..bytes.len().min(at + length)]);
        }
        at += length;
    }
    found.then_some(out)
}

/// Refuses what no JSON text can carry faithfully: lone surrogates, and whole numbers that lost their digits.
pub(crate) fn check_faithful(path: &str, value: &Value) -> Result<()> {
    match value {
        Value::String(text) if text.contains(LONE_SURROGATE) => {
            Err(Error::argument(path, "holds a lone surrogate (half of a UTF-16 pair), which is not text"))
        }
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_some_and(|n| n.fract() == 0.0 && n.abs() >= 9e15) =>
        {
            Err(Error::argument(path, "is a number beyond 64 bits; pass it as a string"))
        }
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, item)| check_faithful(&format!("{path}[{i}]"), item))
        }
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            if key.contains(LONE_SURROGATE) {
                return Err(Error::argument(
                    path,
                    "has a key with a lone surrogate (half of a UTF-16 pair), which is not text",
                ));
            }
            check_faithful(&join(path, key), item)
        }),
        _ => Ok(()),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Checks an argument in depth: kinds, required fields, array bounds.
pub(crate) fn check_argument(path: &str, value: &Value, schema: &Schema) -> Result<()> {
    let expected = |what: &str| Err(Error::argument(path, format!("expected {what}, got {}", kind_of(value))));
    match (schema, value) {
        (Schema::Any, _) | (Schema::Nullable(_), Value::Null) => Ok(()),
        (Schema::Nullable(inner), _) => check_argument(path, value, inner),
        (_, Value::Null) => Err(Error::argument(path, "null is not accepted here; leave it out instead")),
        (Schema::String, Value::String(_)) | (Schema::Number, Value::Number(_)) | (Schema::Boolean, Value::Bool(_)) => {
            Ok(())
        }
        (Schema::Integer, Value::Number(number)) if !number.is_f64() => Ok(()),
        (Schema::List { items, min, max }, Value::Array(given)) => {
            if given.len() < *min {
                return Err(Error::argument(
                    path,
                    format!("needs at least {min} {}", if *min == 1 { "element" } else { "elements" }),
                ));
            }
            if given.len() > *max {
                return Err(Error::argument(path, format!("takes at most {max} elements, got {}", given.len())));
            }
            given.iter().enumerate().try_for_each(|(i, item)| check_argument(&format!("{path}[{i}]"), item, items))
        }
        (Schema::Object(fields), Value::Object(map)) => {
            fields.iter().try_for_each(|field| check_field(path, map, field))
        }
        (Schema::OneOf(choices), _) => {
            let mut refusals = choices.iter().map(|choice| check_argument(path, value, choice).err());
            if refusals.any(|refusal| refusal.is_none()) {
                return Ok(());
            }
            // The alternative of the right kind explains best what is wrong inside it.
            match choices.iter().find(|choice| same_kind(choice, value)) {
                Some(choice) => check_argument(path, value, choice),
                None => expected(&describe(schema)),
            }
        }
        _ => expected(&describe(schema)),
    }
}

fn check_field(path: &str, map: &Map<String, Value>, field: &Field) -> Result<()> {
    let at = join(path, field.name);
    match map.get(field.name) {
        Some(value) => check_argument(&at, value, field.schema),
        None if field.required && !map.contains_key(field.wire) => Err(Error::argument(at, "is required")),
        None => Ok(()),
    }
}

fn same_kind(schema: &Schema, value: &Value) -> bool {
    matches!(
        (schema, value),
        (Schema::Object(_), Value::Object(_))
            | (Schema::List { .. }, Value::Array(_))
            | (Schema::String, Value::String(_))
    )
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn describe(schema: &Schema) -> String {
    match schema {
        Schema::Any => "a value".into(),
        Schema::String => "a string".into(),
        Schema::Integer => "a whole number".into(),
        Schema::Number => "a number".into(),
        Schema::Boolean => "a boolean".into(),
        Schema::List { .. } => "a list".into(),
        Schema::Object(_) => "an object".into(),
        Schema::Nullable(inner) => format!("{} or null", describe(inner)),
        Schema::OneOf(choices) => {
            let mut names: Vec<String> = choices.iter().map(describe).collect();
            names.dedup();
            names.join(" or ")
        }
    }
}

/// Writes a checked value with listed fields in contract order and the others after them, sorted.
pub(crate) fn write(out: &mut Vec<u8>, value: &Value, schema: &Schema) {
    match (schema, value) {
        (Schema::Nullable(inner), _) => write(out, value, inner),
        (Schema::OneOf(choices), _) => {
            let fitting = choices.iter().find(|choice| check_argument("", value, choice).is_ok());
            write(out, value, fitting.unwrap_or(&Schema::Any));
        }
        (Schema::List { items, .. }, Value::Array(given)) => {
            out.push(b'[');
            for (i, item) in given.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(out, item, items);
            }
            out.push(b']');
        }
        (Schema::Object(fields), Value::Object(map)) => {
            let mut object = ObjectWriter::new(out);
            for field in *fields {
                if let Some(value) = map.get(field.name) {
                    object.field(field.wire, value, field.schema);
                }
            }
            for (key, value) in map {
                if !fields.iter().any(|field| field.name == key) {
                    object.field(key, value, &Schema::Any);
                }
            }
            object.end();
        }
        _ => put(out, value),
    }
}

/// A value as JSON, without the detour over formatting that its `to_string` makes.
pub(crate) fn text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Nothing that is written here can fail to be JSON, nor a vector to grow.
fn put(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value).unwrap_or_default();
}

/// Writes one JSON object field by field.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        ObjectWriter { out, empty: true }
    }

    pub fn field(&mut self, name: &str, value: &Value, schema: &Schema) {
        write(self.key(name), value, schema);
    }

    /// Writes the name and lends the output for the value.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        put(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Checks an answer: its kind, the fields that are always there, and the elements of its lists. `Err` is the path.
pub(crate) fn check_answer(path: &str, value: &Value, schema: &Schema) -> std::result::Result<(), String> {
    let wrong = || {
        Err(format!(
            "{}: expected {}, got {}",
            if path.is_empty() { "the body" } else { path },
            describe(schema),
            kind_of(value)
        ))
    };
    match (schema, value) {
        (Schema::Any, _) | (Schema::Nullable(_), Value::Null) => Ok(()),
        (Schema::Nullable(inner), _) => check_answer(path, value, inner),
        (Schema::Object(fields), Value::Object(map)) => {
            fields.iter().filter(|field| field.required).try_for_each(|field| {
                let at = join(path, field.wire);
                match map.get(field.wire) {
                    Some(value) => check_answer(&at, value, field.schema),
                    None => Err(format!("{at}: is missing")),
                }
            })
        }
        (Schema::List { items, .. }, Value::Array(given)) => {
            given.iter().enumerate().try_for_each(|(i, item)| check_answer(&format!("{path}[{i}]"), item, items))
        }
        (Schema::OneOf(choices), _) if choices.iter().any(|choice| check_answer(path, value, choice).is_ok()) => Ok(()),
        (Schema::String, Value::String(_)) | (Schema::Number, Value::Number(_)) | (Schema::Boolean, Value::Bool(_)) => {
            Ok(())
        }
        (Schema::Integer, Value::Number(number)) if !number.is_f64() => Ok(()),
        _ => wrong(),
    }
}

/// Whether an answer passes [`check_answer`], seen while it is read; that one says what is wrong where this says no.
pub(crate) struct Fits<'a>(pub &'a Schema);

impl Fits<'_> {
    fn whole(self, value: &Value) -> bool {
        check_answer("", value, self.0).is_ok()
    }
}

impl Sight for Fits<'_> {
    type Made = bool;

    fn scalar(self, value: Value) -> bool {
        self.whole(&value)
    }

    fn text(self, _: &str) -> bool {
        self.whole(&Value::String(String::new()))
    }

    fn list<'de, A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<bool, A::Error> {
        match self.0 {
            Schema::Any => Skip.list(list).map(|()| true),
            Schema::Nullable(inner) => Fits(inner).list(list),
            Schema::List { items, .. } => {
                let mut fit = true;
                while let Some(fits) = list.next_element_seed(See(Fits(items)))? {
                    fit &= fits;
                }
                Ok(fit)
            }
            _ => Value::deserialize(SeqAccessDeserializer::new(list)).map(|value| self.whole(&value)),
        }
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<bool, A::Error> {
        match self.0 {
            Schema::Any => Skip.object(object).map(|()| true),
            Schema::Nullable(inner) => Fits(inner).object(object),
            Schema::Object(fields) => {
                let mut always: Vec<_> =
                    fields.iter().filter(|field| field.required).map(|field| (field, false)).collect();
                while let Some(at) =
                    object.next_key_seed(Key(|key: &str| always.iter().position(|(field, _)| field.wire == key)))?
                {
                    match at {
                        Some(at) => always[at].1 = object.next_value_seed(See(Fits(always[at].0.schema)))?,
                        None => object.next_value_seed(See(Skip))?,
                    }
                }
                Ok(always.iter().all(|(_, fits)| *fits))
            }
            _ => Value::deserialize(MapAccessDeserializer::new(object)).map(|value| self.whole(&value)),
        }
    }
}
