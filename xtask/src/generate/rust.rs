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
    add("mod.rs", "rust_mod.rs.jinja", None)?;
    add("table.rs", "rust_table.rs.jinja", None)?;
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
    environment.add_template("rust_mod.rs.jinja", include_str!("../../templates/rust_mod.rs.jinja"))?;
    environment.add_template("rust_table.rs.jinja", include_str!("../../templates/rust_table.rs.jinja"))?;
    environment.add_filter("ident", ident);
    environment.add_filter("literal", |text: &str| format!("{text:?}"));
    environment.add_filter("schema", |Serde(schema): Serde<Value>, api: &str| schema_literal(&schema, api));
    Ok(environment)
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
