//! Lists: one page, and every item behind it.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::request::{Request, unexpected};
use super::{As, Json};
use crate::client::Kept;
use crate::engine::listing::{self, Row};
use crate::sight::{self, Key, Sight};
use crate::{Answer, Call, Client, NextPage, Result};

/// One page of a list.
#[derive(Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// The page's items.
    pub items: Vec<T>,
    /// The page's body as it came, without the items.
    pub raw: Value,
    next: Option<NextPage>,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("items", &self.items).field("has_next", &self.has_next()).finish_non_exhaustive()
    }
}

impl<T> Page<T> {
    /// Whether there may be more.
    pub fn has_next(&self) -> bool {
        self.next.is_some()
    }
}

/// An item as it is kept for the caller, while the engine looks at the page.
struct Item<T>(T);

impl<T: Json + Send + 'static> Row for Item<T> {
    const KEPT: bool = true;

    fn read<'de, A: MapAccess<'de>>(
        id: Option<&str>,
        object: A,
    ) -> std::result::Result<(Option<Self>, Option<u64>), A::Error> {
        let item = T::from_object(object)?.ok();
        let identity = item.as_ref().zip(id).and_then(|(item, id)| item.text_of(id)).map(listing::fingerprint);
        Ok((item.map(Item), identity))
    }
}

impl<T: Json + Send + 'static> Page<T> {
    pub(super) async fn first(client: &Client, call: &mut Call) -> Result<(Box<Answer>, Page<T>)> {
        let (answer, kept) = client.keep(call, listing::survey::<Item<T>>).await?;
        let page = Page::of(&answer, kept)?;
        Ok((answer, page))
    }

    async fn after(next: &NextPage) -> Result<Page<T>> {
        let (answer, kept) = next.keep(listing::survey::<Item<T>>).await?;
        Page::of(&answer, kept)
    }

    fn of(answer: &Answer, kept: Kept) -> Result<Page<T>> {
        if let Some(Ok(kept)) = kept.map(|kept| kept.downcast::<listing::Kept<Item<T>>>()) {
            let items = kept.rows.into_iter().map(|Item(item)| item).collect();
            return Ok(Page { items, raw: kept.rest, next: answer.next.clone() });
        }
        // Where more than one field might have held the items, it takes the body and the engine's choice.
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let body = Body { items: answer.items.as_deref().unwrap_or_default(), types: PhantomData };
        let read = sight::read(text, body).ok().flatten();
        let (items, raw) = read.ok_or_else(|| unexpected(answer, "the page holds no list of objects"))?;
        Ok(Page { items, raw, next: answer.next.clone() })
    }

    /// Fetches the page after this one; `None` at the end.
    ///
    /// # Errors
    /// Any [`crate::Error`] of the call; it may be repeated then.
    pub async fn next_page(&self) -> Result<Option<Page<T>>> {
        match &self.next {
            Some(next) => Page::after(next).await.map(Some),
            None => Ok(None),
        }
    }

    /// This page's items, then those of every page after it.
    pub fn all_items(self) -> Items<T> {
        Items { ready: self.items.into(), source: self.next.map_or(Source::End, Source::Next) }
    }
}

/// Reads a page's body: its items, and the rest of it.
struct Body<'a, T> {
    /// The field that holds the items; empty when the body is the array itself.
    items: &'a str,
    types: PhantomData<fn() -> T>,
}

