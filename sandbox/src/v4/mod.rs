//! Blooio v4: nested errors, cursors, prefixed ids.

mod account;
mod channels;
mod chats;
mod events;
mod messages;
mod page;
pub(crate) mod payload;
mod send;
mod webhooks;

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::route::{Route, coming_soon, here, not_emulated};
use crate::service::{Answer, KeyRefused, Product, Service};

pub(crate) struct V4;

/// Every operation of the contract, in its order.
static ROUTES: [Route; 93] = [
    here("GET", "/me", account::me),
    here("GET", "/me/priority", account::default_priority),
    here("GET", "/me/numbers", account::numbers),
    not_emulated("GET", "/me/numbers/{number}/contact-card"),
    not_emulated("PUT", "/me/numbers/{number}/contact-card"),
    not_emulated("POST", "/me/numbers/{number}/contact-card/avatar"),
    not_emulated("POST", "/me/numbers/{number}/call-forwarding"),
    not_emulated("GET", "/location/contacts"),
    not_emulated("GET", "/location/contacts/refresh"),
    not_emulated("POST", "/location/contacts/refresh"),
    not_emulated("GET", "/location/contacts/{handle}"),
    here("GET", "/channels", channels::list),
    here("GET", "/channels/{channel}", channels::get),
    here("GET", "/channels/{channel}/capabilities", channels::capabilities),
    not_emulated("PUT", "/channels/{channel}/profile"),
    not_emulated("GET", "/channels/{channel}/settings"),
    here("POST", "/channels/{channel}/messages", send::to_channel),
    not_emulated("GET", "/channels/blooio/available"),
    not_emulated("POST", "/channels/blooio/purchases"),
    not_emulated("GET", "/priorities"),
    not_emulated("POST", "/priorities"),
    not_emulated("GET", "/priorities/{priorityId}"),
    not_emulated("PATCH", "/priorities/{priorityId}"),
    not_emulated("DELETE", "/priorities/{priorityId}"),
    not_emulated("GET", "/contacts"),
    not_emulated("POST", "/contacts"),
    not_emulated("GET", "/contacts/{contactId}"),
    not_emulated("PATCH", "/contacts/{contactId}"),
    not_emulated("DELETE", "/contacts/{contactId}"),
    not_emulated("POST", "/contacts/{contactId}/merge"),
    not_emulated("GET", "/contacts/{contactId}/identities"),
    not_emulated("POST", "/contacts/{contactId}/identities"),
    not_emulated("PATCH", "/contacts/{contactId}/identities/{identityId}"),
    not_emulated("DELETE", "/contacts/{contactId}/identities/{identityId}"),
    not_emulated("GET", "/contacts/{contactId}/capabilities"),
    not_emulated("GET", "/contacts/{contactId}/timeline"),
    not_emulated("GET", "/contacts/{contactId}/tags"),
    not_emulated("POST", "/contacts/{contactId}/tags"),
    not_emulated("DELETE", "/contacts/{contactId}/tags/{tag}"),
    not_emulated("GET", "/groups"),
    not_emulated("POST", "/groups"),
    not_emulated("GET", "/groups/{groupId}"),
    not_emulated("PATCH", "/groups/{groupId}"),
    not_emulated("DELETE", "/groups/{groupId}"),
    not_emulated("GET", "/groups/{groupId}/members"),
    not_emulated("POST", "/groups/{groupId}/icon"),
    not_emulated("DELETE", "/groups/{groupId}/icon"),
    here("GET", "/chats", chats::list),
    here("POST", "/chats", chats::create),
    here("GET", "/chats/{chatId}", chats::get),
    not_emulated("PATCH", "/chats/{chatId}"),
    not_emulated("POST", "/chats/{chatId}/typing"),
    not_emulated("DELETE", "/chats/{chatId}/typing"),
    not_emulated("POST", "/chats/{chatId}/read"),
    not_emulated("POST", "/chats/{chatId}/contact-card"),
    not_emulated("GET", "/chats/{chatId}/background"),
    not_emulated("PUT", "/chats/{chatId}/background"),
    not_emulated("DELETE", "/chats/{chatId}/background"),
    not_emulated("POST", "/chats/{chatId}/polls"),
    not_emulated("POST", "/chats/{chatId}/polls/{pollId}/vote"),
    not_emulated("GET", "/chats/{chatId}/polls/{pollId}"),
    here("GET", "/chats/{chatId}/messages", messages::list),
    here("POST", "/chats/{chatId}/messages", send::to_chat),
    here("POST", "/messages", send::routed),
    here("GET", "/chats/{chatId}/messages/{messageId}", messages::get),
    here("GET", "/chats/{chatId}/messages/{messageId}/status", messages::status),
    here("GET", "/chats/{chatId}/messages/{messageId}/events", messages::events),
    not_emulated("POST", "/chats/{chatId}/messages/{messageId}/reactions"),
    here("GET", "/webhooks", webhooks::list),
    here("POST", "/webhooks", webhooks::create),
    here("GET", "/webhooks/versions", webhooks::versions),
    here("GET", "/webhooks/{webhookId}", webhooks::get),
    here("PATCH", "/webhooks/{webhookId}", webhooks::update),
    here("DELETE", "/webhooks/{webhookId}", webhooks::delete),
    here("POST", "/webhooks/{webhookId}/secret/rotate", webhooks::rotate_secret),
    not_emulated("GET", "/webhooks/{webhookId}/deliveries"),
    not_emulated("GET", "/webhooks/{webhookId}/logs"),
    not_emulated("POST", "/webhooks/{webhookId}/deliveries/{deliveryId}/replay"),
    not_emulated("POST", "/webhooks/{webhookId}/logs/{deliveryId}/replay"),
    here("GET", "/events", events::list),
    here("GET", "/events/{eventId}", events::get),
    not_emulated("GET", "/phone-numbers/lookup"),
    not_emulated("POST", "/phone-numbers/lookup"),
    not_emulated("POST", "/phone-numbers/batch"),
    coming_soon("GET", "/chats/{chatId}/participants", "participants.list"),
    coming_soon("POST", "/chats/{chatId}/participants", "participants.add"),
    coming_soon("DELETE", "/chats/{chatId}/participants/{identityId}", "participants.remove"),
    coming_soon("POST", "/attachments", "attachments.create"),
    coming_soon("GET", "/attachments/{attachmentId}", "attachments.get"),
    coming_soon("GET", "/templates", "templates.list"),
    coming_soon("POST", "/templates", "templates.create"),
    coming_soon("GET", "/templates/{templateId}", "templates.get"),
    coming_soon("DELETE", "/templates/{templateId}", "templates.delete"),
];

