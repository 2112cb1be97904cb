//! Swift: `bindings-swift/Sources/BloomChats/Generated/`, and the corpus runner's way from names to methods.

use anyhow::{Context, Result};
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::ir::{Api, Argument, Ir, Operation, Resource, Type, Union};
use super::names::{SWIFT, camel, pascal};
use super::output::Files;
use super::template::{environment, fill};

const FOLDER: &str = "bindings-swift/Sources/BloomChats/Generated";
const RUNNER: &str = "tests/runners/swift/Sources/Conformance/Generated";
/// Where lines of documentation end.
const WIDTH: usize = 118;

pub fn render(ir: &Ir, files: &mut Files) -> Result<()> {
    let environment = templates()?;
    let mut add = |path: String, template: &str, context: Value| -> Result<()> {
        let text = fill(&environment, template, context)?;
        files.add(path.clone(), text.trim_end().to_owned() + "\n").context(path)
    };
    add(format!("{FOLDER}/Kinds.swift"), "swift_kinds.swift.jinja", json!({"ir": ir}))?;
    for api in &ir.apis {
        let (scope, file) = (scope(api), pascal(&api.key));
        let convertible = convertible(api);
        let context = json!({"api": api, "scope": scope, "resources": resources(api), "convertible": convertible});
        add(format!("{FOLDER}/{file}Models.swift"), "swift_models.swift.jinja", context.clone())?;
        add(format!("{FOLDER}/{file}Resources.swift"), "swift_resources.swift.jinja", context.clone())?;
        if !api.events.is_empty() {
            add(format!("{FOLDER}/{file}Events.swift"), "swift_events.swift.jinja", context)?;
        }
    }
    let apis: Vec<Value> =
        ir.apis.iter().map(|api| json!({"api": api, "scope": scope(api), "resources": resources(api)})).collect();
    add(format!("{RUNNER}/Dispatch.swift"), "swift_dispatch.swift.jinja", json!({"apis": apis}))?;
    add(format!("{RUNNER}/Fields.swift"), "swift_fields.swift.jinja", json!({"apis": apis}))
}

/// The type that an API's names live in: `blooio.v2` → `Blooio.V2`. Products are spelled as their clients are.
fn scope(api: &Api) -> String {
    let title = api.title.split(' ').next().unwrap_or_default();
    match api.name.split_once('.') {
        Some((_, version)) => format!("{title}.{}", pascal(version)),
        None => title.to_owned(),
    }
}

fn resources(api: &Api) -> Vec<Value> {
    let operations = |resource: &Resource| -> Vec<Value> {
        resource
            .operations
            .iter()
            .chain(&resource.composites)
            .map(|operation| method(api, resource, operation))
            .collect()
    };
    api.resources
        .iter()
        .map(|resource| {
            json!({"name": resource.name, "doc": resource.doc, "type": format!("{}Resource", pascal(&resource.name)),
                   "operations": operations(resource)})
        })
        .collect()
}

/// An operation as a Swift method.
fn method(api: &Api, resource: &Resource, operation: &Operation) -> Value {
    let parameters: Vec<Value> = ordered(resource, operation)
        .into_iter()
        .map(|argument| parameter(api, resource, operation, argument))
        .collect();
    let generics: Vec<&str> = parameters.iter().filter_map(|parameter| parameter["generic"].as_str()).collect();
    let result = swift_type(&json!(operation.result), "");
    let is_result =
        matches!(&operation.result, Type::Union { name } if union(api, name).is_some_and(|union| union.result));
    let changes =
        !operation.method.is_empty() && operation.method != "GET" && !operation.read_only || operation.effect_get;
    json!({
        "name": operation.name,
        "verb": camel(&operation.verb),
        "documentation": documentation(operation),
        "parameters": parameters,
        "generics": if generics.is_empty() { String::new() } else { format!("<{}>", generics.join(", ")) },
        "result": if operation.nullable { format!("{result}?") } else { result },
        "is_list": operation.paging.is_some(),
        "is_result": is_result,
        "is_composite": operation.method.is_empty(),
        "changes": changes,
    })
}

/// What a call is about comes first, then where it is, then the rest as it is everywhere.
fn ordered<'a>(resource: &Resource, operation: &'a Operation) -> Vec<&'a Argument> {
    let is_path = |argument: &&Argument| matches!(argument.place, "id" | "text" | "call") && argument.field.required;
    let mut path: Vec<&Argument> = operation.arguments.iter().filter(is_path).collect();
    let own = path.iter().position(|argument| argument.field.name == singular(&resource.name));
    if let Some(own) = own.filter(|_| operation.verb != "list") {
        let first = path.remove(own);
        path.insert(0, first);
    }
    path.into_iter().chain(operation.arguments.iter().filter(|argument| !is_path(argument))).collect()
}