impl<T: Json> Sight for Body<'_, T> {
    type Made = Option<(Vec<T>, Value)>;

    fn scalar(self, _: Value) -> Self::Made {
        None
    }

    fn text(self, _: &str) -> Self::Made {
        None
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Self::Made, A::Error> {
        Ok(Vec::from_list(list)?.ok().map(|items| (items, Value::Null)))
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<Self::Made, A::Error> {
        let (mut items, mut raw) = (None, Map::new());
        while let Some(other) = object.next_key_seed(Key(|key: &str| (key != self.items).then(|| key.to_owned())))? {
            match other {
                None => {
                    items = object.next_value_seed(As::new())?.ok();
                    raw.insert(self.items.to_owned(), Value::Null);
                }
                Some(key) => {
                    raw.insert(key, object.next_value()?);
                }
            }
        }
        Ok(items.map(|items| (items, raw.into())))
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

/// Every item of a list, page after page.
#[must_use = "nothing is fetched before `next`"]
pub struct Items<T> {
    ready: VecDeque<T>,
    source: Source<T>,
}

enum Source<T> {
    First(crate::BoxFuture<Result<Page<T>>>),
    Next(NextPage),
    End,
}

impl<T> std::fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Items({} ready)", self.ready.len())
    }
}

impl<T: Json + Send + 'static> Items<T> {
    /// The next item. Pages are fetched as they are needed; an error ends the list.
    pub async fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            // The source stays in place while it is awaited: a dropped `next` loses nothing.
            let page = match &mut self.source {
                Source::End => return None,
                Source::First(page) => page.await,
                Source::Next(next) => Page::after(next).await,
            };
            match page {
                Ok(Page { items, next, .. }) => {
                    self.ready = items.into();
                    self.source = next.map_or(Source::End, Source::Next);
                }
                Err(error) => {
                    self.source = Source::End;
                    return Some(Err(error));
                }
            }
        }
    }

    /// All of them at once.
    ///
    /// # Errors
    /// The first [`crate::Error`] of any page.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }
}

impl<T: Json + Send + 'static, A> Request<Page<T>, A> {
    /// Every item of the list, page after page, instead of the first page.
    pub fn items(self) -> Items<T> {
        Items { ready: VecDeque::new(), source: Source::First(self.into_future()) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::blooio_v2::models::Contact;
    use crate::engine::listing::Survey;
    use crate::operation::Paging;

    /// The page, and all that the engine knows of it.
    fn look(
        paging: &Paging,
        body: &'static str,
        survey: Survey,
    ) -> std::result::Result<(Page<Contact>, Value), String> {
        let listing = survey(paging, body).unwrap()?;
        let known = serde_json::json!([listing.items, listing.count, listing.identities, listing.around]);
        let answer = Answer {
            status: 200,
            headers: Default::default(),
            request_id: None,
            attempts: 1,
            idempotency_key: None,
            model: "Contact",
            items: Some(listing.items),
            body: Bytes::from_static(body.as_bytes()),
            next: None,
        };
        Ok((Page::of(&answer, listing.kept).unwrap(), known))
    }

    #[test]
    fn items_made_on_the_way_are_those_made_afterwards() {
        let bodies = [
            r#"{"contacts":[{"id":"a","name":"A","odd":[1]},{"id":"b","type":"phone"}],"pagination":{"total":2},"x":1.5}"#,
            r#"{"contacts":[{"id":7},{"id":"b","id":null},{}],"has_more":false}"#,
            r#"{"contacts":[{"id":"a"}],"contacts":[{"id":"b"}],"count":1}"#,
            r#"{"contacts":[{"id":"a"}],"data":[{"id":"b"},1]}"#,
            r#"{"data":[{"id":"a"}],"contacts":{"id":"b"}}"#,
            r#"{"contacts":[{"id":"a"},[]]}"#,
            r#"{"contacts":[]}"#,
            r#"[{"id":"a"},{"id":"b"}]"#,
            r#"{"other":[{"id":"a"}],"count":1}"#,
            r#"{"other":{}}"#,
        ];
        let pagings = [
            Paging::Single { items: "contacts" },
            Paging::Offset { items: "contacts", id: "id" },
            Paging::Cursor { items: "contacts", id: "id", offset_when: &[] },
            Paging::Anywhere,
        ];
        for body in bodies {
            for paging in &pagings {
                let after = look(paging, body, listing::survey::<()>);
                let with = look(paging, body, listing::survey::<Item<Contact>>);
                let parts = |(page, known): (Page<Contact>, Value)| (page.items, page.raw, known);
                assert_eq!(with.map(parts), after.map(parts), "{paging:?} {body}");
            }
        }
    }
}
