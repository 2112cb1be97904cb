//! Uploaded pictures, by the URLs that answers give them.

use super::Control;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

/// Needs no key, as whoever shows a picture has none: its name is not to be guessed.
pub(super) fn get(control: &Control<'_>) -> Outcome {
    let namespaces = control.app.namespaces.all();
    let found = namespaces.iter().find_map(|one| one.with(|state| state.blooio.pictures.find(&control.path[0])));
    let (media_type, content) = found.ok_or_else(|| Refusal::not_found("Nobody uploaded this picture."))?;
    Ok(Answer { file: Some((media_type, content)), ..Answer::ok(serde_json::Value::Null) })
}
