//! Paths to operations: arguments, results, paging.

use anyhow::{Context, Result, bail};

use super::super::ir::{
    Answer, Argument, Content, Field, Operation, Paging, Resource, Schema, SchemaField, Stability, Type,
};
use super::super::names::pascal;
use super::super::node::Node;
use super::super::overlay::{self, Overlay, Rules};
use super::schema::EPOCH_MS;
use super::types::{At, Resolved, Types, Way};
use super::{is_inferred, is_withheld, sentence, stability};

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

/// An operation as the contract has it.
struct Found<'a> {
    method: &'a str,
    path: &'a str,
    node: &'a Node,
    parameters: Vec<&'a Node>,
}

pub fn resources<'a>(
    contract: &'a Node,
    rules: &'a overlay::Api,
    overlay: &Overlay,
    types: &mut Types<'a>,
) -> Result<Vec<Resource>> {
    let found = all(contract, types)?;
    let id = |found: &Found<'a>| found.node.get("operationId").text();
    let mut named: Vec<String> = Vec::new();
    let mut resources = Vec::new();
    for (name, resource) in &rules.resources {
        let mut operations = Vec::new();
        for (verb, entry) in &resource.operations {
            let entry = entry.rules();
            let place = format!("[apis.*.resources.{name}] {verb}");
            let Some(found) = found.iter().find(|found| id(found) == Some(&entry.of)) else {
                bail!("{place}: the contract has no operation `{}`; correct or remove it", entry.of);
            };
            if named.contains(&entry.of) {
                bail!("{place}: `{}` has a name already; an operation has one name", entry.of);
            }
            named.push(entry.of.clone());
            let full = format!("{}.{name}.{verb}", rules.name);
            operations.push(operation(full, name, verb, &entry, found, rules, types).with_context(|| place)?);
        }
        let composites = composites(&format!("{}.{name}.", rules.name), overlay, types)?;
        resources.push(Resource { name: name.clone(), doc: resource.doc.clone(), operations, composites });
    }
    if let Some(missing) = found.iter().find(|found| !named.iter().any(|name| Some(name.as_str()) == id(found))) {
        bail!(
            "{} {} ({}) has no public name: give it one line in spec/overlay.toml, under the resource it belongs to, as `verb = \"{}\"`",
            missing.method.to_uppercase(),
            missing.path,
            id(missing).unwrap_or("without operationId"),
            id(missing).unwrap_or_default(),
        );
    }
    Ok(resources)
}

fn all<'a>(contract: &'a Node, types: &Types<'a>) -> Result<Vec<Found<'a>>> {
    let mut found = Vec::new();
    for (path, item) in contract.get("paths").entries() {
        for (method, node) in item.entries().iter().filter(|(method, _)| METHODS.contains(&method.as_str())) {
            let parameters = item.get("parameters").items().iter().chain(node.get("parameters").items());
            let parameters = parameters.map(|node| types.deref(node)).collect::<Result<_>>()?;
            found.push(Found { method, path, node, parameters });
        }
    }
    Ok(found)
}