/// The label callers write: none for what the method is about, `to` and `in` for the conversation, the name for the rest.
fn label(resource: &Resource, operation: &Operation, argument: &Argument, public: &str) -> String {
    let name = &argument.field.name;
    let is_path = matches!(argument.place, "id" | "call");
    let first = ordered(resource, operation).first().is_some_and(|first| first.field.name == *name);
    if is_path && first && (*name == singular(&resource.name) || operation.verb.ends_with(&format!("_{name}"))) {
        return "_".to_owned();
    }
    match (is_path, name.as_str()) {
        (true, "chat") if operation.verb == "send" => "to".to_owned(),
        (true, "chat") => "in".to_owned(),
        _ => spelled(public),
    }
}

fn parameter(api: &Api, resource: &Resource, operation: &Operation, argument: &Argument) -> Value {
    let field = &argument.field;
    let mut ty = swift_type(&json!(field.ty), "");
    let mut generic = None;
    let mut default = "nil".to_owned();
    // The type a caller's JSON is read into, where the parameter itself is generic.
    let mut concrete = swift_type(&json!(field.ty), &format!("{}.", scope(api)));
    if let Type::Union { name } = &field.ty
        && let Some(plain) = union(api, name).and_then(plainest)
    {
        let variable = pascal(&field.name);
        generic = Some(format!("{variable}: {name}Convertible"));
        default = format!("{plain}?.none");
        ty = variable;
    }
    if field.ty == Type::Message {
        generic = Some("Reference: MessageReference".to_owned());
        ty = "Reference".to_owned();
        concrete = "JSONValue".to_owned();
    }
    let is_patch = field.nullable && operation.method == "PATCH";
    if is_patch {
        ty = format!("Patch<{ty}>");
        default = ".absent".to_owned();
    } else if !field.required || field.nullable {
        ty = format!("{ty}?");
    }
    // Every method ends with its own `options`.
    let name = if field.name == "options" { "choices" } else { &field.name };
    let (label, local) = (label(resource, operation, argument, name), local(name));
    json!({
        "name": field.name,
        "label": label,
        "local": local,
        "signature": if label == local { label.clone() } else { format!("{label} {local}") },
        "type": ty,
        "concrete": concrete,
        "generic": generic,
        "is_file": field.ty == Type::File,
        "how": if field.ty == Type::File { "file" } else if is_patch { "patch" } else if field.required { "required" } else { "optional" },
        "default": if field.required { String::new() } else { format!(" = {default}") },
        "doc": if field.doc.is_empty() { format!("`{}`.", field.wire) } else { field.doc.clone() },
    })
}

/// The plain Swift type that an input union accepts as it is, so that a variable of that type can be passed.
fn plainest(union: &Union) -> Option<&'static str> {
    let plain = union.variants.iter().find_map(|variant| match variant.ty {
        Type::String => Some("String"),
        Type::Boolean => Some("Bool"),
        Type::Integer => Some("Int"),
        _ => None,
    });
    plain.filter(|_| union.input)
}

/// Unions that are an argument by themselves and have a plain type among them.
fn convertible(api: &Api) -> Vec<&str> {
    let arguments =
        api.resources.iter().flat_map(|resource| &resource.operations).flat_map(|operation| &operation.arguments);
    let direct: Vec<&Type> = arguments.map(|argument| &argument.field.ty).collect();
    let is_direct = |union: &&Union| direct.contains(&&Type::Union { name: union.name.clone() });
    api.unions
        .iter()
        .filter(is_direct)
        .filter(|union| plainest(union).is_some())
        .map(|union| union.name.as_str())
        .collect()
}

fn union<'a>(api: &'a Api, name: &str) -> Option<&'a Union> {
    api.unions.iter().find(|union| union.name == name)
}

fn documentation(operation: &Operation) -> Vec<String> {
    let mut paragraphs = vec![operation.summary.clone()];
    paragraphs.extend(operation.details.iter().cloned());
    paragraphs
}

fn templates() -> Result<Environment<'static>> {
    let mut environment = environment()?;
    for (name, text) in [
        ("swift_kinds.swift.jinja", include_str!("../../templates/swift_kinds.swift.jinja")),
        ("swift_models.swift.jinja", include_str!("../../templates/swift_models.swift.jinja")),
        ("swift_resources.swift.jinja", include_str!("../../templates/swift_resources.swift.jinja")),
        ("swift_events.swift.jinja", include_str!("../../templates/swift_events.swift.jinja")),
        ("swift_fields.swift.jinja", include_str!("../../templates/swift_fields.swift.jinja")),
        ("swift_dispatch.swift.jinja", include_str!("../../templates/swift_dispatch.swift.jinja")),
    ] {
        environment.add_template(name, text)?;
    }
    environment.add_filter("spelled", |name: &str| spelled(name));
    environment.add_filter("local", |name: &str| local(name));
    environment
        .add_filter("value_name", |name: &str| if name == "none" { "noneValue".to_owned() } else { local(name) });
    environment.add_filter("type_name", |name: &str| type_name(name).to_owned());
    environment.add_filter("literal", literal);
    environment.add_filter("comment", comment);
    environment.add_filter("swift", |Serde(ty): Serde<Value>| swift_type(&ty, ""));
    environment.add_filter("fallback", |Serde(ty): Serde<Value>| fallback(&ty));
    Ok(environment)
}

