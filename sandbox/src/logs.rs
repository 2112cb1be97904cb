//! What was asked of a namespace: the last requests, for tests to look at.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// Rows kept; the oldest go first.
const KEPT: usize = 1_000;
/// Longer bodies are not kept.
const BODY_KEPT: usize = 4 * 1024;

/// One request and how it was answered.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) at: i64,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: Value,
    /// `None` when a fault left no answer.
    pub(crate) status: Option<u16>,
    /// Whether a scripted fault struck it.
    pub(crate) fault: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Requests(VecDeque<Row>);

impl Requests {
    pub(crate) fn add(&mut self, row: Row) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(row);
    }

    /// Oldest first.
    pub(crate) fn view(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "at": row.at,
                "method": row.method,
                "target": row.target,
                "idempotency_key": row.idempotency_key,
                "body": row.body,
                "status": row.status,
                "fault": row.fault,
            })
        };
        self.0.iter().map(row).collect()
    }
}

/// A body as the log keeps it.
pub(crate) fn kept(body: &[u8]) -> Value {
    if body.len() > BODY_KEPT { Value::Null } else { serde_json::from_slice(body).unwrap_or_default() }
}
