//! Blooio v4: nested errors, cursors, prefixed ids.

mod account;
mod channels;
mod chats;
mod contacts;
mod deliveries;
mod directory;
mod events;
mod groups;
mod identities;
mod lines;
mod messages;
mod page;
pub(crate) mod payload;
mod polls;
mod priorities;
mod send;
mod signals;
mod webhooks;

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::route::{Route, coming_soon, here};
use crate::service::{Answer, KeyRefused, Product, Service};

pub(crate) struct V4;

/// Every operation of the contract, in its order.
static ROUTES: [Route; 93] = [
    here("GET", "/me", account::me),
    here("GET", "/me/priority", priorities::get_default),
    here("GET", "/me/numbers", account::numbers),
    here("GET", "/me/numbers/{number}/contact-card", lines::card),
    here("PUT", "/me/numbers/{number}/contact-card", lines::update_card),
    here("POST", "/me/numbers/{number}/contact-card/avatar", lines::upload_avatar),
    here("POST", "/me/numbers/{number}/call-forwarding", lines::forward_calls),
    here("GET", "/location/contacts", directory::locations),
    here("GET", "/location/contacts/refresh", directory::refresh_locations),
    here("POST", "/location/contacts/refresh", directory::refresh_locations),
    here("GET", "/location/contacts/{handle}", directory::location),
    here("GET", "/channels", channels::list),
    here("GET", "/channels/{channel}", channels::get),
    here("GET", "/channels/{channel}/capabilities", channels::capabilities),
    here("PUT", "/channels/{channel}/profile", channels::set_profile),
    here("GET", "/channels/{channel}/settings", channels::settings),
    here("POST", "/channels/{channel}/messages", send::to_channel),
    here("GET", "/channels/blooio/available", channels::available),
    here("POST", "/channels/blooio/purchases", channels::purchase),
    here("GET", "/priorities", priorities::list),
    here("POST", "/priorities", priorities::create),
    here("GET", "/priorities/{priorityId}", priorities::get),
    here("PATCH", "/priorities/{priorityId}", priorities::update),
    here("DELETE", "/priorities/{priorityId}", priorities::delete),
    here("GET", "/contacts", contacts::list),
    here("POST", "/contacts", contacts::create),
    here("GET", "/contacts/{contactId}", contacts::get),
    here("PATCH", "/contacts/{contactId}", contacts::update),
    here("DELETE", "/contacts/{contactId}", contacts::delete),
    here("POST", "/contacts/{contactId}/merge", contacts::merge),
    here("GET", "/contacts/{contactId}/identities", identities::list),
    here("POST", "/contacts/{contactId}/identities", identities::attach),
    here("PATCH", "/contacts/{contactId}/identities/{identityId}", identities::update),
    here("DELETE", "/contacts/{contactId}/identities/{identityId}", identities::detach),
    here("GET", "/contacts/{contactId}/capabilities", identities::capabilities),
    here("GET", "/contacts/{contactId}/timeline", contacts::timeline),
    here("GET", "/contacts/{contactId}/tags", contacts::tags),
    here("POST", "/contacts/{contactId}/tags", contacts::add_tags),
    here("DELETE", "/contacts/{contactId}/tags/{tag}", contacts::remove_tag),
    here("GET", "/groups", groups::list),
    here("POST", "/groups", groups::create),
    here("GET", "/groups/{groupId}", groups::get),
    here("PATCH", "/groups/{groupId}", groups::update),
    here("DELETE", "/groups/{groupId}", groups::delete),
    here("GET", "/groups/{groupId}/members", groups::members),
    here("POST", "/groups/{groupId}/icon", groups::set_icon),
    here("DELETE", "/groups/{groupId}/icon", groups::remove_icon),
    here("GET", "/chats", chats::list),
    here("POST", "/chats", chats::create),
    here("GET", "/chats/{chatId}", chats::get),
    here("PATCH", "/chats/{chatId}", chats::update),
    here("POST", "/chats/{chatId}/typing", signals::set_typing),
    here("DELETE", "/chats/{chatId}/typing", signals::stop_typing),
    here("POST", "/chats/{chatId}/read", signals::mark_read),
    here("POST", "/chats/{chatId}/contact-card", signals::share_card),
    here("GET", "/chats/{chatId}/background", signals::background),
    here("PUT", "/chats/{chatId}/background", signals::set_background),
    here("DELETE", "/chats/{chatId}/background", signals::remove_background),
    here("POST", "/chats/{chatId}/polls", polls::send),
    here("POST", "/chats/{chatId}/polls/{pollId}/vote", polls::vote),
    here("GET", "/chats/{chatId}/polls/{pollId}", polls::results),
    here("GET", "/chats/{chatId}/messages", messages::list),
    here("POST", "/chats/{chatId}/messages", send::to_chat),
    here("POST", "/messages", send::routed),
    here("GET", "/chats/{chatId}/messages/{messageId}", messages::get),
    here("GET", "/chats/{chatId}/messages/{messageId}/status", messages::status),
    here("GET", "/chats/{chatId}/messages/{messageId}/events", messages::events),
    here("POST", "/chats/{chatId}/messages/{messageId}/reactions", signals::react),
    here("GET", "/webhooks", webhooks::list),
    here("POST", "/webhooks", webhooks::create),
    here("GET", "/webhooks/versions", webhooks::versions),
    here("GET", "/webhooks/{webhookId}", webhooks::get),
    here("PATCH", "/webhooks/{webhookId}", webhooks::update),
    here("DELETE", "/webhooks/{webhookId}", webhooks::delete),
    here("POST", "/webhooks/{webhookId}/secret/rotate", webhooks::rotate_secret),
    here("GET", "/webhooks/{webhookId}/deliveries", deliveries::list),
    here("GET", "/webhooks/{webhookId}/logs", deliveries::list),
    here("POST", "/webhooks/{webhookId}/deliveries/{deliveryId}/replay", deliveries::replay),
    here("POST", "/webhooks/{webhookId}/logs/{deliveryId}/replay", deliveries::replay),
    here("GET", "/events", events::list),
    here("GET", "/events/{eventId}", events::get),
    here("GET", "/phone-numbers/lookup", directory::lookup),
    here("POST", "/phone-numbers/lookup", directory::lookup_posted),
    here("POST", "/phone-numbers/batch", directory::lookup_batch),
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
        if refusal.flat {
            let body = json!({"error": "ApiError", "message": refusal.message, "status": refusal.status, "code": code});
            return Answer::new(refusal.status, body);
        }
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
