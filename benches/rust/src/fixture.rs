//! The two calls every client makes, and the answers it must get.

use bytes::Bytes;
use serde::Deserialize;

/// The key every client shows.
pub const KEY: &str = "bl_bench_key";
/// The conversation sent to; every client writes it the same in a path.
pub const CHAT: &str = "grp_bench";
/// The one message that is ever sent.
pub const MESSAGE: &str = "msg_01J8ZB3T5QH7";
/// Contacts in a page.
pub const ROWS: usize = 100;
/// Path of a send.
pub const SEND: &str = "/v2/api/chats/grp_bench/messages";
/// Path and query of the first page.
pub const LIST: &str = "/v2/api/contacts?limit=100&offset=0";

/// Body of an accepted send.
pub fn sent() -> Bytes {
    Bytes::from(format!(r#"{{"message_id":"{MESSAGE}","status":"queued"}}"#))
}

/// The contact in this row of the list.
pub fn identifier(row: usize) -> String {
    format!("+1555{row:07}")
}

/// One page of a list of `total` contacts, 200 bytes each.
pub fn page(offset: usize, total: usize) -> Bytes {
    let contact = |row: usize| {
        let identifier = identifier(row);
        let tag = if row.is_multiple_of(2) { "customer" } else { "prospect" };
        format!(
            r#"{{"id":"{identifier}","contact_id":"ct_{row:012}","identifier":"{identifier}","name":"Ada Lovelace {row:07}","type":"phone","created_at":1735689600000,"last_message_time":1767225600000,"tags":["{tag}","2026"]}}"#
        )
    };
    let rows: Vec<_> = (offset..total.min(offset + ROWS)).map(contact).collect();
    let contacts = rows.join(",");
    let pagination = format!(r#"{{"limit":{ROWS},"offset":{offset},"total":{total}}}"#);
    Bytes::from(format!(r#"{{"contacts":[{contacts}],"pagination":{pagination}}}"#))
}

/// The answer to a send, as a bare client reads it.
#[derive(Deserialize)]
pub struct Sent {
    /// Its id.
    pub message_id: Option<String>,
    /// `queued`.
    pub status: Option<String>,
}

/// A page, as a bare client reads it.
#[derive(Deserialize)]
pub struct Page {
    /// The rows.
    pub contacts: Vec<Contact>,
    /// Where they are.
    pub pagination: Pagination,
}

/// A row, as a bare client reads it.
#[derive(Deserialize)]
#[allow(missing_docs)] // the contract says it
pub struct Contact {
    pub id: Option<String>,
    pub contact_id: Option<String>,
    pub identifier: Option<String>,
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub created_at: Option<i64>,
    pub last_message_time: Option<i64>,
    pub tags: Option<Vec<String>>,
}

/// Where a page is.
#[derive(Deserialize)]
#[allow(missing_docs)] // the contract says it
pub struct Pagination {
    pub limit: Option<u64>,
    pub offset: Option<u64>,
    pub total: Option<u64>,
}
