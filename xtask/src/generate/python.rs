//! Python: `bindings-python/python/bloomchats/generated/`.

use anyhow::{Context, Result, bail};
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::ir::{Api, Ir, Type};
use super::names::PYTHON;
use super::output::Files;
use super::template::{environment, fill};

const FOLDER: &str = "bindings-python/python/bloomchats/generated";
/// What only type checkers read stands below this.
const CHECKED: &str = "TYPE_CHECKING = False\nif TYPE_CHECKING:\n";
/// Where lines of documentation end.
const WIDTH: usize = 118;

pub fn render(ir: &Ir, files: &mut Files) -> Result<()> {
    let environment = templates()?;
    let mut add = |path: String, template: &str, context: Value| -> Result<()> {
        let text = fill(&environment, template, context)?;
        files.add(format!("{FOLDER}/{path}"), tidy(&text)).context(path)
    };
    add("__init__.py".into(), "python_package.py.jinja", json!({}))?;
    add("errors.py".into(), "python_errors.py.jinja", json!({"ir": ir}))?;
    for api in &ir.apis {
        check_names(api)?;
        let key = &api.key;
        add(format!("{key}/__init__.py"), "python_init.py.jinja", json!({"api": api}))?;
        add(format!("{key}/models.py"), "python_models.py.jinja", json!({"api": api}))?;
        if !api.enums.is_empty() || api.unions.iter().any(|union| union.output) {
            add(format!("{key}/aliases.py"), "python_aliases.py.jinja", json!({"api": api}))?;
        }
        if api.models.iter().any(|model| model.input) {
            add(format!("{key}/inputs.py"), "python_inputs.py.jinja", json!({"api": api}))?;
        }
        if !api.events.is_empty() {
            add(format!("{key}/events.py"), "python_events.py.jinja", json!({"api": api}))?;
        }
        for (is_async, file) in [(false, "resources.py"), (true, "async_resources.py")] {
            add(format!("{key}/{file}"), "python_resources.py.jinja", resources(api, is_async))?;
        }
    }
    Ok(())
}

