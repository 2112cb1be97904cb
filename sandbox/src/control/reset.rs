//! Back to the beginning.

use serde_json::json;

use super::Control;
use crate::service::{Answer, Outcome};

/// `{"seed"?}`: the namespace as it was made; only its keys stay.
pub(super) fn reset(control: &Control<'_>) -> Outcome {
    let seed = control.fields()?.integer("seed")?;
    control.namespace.reset(seed.map(i64::cast_unsigned));
    Ok(Answer::ok(json!({"reset": true})))
}
