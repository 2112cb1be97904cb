//! Questions to one schema on its own.

use super::super::ir::Type;
use super::super::node::Node;

/// Whether an alternative is a shape of its own, not just a set of required fields.
pub fn is_shape(choice: &Node) -> bool {
    ["$ref", "type", "properties", "allOf", "enum"].iter().any(|key| choice.has(key))
}

/// Fields named by one alternative of a content rule.
pub fn group(choice: &Node) -> Vec<String> {
    if is_shape(choice) {
        return Vec::new();
    }
    let nested = choice.get("anyOf").items().iter().flat_map(group);
    choice.get("required").texts().into_iter().map(str::to_owned).chain(nested).collect()
}

pub fn json_kind(ty: &Type) -> &'static str {
    match ty {
        Type::String | Type::Enum { .. } => "string",
        Type::Integer | Type::Number => "number",
        Type::Boolean => "boolean",
        Type::List { .. } => "array",
        _ => "object",
    }
}

/// What is said of a moment whose description does not say it.
pub const EPOCH_MS: &str = "Epoch milliseconds.";

/// A field's documentation with what its schema adds to the description.
pub fn document(node: &Node, mut doc: String, unit: &str, default: &str) -> String {
    let mut add = |text: String| {
        if !doc.is_empty() {
            doc.push(' ');
        }
        doc.push_str(&text);
    };
    let known = node.get("x-known-values").texts();
    if !known.is_empty() {
        add(format!(
            "Known values: {}.",
            known.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
        ));
    }
    if node.get("format").text() == Some("date-time") {
        add("ISO 8601.".to_owned());
    }
    if unit == "ms"
        && node.get("format").text() == Some("int64")
        && !node.get("description").text().is_some_and(|text| text.contains("poch"))
    {
        add(EPOCH_MS.to_owned());
    }
    if !default.is_empty() && !node.get("description").text().is_some_and(|text| text.contains("efault")) {
        add(format!("Default: `{default}`."));
    }
    doc
}
