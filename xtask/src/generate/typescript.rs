//! TypeScript: `bindings-node/ts/generated/`.

use std::collections::HashSet;

use anyhow::{Context, Result, bail};
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::ir::{Api, Ir};
use super::names::{TYPESCRIPT, camel, pascal, snake};
use super::output::Files;
use super::template::{environment, fill};

const FOLDER: &str = "bindings-node/ts/generated";
/// Where lines of documentation end.
const WIDTH: usize = 118;

pub fn render(ir: &Ir, files: &mut Files) -> Result<()> {
    let environment = templates()?;
    let mut add = |path: String, template: &str, context: Value| -> Result<()> {
        let text = fill(&environment, template, context)?;
        files.add(format!("{FOLDER}/{path}"), tidy(&text)).context(path)
    };
    add("errors.ts".into(), "typescript_errors.ts.jinja", json!({"ir": ir}))?;
    add("events.ts".into(), "typescript_events.ts.jinja", json!({"ir": ir}))?;
    for api in &ir.apis {
        check_names(api)?;
        for file in ["models", "resources", "shapes"] {
            add(format!("{}/{file}.ts", api.key), &format!("typescript_{file}.ts.jinja"), json!({"api": api}))?;
        }
    }
    Ok(())
}

/// Names TypeScript would merge or lose: a parameter type like a model, and an argument that does not survive its case.
fn check_names(api: &Api) -> Result<()> {
    let mut taken: HashSet<String> = api.models.iter().map(|model| model.name.clone()).collect();
    taken.extend(api.enums.iter().map(|known| known.name.clone()));
    taken.extend(api.unions.iter().map(|union| union.name.clone()));
    for resource in &api.resources {
        for operation in resource.operations.iter().chain(&resource.composites) {
            let params = params_name(&resource.name, &operation.verb);
            if !taken.insert(params.clone()) {
                bail!("{}: {params} names its parameters and something else in TypeScript", operation.name);
            }
            if let Some(argument) =
                operation.arguments.iter().find(|argument| snake(&camel(&argument.field.name)) != argument.field.name)
            {
                bail!("{}: `{}` is another name after camelCase and back", operation.name, argument.field.name);
            }
        }
    }
    Ok(())
}

fn templates() -> Result<Environment<'static>> {
    let mut environment = environment()?;
    for (name, text) in [
        ("typescript_errors.ts.jinja", include_str!("../../templates/typescript_errors.ts.jinja")),
        ("typescript_events.ts.jinja", include_str!("../../templates/typescript_events.ts.jinja")),
        ("typescript_models.ts.jinja", include_str!("../../templates/typescript_models.ts.jinja")),
        ("typescript_resources.ts.jinja", include_str!("../../templates/typescript_resources.ts.jinja")),
        ("typescript_shapes.ts.jinja", include_str!("../../templates/typescript_shapes.ts.jinja")),
    ] {
        environment.add_template(name, text)?;
    }
    environment.add_filter("ident", ident);
    environment.add_filter("literal", |text: &str| format!("{text:?}"));
    environment.add_filter("jsdoc", jsdoc);
    environment.add_filter("params", |resource: &str, verb: &str| params_name(resource, verb));
    environment.add_filter("describe", |Serde(operation): Serde<Value>| describe(&operation));
    environment.add_filter("output", |Serde(ty): Serde<Value>| output(&ty));
    environment.add_filter("input", |Serde(ty): Serde<Value>| input(&ty, ""));
    environment.add_filter("argument", |Serde(ty): Serde<Value>| input(&ty, "m."));
    environment.add_filter("result", |Serde(operation): Serde<Value>| result(&operation));
    environment.add_filter("check", |Serde(ty): Serde<Value>, value: &str| check(&ty, value).unwrap_or_default());
    environment.add_filter("event_type", event_type);
    Ok(environment)
}

/// A parameter's name; the two that every method has of its own are spoken for.
fn ident(name: &str) -> String {
    let name = camel(name);
    if TYPESCRIPT.has(&name) || ["params", "options"].contains(&name.as_str()) { format!("{name}_") } else { name }
}

fn params_name(resource: &str, verb: &str) -> String {
    format!("{}{}Params", pascal(resource), pascal(verb))
}

fn kind(ty: &Value) -> &str {
    ty["kind"].as_str().unwrap_or_default()
}

fn name(ty: &Value) -> &str {
    ty["name"].as_str().unwrap_or_default()
}

/// A type in an answer.
fn output(ty: &Value) -> String {
    match kind(ty) {
        "string" => "string".into(),
        "integer" | "number" => "number".into(),
        "boolean" => "boolean".into(),
        "map" => "Record<string, unknown>".into(),
        "enum" | "model" | "union" => name(ty).into(),
        "list" => match output(&ty["item"]) {
            item if item.contains(['|', ' ']) => format!("({item})[]"),
            item => format!("{item}[]"),
        },
        _ => "unknown".into(),
    }
}

