//! Lists: where the next page begins, and when there is none.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::listing::Listing;
use super::operation::{Operation, Paging};

/// Both Blooio guides accept this page size.
const PAGE_SIZE: u64 = 100;

/// How far a listing has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    offset: u64,
    total: Option<u64>,
    pages: u64,
    /// The items of the page before, of this one, and of the last page whose number was a power of two: a server that
    /// repeats itself, in however wide a circle, must not make a listing endless.
    seen: [Option<Arc<Vec<u64>>>; 3],
}

/// The arguments of the first page, with the paging the contract leaves to the client.
pub(crate) fn first(operation: &Operation, arguments: &mut Map<String, Value>) -> Position {
    if matches!(operation.paging, Paging::Offset { .. }) {
        arguments.entry("limit").or_insert_with(|| PAGE_SIZE.into());
        arguments.entry("offset").or_insert_with(|| 0.into());
    }
    Position { offset: arguments.get("offset").and_then(Value::as_u64).unwrap_or(0), ..Position::default() }
}

/// Moves `arguments` on to the page after `listing`; `None` at the end.
pub(crate) fn next(
    operation: &Operation,
    position: &Position,
    arguments: &Map<String, Value>,
    listing: Listing,
) -> Option<(Position, Map<String, Value>)> {
    let (body, count) = (&listing.around, listing.count);
    if count == 0 || has_more(body) == Some(false) {
        return None;
    }
    let mut arguments = arguments.clone();
    match &operation.paging {
        Paging::Cursor { offset_when, .. } if !offset_when.iter().any(|name| arguments.contains_key(*name)) => {
            let position = position.past(listing.identities)?;
            let cursor = body.get("next_cursor")?.as_str().filter(|cursor| !cursor.is_empty())?;
            if arguments.get("cursor").and_then(Value::as_str) == Some(cursor) {
                return None;
            }
            arguments.insert("cursor".into(), cursor.into());
            Some((position, arguments))
        }
        Paging::Offset { .. } | Paging::Cursor { .. } => {
            let mut next = position.past(listing.identities)?;
            next.offset = position.offset.saturating_add(count);
            next.total = total(body);
            let shrank = matches!((position.total, next.total), (Some(before), Some(now)) if now < before);
            if next.total.is_some_and(|total| next.offset >= total) && !shrank {
                return None;
            }
            arguments.insert("offset".into(), next.offset.into());
            Some((next, arguments))
        }
        Paging::None | Paging::Single { .. } | Paging::Anywhere => None,
    }
}

impl Position {
    /// The position after `items`, or `None` if none of them is new.
    fn past(&self, items: Vec<u64>) -> Option<Position> {
        let is_seen = |item: &u64| self.seen.iter().flatten().any(|page| page.binary_search(item).is_ok());
        if items.iter().all(is_seen) {
            return None;
        }
        let (items, pages) = (Some(Arc::new(items)), self.pages + 1);
        let [_, last, landmark] = self.seen.clone();
        let landmark = if pages.is_power_of_two() { items.clone() } else { landmark };
        Some(Position { pages, seen: [last, items, landmark], ..self.clone() })
    }
}

fn has_more(body: &Value) -> Option<bool> {
    body.get("has_more").or_else(|| body.pointer("/pagination/has_more"))?.as_bool()
}

fn total(body: &Value) -> Option<u64> {
    body.pointer("/pagination/total").or_else(|| body.get("count"))?.as_u64()
}
