//! From contracts and overlay to the IR.

mod events;
mod operations;
mod schema;
mod types;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::ir::{Api, ErrorClass, Ir, Stability};
use super::kinds;
use super::node::Node;
use super::overlay::{self, Overlay};
use types::Types;

/// Builds the IR; `contracts` are parsed files by name.
pub fn lower(overlay: &Overlay, contracts: &BTreeMap<String, Node>) -> Result<Ir> {
    let apis = overlay.apis.iter().map(|(key, rules)| {
        let contract = contracts
            .get(&rules.contract)
            .with_context(|| format!("[apis.{key}]: spec/{} does not exist", rules.contract))?;
        api(key, rules, contract, overlay).with_context(|| format!("spec/{}", rules.contract))
    });
    let apis = apis.collect::<Result<Vec<_>>>()?;
    let names: Vec<&str> =
        apis.iter().flat_map(|api| &api.resources).flat_map(|r| &r.composites).map(|c| c.name.as_str()).collect();
    if let Some(stray) = overlay.composite.keys().find(|name| !names.contains(&name.as_str())) {
        bail!("[composite.\"{stray}\"] belongs to no resource of the overlay");
    }
    Ok(Ir { apis, errors: errors(), undeclared: overlay.undeclared.statuses.clone() })
}

fn api(key: &str, rules: &overlay::Api, contract: &Node, overlay: &Overlay) -> Result<Api> {
    let mut types = Types::new(contract, rules);
    let stability = stability(&rules.stability)?;
    contract
        .pointer(&format!("#/components/schemas/{}", rules.error))
        .with_context(|| format!("[apis.{key}] error"))?;
    let resources = operations::resources(contract, rules, overlay, &mut types)?;
    let (events, event_tag) = events::events(contract, &mut types)?;
    let server =
        contract.get("servers").items().first().and_then(|server| server.get("url").text()).unwrap_or_default();
    let prefix = server.splitn(4, '/').nth(3).map_or_else(String::new, |path| format!("/{path}"));
    types.check_used()?;
    let types = types.finish();
    Ok(Api {
        key: key.to_owned(),
        name: rules.name.clone(),
        prefix,
        title: rules.title.clone(),
        doc: rules.doc.clone(),
        stability,
        resources,
        models: types.models,
        enums: types.enums,
        unions: types.unions,
        shapes: types.shapes,
        events,
        event_tag,
    })
}

fn stability(name: &str) -> Result<Stability> {
    Ok(match name {
        "stable" => Stability::Stable,
        "beta" => Stability::Beta,
        "planned" => Stability::Planned,
        "unavailable" => Stability::Unavailable,
        "inferred" => Stability::Inferred,
        other => bail!("stability `{other}`: expected stable, beta, planned, unavailable or inferred"),
    })
}

fn errors() -> Vec<ErrorClass> {
    let class_of = |name: &str| kinds::KINDS.iter().find(|row| row.name == name).map_or("", |row| row.class);
    let rows = kinds::KINDS.iter();
    rows.map(|row| ErrorClass {
        name: row.name,
        class: row.class,
        parent: row.parent,
        parent_class: class_of(row.parent),
        status: row.status,
        doc: row.doc,
    })
    .collect()
}

/// Whether a parameter, property or operation is only guessed at, or on its way out.
fn is_inferred(node: &Node) -> bool {
    node.get("x-confidence").text() == Some("inferred")
}

fn is_withheld(node: &Node) -> bool {
    is_inferred(node) || node.get("deprecated").is_true()
}

/// Text as one line, ending in a full stop.
fn sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() || line.ends_with(['.', '!', '?', ':']) { line } else { line + "." }
}
