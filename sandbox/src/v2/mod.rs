//! Blooio v2: flat error bodies, offset paging, short ids.

mod account;
mod chats;
mod contacts;
mod messages;
pub(crate) mod payload;
mod send;
mod webhooks;

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::blooio::World;
use crate::fields::Fields;
use crate::limit::Standing;
use crate::refusal::Refusal;
use crate::route::{Route, coming_soon, here, not_emulated};
use crate::service::{Answer, Call, KeyRefused, Product, Service};

pub(crate) struct V2;

/// Every operation of the contract, in its order.
static ROUTES: [Route; 56] = [
    here("GET", "/me", account::me),
    here("GET", "/me/numbers", account::numbers),
    not_emulated("POST", "/me/numbers/{number}/call-forwarding"),
    not_emulated("GET", "/me/numbers/{number}/contact-card"),
    not_emulated("PUT", "/me/numbers/{number}/contact-card"),
    not_emulated("POST", "/chats/{chatId}/contact-card"),
    here("GET", "/contacts", contacts::list),
    here("POST", "/contacts", contacts::create),
    here("GET", "/contacts/{contactId}", contacts::get),
    not_emulated("PATCH", "/contacts/{contactId}"),
    not_emulated("DELETE", "/contacts/{contactId}"),
    not_emulated("GET", "/contacts/{contactId}/capabilities"),
    not_emulated("GET", "/contacts/{contactId}/tags"),
    not_emulated("POST", "/contacts/{contactId}/tags"),
    not_emulated("DELETE", "/contacts/{contactId}/tags/{tag}"),
    not_emulated("GET", "/groups"),
    not_emulated("POST", "/groups"),
    not_emulated("GET", "/groups/{groupId}"),
    not_emulated("PATCH", "/groups/{groupId}"),
    not_emulated("DELETE", "/groups/{groupId}"),
    not_emulated("POST", "/groups/{groupId}/icon"),
    not_emulated("DELETE", "/groups/{groupId}/icon"),
    not_emulated("GET", "/groups/{groupId}/members"),
    coming_soon("POST", "/groups/{groupId}/members", "Adding group members"),
    coming_soon("DELETE", "/groups/{groupId}/members/{contactId}", "Removing group members"),
    here("GET", "/chats", chats::list),
    here("GET", "/chats/{chatId}", chats::get),
    here("GET", "/chats/{chatId}/messages", messages::list),
    here("POST", "/chats/{chatId}/messages", send::send),
    here("GET", "/chats/{chatId}/messages/{messageId}", messages::get),
    not_emulated("DELETE", "/chats/{chatId}/messages/{messageId}"),
    here("GET", "/chats/{chatId}/messages/{messageId}/status", messages::status),
    not_emulated("POST", "/chats/{chatId}/messages/{messageId}/reactions"),
    not_emulated("POST", "/chats/{chatId}/polls"),
    not_emulated("GET", "/chats/{chatId}/polls/{pollId}"),
    not_emulated("POST", "/chats/{chatId}/typing"),
    not_emulated("DELETE", "/chats/{chatId}/typing"),
    not_emulated("POST", "/chats/{chatId}/read"),
    not_emulated("GET", "/chats/{chatId}/background"),
    not_emulated("PUT", "/chats/{chatId}/background"),
    not_emulated("DELETE", "/chats/{chatId}/background"),
    not_emulated("GET", "/location/contacts"),
    not_emulated("GET", "/location/contacts/{handle}"),
    not_emulated("POST", "/location/contacts/refresh"),
    coming_soon("POST", "/facetime/calls", "FaceTime calling"),
    not_emulated("GET", "/phone-numbers/lookup"),
    not_emulated("POST", "/phone-numbers/lookup"),
    not_emulated("POST", "/phone-numbers/batch"),
    here("GET", "/webhooks", webhooks::list),
    here("POST", "/webhooks", webhooks::create),
    here("GET", "/webhooks/{webhookId}", webhooks::get),
    here("PATCH", "/webhooks/{webhookId}", webhooks::update),
    here("DELETE", "/webhooks/{webhookId}", webhooks::delete),
    here("POST", "/webhooks/{webhookId}/secret/rotate", webhooks::rotate_secret),
    not_emulated("GET", "/webhooks/{webhookId}/logs"),
    not_emulated("POST", "/webhooks/{webhookId}/logs/{eventId}/replay"),
];

