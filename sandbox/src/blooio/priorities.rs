//! Priorities: in which order a key's channels are tried.

use super::World;

#[derive(Debug)]
pub(crate) struct Priority {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) is_default: bool,
    /// Channels with their tier, lower tiers first; one tier is a pool.
    pub(crate) channels: Vec<(usize, i64)>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl World {
    pub(crate) fn find_priority(&self, id: &str) -> Option<usize> {
        self.priorities.iter().position(|priority| priority.id == id)
    }

    pub(crate) fn default_priority(&self) -> Option<&Priority> {
        self.priorities.iter().find(|priority| priority.is_default)
    }
}