/// A string literal.
fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A documentation comment, `indent` blanks from the left; continued lines of a list item stand `hang` further.
fn comment(text: &str, indent: usize, hang: usize) -> String {
    let margin = format!("{}///", " ".repeat(indent));
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut gap = String::new();
        for word in paragraph.split_ascii_whitespace() {
            if !line.is_empty() && margin.len() + gap.len() + line.len() + word.len() + 2 > WIDTH {
                lines.push(format!("{margin} {gap}{line}"));
                line.clear();
                gap = " ".repeat(hang);
            }
            line = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        }
        lines.push(if line.is_empty() { margin.clone() } else { format!("{margin} {gap}{line}") });
    }
    lines.join("\n")
}

/// A type; those of the API are written with their scope where it is not the surrounding one.
fn swift_type(ty: &Value, scope: &str) -> String {
    let text = |key: &str| ty[key].as_str().unwrap_or_default();
    match text("kind") {
        "string" => "String".into(),
        "integer" => "Int".into(),
        "number" => "Double".into(),
        "boolean" => "Bool".into(),
        "map" => "[String: JSONValue]".into(),
        "file" => "Upload".into(),
        "enum" | "model" | "union" => format!("{scope}{}", type_name(text("name"))),
        "list" => format!("[{}]", swift_type(&ty["item"], scope)),
        _ => "JSONValue".into(),
    }
}

/// What a field that core promises reads in a model that somebody made without it.
fn fallback(ty: &Value) -> String {
    match ty["kind"].as_str().unwrap_or_default() {
        "string" => "\"\"".into(),
        "integer" | "number" => "0".into(),
        "boolean" => "false".into(),
        "list" => "[]".into(),
        "map" => "[:]".into(),
        "enum" => format!("{}(rawValue: \"\")", swift_type(ty, "")),
        "model" => format!("{}(raw: [:])", swift_type(ty, "")),
        _ => ".null".into(),
    }
}

/// Names that Swift keeps for metatypes.
fn type_name(name: &str) -> &str {
    match name {
        "Protocol" => "ProtocolName",
        "Type" => "TypeName",
        name => name,
    }
}

/// `message_id` → `messageID`: Swift writes initialisms in one case.
fn spelled(name: &str) -> String {
    const INITIALISMS: &[(&str, &str)] = &[
        ("id", "ID"),
        ("ids", "IDs"),
        ("url", "URL"),
        ("guid", "GUID"),
        ("api", "API"),
        ("imessage", "iMessage"),
        ("sms", "SMS"),
    ];
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default();
    let rest = words.map(|word| match INITIALISMS.iter().find(|(plain, _)| *plain == word) {
        Some((_, initialism)) if *initialism != "iMessage" => (*initialism).to_owned(),
        _ => pascal(word),
    });
    let first = if first == "imessage" { "iMessage".to_owned() } else { first.to_owned() };
    std::iter::once(first).chain(rest).collect()
}

/// As [`spelled`], where a reserved word needs backticks.
fn local(name: &str) -> String {
    let name = spelled(name);
    let needs = SWIFT.has(&name) || matches!(name.as_str(), "Type" | "Protocol");
    match (needs, name.starts_with(|c: char| c.is_ascii_digit())) {
        (true, _) => format!("`{name}`"),
        (_, true) => format!("_{name}"),
        _ => name,
    }
}

/// `priorities` → `priority`: what one of a resource's things is called.
fn singular(plural: &str) -> String {
    match plural.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (given, expected) in
            [("message_id", "messageID"), ("url", "url"), ("webhook_url", "webhookURL"), ("imessage", "iMessage")]
        {
            assert_eq!(spelled(given), expected);
        }
        assert_eq!(local("default"), "`default`");
        assert_eq!(singular("priorities"), "priority");
        assert_eq!(singular("me"), "me");
    }

    #[test]
    fn comments_stay_within_the_margin() {
        let text = comment(&"word ".repeat(60), 8, 2);
        assert!(text.lines().all(|line| line.len() <= WIDTH && line.starts_with("        /// ")));
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("        ///   word")));
    }
}
