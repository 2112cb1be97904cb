//! A message, by its id or by what a send returned.

use serde_json::Value;

use super::Json;

/// The message that `messages().wait(…)` follows. Ids and the results of sends convert into it.
#[derive(Clone)]
pub struct MessageRef(Value);

impl MessageRef {
    pub(crate) fn of(sent: &impl Json) -> MessageRef {
        MessageRef(sent.to_json())
    }
}

impl std::fmt::Debug for MessageRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageRef")
    }
}

impl From<&str> for MessageRef {
    fn from(id: &str) -> MessageRef {
        MessageRef(id.into())
    }
}

impl From<String> for MessageRef {
    fn from(id: String) -> MessageRef {
        MessageRef(id.into())
    }
}

impl Json for MessageRef {
    fn from_json(value: Value) -> Result<Self, Value> {
        Ok(MessageRef(value))
    }

    fn to_json(&self) -> Value {
        self.0.clone()
    }
}
