//! Blooio v2: flat error bodies, offset paging, short ids.

mod account;
mod chats;
mod contacts;
mod directory;
mod groups;
mod lines;
mod logs;
mod messages;
pub(crate) mod payload;
mod polls;
mod reactions;
mod send;
mod signals;
mod webhooks;

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::blooio::World;
use crate::blooio::idempotency::{Fingerprint, Stored};
use crate::fields::Fields;
use crate::limit::Standing;
use crate::refusal::Refusal;
use crate::route::{Route, coming_soon, here};
use crate::service::{Answer, Call, KeyRefused, Product, Service};

pub(crate) struct V2;

/// Every operation of the contract, in its order.
static ROUTES: [Route; 56] = [
    here("GET", "/me", account::me),
    here("GET", "/me/numbers", account::numbers),
    here("POST", "/me/numbers/{number}/call-forwarding", lines::forward_calls),
    here("GET", "/me/numbers/{number}/contact-card", lines::card),
    here("PUT", "/me/numbers/{number}/contact-card", lines::update_card),
    here("POST", "/chats/{chatId}/contact-card", signals::share_card),
    here("GET", "/contacts", contacts::list),
    here("POST", "/contacts", contacts::create),
    here("GET", "/contacts/{contactId}", contacts::get),
    here("PATCH", "/contacts/{contactId}", contacts::update),
    here("DELETE", "/contacts/{contactId}", contacts::delete),
    here("GET", "/contacts/{contactId}/capabilities", contacts::capabilities),
    here("GET", "/contacts/{contactId}/tags", contacts::tags),
    here("POST", "/contacts/{contactId}/tags", contacts::add_tags),
    here("DELETE", "/contacts/{contactId}/tags/{tag}", contacts::remove_tag),
    here("GET", "/groups", groups::list),
    here("POST", "/groups", groups::create),
    here("GET", "/groups/{groupId}", groups::get),
    here("PATCH", "/groups/{groupId}", groups::update),
    here("DELETE", "/groups/{groupId}", groups::delete),
    here("POST", "/groups/{groupId}/icon", groups::set_icon),
    here("DELETE", "/groups/{groupId}/icon", groups::remove_icon),
    here("GET", "/groups/{groupId}/members", groups::members),
    here("POST", "/groups/{groupId}/members", groups::add_member),
    here("DELETE", "/groups/{groupId}/members/{contactId}", groups::remove_member),
    here("GET", "/chats", chats::list),
    here("GET", "/chats/{chatId}", chats::get),
    here("GET", "/chats/{chatId}/messages", messages::list),
    here("POST", "/chats/{chatId}/messages", send::send),
    here("GET", "/chats/{chatId}/messages/{messageId}", messages::get),
    here("DELETE", "/chats/{chatId}/messages/{messageId}", messages::cancel),
    here("GET", "/chats/{chatId}/messages/{messageId}/status", messages::status),
    here("POST", "/chats/{chatId}/messages/{messageId}/reactions", reactions::add),
    here("POST", "/chats/{chatId}/polls", polls::send),
    here("GET", "/chats/{chatId}/polls/{pollId}", polls::results),
    here("POST", "/chats/{chatId}/typing", signals::start_typing),
    here("DELETE", "/chats/{chatId}/typing", signals::stop_typing),
    here("POST", "/chats/{chatId}/read", signals::mark_read),
    here("GET", "/chats/{chatId}/background", signals::background),
    here("PUT", "/chats/{chatId}/background", signals::set_background),
    here("DELETE", "/chats/{chatId}/background", signals::remove_background),
    here("GET", "/location/contacts", directory::locations),
    here("GET", "/location/contacts/{handle}", directory::location),
    here("POST", "/location/contacts/refresh", directory::refresh_locations),
    coming_soon("POST", "/facetime/calls", "FaceTime calling"),
    here("GET", "/phone-numbers/lookup", directory::lookup),
    here("POST", "/phone-numbers/lookup", directory::lookup_posted),
    here("POST", "/phone-numbers/batch", directory::lookup_batch),
    here("GET", "/webhooks", webhooks::list),
    here("POST", "/webhooks", webhooks::create),
    here("GET", "/webhooks/{webhookId}", webhooks::get),
    here("PATCH", "/webhooks/{webhookId}", webhooks::update),
    here("DELETE", "/webhooks/{webhookId}", webhooks::delete),
    here("POST", "/webhooks/{webhookId}/secret/rotate", webhooks::rotate_secret),
    here("GET", "/webhooks/{webhookId}/logs", logs::list),
    here("POST", "/webhooks/{webhookId}/logs/{eventId}/replay", logs::replay),
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

    fn coming_soon(&self, resource: &'static str) -> Answer {
        Answer::new(501, json!({"error": "Coming soon", "message": format!("{resource} is not available yet.")}))
    }

    fn replayed(&self, call: &mut Call<'_>) -> Option<Answer> {
        let (key, now) = (post_key(call)?, call.state.blooio.now);
        let first = call.state.blooio.v2_replays.find(&key, now)?;
        Some(Answer::ok(first.body.clone()))
    }

    fn remember(&self, call: &mut Call<'_>, answer: &Answer) {
        if let (Some(key), None) = (post_key(call), &answer.later) {
            let stored = Stored { request: Fingerprint::default(), status: answer.status, body: answer.body.clone() };
            let now = call.state.blooio.now;
            call.state.blooio.v2_replays.store(&key, now, stored);
        }
    }

    fn standing_headers(&self, standing: &Standing) -> Vec<(&'static str, String)> {
        vec![
            ("x-ratelimit-limit", standing.limit.to_string()),
            ("x-ratelimit-remaining", standing.remaining.to_string()),
            ("x-ratelimit-reset", (standing.reset_ms / 1000).to_string()),
        ]
    }
}

/// What a POST other than a send is remembered under, where that is switched on.
fn post_key(call: &Call<'_>) -> Option<String> {
    let send = call.target.starts_with("/chats/") && call.target.ends_with("/messages");
    let wanted = call.state.blooio.switches.v2_idempotent_posts && call.method == "POST" && !send;
    call.idempotency_key().filter(|_| wanted).map(|key| format!("{} {key}", call.target))
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
        let (most, usual) = if call.state.blooio.switches.v2_generic_lists { (100, 25) } else { (200, 50) };
        let limit = call.query.integer("limit", 1..=most, usual)? as usize;
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
