//! People who share where they are: the first few contacts, each at a place of their own that never moves.

use serde_json::{Value, json};

use super::World;
use crate::timers::Job;

const SHARING: usize = 3;
/// Latitude and longitude of the first one; the others stand a little to the north-east of each other.
const START: (f64, f64) = (41.878_1, -87.629_8);

/// How long people take to say where they are.
const ANSWER_MS: (i64, usize) = (15_000, 5_001);

impl World {
    /// Asks everybody anew; what is known changes once they have answered.
    pub(crate) fn refresh_locations(&mut self) {
        let wait = ANSWER_MS.0 + self.ids.below(ANSWER_MS.1) as i64;
        self.timers.set(self.now + wait, Job::Locate);
    }

    pub(crate) fn locations(&self) -> Value {
        (0..SHARING.min(self.contacts.len())).map(|contact| self.location(contact)).collect()
    }

    pub(crate) fn location_of(&self, identifier: &str) -> Option<Value> {
        let contact = self.find_contact(identifier).filter(|contact| *contact < SHARING)?;
        Some(self.location(contact))
    }

    fn location(&self, contact: usize) -> Value {
        let away = contact as f64 / 100.0;
        json!({
            "handle": self.contacts[contact].identifier,
            "coordinates": [START.0 + away, START.1 + away],
            "status": "live",
            "last_updated": self.located_at,
        })
    }
}
