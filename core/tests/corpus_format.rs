//! The conformance corpus itself: a misspelt key or a repeated id would compare nothing and pass.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// What each object of a case may hold.
const CASE: &str = "id about client transcript calls expect webhook";
const TRANSCRIPT: &str = "exchanges jitter now_ms";
const EXCHANGE: &str = "status headers json body body_base64 body_repeat fault delay_ms";
const CALL: &str = "operation arguments arguments_json options files pages";
const OPTIONS: &str = "timeout_ms attempt_timeout_ms max_retries idempotency_key headers query extra_body";
const FILE: &str = "field filename content_type text base64";
const EXPECT: &str = "requests request_count waits_ms results events event header error";
const REQUEST: &str = "method url headers body body_base16";
const RESULT: &str = "value read model attempts status idempotency_key request_id pages error";
const ERROR: &str = "kind status code attempts maybe_sent idempotency_key request_id retry_after_s argument reason cause \
                     message_contains message_excludes body result last_status";
const EVENT: &str = "type version model id data";
const WEBHOOK: &str = "verify sign parse";
const DELIVERY: &str = "body header secrets secret now_s tolerance_s at_s";

#[derive(Default)]
struct Check {
    ids: BTreeSet<String>,
    operations: BTreeSet<String>,
    problems: Vec<String>,
}

impl Check {
    fn keys(&mut self, case: &Value, object: &Value, known: &str) {
        for key in object.as_object().into_iter().flat_map(|object| object.keys()) {
            if !known.split_whitespace().any(|name| name == key) {
                self.problems.push(format!("{}: unknown key {key:?}", case["id"]));
            }
        }
    }

    fn each(&mut self, case: &Value, list: &Value, known: &str) {
        list.as_array().into_iter().flatten().for_each(|object| self.keys(case, object, known));
    }

    fn error(&mut self, case: &Value, error: &Value) {
        self.keys(case, error, ERROR);
        if let Some(cause) = error.get("cause") {
            self.error(case, cause);
        }
    }

    fn case(&mut self, case: &Value) {
        let id = case["id"].as_str().expect("an id").to_owned();
        let well_formed = id
            .split(['.', '-'])
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        if !well_formed || !self.ids.insert(id.clone()) {
            self.problems.push(format!("{id}: stands twice, or is not lower-case words between dots and dashes"));
        }
        self.keys(case, case, CASE);
        self.keys(case, &case["transcript"], TRANSCRIPT);
        self.each(case, &case["transcript"]["exchanges"], EXCHANGE);
        self.each(case, &case["calls"], CALL);
        for call in case["calls"].as_array().into_iter().flatten() {
            self.operations.insert(call["operation"].as_str().expect("an operation").to_owned());
            self.keys(case, &call["options"], OPTIONS);
            self.each(case, &call["files"], FILE);
        }
        let expect = &case["expect"];
        self.keys(case, expect, EXPECT);
        self.each(case, &expect["requests"], REQUEST);
        self.each(case, &expect["results"], RESULT);
        for result in expect["results"].as_array().into_iter().flatten() {
            self.error(case, &result["error"]);
        }
        self.error(case, &expect["error"]);
        self.keys(case, &expect["event"], EVENT);
        self.keys(case, &case["webhook"], WEBHOOK);
        for name in WEBHOOK.split_whitespace() {
            self.keys(case, &case["webhook"][name], DELIVERY);
        }
        if expect.as_object().is_none_or(|expect| expect.is_empty()) {
            self.problems.push(format!("{id}: expects nothing"));
        }
    }
}

fn read() -> Check {
    let mut check = Check::default();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).expect("JSON");
            assert_eq!(file["group"], path.file_stem().unwrap().to_str().unwrap(), "a group is named after its file");
            file["cases"].as_array().expect("cases").iter().for_each(|case| check.case(case));
        }
    }
    check
}

#[test]
fn every_case_says_something_a_runner_compares() {
    let check = read();
    assert!(check.ids.len() >= 500, "only {} cases were found", check.ids.len());
    assert!(check.problems.is_empty(), "{}", check.problems.join("\n"));
}

#[test]
fn every_operation_exists() {
    let unknown = |name: &&String| {
        let made_of_others = name.ends_with(".request") || name.ends_with(".messages.wait");
        !made_of_others && bloomchats::api::table::find(name).is_none()
    };
    assert_eq!(read().operations.iter().filter(unknown).collect::<Vec<_>>(), Vec::<&String>::new());
}
