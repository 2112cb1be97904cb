//! `docs/sandbox-coverage.md` is written by this test (`BLESS=1`), and checked by it: against the contracts, the behaviour
//! files, and the running sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::fmt::Write;

use common::bench;
use common::contract::CONTRACTS;
use serde_json::json;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sandbox-coverage.md");

/// Operations that are simpler here, with how.
const SIMPLIFIED: &[(&str, &str)] = &[
    (
        "GET /api/contacts",
        "the fields `id, username, name, tags, created_at` are made up, as the page names none; not paged",
    ),
    ("POST /v2/api/me/numbers/{number}/call-forwarding", "a ticket id, and nothing after it"),
    ("GET /v2/api/location/contacts", "the first three contacts, at places that never move"),
    ("GET /v2/api/location/contacts/{handle}", "as the list"),
    ("POST /v2/api/location/contacts/refresh", "the new time at once, not after 15 to 20 s"),
    ("GET /v2/api/phone-numbers/lookup", LOOKUP),
    ("POST /v2/api/phone-numbers/lookup", LOOKUP),
    ("POST /v2/api/phone-numbers/batch", LOOKUP),
    (
        "GET /v2/api/contacts/{contactId}/capabilities",
        "everybody has iMessage but the recipients of the table in sandbox.md",
    ),
    ("DELETE /v2/api/chats/{chatId}/messages/{messageId}", "cancelled at once, without `cancellation_requested`"),
    ("POST /v2/api/groups/{groupId}/icon", UPLOAD),
    ("PUT /v2/api/chats/{chatId}/background", UPLOAD),
    ("POST /v2/api/groups/{groupId}/members", "501 as today; switch `v2_group_members` for the intended form"),
    (
        "DELETE /v2/api/groups/{groupId}/members/{contactId}",
        "501 as today; switch `v2_group_members` for the intended form",
    ),
    ("POST /v4/me/numbers/{number}/contact-card/avatar", UPLOAD),
    ("POST /v4/me/numbers/{number}/call-forwarding", "a ticket id, and nothing after it"),
    ("GET /v4/location/contacts", "the first three contacts, at places that never move"),
    ("GET /v4/location/contacts/{handle}", "as the list"),
    ("GET /v4/location/contacts/refresh", "the new time at once"),
    ("POST /v4/location/contacts/refresh", "the new time at once"),
    ("GET /v4/channels/{channel}/settings", "always both `false`: no route changes them"),
    ("GET /v4/channels/blooio/available", "403 `feature_not_enabled`, the only answer anybody has seen"),
    ("POST /v4/channels/blooio/purchases", "403 `feature_not_enabled`; 400 without a key"),
    ("POST /v4/messages", "`hybrid` is 422: no key here has a hybrid configuration"),
    ("PATCH /v4/contacts/{contactId}/identities/{identityId}", "earlier chats stay with the earlier identifier"),
    ("GET /v4/contacts/{contactId}/capabilities", "as v2's; `{}` for identities that are not Blooio's"),
    ("POST /v4/groups", "two groups of the same members stay two"),
    ("POST /v4/groups/{groupId}/icon", UPLOAD),
    ("PUT /v4/chats/{chatId}/background", UPLOAD),
    ("POST /v4/chats/{chatId}/polls/{pollId}/vote", "no message row becomes `superseded`"),
    ("GET /v4/phone-numbers/lookup", LOOKUP),
    ("POST /v4/phone-numbers/lookup", LOOKUP),
    ("POST /v4/phone-numbers/batch", LOOKUP),
];

const LOOKUP: &str =
    "by the `phonenumber` crate, whose types are sometimes too broad; no `location`, no `area_code_region`";
const UPLOAD: &str = "the picture is checked and not kept; its URL leads nowhere";

/// What becomes of each section of a behaviour file: whether it is whole, and what is missing from it.
const V2_RULES: &[&str] = &[
    "",
    "",
    "one window size for all; it begins with its first request",
    "",
    "attachment and preview URLs are checked for their form and never fetched, so sizes, media types and voice memos are unknown; `share_contact` follows switch `enterprise`",
    "lines are Blooio's only, so no Twilio key; 403 for forbidden numbers and 502, 503 come from recipients of the table in sandbox.md; the cap is the organization's, not a number's",
    "an unlinked group is linked by its first message; `device_sync` always succeeds",
    "`reply_target_not_supported` for text arrays and URL batches only, as there are no Twilio or hybrid keys",
    "no `pending` and no `cancellation_requested`; `protocol` is null, not `pending`, until it is known, as the vendor's Python client takes it",
    "markChatRead marks our side and tells nobody; capabilities are looked up at every call",
    "",
    "",
    "rows of deliveries beyond this machine carry `metadata.sandbox: not_sent`",
    "422 is never sent",
    "`X-From-Number`, `fromNumber` and `format` are ignored, as by default",
];

