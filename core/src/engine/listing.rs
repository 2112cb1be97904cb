//! A page of a list, as far as the engine must know it: one pass over the body that keeps only what the next page is found by.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::operation::Paging;
use crate::sight::{Key, See, Sight, Skip, read};

/// What the body of a page says.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The field that holds the items; empty when the body is the array itself.
    pub items: String,
    /// How many there are.
    pub count: u64,
    /// Fingerprints of what tells them apart, sorted; none where the list has no further pages.
    pub identities: Vec<u64>,
    /// The fields beside the items that say what follows.
    pub around: Value,
}

/// The fields that [`Listing::around`] keeps.
const AROUND: [&str; 4] = ["pagination", "has_more", "count", "next_cursor"];

/// Reads a page. The outer error: the text is not JSON. The inner one says what is wrong with the page, without quoting it.
pub(crate) fn survey(paging: &Paging, text: &str) -> serde_json::Result<Result<Listing, String>> {
    let (names, id): (&[&str], _) = match paging {
        Paging::None => (&[], None),
        Paging::Single { items } => (&[items, "data"], None),
        Paging::Offset { items, id } => (&[items, "data"], Some(*id)),
        Paging::Cursor { items, id, .. } => (&[items], Some(*id)),
        Paging::Anywhere => (&["data", "contacts", "items"], None),
    };
    let anywhere = matches!(paging, Paging::Anywhere);
    let Body { array, mut arrays, around } = read(text, Look { names, anywhere, id })?;
    let named = names.iter().find_map(|name| arrays.iter().position(|(have, _)| have == name));
    let only = (anywhere && arrays.len() == 1).then_some(0);
    let (items, rows) = match (array, named.or(only)) {
        (Some(rows), _) if anywhere => (String::new(), rows),
        (Some(_), _) => return Ok(Err("the body: expected an object".into())),
        (None, Some(at)) => arrays.swap_remove(at),
        (None, None) => return Ok(Err(format!("{}: is missing or not a list", names.first().unwrap_or(&"data")))),
    };
    if let Some(at) = rows.odd {
        return Ok(Err(format!("{items}[{at}]: expected an object")));
    }
    let mut identities = match id {
        Some(id) if rows.nameless => whole_identities(text, &items, id)?,
        _ => rows.identities,
    };
    identities.sort_unstable();
    Ok(Ok(Listing { items, count: rows.count, identities, around: around.into() }))
}

/// Where some items have no id, those are told apart by all that they hold.
fn whole_identities(text: &str, items: &str, id: &str) -> serde_json::Result<Vec<u64>> {
    let body: Value = serde_json::from_str(text)?;
    let items = body.get(items).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let identity = |item: &Value| match item.get(id).and_then(Value::as_str) {
        Some(id) => fingerprint(id),
        None => fingerprint(&item.to_string()),
    };
    Ok(items.iter().map(identity).collect())
}

fn fingerprint(identity: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

/// Looks at a body.
struct Look<'a> {
    /// Fields that may hold the items.
    names: &'a [&'a str],
    /// So may any other.
    anywhere: bool,
    /// The field that identifies an item, where that matters.
    id: Option<&'a str>,
}

#[derive(Default)]
struct Body {
    array: Option<Rows>,
    arrays: Vec<(String, Rows)>,
    around: Map<String, Value>,
}

impl Sight for Look<'_> {
    type Made = Body;

    fn scalar(self, _: Value) -> Body {
        Body::default()
    }

    fn text(self, _: &str) -> Body {
        Body::default()
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Body, A::Error> {
        Ok(Body { array: LookAtRows(self.id).list(list)?, ..Body::default() })
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> Result<Body, A::Error> {
        let mut body = Body::default();
        while let Some(key) = object.next_key::<String>()? {
            if AROUND.contains(&key.as_str()) {
                body.around.insert(key, object.next_value()?);
            } else if self.anywhere || self.names.contains(&key.as_str()) {
                let rows = object.next_value_seed(See(LookAtRows(self.id)))?;
                body.arrays.retain(|(have, _)| *have != key);
                body.arrays.extend(rows.map(|rows| (key, rows)));
            } else {
                object.next_value_seed(See(Skip))?;
            }
        }
        Ok(body)
    }
}

#[derive(Default)]
struct Rows {
    count: u64,
    identities: Vec<u64>,
    /// Some item's id is missing or no string.
    nameless: bool,
    /// The first item that is no object.
    odd: Option<u64>,
}

/// Looks at what may be an array of items.
struct LookAtRows<'a>(Option<&'a str>);

impl Sight for LookAtRows<'_> {
    type Made = Option<Rows>;

    fn scalar(self, _: Value) -> Option<Rows> {
        None
    }

    fn text(self, _: &str) -> Option<Rows> {
        None
    }

    fn list<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Rows>, A::Error> {
        let mut rows = Rows::default();
        while let Some(row) = list.next_element_seed(See(LookAtRow(self.0)))? {
            match row {
                Row::Named(identity) => rows.identities.push(identity),
                Row::Nameless => rows.nameless = true,
                Row::Odd => rows.odd = rows.odd.or(Some(rows.count)),
            }
            rows.count += 1;
        }
        Ok(Some(rows))
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Option<Rows>, A::Error> {
        Skip.object(object)?;
        Ok(None)
    }
}

enum Row {
    Named(u64),
    Nameless,
    Odd,
}

struct LookAtRow<'a>(Option<&'a str>);

impl Sight for LookAtRow<'_> {
    type Made = Row;

    fn scalar(self, _: Value) -> Row {
        Row::Odd
    }

    fn text(self, _: &str) -> Row {
        Row::Odd
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Row, A::Error> {
        Skip.list(list)?;
        Ok(Row::Odd)
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> Result<Row, A::Error> {
        let Some(id) = self.0 else {
            Skip.object(object)?;
            return Ok(Row::Nameless);
        };
        let mut row = Row::Nameless;
        while let Some(is_id) = object.next_key_seed(Key(|key: &str| key == id))? {
            if is_id {
                row = object.next_value_seed(See(Identity))?;
            } else {
                object.next_value_seed(See(Skip))?;
            }
        }
        Ok(row)
    }
}

/// An item's id.
struct Identity;

impl Sight for Identity {
    type Made = Row;

    fn scalar(self, _: Value) -> Row {
        Row::Nameless
    }

    fn text(self, text: &str) -> Row {
        Row::Named(fingerprint(text))
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Row, A::Error> {
        Skip.list(list).map(|()| Row::Nameless)
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Row, A::Error> {
        Skip.object(object).map(|()| Row::Nameless)
    }
}
