//! Request limits.

use serde_json::json;

use super::Control;
use crate::limit::Window;
use crate::server::SERVICES;
use crate::service::{Answer, Outcome};

/// `{"api", "per_minute"}` → the limit of the calling key's namespace, counted from now; `null` takes it off again.
pub(super) fn set(control: &Control<'_>) -> Outcome {
    let fields = control.fields()?;
    let api = fields.required_text("api")?;
    let service = SERVICES.iter().find(|service| service.name() == api);
    let service = service.ok_or_else(|| fields.refuse("api", "one of bloomchats, v2, v4"))?;
    let per_minute = fields.integer("per_minute")?.map(u64::try_from).transpose();
    let per_minute = per_minute.map_err(|_| fields.refuse("per_minute", "an integer of at least 0, or null"))?;
    control.namespace.with(|state| state.windows.insert(service.name(), Window::new(per_minute)));
    Ok(Answer::ok(json!({"api": service.name(), "per_minute": per_minute})))
}