const V4_RULES: &[&str] = &[
    "no OAuth, and so no `X-Organization-Id`",
    "",
    "the timeline breaks ties by age, not by id",
    "",
    "attachment URLs are never fetched; `template`, `app_clip` and `imessage_app` are taken whole and not looked into",
    "no hybrid senders; a contact's first identity is the one that is written to",
    "equal groups are not merged",
    "codes that no source names are ours: `idempotency_key_reused`",
    "a dry run answers with ids, as the result must have them; they belong to nothing; limits are refusals there too",
    "no `pending`, no `superseded`; times are shorter (sandbox.md)",
    "triggers of the safety system do not exist: a switch or `PUT /_sandbox/lines` sets its action",
    "codes that no source names are ours: `chat_closed, contact_not_found, group_not_found, group_not_linked, channel_not_found, channel_not_supported, message_not_on_device, priority_not_found, invalid_recipient, invalid_cursor` and the plain names of statuses",
    "`api_key` and `integration_id` of a subscription are ignored; `number.*` events never happen",
    "",
];

#[tokio::test]
async fn the_page_is_what_the_contracts_and_the_sandbox_say() {
    let mut page = String::from(
        "<!-- @generated by sandbox/tests/coverage.rs; BLESS=1 cargo test -p bloomchats-sandbox --test coverage writes it -->\n\
         # What the sandbox covers\n\n\
         Every operation and every rule, and how sure the sources are of it. `emulated`: as the contract says, with state.\n\
         `simplified`: the same answers, with less behind them, as said. `501`: as the vendor answers today.\n",
    );
    let bench = bench();
    let mut simplified: Vec<&str> = Vec::new();
    for contract in CONTRACTS.iter() {
        let client = if contract.prefix == "/api" { &bench.bloomchats } else { &bench.blooio };
        writeln!(page, "\n## `{}`\n\n| operation | here | source |\n|---|---|---|", contract.prefix).unwrap();
        let mut operations = contract.operations();
        // Another order than the contract's, as its own depends on how JSON objects were built.
        operations.sort_by(|(a, at, _), (b, bt, _)| (at, a).cmp(&(bt, b)));
        for (method, template, operation) in operations {
            let path = template.replace("{chatId}", "%2B15550001111").replace(['{', '}'], "");
            let answer = client.send(&method, &format!("{}{path}", contract.prefix), json!({})).await;
            let name = format!("{method} {}{template}", contract.prefix);
            let note = SIMPLIFIED.iter().find(|(operation, _)| *operation == name);
            let here = match note {
                Some((operation, how)) => {
                    simplified.push(operation);
                    format!("simplified: {how}")
                }
                None if answer.status == 501 => "501".to_owned(),
                None => "emulated".to_owned(),
            };
            let source = operation["x-confidence"].as_str().unwrap_or("documented");
            writeln!(page, "| `{name}` | {here} | {source} |").unwrap();
        }
    }
    assert_eq!(simplified.len(), SIMPLIFIED.len(), "a note about an operation that does not exist");

    for (file, text, notes) in [
        ("blooio-v2.behaviours.md", include_str!("../../spec/blooio-v2.behaviours.md"), V2_RULES),
        ("blooio-v4.behaviours.md", include_str!("../../spec/blooio-v4.behaviours.md"), V4_RULES),
    ] {
        let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
        assert_eq!(sections.len(), notes.len(), "{file} has sections this test knows nothing of, or lost some");
        writeln!(
            page,
            "\n## Rules of `spec/{file}`\n\n| section | here | documented, plugin, inferred lines |\n|---|---|---|"
        )
        .unwrap();
        for (section, note) in sections.iter().zip(notes) {
            let title = section.lines().next().unwrap_or_default();
            let tagged = |tag: &str| section.lines().filter(|line| line.contains(tag)).count();
            let here = if note.is_empty() { "emulated".to_owned() } else { format!("simplified: {note}") };
            writeln!(page, "| {title} | {here} | {}, {}, {} |", tagged("[D"), tagged("[P]"), tagged("[I")).unwrap();
        }
    }

    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/sandbox-coverage.md is stale; BLESS=1 cargo test -p bloomchats-sandbox --test coverage"
    );
}

/// The two documents and the code name the same control endpoints, switches and recipients.
#[tokio::test]
async fn the_documentation_names_what_there_is() {
    let guide = include_str!("../../docs/sandbox.md");
    let contract = include_str!("../../spec/sandbox.openapi.yaml");
    let bench = bench();
    for (name, value) in bench.blooio.get("/_sandbox/switches").await.is(200).body.as_object().unwrap() {
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in docs/sandbox.md"));
        let default = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace("1.0", "1");
        assert!(
            row.contains(&format!("| `{default}` |")) || row.contains(&format!("| {default} |")),
            "{row}: {default}"
        );
    }
    let document: serde_json::Value = serde_saphyr::from_str(contract).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|name| *name != "parameters") {
            let filled = path.replace("{number}", "%2B12025550101");
            let answer = bench.blooio.send(&method.to_uppercase(), &filled, json!({})).await;
            assert!(![404, 405].contains(&answer.status), "{method} {path}: {}", answer.body);
        }
        let start = path.split("/{").next().unwrap();
        assert!(guide.contains(start), "{start} is not in docs/sandbox.md");
    }
}