fn operation<'a>(
    name: String,
    resource: &str,
    verb: &str,
    entry: &Rules,
    found: &Found<'a>,
    rules: &'a overlay::Api,
    types: &mut Types<'a>,
) -> Result<Operation> {
    let node = found.node;
    let stability = match (&entry.stability, node.get("x-blooio-status").text()) {
        (Some(own), _) => stability(own)?,
        (None, Some("planned")) => Stability::Planned,
        (None, Some(_)) => Stability::Inferred,
        (None, None) if is_inferred(node) => Stability::Inferred,
        (None, None) => stability(&rules.stability)?,
    };
    let way = Way::In { guesses: stability == Stability::Inferred };
    let mut arguments = parameters(resource, entry, found, rules, way, types)?;
    let (body, content, notes) = body(resource, entry, node, rules, way, types, &mut arguments)?;
    let answers = Answers::read(resource, verb, entry, found, types)?;
    let deprecated = node.get("deprecated").is_true();
    let idempotency = match (&entry.idempotency, found.method) {
        (Some(own), _) => own.clone(),
        (None, "post") => rules.idempotency_post.clone().unwrap_or_else(|| "none".to_owned()),
        (None, _) => "none".to_owned(),
    };
    let path =
        found.path.split('/').map(|piece| match piece.strip_prefix('{').and_then(|piece| piece.strip_suffix('}')) {
            Some(wire) => format!("{{{}}}", path_name(rules, wire)),
            None => piece.to_owned(),
        });
    let path = path.collect::<Vec<_>>().join("/");
    for (position, argument) in arguments.iter_mut().enumerate() {
        argument.position = position;
    }
    arguments.sort_by_key(|argument| (!matches!(argument.place, "id" | "text"), !argument.field.required));
    let (summary, mut details) = description(entry, node);
    details.extend(notes);
    details.extend(content.as_ref().map(content_sentence));
    details.extend(banner(stability, deprecated));
    details.push(format!("`{} {path}`", found.method.to_uppercase()));
    let failures = node
        .get("responses")
        .entries()
        .iter()
        .filter_map(|(status, _)| status.parse().ok())
        .filter(|status| *status >= 400);
    Ok(Operation {
        name,
        id: entry.of.clone(),
        verb: verb.to_owned(),
        method: found.method.to_uppercase(),
        path,
        summary,
        details,
        stability,
        deprecated,
        arguments,
        body,
        content,
        idempotency,
        read_only: entry.read_only,
        effect_get: entry.effect_get,
        one_time_secret: entry.one_time_secret,
        send: entry.send.clone().unwrap_or_default(),
        paging: answers.paging,
        result: answers.result,
        nullable: answers.nullable,
        answers: answers.rows,
        failures: failures.collect(),
    })
}

fn path_name(rules: &overlay::Api, wire: &str) -> String {
    rules.paths.get(wire).cloned().unwrap_or_else(|| super::super::names::snake(wire))
}

fn parameters<'a>(
    resource: &str,
    entry: &Rules,
    found: &Found<'a>,
    rules: &'a overlay::Api,
    way: Way,
    types: &mut Types<'a>,
) -> Result<Vec<Argument>> {
    let mut arguments = Vec::new();
    // Headers are settings of the client or the call, never arguments.
    for place in ["path", "query"] {
        for parameter in found.parameters.iter().filter(|parameter| parameter.get("in").text() == Some(place)) {
            if way == (Way::In { guesses: false }) && is_withheld(parameter) {
                continue;
            }
            let wire = parameter.get("name").text().context("a parameter has no name")?;
            let schema = parameter.get("schema");
            let at = At::new(format!("{}.{wire}", entry.of), format!("{}{}", pascal(resource), pascal(wire)));
            let (mut field, resolved) = types.field_at(
                &at,
                resource,
                wire,
                &[schema],
                place == "path" || parameter.get("required").is_true(),
                way,
            )?;
            let said = parameter.get("description").text().map(sentence);
            let own = types.doc(&at.key).or_else(|| if place == "path" { types.doc(wire) } else { None }).or(said);
            // What the schema adds (default, unit) follows what the parameter says, unless the overlay spoke for both.
            if let Some(own) = own.filter(|own| !field.doc.starts_with(own.as_str())) {
                let added = if own.contains("poch") { field.doc.replace(EPOCH_MS, "") } else { field.doc };
                field.doc = format!("{own} {}", added.trim()).trim().to_owned();
            }
            let place = match place {
                "path" if rules.free_text.iter().any(|name| name == wire) => "text",
                "path" => "id",
                _ => "query",
            };
            if place != "query" {
                field.name = path_name(rules, wire);
            }
            arguments.push(Argument { place, position: 0, field, schema: resolved.schema });
        }
    }
    Ok(arguments)
}