/// A type of an argument, as generous as JSON allows; `scope` is where models are found.
fn input(ty: &Value, scope: &str) -> String {
    match kind(ty) {
        "integer" => "number | bigint".into(),
        "map" => "Readonly<Record<string, unknown>>".into(),
        "list" => match input(&ty["item"], scope) {
            item if item.contains(['|', ' ']) => format!("readonly ({item})[]"),
            item => format!("readonly {item}[]"),
        },
        "enum" | "model" | "union" => format!("{scope}{}", name(ty)),
        "file" => "Upload".into(),
        "message" => "string | SentMessage".into(),
        _ => output(ty),
    }
}

/// What an operation returns.
fn result(operation: &Value) -> String {
    let value = scoped(&operation["result"]);
    match operation["paging"].is_null() {
        false => format!("List<{value}>"),
        true if operation["nullable"] == true && value != "unknown" => format!("APIPromise<{value} | null>"),
        true => format!("APIPromise<{value}>"),
    }
}

fn scoped(ty: &Value) -> String {
    match kind(ty) {
        "enum" | "model" | "union" => format!("m.{}", name(ty)),
        "list" => format!("{}[]", scoped(&ty["item"])),
        _ => output(ty),
    }
}

/// How `ts/shape.ts` checks a value of a type; what may have several shapes is not checked.
fn check(ty: &Value, value: &str) -> Option<String> {
    Some(match kind(ty) {
        simple @ ("string" | "number" | "integer" | "boolean") => format!("is.{simple}({value})"),
        "enum" => format!("is.string({value})"),
        "map" => format!("is.object({value})"),
        "model" => format!("is.model({value}, {})", name(ty)),
        "list" => match check(&ty["item"], "item") {
            Some(item) => match item.strip_suffix("(item)") {
                Some(simple) => format!("is.list({value}, {simple})"),
                None => format!("is.list({value}, (item) => {item})"),
            },
            None => format!("is.list({value})"),
        },
        _ => return None,
    })
}

/// `number.purchase.*` is a family of types.
fn event_type(kind: &str) -> String {
    match kind.strip_suffix('*') {
        Some(family) => format!("`{family}${{string}}`"),
        None => format!("{kind:?}"),
    }
}

/// Summary, details and positional arguments of an operation.
fn describe(operation: &Value) -> String {
    let mut paragraphs = vec![operation["summary"].as_str().unwrap_or_default().to_owned()];
    paragraphs
        .extend(operation["details"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    let arguments =
        operation["arguments"].as_array().into_iter().flatten().filter(|argument| argument["required"] == true);
    let documented: Vec<String> = arguments
        .filter_map(|argument| {
            let doc = argument["doc"].as_str().filter(|doc| !doc.is_empty())?;
            Some(format!("@param {} {}", ident(name(argument)), doc.replace('\n', " ")))
        })
        .collect();
    paragraphs.push(documented.join("\n"));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// A documentation comment at an indent; nothing for no text.
fn jsdoc(text: &str, indent: usize) -> String {
    let text = text.replace("*/", "*\\/");
    let margin = " ".repeat(indent);
    let lines: Vec<String> = text.lines().flat_map(|line| wrap(line, WIDTH - indent - 3)).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{margin}/** {line} */\n"),
        lines => {
            let body: String =
                lines.iter().map(|line| format!("{margin} * {line}").trim_end().to_owned() + "\n").collect();
            format!("{margin}/**\n{body}{margin} */\n")
        }
    }
}

/// Breaks a line at blanks.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split_whitespace() {
        if !current.is_empty() && current.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut current));
        } else if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

/// Drops imported names that the file does not use, so that templates can offer all they may need.
fn tidy(text: &str) -> String {
    let (imports, code): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("import "));
    let code = code.join("\n");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let uses = |name: &&str| {
        let name = name.trim_start_matches("type ").trim_start_matches("* as ");
        code.match_indices(name)
            .any(|(at, _)| !code[..at].ends_with(is_word) && !code[at + name.len()..].starts_with(is_word))
    };
    let kept = imports.iter().filter_map(|line| {
        let (head, from) = line.split_once(" from ")?;
        match head.split_once('{') {
            None => head.rsplit_once("* as ").is_none_or(|(_, name)| uses(&name)).then(|| (*line).to_owned()),
            Some((head, names)) => {
                let names: Vec<&str> = names.trim_end_matches('}').split(',').map(str::trim).filter(uses).collect();
                (!names.is_empty()).then(|| format!("{head}{{ {} }} from {from}", names.join(", ")))
            }
        }
    });
    let kept: Vec<String> = kept.collect();
    let mut out = Vec::new();
    let mut kept = kept.iter().map(String::as_str).peekable();
    let mut blank = false;
    for line in text.lines() {
        if line.starts_with("import ") {
            out.extend(kept.by_ref());
        } else if !(line.is_empty() && blank) {
            out.push(line);
        }
        blank = out.last().is_some_and(|last| last.is_empty());
    }
    out.join("\n") + "\n"
}
