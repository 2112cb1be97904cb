//! Results that a repeated `Idempotency-Key` brings back.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// How long a key is remembered.
const WINDOW_MS: i64 = 24 * 60 * 60 * 1000;

/// A first answer, and what it answered.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) request: Fingerprint,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

pub(crate) type Fingerprint = [u8; 32];

/// Keys of one API; the services keep them per API key, which a namespace has one of.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    by_key: HashMap<String, Stored>,
    by_age: VecDeque<(i64, String)>,
}

impl Replays {
    pub(crate) fn find(&mut self, key: &str, now_ms: i64) -> Option<&Stored> {
        while self.by_age.front().is_some_and(|(stored_at, _)| stored_at + WINDOW_MS <= now_ms) {
            if let Some((_, old)) = self.by_age.pop_front() {
                self.by_key.remove(&old);
            }
        }
        self.by_key.get(key)
    }

    pub(crate) fn store(&mut self, key: &str, now_ms: i64, stored: Stored) {
        self.by_key.insert(key.to_owned(), stored);
        self.by_age.push_back((now_ms, key.to_owned()));
    }
}

/// The same for the same path and the same JSON, however its keys are ordered.
pub(crate) fn fingerprint(target: &str, body: &Value) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(target.as_bytes());
    feed(&mut hash, body);
    hash.finalize().into()
}

fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            hash.update([b'{']);
            for name in names {
                feed(hash, &Value::String(name.clone()));
                feed(hash, &fields[name]);
            }
            hash.update([b'}']);
        }
        Value::Array(items) => {
            hash.update([b'[']);
            items.iter().for_each(|item| feed(hash, item));
            hash.update([b']']);
        }
        scalar => {
            hash.update(scalar.to_string().as_bytes());
            hash.update([b',']);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_forgotten_after_a_day() {
        let mut replays = Replays::default();
        let body = json!({"id": "msg_1"});
        replays.store("k", 0, Stored { request: [0; 32], status: 201, body });
        assert!(replays.find("k", WINDOW_MS - 1).is_some());
        assert!(replays.find("k", WINDOW_MS).is_none());
    }

    #[test]
    fn fingerprints_see_values_and_paths_not_key_order() {
        let one = json!({"a": 1, "b": ["x", {"c": null}]});
        let same: Value = serde_json::from_str(r#"{"b": ["x", {"c": null}], "a": 1}"#).unwrap_or_default();
        assert_eq!(fingerprint("/m", &one), fingerprint("/m", &same));
        assert_ne!(fingerprint("/n", &one), fingerprint("/m", &one));
        for other in [json!({"a": 1, "b": ["x", {"c": ""}]}), json!({"a": "1", "b": ["x", {"c": null}]}), json!({})] {
            assert_ne!(fingerprint("/m", &other), fingerprint("/m", &one));
        }
        assert_ne!(fingerprint("/m", &json!(["ab"])), fingerprint("/m", &json!(["a", "b"])));
    }
}
