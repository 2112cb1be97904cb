//! Namespaces.

use serde_json::json;

use super::Control;
use crate::service::{Answer, Outcome};

/// `{"seed"?}` → fresh keys with a world of their own.
pub(super) fn create(control: &Control<'_>) -> Outcome {
    let seed = control.fields()?.integer("seed")?;
    let namespace = control.app.namespaces.create(seed.map(i64::cast_unsigned));
    Ok(Answer::new(
        201,
        json!({
            "url": format!("http://{}", control.app.address),
            "blooio_api_key": namespace.keys.blooio,
            "bloomchats_api_key": namespace.keys.bloomchats,
        }),
    ))
}