fn resources(api: &Api, is_async: bool) -> Value {
    let inputs: Vec<String> =
        (api.models.iter().filter(|model| model.input).map(|model| format!("{}Input", model.name)))
            .chain(api.unions.iter().filter(|union| union.input).map(|union| union.name.clone()))
            .collect();
    // What is only written in annotations is not loaded when a program runs.
    let operations = api.resources.iter().flat_map(|resource| resource.operations.iter().chain(&resource.composites));
    let items: Vec<&str> = operations
        .filter(|operation| operation.paging.is_none())
        .filter_map(|operation| match &operation.result {
            Type::List { item } => match &**item {
                Type::Model { name } => Some(name.as_str()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let outputs = api.models.iter().filter(|model| model.output).map(|model| model.name.as_str());
    let outputs: Vec<&str> = outputs.filter(|name| !items.contains(name)).collect();
    let aliases: Vec<&str> = (api.enums.iter().map(|known| known.name.as_str()))
        .chain(api.unions.iter().filter(|union| union.output).map(|union| union.name.as_str()))
        .collect();
    let (prefix, wrapped) = if is_async { ("Async", "async_wrapped") } else { ("", "wrapped") };
    json!({"api": api, "is_async": is_async, "prefix": prefix, "wrapped": wrapped, "inputs": inputs, "outputs": outputs,
        "aliases": aliases, "items": items})
}

/// Keys of input dictionaries are written as they are, so none may be a word Python keeps; nor may a union be both.
fn check_names(api: &Api) -> Result<()> {
    let fields = api
        .models
        .iter()
        .filter(|model| model.input)
        .flat_map(|model| model.fields.iter().map(move |field| (model, field)));
    for (model, field) in fields.filter(|(_, field)| field.input) {
        if PYTHON.has(&field.name) {
            bail!(
                "{}.{}: is reserved in Python, and a key of an input dictionary cannot be escaped",
                model.name,
                field.name
            );
        }
    }
    match api.unions.iter().find(|union| union.input && union.output) {
        Some(union) => bail!("{}: in arguments and in answers; the two need names of their own in Python", union.name),
        None => Ok(()),
    }
}

fn templates() -> Result<Environment<'static>> {
    let mut environment = environment()?;
    for (name, text) in [
        ("python_package.py.jinja", include_str!("../../templates/python_package.py.jinja")),
        ("python_errors.py.jinja", include_str!("../../templates/python_errors.py.jinja")),
        ("python_models.py.jinja", include_str!("../../templates/python_models.py.jinja")),
        ("python_aliases.py.jinja", include_str!("../../templates/python_aliases.py.jinja")),
        ("python_inputs.py.jinja", include_str!("../../templates/python_inputs.py.jinja")),
        ("python_events.py.jinja", include_str!("../../templates/python_events.py.jinja")),
        ("python_init.py.jinja", include_str!("../../templates/python_init.py.jinja")),
        ("python_resources.py.jinja", include_str!("../../templates/python_resources.py.jinja")),
    ] {
        environment.add_template(name, text)?;
    }
    environment.add_filter("ident", |name: &str| if PYTHON.has(name) { format!("{name}_") } else { name.to_owned() });
    environment.add_filter("docstring", docstring);
    environment.add_filter("describe", |Serde(operation): Serde<Value>| describe(&operation));
    environment.add_filter("output", |Serde(ty): Serde<Value>| output(&ty, "list"));
    environment.add_filter("input", |Serde(ty): Serde<Value>| input(&ty));
    environment.add_filter("result", |Serde(operation): Serde<Value>, prefix: &str| result(&operation, prefix));
    environment.add_filter("decode", |Serde(ty): Serde<Value>, value: &str| decode(&ty, value));
    environment.add_filter("certain", |Serde(field): Serde<Value>| certain(&field));
    Ok(environment)
}

fn kind(ty: &Value) -> &str {
    ty["kind"].as_str().unwrap_or_default()
}

fn name(ty: &Value) -> &str {
    ty["name"].as_str().unwrap_or_default()
}

/// A type in an answer. `list` is spelled differently in classes that have a method of that name.
fn output(ty: &Value, list: &str) -> String {
    match kind(ty) {
        "string" => "str".into(),
        "integer" => "int".into(),
        "number" => "float".into(),
        "boolean" => "bool".into(),
        "map" => "dict[str, Any]".into(),
        "enum" | "model" | "union" => name(ty).into(),
        "list" => format!("{list}[{}]", output(&ty["item"], list)),
        _ => "Any".into(),
    }
}

/// A type of an argument, as generous as JSON allows.
fn input(ty: &Value) -> String {
    match kind(ty) {
        "map" => "Mapping[str, Any]".into(),
        "model" => format!("{}Input", name(ty)),
        "list" => format!("Sequence[{}]", input(&ty["item"])),
        "file" => "FileInput".into(),
        "message" => "str | Model".into(),
        _ => output(ty, "list"),
    }
}

fn result(operation: &Value, prefix: &str) -> String {
    let value = output(&operation["result"], "builtins.list");
    match operation["paging"].is_null() {
        false => format!("{prefix}Pages[{value}]"),
        true if operation["nullable"] == true && value != "Any" => format!("{value} | None"),
        true => value,
    }
}

/// The expression that reads a value of this type, `None` when it has another.
fn decode(ty: &Value, value: &str) -> String {
    match kind(ty) {
        "any" => value.into(),
        "string" | "enum" => format!("text({value})"),
        "map" => format!("mapping({value})"),
        "model" => format!("model({value}, {})", name(ty)),
        "union" => format!("_{}({value})", super::names::snake(name(ty))),
        "list" => match kind(&ty["item"]) {
            "model" => format!("models({value}, {})", name(&ty["item"])),
            "any" => format!("anything({value})"),
            _ => format!("items({value}, {})", decode(&ty["item"], "").trim_end_matches("()")),
        },
        simple => format!("{simple}({value})"),
    }
}

/// What a field that is always there reads as when someone builds a model without it.
fn certain(field: &Value) -> &'static str {
    match kind(&field["type"]) {
        _ if field["required"] != true || field["nullable"] == true => "",
        "string" | "enum" => " or \"\"",
        "list" => " or []",
        _ => "",
    }
}

/// Summary, details and arguments of an operation.
fn describe(operation: &Value) -> String {
    let mut paragraphs = vec![operation["summary"].as_str().unwrap_or_default().to_owned()];
    paragraphs
        .extend(operation["details"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    let arguments = operation["arguments"].as_array().into_iter().flatten();
    let documented: Vec<String> = arguments
        .filter_map(|argument| {
            let doc = argument["doc"].as_str().filter(|doc| !doc.is_empty())?;
            let name = name(argument);
            let escape = if PYTHON.has(name) { "_" } else { "" };
            Some(format!("    {name}{escape}: {}", doc.replace('\n', " ")))
        })
        .collect();
    if !documented.is_empty() {
        paragraphs.push(format!("Args:\n{}", documented.join("\n")));
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// A docstring whose later lines are indented like its first.
fn docstring(text: &str, indent: usize) -> String {
    let text = text.replace('\\', "\\\\").replace("\"\"\"", "'''");
    let mut lines: Vec<String> = text.lines().flat_map(|line| wrap(line, WIDTH - indent)).collect();
    // A quote at the end would run into the closing ones.
    if lines.last().is_some_and(|last| last.ends_with('"')) {
        lines.last_mut().into_iter().for_each(|last| last.push(' '));
    }
    let margin = " ".repeat(indent);
    let body = lines
        .iter()
        .enumerate()
        .map(|(at, line)| if at == 0 || line.is_empty() { line.clone() } else { format!("{margin}{line}") });
    let body = body.collect::<Vec<_>>().join("\n");
    if lines.len() == 1 { format!("\"\"\"{body}\"\"\"") } else { format!("\"\"\"{body}\n{margin}\"\"\"") }
}

/// Breaks a line at blanks; what follows a listed argument is indented below it.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let hanging = " ".repeat(if indent > 0 { indent + 4 } else { 0 });
    let mut lines = Vec::new();
    let mut current = " ".repeat(indent);
    for word in line.split_whitespace() {
        let is_first = current.trim().is_empty();
        if !is_first && current.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut current, hanging.clone()));
        } else if !is_first {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current.trim_end().to_owned());
    lines
}

/// Drops imported names that the file does not use, so that templates can offer all they may need.
fn tidy(text: &str) -> String {
    let uses = |name: &str, line: &str| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        text.lines().filter(|other| *other != line).any(|other| {
            other
                .match_indices(name)
                .any(|(at, _)| !other[..at].ends_with(is_word) && !other[at + name.len()..].starts_with(is_word))
        })
    };
    let mut out = String::new();
    for line in text.lines() {
        if out.ends_with(CHECKED) {
            // What stood first below it was dropped, or all of it.
            match line.chars().next() {
                None => continue,
                Some(' ') => {}
                Some(_) => out.truncate(out.len() - CHECKED.len()),
            }
        }
        match line.trim_start().strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) {
            Some((_, names)) if !line.contains("__future__") && names != "*" => {
                let mut kept: Vec<&str> = names.split(", ").filter(|name| uses(name, line)).collect();
                kept.sort_unstable();
                kept.dedup();
                let start = line.strip_suffix(names).unwrap_or(line);
                match kept.join(", ") {
                    names if names.is_empty() => continue,
                    names if start.len() + names.len() <= WIDTH => out.push_str(&format!("{start}{names}\n")),
                    _ => {
                        let margin = &line[..line.len() - line.trim_start().len()];
                        let names = kept.join(&format!(",\n{margin}    "));
                        out.push_str(&format!("{start}(\n{margin}    {names},\n{margin})\n"));
                    }
                }
            }
            None if line.trim_start() == "import builtins" && !text.contains("builtins.") => {}
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}
