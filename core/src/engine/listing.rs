//! A page of a list, as far as the engine must know it: one pass over the body that keeps only what the next page is found by.
//! A caller who wants typed items has them made in the same pass.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::operation::Paging;
use crate::sight::{self, Key, See, Sight, Skip, read};

/// What the body of a page says.
pub(crate) struct Listing {
    /// The field that holds the items; empty when the body is the array itself.
    pub items: String,
    /// How many there are.
    pub count: u64,
    /// Fingerprints of what tells them apart, sorted; none where the list has no further pages.
    pub identities: Vec<u64>,
    /// The fields beside the items that say what follows.
    pub around: Value,
    /// A [`Kept`] of the rows, where there was somebody to keep them for.
    pub kept: Option<Box<dyn Any + Send>>,
}

/// Reads a page: one of the forms of [`survey`].
pub(crate) type Survey = fn(&Paging, &str) -> serde_json::Result<Result<Listing, String>>;

/// What becomes of an item.
pub(crate) trait Row: Sized + Send + 'static {
    /// Whether the rows, and the fields beside them, are wanted.
    const KEPT: bool;

    /// Reads an item with the text of its field `id`, if it has one; `None` for an item that cannot be such a row.
    fn read<'de, A: MapAccess<'de>>(id: Option<&str>, object: A) -> Result<(Option<Self>, Option<u64>), A::Error>;
}

/// The items of a page, and what stands beside them.
pub(crate) struct Kept<R> {
    pub rows: Vec<R>,
    pub rest: Value,
}

/// The fields that [`Listing::around`] keeps.
const AROUND: [&str; 4] = ["pagination", "has_more", "count", "next_cursor"];

/// Reads a page. The outer error: the text is not JSON. The inner one says what is wrong with the page, without quoting it.
pub(crate) fn survey<R: Row>(paging: &Paging, text: &str) -> serde_json::Result<Result<Listing, String>> {
    let (names, id): (&[&str], _) = match paging {
        Paging::None => (&[], None),
        Paging::Single { items } => (&[items, "data"], None),
        Paging::Offset { items, id } => (&[items, "data"], Some(*id)),
        Paging::Cursor { items, id, .. } => (&[items], Some(*id)),
        Paging::Anywhere => (&["data", "contacts", "items"], None),
    };
    let anywhere = matches!(paging, Paging::Anywhere);
    let Body { array, mut arrays, around, mut rest, mut whole } =
        read(text, Look { names, anywhere, id, rows: PhantomData::<R> })?;
    whole &= arrays.len() < 2;
    let named = names.iter().find_map(|name| arrays.iter().position(|(have, _)| have == name));
    let only = (anywhere && arrays.len() == 1).then_some(0);
    let (items, rows) = match (array, named.or(only)) {
        (Some(rows), _) if anywhere => (String::new(), rows),
        (Some(_), _) => return Ok(Err("the body: expected an object".into())),
        (None, Some(at)) => arrays.swap_remove(at),
        (None, None) => return Ok(Err(format!("{}: is missing or not a list", names.first().unwrap_or(&"data")))),
    };
    if let Some(at) = rows.odd {
        // Where the list may be anywhere, its name is the service's and may be anybody's.
        let list = if items.is_empty() || names.contains(&items.as_str()) { items.as_str() } else { "the list" };
        return Ok(Err(format!("{list}[{at}]: expected an object")));
    }
    let mut identities = match id {
        Some(id) if rows.nameless => whole_identities(text, &items, id)?,
        _ => rows.identities,
    };
    identities.sort_unstable();
    let kept = (R::KEPT && whole && rows.kept.len() as u64 == rows.count).then(|| {
        if !items.is_empty() {
            rest.insert(items.clone(), Value::Null);
        }
        let rest = if items.is_empty() { Value::Null } else { rest.into() };
        Box::new(Kept { rows: rows.kept, rest }) as Box<dyn Any + Send>
    });
    Ok(Ok(Listing { items, count: rows.count, identities, around: around.into(), kept }))
}

/// The items of a page that has been surveyed, each as it stands there; `None` where the last field of that name holds none.
pub(crate) fn rows<'a>(text: &'a str, items: &str) -> Option<Vec<&'a str>> {
    let rows: Vec<&RawValue> = match items {
        "" => serde_json::from_str(text).ok()?,
        items => sight::field(text, items).ok()??,
    };
    Some(rows.into_iter().map(RawValue::get).collect())
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

pub(crate) fn fingerprint(identity: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

/// Looks at a body.
struct Look<'a, R> {
    /// Fields that may hold the items.
    names: &'a [&'a str],
    /// So may any other.
    anywhere: bool,
    /// The field that identifies an item, where that matters.
    id: Option<&'a str>,
    rows: PhantomData<R>,
}

struct Body<R> {
    array: Option<Rows<R>>,
    arrays: Vec<(String, Rows<R>)>,
    around: Map<String, Value>,
    /// Every field that holds no items, where rows are kept.
    rest: Map<String, Value>,
    /// Nothing is missing there.
    whole: bool,
}

impl<R> Body<R> {
    fn of(array: Option<Rows<R>>) -> Body<R> {
        Body { array, arrays: Vec::new(), around: Map::new(), rest: Map::new(), whole: true }
    }
}

