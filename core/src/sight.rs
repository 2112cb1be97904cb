//! Reading JSON of any shape in one pass, without a [`Value`] in between.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What to make of a value, by its kind.
pub(crate) trait Sight: Sized {
    type Made;
    /// Of null, a boolean or a number.
    fn scalar(self, value: Value) -> Self::Made;
    /// Of a string.
    fn text(self, text: &str) -> Self::Made;
    /// Of an array, which must be read to its end.
    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Self::Made, A::Error>;
    /// Of an object, which must be read to its end.
    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error>;
}

/// Reads with a [`Sight`].
pub(crate) struct See<S>(pub S);

/// Reads a whole text.
pub(crate) fn read<S: Sight>(text: &str, sight: S) -> serde_json::Result<S::Made> {
    let mut input = serde_json::Deserializer::from_str(text);
    let made = See(sight).deserialize(&mut input)?;
    input.end()?;
    Ok(made)
}

impl<'de, S: Sight> DeserializeSeed<'de> for See<S> {
    type Value = S::Made;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<S::Made, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, S: Sight> Visitor<'de> for See<S> {
    type Value = S::Made;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<S::Made, E> {
        Ok(self.0.scalar(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<S::Made, E> {
        Ok(self.0.scalar(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<S::Made, E> {
        Ok(self.0.scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<S::Made, E> {
        Ok(self.0.scalar(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<S::Made, E> {
        Ok(self.0.scalar(Value::Null))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<S::Made, E> {
        Ok(self.0.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S::Made, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<S::Made, A::Error> {
        self.0.object(object)
    }
}

/// The last field of that name in an object that has been read before, the others stepped over.
pub(crate) fn field<'de, T: Deserialize<'de>>(text: &'de str, name: &str) -> serde_json::Result<Option<T>> {
    Field(name, PhantomData).deserialize(&mut serde_json::Deserializer::from_str(text))
}

struct Field<'a, T>(&'a str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Field<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Option<T>, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Field<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Option<T>, A::Error> {
        let mut found = None;
        while let Some(is_it) = object.next_key_seed(Key(|key: &str| key == self.0))? {
            if is_it {
                found = Some(object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Steps over anything, as strictly as if it were kept: what hosts could not read is an error here.
#[derive(Clone, Copy)]
pub(crate) struct Skip;

impl Sight for Skip {
    type Made = ();

    fn scalar(self, _: Value) {}

    fn text(self, _: &str) {}

    fn list<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(See(Skip))?.is_some() {}
        Ok(())
    }

    fn object<'de, A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while object.next_key_seed(See(Skip))?.is_some() {
            object.next_value_seed(See(Skip))?;
        }
        Ok(())
    }
}

/// Reads an object's key as what it stands for.
#[derive(Clone, Copy)]
pub(crate) struct Key<F>(pub F);

impl<'de, T, F: Fn(&str) -> T> DeserializeSeed<'de> for Key<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<T, D::Error> {
        input.deserialize_str(self)
    }
}

impl<T, F: Fn(&str) -> T> Visitor<'_> for Key<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key))
    }
}