/// The request body's fields as arguments; with its kind, its content rule, and notes for the documentation.
fn body<'a>(
    resource: &str,
    entry: &Rules,
    node: &'a Node,
    rules: &overlay::Api,
    way: Way,
    types: &mut Types<'a>,
    arguments: &mut Vec<Argument>,
) -> Result<(&'static str, Option<Content>, Vec<String>)> {
    let request = types.deref(node.get("requestBody"))?;
    let Some((media, body)) = request.get("content").entries().first() else { return Ok(("none", None, Vec::new())) };
    let kind = match media.as_str() {
        "application/json" => "json",
        "multipart/form-data" => "multipart",
        other => bail!("bodies of type {other} are not known"),
    };
    let schema = body.get("schema");
    let ignored =
        |node: &Node| rules.ignored_bodies.as_deref().is_some_and(|prefix| component(node).starts_with(prefix));
    let schema =
        match schema.get("anyOf").items().iter().filter(|choice| !ignored(choice)).collect::<Vec<_>>().as_slice() {
            [one] => one,
            _ => schema,
        };
    let object = types.flatten(schema)?;
    for (wire, owner, nodes) in &object.fields {
        if way == (Way::In { guesses: false }) && nodes.iter().any(|node| is_withheld(node)) {
            continue;
        }
        let at = match *owner {
            "" => At::new(format!("{}.{wire}", entry.of), format!("{}{}", pascal(resource), pascal(wire))),
            owner => At::field(owner, wire),
        };
        let (field, Resolved { schema, .. }) =
            types.field_at(&at, owner, wire, nodes, object.required.contains(wire), way)?;
        let place = if field.ty == Type::File { "file" } else { "body" };
        arguments.push(Argument { place, position: 0, field, schema });
    }
    let known = |name: &String| arguments.iter().any(|argument| argument.field.wire == *name);
    let content = object.content.map(|mut content| {
        content.groups.iter_mut().for_each(|group| group.retain(known));
        content.groups.retain(|group| !group.is_empty());
        content
    });
    let notes = if object.rules.is_empty() { Vec::new() } else { vec![format!("Rules: {}.", object.rules.join("; "))] };
    Ok((kind, content, notes))
}

fn component(node: &Node) -> &str {
    node.get("$ref").text().and_then(|pointer| pointer.rsplit('/').next()).unwrap_or_default()
}

/// A status, the shapes its answer can have, and the envelope's field.
type Shapes = (u16, Vec<(Type, Schema)>, &'static str);

struct Answers {
    result: Type,
    nullable: bool,
    rows: Vec<Answer>,
    paging: Option<Paging>,
}

impl Answers {
    fn read<'a>(
        resource: &str,
        verb: &str,
        entry: &Rules,
        found: &Found<'a>,
        types: &mut Types<'a>,
    ) -> Result<Answers> {
        let mut by_status: Vec<Shapes> = Vec::new();
        let mut paging = None;
        let mut nullable = false;
        for (status, response) in found.node.get("responses").entries() {
            let Some(status) = status.parse::<u16>().ok().filter(|status| (200..300).contains(status)) else {
                continue;
            };
            let schema = types.deref(response)?.get("content").get("application/json").get("schema");
            if entry.paging.as_deref() == Some("anywhere") {
                let item = entry.item.as_deref().context("paging `anywhere` needs `item`, the model of an item")?;
                let node = types.component(item)?;
                let resolved = types.resolve(node, &At::new(item, item), Way::Out)?;
                paging = Some(Paging {
                    style: "anywhere",
                    items: String::new(),
                    id: entry.id.clone().unwrap_or_default(),
                    offset_when: Vec::new(),
                });
                by_status.push((status, vec![(resolved.ty, Schema::Any)], ""));
                continue;
            }
            if let Some((list, items)) = list(found, schema, types)? {
                let at = At::new(format!("{}.{status}[]", entry.of), format!("{}Item", pascal(resource)));
                let item = types.resolve(items, &at, Way::Out)?;
                types.describe(&item.ty, &format!("An item of `{resource}.{verb}`."));
                paging = Some(Paging {
                    id: entry.id.clone().unwrap_or_default(),
                    offset_when: entry.offset_when.clone(),
                    ..list
                });
                by_status.push((status, vec![(item.ty, Schema::Any)], ""));
                continue;
            }
            let (schema, unwrap) = match schema.get("properties").entries() {
                [(name, inner)] if name == "data" && component(schema).is_empty() => (inner, "data"),
                _ => (schema, ""),
            };
            let choices: Vec<&Node> = match schema.get("anyOf").items() {
                [] => vec![schema],
                several => several.iter().collect(),
            };
            let mut shapes = Vec::new();
            for choice in choices {
                let at = At::new(
                    format!("{}.{status}", entry.of),
                    format!("{}{}Result", pascal(resource), pascal(&entry.of)),
                );
                let resolved = types.resolve(choice, &at, Way::Out)?;
                nullable |= resolved.nullable;
                types.describe(&resolved.ty, &format!("What `{resource}.{verb}` answers."));
                shapes.push((resolved.ty, resolved.schema));
            }
            by_status.push((status, shapes, unwrap));
        }
        by_status.sort_by_key(|(status, ..)| *status);
        let mut all: Vec<Type> = Vec::new();
        for (ty, _) in by_status.iter().flat_map(|(_, shapes, _)| shapes) {
            if !all.contains(ty) {
                all.push(ty.clone());
            }
        }
        let result = match (all.as_slice(), &entry.result) {
            ([], _) => Type::Any,
            ([one], None) => one.clone(),
            ([_], Some(name)) => bail!("result `{name}`: every answer has the same type; remove it"),
            (several, Some(name)) => types.result_union(name, several)?,
            (several, None) => bail!("answers have {} types: name their union with `result`", several.len()),
        };
        Ok(Answers { result, nullable, rows: rows(by_status), paging })
    }
}

