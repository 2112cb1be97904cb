//! The least that an operation takes and gives, from the contract's shapes alone.

use bloomchats::operation::{Operation, Paging, Place, Schema, SendForm};
use bloomchats::{Call, Client, Config, File};
use serde_json::{Map, Value, json};

use crate::support::block_on;

/// A valid call with what is required and no more. `text` makes the strings, from the argument's name.
pub fn call(operation: &Operation, text: &dyn Fn(&str) -> String) -> Call {
    let mut call = Call::new(operation.name, Map::new());
    for argument in operation.arguments.iter().filter(|argument| argument.field.required) {
        let field = &argument.field;
        if argument.place == Place::File {
            call.files.push(File::new(field.name, "a.png", "image/png", vec![1, 2, 3]));
        } else {
            call.arguments.insert(field.name.into(), value(field.name, field.schema, text));
        }
    }
    if let Some(rule) = &operation.content {
        let name = rule.groups[0][0];
        let argument = operation.arguments.iter().find(|argument| argument.field.name == name).unwrap();
        call.arguments.insert(name.into(), value(name, argument.field.schema, text));
    }
    call
}

fn value(name: &str, schema: &Schema, text: &dyn Fn(&str) -> String) -> Value {
    match schema {
        Schema::Any | Schema::String => text(name).into(),
        Schema::Integer | Schema::Number => 1.into(),
        Schema::Boolean => false.into(),
        Schema::List { items, min, .. } => (0..(*min).max(1)).map(|_| value(name, items, text)).collect(),
        Schema::Object(fields) => {
            let required = fields.iter().filter(|field| field.required);
            required.map(|field| (field.name.to_owned(), value(field.name, field.schema, text))).collect()
        }
        Schema::OneOf(choices) => value(name, &choices[0], text),
        Schema::Nullable(inner) => value(name, inner, text),
    }
}

/// The body of a 200 that keeps the contract's promise.
pub fn answer(operation: &Operation) -> Value {
    match operation.paging {
        Paging::None => {}
        Paging::Single { items } | Paging::Offset { items, .. } | Paging::Cursor { items, .. } => {
            return json!({items: []});
        }
        Paging::Anywhere => return json!([]),
    }
    let find = |status| operation.answers.iter().find(|row| row.status == status);
    let row = find(200).or_else(|| find(0)).or_else(|| operation.answers.first());
    let schema = row.map_or(&Schema::Any, |row| row.schema);
    let mut body = match value("", schema, &str::to_owned) {
        Value::String(_) => json!({}),
        body => body,
    };
    if let (Some(row), Some(map)) = (row.filter(|row| !row.unwrap.is_empty()), body.as_object_mut()) {
        map.entry(row.unwrap).or_insert_with(|| json!({}));
    }
    match operation.send {
        Some(SendForm::V2) => body["message_id"] = "m1".into(),
        Some(_) => body["id"] = "m1".into(),
        None => {}
    }
    body
}

/// The configuration of the client that an operation belongs to.
pub fn config(operation: &Operation) -> Config {
    if operation.name.starts_with("blooio.") { Config::blooio() } else { Config::bloomchats() }
}

#[test]
fn every_operation_takes_its_least_and_reads_its_least() {
    for operation in bloomchats::operation::all() {
        let transcript = json!({"exchanges": [{"status": 200, "json": answer(operation)}]});
        let (client, script) = Client::open_scripted(config(operation), transcript.to_string()).unwrap();
        let done = block_on(client.call(call(operation, &|name| format!("a-{name}"))));
        assert!(done.is_ok(), "{}: {done:?}", operation.name);
        assert_eq!(script.requests().as_array().unwrap().len(), 1, "{}", operation.name);
    }
}
