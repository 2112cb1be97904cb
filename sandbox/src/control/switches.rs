//! The switches of a namespace.

use super::Control;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

pub(super) fn list(control: &Control<'_>) -> Outcome {
    Ok(Answer::ok(control.namespace.with(|state| state.blooio.switches.view())))
}

/// `{name: value, …}`: those stay that are not named.
pub(super) fn set(control: &Control<'_>) -> Outcome {
    let values = control.object()?;
    control.namespace.with(|state| {
        let world = &mut state.blooio;
        world.switches = world.switches.with(values).map_err(Refusal::bad_request)?;
        if values.contains_key("safety_action") {
            world.apply_safety();
        }
        Ok(())
    })?;
    list(control)
}