/// Answers of one type share a row of status 0 where they are several or all.
fn rows(by_status: Vec<Shapes>) -> Vec<Answer> {
    let mut rows: Vec<(Vec<u16>, Answer)> = Vec::new();
    for (status, shapes, unwrap) in by_status {
        let Some((ty, schema)) = shapes.into_iter().next() else { continue };
        match rows.iter_mut().find(|(_, row)| row.ty == ty) {
            Some((statuses, _)) => statuses.push(status),
            None => {
                let schema = if unwrap.is_empty() { schema } else { envelope(unwrap, schema) };
                rows.push((vec![status], Answer { status, ty, unwrap: unwrap.to_owned(), schema }));
            }
        }
    }
    let alone = rows.len() == 1;
    let shared = |(statuses, mut row): (Vec<u16>, Answer)| {
        if alone || statuses.len() > 1 {
            row.status = 0;
        }
        row
    };
    rows.into_iter().map(shared).collect()
}

fn envelope(unwrap: &str, schema: Schema) -> Schema {
    Schema::Object {
        fields: vec![SchemaField { name: unwrap.to_owned(), wire: unwrap.to_owned(), required: true, schema }],
    }
}

/// How a list continues, with the schema of its items; `None` for anything that is not a list of objects.
fn list<'a>(found: &Found<'a>, schema: &'a Node, types: &Types<'a>) -> Result<Option<(Paging, &'a Node)>> {
    let has = |name: &str| found.parameters.iter().any(|parameter| parameter.get("name").text() == Some(name));
    let object = types.flatten(schema)?;
    let mut arrays = Vec::new();
    for (name, _, nodes) in &object.fields {
        let node = types.deref(nodes[nodes.len() - 1])?;
        if node.get("type").text() == Some("array")
            && types.deref(node.get("items"))?.get("type").text() != Some("string")
        {
            arrays.push((*name, node.get("items")));
        }
    }
    let [(name, items)] = arrays.as_slice() else { return Ok(None) };
    let style = match found.method {
        "get" if has("cursor") => "cursor",
        "get" if has("offset") => "offset",
        // Without a parameter to ask for more, what says there is more cannot be followed.
        "get"
            if object.fields.iter().all(|(field, ..)| field == name || ["has_more", "next_cursor"].contains(field)) =>
        {
            "single"
        }
        _ => return Ok(None),
    };
    Ok(Some((Paging { style, items: (*name).to_owned(), id: String::new(), offset_when: Vec::new() }, items)))
}

