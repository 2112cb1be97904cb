//! The contracts' `webhooks` sections to event models.

use anyhow::{Context, Result, bail};

use super::super::ir::{Event, Type};
use super::super::names::pascal;
use super::super::node::Node;
use super::types::{At, Types, Way};
use super::{is_inferred, sentence};

/// The events of an API, and the field of a body that names one: `type` beside `data` in envelopes, `event` in flat bodies.
pub fn events<'a>(contract: &'a Node, types: &mut Types<'a>) -> Result<(Vec<Event>, &'static str)> {
    let mut events = Vec::new();
    let mut tag = "";
    for (kind, hook) in contract.get("webhooks").entries() {
        let post = hook.get("post");
        let name = pascal(kind);
        let body = post.get("requestBody").get("content").get("application/json").get("schema");
        let object = types.flatten(body)?;
        let data = object.fields.iter().find(|(wire, ..)| *wire == "data").and_then(|(.., nodes)| nodes.last());
        tag = if data.is_some() { "type" } else { "event" };
        let at = At::new(format!("{name}Event"), format!("{name}Event"));
        let resolved =
            types.resolve(data.copied().unwrap_or(body), &at, Way::Out).with_context(|| format!("webhooks.{kind}"))?;
        let Type::Model { name: model } = resolved.ty.clone() else {
            bail!("webhooks.{kind}: {tag} has no listed fields")
        };
        let summary = post.get("summary").text().filter(|summary| *summary != kind);
        let doc = match summary.or_else(|| post.get("description").text()) {
            Some(said) => format!("`{kind}`: {}", sentence(said)),
            None => format!("`{kind}`."),
        };
        types.describe(&resolved.ty, &doc);
        events.push(Event { kind: kind.clone(), name, model, doc, inferred: is_inferred(post) });
    }
    Ok((events, tag))
}