impl Service for V4 {
    fn name(&self) -> &'static str {
        "v4"
    }

    fn prefix(&self) -> &'static str {
        "/v4"
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
        let code = refusal.reason().to_owned();
        Answer::new(
            refusal.status,
            json!({"error": {"code": code, "message": refusal.message, "details": refusal.context}}),
        )
    }

    /// The one v4 error that is flat.
    fn key_refused(&self, reason: KeyRefused) -> Answer {
        let message = match reason {
            KeyRefused::Live => KeyRefused::USE_SANDBOX_KEY,
            KeyRefused::Missing => "Missing API key: send Authorization: Bearer <key>.",
            KeyRefused::Unknown => "Invalid API key.",
        };
        Answer::new(401, json!({"error": "unauthorized", "message": message, "status": 401}))
    }

    fn not_emulated(&self, method: &str, path: &str) -> Answer {
        let refusal = Refusal::new(501, format!("The sandbox does not emulate {method} {path} yet."));
        self.render(refusal.code("sandbox_not_implemented"))
    }

    fn coming_soon(&self, resource: &'static str) -> Answer {
        let refusal = Refusal::new(501, "This endpoint is defined and not available yet.");
        self.render(refusal.code("not_implemented").with("resource", resource))
    }
}

/// A body's fields; a wrong one is 422 and named in `details.field`.
fn fields(body: &Map<String, Value>) -> Fields<'_> {
    Fields::new(body, |name, must_be| unprocessable(name, format!("{name} must be {must_be}.")))
}

fn unprocessable(field: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(422, message).with("field", field)
}

/// A single thing, wrapped as all but sends and `POST /chats` are.
fn wrapped(data: Value) -> Answer {
    Answer::ok(json!({"data": data}))
}
