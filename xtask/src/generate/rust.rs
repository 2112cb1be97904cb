//! Rust: `core/src/api/`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::ir::{Api, Ir, Paging, Type};
use super::names::{RUST, pascal};
use super::output::Files;
use super::template::{environment, fill};

pub fn render(ir: &Ir, files: &mut Files) -> Result<()> {
    let environment = templates()?;
    let operations = rows(ir)?;
    let mut add = |path: &str, template: &str, api: Option<&Api>| -> Result<()> {
        let text = fill(&environment, template, json!({"ir": ir, "api": api, "operations": operations}))?;
        files.add(format!("core/src/api/{path}"), formatted(&text).with_context(|| path.to_owned())?)
    };
    add("mod.rs", "mod", None)?;
    add("table.rs", "table", None)?;
    for api in &ir.apis {
        for template in ["api", "models", "operations", "events"] {
            let file = if template == "api" { "mod" } else { template };
            if template != "events" || !api.events.is_empty() {
                add(&format!("{}/{file}.rs", api.key), template, Some(api))?;
            }
        }
    }
    Ok(())
}

/// Operations as table rows, sorted by name.
fn rows(ir: &Ir) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for api in &ir.apis {
        for operation in api.resources.iter().flat_map(|resource| &resource.operations) {
            let mut row = serde_json::to_value(operation)?;
            row["api"] = api.key.as_str().into();
            row["service"] = api.title.as_str().into();
            for (answer, row) in operation.answers.iter().zip(row["answers"].as_array_mut().into_iter().flatten()) {
                row["model"] = match &answer.ty {
                    Type::Model { name } => name.as_str().into(),
                    _ => "".into(),
                };
            }
            row["paging"] = operation.paging.as_ref().map(paging_literal).into();
            rows.push((operation.name.clone(), row));
        }
    }
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn paging_literal(paging: &Paging) -> String {
    let Paging { style, items, id, offset_when } = paging;
    match *style {
        "single" => format!("Paging::Single {{ items: {items:?} }}"),
        "offset" => format!("Paging::Offset {{ items: {items:?}, id: {id:?} }}"),
        "cursor" => format!("Paging::Cursor {{ items: {items:?}, id: {id:?}, offset_when: &{offset_when:?} }}"),
        _ => "Paging::Anywhere".to_owned(),
    }
}

