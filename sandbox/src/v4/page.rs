//! Cursor paging.

use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

/// Where a row stands in its list: a time or a plain index, then what tells equal ones apart.
pub(super) type Position = (i64, usize);

/// One page of `rows`, which are sorted; the cursor names the last row given, so rows that come or go elsewhere do no harm.
pub(super) fn page<T>(
    call: &Call<'_>,
    rows: &[(Position, T)],
    newest_first: bool,
    view: impl Fn(&T) -> Value,
) -> Outcome {
    let limit = call.query.integer("limit", 1..=200, 50)? as usize;
    let after = call.query.get("cursor").map(decode).transpose()?;
    let start = after.map_or(0, |last| {
        rows.partition_point(|(position, _)| if newest_first { *position >= last } else { *position <= last })
    });
    let rest = &rows[start..];
    let given = &rest[..limit.min(rest.len())];
    let has_more = given.len() < rest.len();
    let next = given.last().filter(|_| has_more).map(|(position, _)| encode(*position));
    let data: Vec<Value> = given.iter().map(|(_, row)| view(row)).collect();
    Ok(Answer::ok(json!({"data": data, "has_more": has_more, "next_cursor": next})))
}

/// Rows in the order of their indexes, as [`page`] wants them.
pub(super) fn indexed(indexes: impl Iterator<Item = usize>, newest_first: bool) -> Vec<(Position, usize)> {
    let mut rows: Vec<(Position, usize)> = indexes.map(|index| ((0, index), index)).collect();
    if newest_first {
        rows.reverse();
    }
    rows
}

fn encode((time, index): Position) -> String {
    format!("cur_{time:016x}{index:016x}")
}

fn decode(cursor: &str) -> Result<Position, Refusal> {
    let digits = cursor.strip_prefix("cur_").filter(|digits| digits.len() == 32 && digits.is_ascii());
    let position = digits.and_then(|digits| {
        let time = i64::from_str_radix(&digits[..16], 16).ok()?;
        let index = usize::from_str_radix(&digits[16..], 16).ok()?;
        Some((time, index))
    });
    position.ok_or_else(|| Refusal::bad_request("cursor is not one this list gave.").code("invalid_cursor"))
}
