//! The contracts as validators: operation and status → schema.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

/// Statuses every operation may answer with, beside those it declares: `[undeclared]` of the overlay.
static UNDECLARED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let overlay = include_str!("../../../spec/overlay.toml");
    let line = overlay.split("[undeclared]\nstatuses = [").nth(1).and_then(|rest| rest.split(']').next());
    line.expect("the statuses").split(',').map(|status| status.trim().parse().expect("a status")).collect()
});

pub struct Contract {
    pub prefix: &'static str,
    document: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

/// The control API's, whose paths are whole.
pub static CONTROL: LazyLock<Contract> =
    LazyLock::new(|| Contract::read("", include_str!("../../../spec/sandbox.openapi.yaml")));

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
    let bare = path.split('?').next().unwrap_or_default();
    let below = |prefix: &str| bare.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let contract = match CONTRACTS.iter().find(|contract| below(contract.prefix)) {
        Some(contract) => contract,
        None if below("/_sandbox") => &CONTROL,
        None => return assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not_found")), "{path}"),
    };
    if contract.prefix == "/v2/api" {
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            let value = answer.header(name).unwrap_or_else(|| panic!("{name} is missing"));
            assert!(value.parse::<u64>().is_ok(), "{name}: {value}");
        }
    }
    let operation = contract.operation(method, &bare[contract.prefix.len()..]);
    let declared = operation.as_ref().and_then(|(name, operation)| {
        let responses = &operation["responses"];
        let response = responses.get(answer.status.to_string()).or(responses.get("default"))?;
        Some((format!("{name} {}", answer.status), contract.resolve(response)))
    });
    let (name, schema) = match declared {
        Some((name, response)) => match response.pointer("/content/application~1json/schema") {
            Some(schema) => (name, schema.clone()),
            None => return,
        },
        None => {
            let undeclared = UNDECLARED.contains(&answer.status) || (below("/_sandbox") && answer.status == 403);
            assert!(undeclared, "{method} {path} answers {}: {}", answer.status, answer.body);
            // v4's key errors are flat, everything else of it is nested.
            let shape = if contract.prefix == "/v4" && answer.status == 401 { "AuthError" } else { "Error" };
            (shape.to_owned(), json!({"$ref": format!("#/components/schemas/{shape}")}))
        }
    };
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

    /// The methods a path takes.
    pub fn methods(&self, path: &str) -> Vec<String> {
        self.operations()
            .into_iter()
            .filter(|(_, template, _)| fits(template, path))
            .map(|(method, ..)| method)
            .collect()
    }

    /// `METHOD /template` of the operation a request means.
    pub fn name(&self, method: &str, path: &str) -> Option<String> {
        self.operation(method, path).map(|(name, _)| name)
    }

    fn operation(&self, method: &str, path: &str) -> Option<(String, &Value)> {
        let candidates =
            self.operations().into_iter().filter(|(verb, template, _)| verb == method && fits(template, path));
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

/// Whether a path is one of a template's: values are anything that is UTF-8 once it is decoded, and not empty.
fn fits(template: &str, path: &str) -> bool {
    let (want, have): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let value = |text: &str| !text.is_empty() && percent_encoding::percent_decode_str(text).decode_utf8().is_ok();
    want.len() == have.len()
        && want.iter().zip(&have).all(|(want, have)| if want.starts_with('{') { value(have) } else { want == have })
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