fn templates() -> Result<Environment<'static>> {
    let mut environment = environment()?;
    for (name, text) in [
        ("mod", include_str!("../../templates/rust_mod.rs.jinja")),
        ("table", include_str!("../../templates/rust_table.rs.jinja")),
        ("api", include_str!("../../templates/rust_api.rs.jinja")),
        ("models", include_str!("../../templates/rust_models.rs.jinja")),
        ("operations", include_str!("../../templates/rust_operations.rs.jinja")),
        ("events", include_str!("../../templates/rust_events.rs.jinja")),
    ] {
        environment.add_template(name, text)?;
    }
    environment.add_filter("ident", ident);
    environment.add_filter("literal", |text: &str| format!("{text:?}"));
    environment.add_filter("schema", |Serde(schema): Serde<Value>, api: &str| schema_literal(&schema, api));
    environment.add_filter("type", |Serde(ty): Serde<Value>| rust_type(&ty));
    environment.add_filter("param", |Serde(ty): Serde<Value>| param(&ty));
    environment.add_filter("convert", |Serde(ty): Serde<Value>, name: &str| convert(&ty, &ident(name)));
    environment.add_filter("is_plain", |Serde(field): Serde<Value>| is_plain(&field));
    environment.add_filter("doc", doc);
    environment.add_filter("operation_doc", |Serde(operation): Serde<Value>| operation_doc(&operation));
    environment.add_filter("root", |title: &str| title.rsplit(' ').next().map(pascal));
    environment
        .add_filter("takes_files", |Serde(resources): Serde<Value>| resources.to_string().contains(r#""kind":"file""#));
    environment.add_filter("article", |word: &str| match word {
        "array" | "object" => format!("an {word}"),
        _ => format!("a {word}"),
    });
    Ok(environment)
}

fn kind(ty: &Value) -> &str {
    ty["kind"].as_str().unwrap_or_default()
}

fn rust_type(ty: &Value) -> String {
    match kind(ty) {
        "string" => "String".to_owned(),
        "integer" => "i64".to_owned(),
        "number" => "f64".to_owned(),
        "boolean" => "bool".to_owned(),
        "map" => "serde_json::Map<String, serde_json::Value>".to_owned(),
        "file" => "File".to_owned(),
        "message" => "MessageRef".to_owned(),
        "list" => format!("Vec<{}>", rust_type(&ty["item"])),
        "any" => "serde_json::Value".to_owned(),
        _ => ty["name"].as_str().unwrap_or_default().to_owned(),
    }
}

/// What a function takes for a type: whatever converts into it.
fn param(ty: &Value) -> String {
    match kind(ty) {
        "string" | "enum" | "union" | "any" | "message" => format!("impl Into<{}>", rust_type(ty)),
        "list" => format!("impl IntoIterator<Item = impl Into<{}>>", rust_type(&ty["item"])),
        _ => rust_type(ty),
    }
}

/// The statement that makes a parameter the type itself.
fn convert(ty: &Value, name: &str) -> String {
    match kind(ty) {
        "string" | "enum" | "union" | "any" | "message" => format!("let {name}: {} = {name}.into();", rust_type(ty)),
        "list" => format!("let {name}: {} = {name}.into_iter().map(Into::into).collect();", rust_type(ty)),
        _ => String::new(),
    }
}

/// Whether a field needs no `Option`: it is always there, and its type has a default.
fn is_plain(field: &Value) -> bool {
    field["required"] == true && !matches!(kind(&field["type"]), "enum" | "union" | "model")
}

fn operation_doc(operation: &Value) -> String {
    let texts = |value: &Value| {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut paragraphs = vec![operation["summary"].as_str().unwrap_or_default().to_owned()];
    paragraphs.extend(texts(&operation["details"]));
    let required =
        operation["arguments"].as_array().into_iter().flatten().filter(|argument| argument["required"] == true);
    let line = |argument: &Value| {
        Some(format!("- `{}`: {}", argument["name"].as_str()?, argument["doc"].as_str().filter(|doc| !doc.is_empty())?))
    };
    let lines: Vec<String> = required.filter_map(line).collect();
    if !lines.is_empty() {
        paragraphs.push(lines.join("\n"));
    }
    paragraphs.join("\n\n")
}

/// Markdown as doc comment lines; what rustdoc would take for links or HTML is escaped.
fn doc(text: &str) -> String {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in escaped(paragraph).split_whitespace() {
            if !line.is_empty() && line.len() + word.len() > 108 {
                lines.push(std::mem::take(&mut line));
                if paragraph.starts_with("- ") {
                    line.push_str("  ");
                }
            }
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.iter().map(|line| format!("/// {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    let mut in_code = false;
    let mut out = String::new();
    for c in text.chars() {
        in_code ^= c == '`';
        if !in_code && matches!(c, '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A name as Rust can spell it: `type` → `type_`.
fn ident(name: &str) -> String {
    if RUST.has(name) { format!("{name}_") } else { name.to_owned() }
}

/// A shape as a constant expression; shared ones are statics named after the API and the model.
fn schema_literal(schema: &Value, api: &str) -> String {
    let text = |key: &str| schema[key].as_str().unwrap_or_default();
    match text("kind") {
        "shared" => format!("{}_{}", api.to_uppercase(), super::names::snake(text("name")).to_uppercase()),
        "list" => {
            let max = schema["max"].as_u64().map_or_else(|| "usize::MAX".to_owned(), |max| max.to_string());
            format!("List {{ items: &{}, min: {}, max: {max} }}", schema_literal(&schema["items"], api), schema["min"])
        }
        "object" => {
            let fields: Vec<&Value> = schema["fields"].as_array().into_iter().flatten().collect();
            let field = |field: &&Value| {
                format!(
                    "field({}, {}, {}, &{})",
                    field["name"],
                    field["wire"],
                    field["required"],
                    schema_literal(&field["schema"], api)
                )
            };
            format!("Object(&[{}])", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        "one_of" => {
            let choices = schema["choices"].as_array().into_iter().flatten();
            format!("OneOf(&[{}])", choices.map(|choice| schema_literal(choice, api)).collect::<Vec<_>>().join(", "))
        }
        "nullable" => format!("Nullable(&{})", schema_literal(&schema["inner"], api)),
        simple => pascal(simple),
    }
}

/// What rustfmt makes of it, with the repository's own settings.
fn formatted(text: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("rustfmt does not start; `rustup component add rustfmt`")?;
    let mut stdin = rustfmt.stdin.take().context("rustfmt has no input")?;
    let source = text.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(source.as_bytes()));
    let output = rustfmt.wait_with_output()?;
    feeder.join().map_err(|_| anyhow::anyhow!("the thread that feeds rustfmt broke"))??;
    if !output.status.success() {
        let line = |(number, line): (usize, &str)| format!("{:5} {line}", number + 1);
        bail!(
            "rustfmt: {}\n{}",
            String::from_utf8_lossy(&output.stderr),
            text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
