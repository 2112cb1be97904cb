//! A list ends, whatever the service says about its end; and an honest one comes whole.

use bloomchats::operation::{self, Paging};
use bloomchats::{Call, Client};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::sample;
use crate::schedules::Named;
use crate::support::{block_on, cases};

/// What a service may get wrong about a list.
#[derive(Clone, Debug)]
struct Lies {
    /// After this many pages the service begins again at its first; 0: it ends as it should.
    circle: usize,
    has_more: Option<bool>,
    /// Added to the true total on each page anew.
    total: Option<u64>,
    /// The items have the id that the contract promises.
    ids: bool,
}

impl Lies {
    fn strategy() -> impl Strategy<Value = Lies> {
        let has_more = prop::sample::select(vec![None, Some(true)]);
        let total = prop::option::of(0u64..1_000);
        (0usize..9, has_more, total, any::<bool>()).prop_map(|(circle, has_more, total, ids)| Lies {
            circle,
            has_more,
            total,
            ids,
        })
    }
}

fn lists() -> impl Strategy<Value = Named> {
    let paged =
        |operation: &&operation::Operation| matches!(operation.paging, Paging::Offset { .. } | Paging::Cursor { .. });
    prop::sample::select(operation::all().iter().filter(paged).map(Named).collect::<Vec<_>>())
}

/// The `n`th page of a list of `pages` pages of `size` items.
fn page(Named(operation): Named, lies: &Lies, pages: usize, size: usize, n: usize) -> Value {
    let (key, id, is_cursor) = match &operation.paging {
        Paging::Offset { items, id } => (*items, *id, false),
        Paging::Cursor { items, id, .. } => (*items, *id, true),
        _ => unreachable!("only lists with pages"),
    };
    let at = if lies.circle > 0 { n % lies.circle } else { n };
    let item =
        |i: usize| if lies.ids { json!({id: format!("item-{at}-{i}")}) } else { json!({"place": at * size + i}) };
    let items: Vec<Value> = if at < pages { (0..size).map(item).collect() } else { Vec::new() };
    let mut body = json!({key: items});
    if is_cursor && (lies.circle > 0 || at + 1 < pages) {
        body["next_cursor"] = format!("cursor-{at}").into();
    }
    if let Some(has_more) = lies.has_more {
        body["has_more"] = has_more.into();
    }
    if let (Some(excess), false) = (lies.total, is_cursor) {
        body["pagination"] = json!({"total": pages * size + 1 + n * excess as usize});
    }
    json!({"status": 200, "json": body})
}

/// Follows a list to its end, or until the script is exhausted.
fn follow(operation: Named, exchanges: &[Value]) -> (Vec<Value>, usize, bool) {
    let (client, script) =
        Client::open_scripted(sample::config(operation.0), json!({"exchanges": exchanges}).to_string()).unwrap();
    let mut call = Call::new(operation.0.name, Map::new());
    call.arguments = sample::call(operation.0, &|name| format!("a-{name}")).arguments;
    let mut answer = block_on(client.call(call));
    let mut items = Vec::new();
    while let Ok(page) = &answer {
        let body: Value = serde_json::from_slice(&page.body).unwrap();
        items.extend(body[page.items.as_deref().unwrap()].as_array().unwrap().iter().cloned());
        let Some(next) = page.next.clone() else { break };
        answer = block_on(next.fetch());
    }
    (items, script.requests().as_array().unwrap().len(), answer.is_ok())
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn a_list_ends_whatever_the_service_says(operation in lists(), lies in Lies::strategy(), pages in 1usize..9, size in 1usize..4) {
        let patience = 4 * (lies.circle + pages) + 4;
        let exchanges: Vec<Value> = (0..patience).map(|n| page(operation, &lies, pages, size, n)).collect();
        let (items, asked, ended) = follow(operation, &exchanges);
        prop_assert!(ended && asked <= patience, "{} pages asked for, and no end", asked);
        if lies.circle == 0 {
            prop_assert_eq!(items.len(), pages * size, "an honest list comes whole, and no item twice");
        }
    }
}
