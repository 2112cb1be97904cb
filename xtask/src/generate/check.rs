//! What must hold for the names of the public surface before anything is written.

use std::collections::HashMap;

use anyhow::{Result, bail};

use super::ir::{Api, Ir, Operation};
use super::names::{CALL_OPTIONS, LANGUAGES};
use super::overlay::Overlay;

/// Checks every name; the error says which one and what to do.
pub fn check(ir: &Ir, overlay: &Overlay) -> Result<()> {
    let mut used = Vec::new();
    for api in &ir.apis {
        for resource in &api.resources {
            public_name(&resource.name, &format!("resource {}.{}", api.name, resource.name), true, overlay, &mut used)?;
            let mut verbs = HashMap::new();
            for operation in resource.operations.iter().chain(&resource.composites) {
                if verbs.insert(&operation.verb, ()).is_some() {
                    bail!("{}: the name is taken twice", operation.name);
                }
                public_name(&operation.verb, &operation.name, true, overlay, &mut used)?;
                arguments(operation, overlay, &mut used)?;
            }
        }
        types(api)?;
    }
    if let Some(word) = overlay.reserved.iter().find(|word| !used.contains(*word)) {
        bail!("reserved: no public name is `{word}`; remove the entry");
    }
    Ok(())
}

fn public_name(name: &str, at: &str, is_member: bool, overlay: &Overlay, used: &mut Vec<String>) -> Result<()> {
    let is_snake = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_snake {
        bail!("{at}: `{name}` is not snake_case");
    }
    for language in LANGUAGES.iter().filter(|language| language.has(name)) {
        // TypeScript takes any word as the name of a member.
        if is_member && language.language == "TypeScript" {
            continue;
        }
        if !overlay.reserved.iter().any(|word| word == name) {
            bail!(
                "{at}: `{name}` is reserved in {}; choose another name, or accept its escaped form by adding it to \
                 `reserved` in spec/overlay.toml",
                language.language
            );
        }
        used.push(name.to_owned());
    }
    Ok(())
}

fn arguments(operation: &Operation, overlay: &Overlay, used: &mut Vec<String>) -> Result<()> {
    let mut seen = HashMap::new();
    for argument in &operation.arguments {
        let name = &argument.field.name;
        let at = format!("{}, argument {name}", operation.name);
        if seen.insert(name, ()).is_some() {
            bail!("{at}: the name is taken twice; rename the path parameter in [apis.*.paths]");
        }
        if CALL_OPTIONS.contains(&name.as_str()) {
            bail!("{at}: every call has an option of this name");
        }
        public_name(name, &at, false, overlay, used)?;
    }
    for id in operation.arguments.iter().filter(|argument| argument.place == "id") {
        if !operation.path.contains(&format!("{{{}}}", id.field.name)) {
            bail!("{}: the path {} has no {{{}}}", operation.name, operation.path, id.field.name);
        }
    }
    Ok(())
}

fn types(api: &Api) -> Result<()> {
    let mut seen = HashMap::new();
    let models = api.models.iter().map(|model| (&model.name, "model"));
    let enums = api.enums.iter().map(|one| (&one.name, "enum"));
    let unions = api.unions.iter().map(|union| (&union.name, "union"));
    for (name, kind) in models.chain(enums).chain(unions) {
        if let Some(other) = seen.insert(name, kind) {
            bail!(
                "{}: {name} names both a {other} and a {kind}; name one of them in [apis.{}.inline] or [apis.{}.rename]",
                api.name,
                api.key,
                api.key
            );
        }
    }
    for model in &api.models {
        let mut seen = HashMap::new();
        for field in &model.fields {
            if let Some(other) = seen.insert(&field.name, &field.wire) {
                bail!("{} {}: fields `{other}` and `{}` are both `{}`", api.name, model.name, field.wire, field.name);
            }
        }
    }
    Ok(())
}
