//! Namespaces.

use serde_json::json;

use super::Control;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

/// `{"seed"?, "switches"?, "now"?, "frozen"?}` → fresh keys with a world of their own.
pub(super) fn create(control: &Control<'_>) -> Outcome {
    let fields = control.fields()?;
    let seed = fields.integer("seed")?;
    let frozen = fields.flag("frozen")?;
    let now = fields.integer("now")?;
    let namespaces = &control.app.namespaces;
    let switches = match control.body["switches"].as_object() {
        Some(values) => Some(namespaces.switches().with(values).map_err(Refusal::bad_request)?),
        None if fields.has("switches") => return Err(fields.refuse("switches", "an object")),
        None => None,
    };
    let namespace = namespaces.create(seed.map(i64::cast_unsigned), switches);
    namespace.clock.freeze(frozen);
    now.into_iter().for_each(|now| namespace.clock.set(now.max(0)));
    namespace.clock_moved();
    Ok(Answer::new(
        201,
        json!({
            "url": control.app.url,
            "blooio_api_key": namespace.keys.blooio,
            "bloomchats_api_key": namespace.keys.bloomchats,
        }),
    ))
}