fn description(entry: &Rules, node: &Node) -> (String, Vec<String>) {
    let text = match &entry.doc {
        Some(doc) => doc.clone(),
        None => [node.get("summary"), node.get("description")]
            .iter()
            .filter_map(|part| part.text())
            .map(sentence)
            .collect::<Vec<_>>()
            .join(" "),
    };
    match text.split_once(". ") {
        Some((first, rest)) => (format!("{first}."), vec![rest.to_owned()]),
        None => (sentence(&text), Vec::new()),
    }
}

fn content_sentence(content: &Content) -> String {
    let groups: Vec<String> = content
        .groups
        .iter()
        .map(|group| group.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and/or "))
        .collect();
    format!("Needs {} of: {}.", if content.exactly_one { "exactly one" } else { "at least one" }, groups.join("; "))
}

fn banner(stability: Stability, deprecated: bool) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(match stability {
        Stability::Planned => {
            Some("**Planned.** The service declares this operation and does not offer it: it always answers 501.")
        }
        Stability::Unavailable => {
            Some("**Unavailable.** The service answers 501 today; the shapes are those it has announced.")
        }
        Stability::Inferred => {
            Some("**Inferred.** The service does not document this operation: it may be missing or behave differently.")
        }
        Stability::Stable | Stability::Beta => None,
    });
    lines.extend(deprecated.then_some("**Deprecated** by the service."));
    lines.into_iter().map(str::to_owned).collect()
}

/// Composites of the resource whose names begin with `prefix`.
fn composites(prefix: &str, overlay: &Overlay, types: &mut Types<'_>) -> Result<Vec<Operation>> {
    let mut found = Vec::new();
    for (name, own) in &overlay.composite {
        let Some(verb) = name.strip_prefix(prefix) else { continue };
        let source = match &own.like {
            Some(other) => overlay
                .composite
                .get(other)
                .with_context(|| format!("[composite.\"{name}\"] like: there is no `{other}`"))?,
            None => own,
        };
        let mut arguments = Vec::new();
        for (position, (argument, rules)) in source.arguments.iter().enumerate() {
            let ty = match rules.ty.as_str() {
                "string" => Type::String,
                "message" => Type::Message,
                other if rules.values.is_empty() => {
                    bail!(
                        "[composite.\"{name}\"] {argument}: type `{other}`, expected `string`, `message`, or `values` of it"
                    )
                }
                known => types.own_enum(known, &rules.values, &rules.doc)?,
            };
            let default = rules.default.as_ref().map_or_else(String::new, |default| format!("{default:?}"));
            let doc =
                if default.is_empty() { rules.doc.clone() } else { format!("{} Default: `{default}`.", rules.doc) };
            let field = Field {
                name: argument.clone(),
                wire: argument.clone(),
                ty,
                nullable: false,
                required: rules.required,
                input: true,
                filled: false,
                shown: false,
                unit: String::new(),
                default,
                constant: String::new(),
                doc,
            };
            arguments.push(Argument { place: "call", position, field, schema: Schema::Any });
        }
        let (summary, details) = description(&Rules { doc: Some(source.doc.clone()), ..Rules::default() }, &Node::Null);
        found.push(Operation {
            name: name.clone(),
            id: String::new(),
            verb: verb.to_owned(),
            method: String::new(),
            path: String::new(),
            summary,
            details,
            stability: Stability::Stable,
            deprecated: false,
            arguments,
            body: "none",
            content: None,
            idempotency: "none".to_owned(),
            read_only: true,
            effect_get: false,
            one_time_secret: false,
            send: String::new(),
            paging: None,
            result: Type::Model { name: source.result.clone() },
            nullable: false,
            answers: Vec::new(),
            failures: Vec::new(),
        });
    }
    Ok(found)
}
