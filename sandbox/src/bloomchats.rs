//! BloomChats: one documented endpoint, its contacts.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::blooio::SEEDED_UNTIL_MS;
use crate::ids::Ids;
use crate::refusal::Refusal;
use crate::route::{Route, here};
use crate::service::{Answer, Call, KeyRefused, Outcome, Product, Service};

const CONTACTS: usize = 250;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The account of a namespace.
#[derive(Debug)]
pub(crate) struct Account {
    contacts: Vec<Value>,
}

impl Account {
    pub(crate) fn seeded(seed: u64) -> Account {
        let mut ids = Ids::new(seed ^ 0x0062_6c6f_6f6d);
        let contacts = (0..CONTACTS).map(|index| contact(&mut ids, index)).collect();
        Account { contacts }
    }
}

/// The fields are ours: the page names none.
fn contact(ids: &mut Ids, index: usize) -> Value {
    let name = crate::blooio::full_name(ids);
    let username = format!("{}{}", name.to_lowercase().replace(' ', "."), index + 1);
    json!({
        "id": ids.alphanumeric("con_", 16),
        "username": username,
        "name": name,
        "tags": if ids.below(4) == 0 { vec!["vip"] } else { Vec::new() },
        "created_at": SEEDED_UNTIL_MS - ids.below(180) as i64 * DAY_MS,
    })
}

pub(crate) struct BloomChats;

static ROUTES: [Route; 1] = [here("GET", "/contacts", list_contacts)];

fn list_contacts(call: &mut Call<'_>) -> Outcome {
    Ok(Answer::ok(json!({"data": call.state.bloomchats.contacts})))
}

impl Service for BloomChats {
    fn name(&self) -> &'static str {
        "bloomchats"
    }

    fn prefix(&self) -> &'static str {
        "/api"
    }

    fn product(&self) -> Product {
        Product::BloomChats
    }

    fn routes(&self) -> &'static [Route] {
        &ROUTES
    }

    fn key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers.get("x-api-key")?.to_str().ok()
    }

    fn render(&self, refusal: Refusal) -> Answer {
        let error = refusal.reason().to_owned();
        let mut body = refusal.context;
        body.insert("error".to_owned(), error.into());
        body.insert("message".to_owned(), refusal.message.into());
        body.insert("status".to_owned(), refusal.status.into());
        Answer::new(refusal.status, Value::Object(body))
    }

    fn key_refused(&self, reason: KeyRefused) -> Answer {
        let message = match reason {
            KeyRefused::Live => KeyRefused::USE_SANDBOX_KEY,
            KeyRefused::Missing | KeyRefused::Unknown => "The API key provided is invalid or expired.",
        };
        self.render(Refusal::new(401, message).code("invalid_api_key"))
    }

    fn coming_soon(&self, resource: &'static str) -> Answer {
        self.render(Refusal::new(501, format!("{resource} is not available yet.")).code("not_implemented"))
    }
}