impl<R: Row> Sight for Look<'_, R> {
    type Made = Body<R>;

    fn scalar(self, _: Value) -> Body<R> {
        Body::of(None)
    }

    fn text(self, _: &str) -> Body<R> {
        Body::of(None)
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Body<R>, A::Error> {
        LookAtRows(self.id, PhantomData).list(list).map(Body::of)
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> Result<Body<R>, A::Error> {
        let mut body = Body::of(None);
        while let Some(key) = object.next_key::<String>()? {
            let is_around = AROUND.contains(&key.as_str());
            if !is_around && (self.anywhere || self.names.contains(&key.as_str())) {
                let rows = object.next_value_seed(See(LookAtRows(self.id, PhantomData)))?;
                body.whole &= rows.is_some();
                body.arrays.retain(|(have, _)| *have != key);
                body.arrays.extend(rows.map(|rows| (key, rows)));
            } else if is_around || R::KEPT {
                let value: Value = object.next_value()?;
                if R::KEPT {
                    body.rest.insert(key.clone(), value.clone());
                }
                if is_around {
                    body.around.insert(key, value);
                }
            } else {
                object.next_value_seed(See(Skip))?;
            }
        }
        Ok(body)
    }
}

struct Rows<R> {
    kept: Vec<R>,
    count: u64,
    identities: Vec<u64>,
    /// Some item's id is missing or no string.
    nameless: bool,
    /// The first item that is no object.
    odd: Option<u64>,
}

/// Looks at what may be an array of items.
struct LookAtRows<'a, R>(Option<&'a str>, PhantomData<R>);

impl<R: Row> Sight for LookAtRows<'_, R> {
    type Made = Option<Rows<R>>;

    fn scalar(self, _: Value) -> Option<Rows<R>> {
        None
    }

    fn text(self, _: &str) -> Option<Rows<R>> {
        None
    }

    fn list<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Rows<R>>, A::Error> {
        let mut rows = Rows { kept: Vec::new(), count: 0, identities: Vec::new(), nameless: false, odd: None };
        while let Some(row) = list.next_element_seed(See(LookAtRow(self.0, PhantomData)))? {
            match row {
                Some((row, identity)) => {
                    rows.kept.extend(row);
                    rows.nameless |= identity.is_none();
                    rows.identities.extend(identity);
                }
                None => rows.odd = rows.odd.or(Some(rows.count)),
            }
            rows.count += 1;
        }
        Ok(Some(rows))
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Option<Rows<R>>, A::Error> {
        Skip.object(object)?;
        Ok(None)
    }
}

/// Looks at what should be an object.
struct LookAtRow<'a, R>(Option<&'a str>, PhantomData<R>);

impl<R: Row> Sight for LookAtRow<'_, R> {
    type Made = Option<(Option<R>, Option<u64>)>;

    fn scalar(self, _: Value) -> Self::Made {
        None
    }

    fn text(self, _: &str) -> Self::Made {
        None
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Self::Made, A::Error> {
        Skip.list(list).map(|()| None)
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        R::read(self.0, object).map(Some)
    }
}

/// Of an item that nobody keeps, only the id is read.
impl Row for () {
    const KEPT: bool = false;

    fn read<'de, A: MapAccess<'de>>(id: Option<&str>, mut object: A) -> Result<(Option<()>, Option<u64>), A::Error> {
        let Some(id) = id else { return Skip.object(object).map(|()| (None, None)) };
        let mut identity = None;
        while let Some(is_id) = object.next_key_seed(Key(|key: &str| key == id))? {
            if is_id {
                identity = object.next_value_seed(See(Identity))?;
            } else {
                object.next_value_seed(See(Skip))?;
            }
        }
        Ok((None, identity))
    }
}

/// An item's id.
struct Identity;

impl Sight for Identity {
    type Made = Option<u64>;

    fn scalar(self, _: Value) -> Option<u64> {
        None
    }

    fn text(self, text: &str) -> Option<u64> {
        Some(fingerprint(text))
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Option<u64>, A::Error> {
        Skip.list(list).map(|()| None)
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Option<u64>, A::Error> {
        Skip.object(object).map(|()| None)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::rows;

    #[test]
    fn rows_stand_as_they_stood_in_the_body() {
        let body =
            r#" {"n": 1e400, "data" : [ {"a": "]}\",{\""} ,{"b":[{}, [1]]},{ } ], "after": {"data": [{"not": 1}]}} "#;
        assert_eq!(rows(body, "data").unwrap(), [r#"{"a": "]}\",{\""}"#, r#"{"b":[{}, [1]]}"#, "{ }"]);
        assert_eq!(rows(r#"{"d\u0061ta":[{}]}"#, "data").unwrap(), ["{}"]);
        assert_eq!(rows(r#"[{"a":1},{"a":2}]"#, "").unwrap(), [r#"{"a":1}"#, r#"{"a":2}"#]);
        assert_eq!(rows(r#"{"data":[]}"#, "data").unwrap(), [""; 0]);
        // Of two fields of one name the last counts, as it does wherever JSON is read.
        assert_eq!(rows(r#"{"data":[{"a":1}],"data":[{"a":2}]}"#, "data").unwrap(), [r#"{"a":2}"#]);
        assert!(rows(r#"{"data":[{"a":1}],"data":null}"#, "data").is_none());
        assert!(rows(r#"{"contacts":[{"a":1}]}"#, "data").is_none());
    }
}