impl Service for V2 {
    fn name(&self) -> &'static str {
        "v2"
    }

    fn prefix(&self) -> &'static str {
        "/v2/api"
    }

    fn product(&self) -> Product {
        Product::Blooio
    }

    fn routes(&self) -> &'static [Route] {
        &ROUTES
    }

    fn key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        crate::blooio::bearer(headers)
    }

    fn render(&self, refusal: Refusal) -> Answer {
        // The documented rate limit answer names its wait in the header alone.
        let mut body = if refusal.status == 429 && refusal.code.is_none() { Map::new() } else { refusal.context };
        body.insert("error".to_owned(), "ApiError".into());
        body.insert("message".to_owned(), refusal.message.into());
        body.insert("status".to_owned(), refusal.status.into());
        if let Some(code) = refusal.code {
            body.insert("code".to_owned(), code.into_owned().into());
        }
        Answer::new(refusal.status, Value::Object(body))
    }

    fn key_refused(&self, reason: KeyRefused) -> Answer {
        let message = match reason {
            KeyRefused::Live => KeyRefused::USE_SANDBOX_KEY,
            KeyRefused::Missing => "Missing API key: send Authorization: Bearer <key>.",
            KeyRefused::Unknown => "Invalid API key.",
        };
        self.render(Refusal::new(401, message))
    }

    fn not_emulated(&self, method: &str, path: &str) -> Answer {
        Answer::new(
            501,
            json!({
                "error": "Coming soon",
                "message": format!("The sandbox does not emulate {method} {path} yet."),
                "code": "sandbox_not_implemented",
            }),
        )
    }

    fn coming_soon(&self, resource: &'static str) -> Answer {
        Answer::new(501, json!({"error": "Coming soon", "message": format!("{resource} is not available yet.")}))
    }

    fn standing_headers(&self, standing: &Standing) -> Vec<(&'static str, String)> {
        vec![
            ("x-ratelimit-limit", standing.limit.to_string()),
            ("x-ratelimit-remaining", standing.remaining.to_string()),
            ("x-ratelimit-reset", (standing.reset_ms / 1000).to_string()),
        ]
    }
}

/// A body's fields; a wrong one is 400 and named in `details.field`.
fn fields(body: &Map<String, Value>) -> Fields<'_> {
    Fields::new(body, |name, must_be| invalid(name, format!("{name} must be {must_be}.")))
}

fn invalid(field: &str, message: impl Into<String>) -> Refusal {
    Refusal::bad_request(message).with("details", json!({"field": field}))
}

/// `limit` and `offset` of a list.
struct Page {
    limit: usize,
    offset: usize,
}

impl Page {
    fn of(call: &Call<'_>) -> Result<Page, Refusal> {
        let limit = call.query.integer("limit", 1..=200, 50)? as usize;
        let offset = call.query.integer("offset", 0..=i64::MAX, 0)? as usize;
        Ok(Page { limit, offset })
    }

    /// The items of this page under `name`, with the pagination beside them.
    fn rows<T>(&self, name: &str, items: &[T], view: impl Fn(&T) -> Value) -> Map<String, Value> {
        let rows: Vec<Value> = items.iter().skip(self.offset).take(self.limit).map(view).collect();
        let mut body = Map::new();
        body.insert(name.to_owned(), rows.into());
        body.insert("pagination".to_owned(), json!({"limit": self.limit, "offset": self.offset, "total": items.len()}));
        body
    }

    /// A list and nothing beside it; by switch in the shape that only the REST guide shows.
    fn answer<T>(&self, world: &World, name: &str, items: &[T], view: impl Fn(&T) -> Value) -> Answer {
        let mut body = self.rows(name, items, view);
        if !world.switches.v2_generic_lists {
            return Answer::ok(Value::Object(body));
        }
        let rows = body.remove(name);
        Answer::ok(json!({"data": rows, "count": items.len(), "limit": self.limit, "offset": self.offset}))
    }
}
