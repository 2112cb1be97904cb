//! The contracts as validators: operation and status → schema.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

/// Statuses every operation may answer with, beside those it declares.
const UNDECLARED: [u16; 14] = [400, 401, 404, 405, 408, 413, 415, 425, 429, 500, 501, 502, 503, 504];

pub struct Contract {
    pub prefix: &'static str,
    document: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

pub static CONTRACTS: LazyLock<[Contract; 3]> = LazyLock::new(|| {
    [
        Contract::read("/v2/api", include_str!("../../../spec/blooio-v2.openapi.yaml")),
        Contract::read("/v4", include_str!("../../../spec/blooio-v4.openapi.yaml")),
        Contract::read("/api", include_str!("../../../spec/bloomchats.openapi.yaml")),
    ]
});

/// Holds an answer against the operation's schema for its status, or the API's error schema where neither is declared.
pub fn check(method: &str, path: &str, answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let Some(contract) = CONTRACTS.iter().find(|contract| path.starts_with(contract.prefix)) else { return };
    if contract.prefix == "/v2/api" {
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            let value = answer.header(name).unwrap_or_else(|| panic!("{name} is missing"));
            assert!(value.parse::<u64>().is_ok(), "{name}: {value}");
        }
    }
    let bare = path[contract.prefix.len()..].split('?').next().unwrap_or_default();
    let operation = contract.operation(method, bare);
    let declared = operation.as_ref().and_then(|(name, operation)| {
        let response = contract.resolve(&operation["responses"][answer.status.to_string()]);
        let schema = response.pointer("/content/application~1json/schema")?;
        Some((format!("{name} {}", answer.status), schema.clone()))
    });
    let (name, schema) = declared.unwrap_or_else(|| {
        assert!(UNDECLARED.contains(&answer.status), "{method} {path} answers {}: {}", answer.status, answer.body);
        // v4's key errors are flat, everything else of it is nested.
        let shape = if contract.prefix == "/v4" && answer.status == 401 { "AuthError" } else { "Error" };
        (shape.to_owned(), json!({"$ref": format!("#/components/schemas/{shape}")}))
    });
    contract.validate(&name, &schema, &answer.body);
}

/// Holds a delivery against what the contract says of its event.
pub fn check_webhook(prefix: &str, event: &str, body: &Value) {
    let contract = CONTRACTS.iter().find(|contract| contract.prefix == prefix).expect("a contract");
    let schema = &contract.document["webhooks"][event]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{event} is not in the contract");
    contract.validate(&format!("webhook {event}"), schema, body);
}

impl Contract {
    fn read(prefix: &'static str, text: &str) -> Contract {
        let mut document: Value = serde_saphyr::from_str(text).expect("the contract is YAML");
        require_emulated(&mut document);
        Contract { prefix, document, validators: Mutex::default() }
    }

    /// Method, path template and operation of everything declared.
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = self.document["paths"].as_object().expect("paths");
        let mut all = Vec::new();
        for (template, methods) in paths {
            for (method, operation) in methods.as_object().expect("methods") {
                if operation["operationId"].is_string() {
                    all.push((method.to_uppercase(), template.clone(), operation));
                }
            }
        }
        all
    }

    fn operation(&self, method: &str, path: &str) -> Option<(String, &Value)> {
        let fits = |template: &str| {
            let (want, have): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
            want.len() == have.len() && want.iter().zip(&have).all(|(want, have)| want.starts_with('{') || want == have)
        };
        let candidates = self.operations().into_iter().filter(|(verb, template, _)| verb == method && fits(template));
        let best = candidates.min_by_key(|(_, template, _)| template.matches('{').count());
        best.map(|(verb, template, operation)| (format!("{verb} {template}"), operation))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).expect("a reference within the document"),
            None => value,
        }
    }

    fn validate(&self, name: &str, schema: &Value, body: &Value) {
        let validator = *self.validators.lock().unwrap().entry(name.to_owned()).or_insert_with(|| {
            let whole = json!({"components": self.document["components"], "allOf": [schema]});
            Box::leak(Box::new(jsonschema::draft202012::new(&whole).expect("a valid schema")))
        });
        let errors: Vec<String> =
            validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name} breaks its contract:\n{}\n{body}", errors.join("\n"));
    }
}

/// What an emulator must fill counts as required.
fn require_emulated(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(emulated) = map.get("x-emulator-required").and_then(Value::as_array).cloned() {
                let required = map.entry("required").or_insert_with(|| json!([]));
                if let Some(required) = required.as_array_mut() {
                    required.extend(emulated);
                    required.sort_by_key(Value::to_string);
                    required.dedup();
                }
            }
            map.values_mut().for_each(require_emulated);
        }
        Value::Array(items) => items.iter_mut().for_each(require_emulated),
        _ => {}
    }
}
