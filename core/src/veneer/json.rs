//! Values and their JSON forms.

use std::fmt::{Debug, DebugStruct};
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, MapAccess, SeqAccess};
use serde_json::{Map, Value};

use crate::sight::{self, See, Sight};

/// A type with a JSON form.
///
/// Reading is lenient inside models: a field of an unexpected type is `None` and stays, as it came, in the model's `raw`.
pub trait Json: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// Gives the value back when it has another shape.
    fn from_json(value: Value) -> Result<Self, Value>;

    /// The value as JSON. What [`Json::from_json`] read comes out whole, unknown fields included.
    fn to_json(&self) -> Value;

    /// [`Json::to_json`] of a value that is not needed any more.
    #[doc(hidden)]
    fn into_json(self) -> Value {
        self.to_json()
    }

    /// The text that this is, if it is one.
    #[doc(hidden)]
    fn as_text(&self) -> Option<&str> {
        None
    }

    /// The text of an object's field, by its wire name.
    #[doc(hidden)]
    fn text_of(&self, _field: &str) -> Option<&str> {
        None
    }

    /// Reads the text of an answer of the named model; types that stand for several models choose by it.
    #[doc(hidden)]
    fn from_answer(_model: &str, text: &str) -> Result<Self, Value> {
        from_text(text)
    }

    /// [`Json::from_json`] of an array that is still text.
    #[doc(hidden)]
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Result<Self, Value>, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(list)).map(Self::from_json)
    }

    /// [`Json::from_json`] of an object that is still text.
    #[doc(hidden)]
    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Result<Self, Value>, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(object)).map(Self::from_json)
    }
}

/// [`Json::from_json`] of what is still text, which core has read before.
pub(crate) fn from_text<T: Json>(text: &str) -> Result<T, Value> {
    sight::read(text, As(PhantomData)).unwrap_or(Err(Value::Null))
}

/// Reads a [`Json`] type from text.
pub(crate) struct As<T>(PhantomData<fn() -> T>);

impl<T> As<T> {
    pub(crate) const fn new() -> See<As<T>> {
        See(As(PhantomData))
    }
}

impl<T: Json> Sight for As<T> {
    type Made = Result<T, Value>;

    fn scalar(self, value: Value) -> Result<T, Value> {
        T::from_json(value)
    }

    fn text(self, text: &str) -> Result<T, Value> {
        T::from_json(Value::from(text))
    }

    fn list<'de, A: SeqAccess<'de>>(self, list: A) -> Result<Result<T, Value>, A::Error> {
        T::from_list(list)
    }

    fn object<'de, A: MapAccess<'de>>(self, object: A) -> Result<Result<T, Value>, A::Error> {
        T::from_object(object)
    }
}

impl Json for Value {
    fn from_json(value: Value) -> Result<Self, Value> {
        Ok(value)
    }

    fn into_json(self) -> Value {
        self
    }

    fn text_of(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str()
    }

    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl Json for String {
    fn from_json(value: Value) -> Result<Self, Value> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        }
    }

    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }

    fn into_json(self) -> Value {
        Value::String(self)
    }

    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl Json for Map<String, Value> {
    fn from_json(value: Value) -> Result<Self, Value> {
        match value {
            Value::Object(map) => Ok(map),
            other => Err(other),
        }
    }

    fn to_json(&self) -> Value {
        Value::Object(self.clone())
    }
}

macro_rules! scalar {
    ($($type:ty, $read:ident;)*) => {$(
        impl Json for $type {
            fn from_json(value: Value) -> Result<Self, Value> {
                value.$read().ok_or(value)
            }

            fn to_json(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}

scalar! {
    bool, as_bool;
    i64, as_i64;
    f64, as_f64;
}

impl<T: Json> Json for Option<T> {
    fn from_json(value: Value) -> Result<Self, Value> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }

    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::to_json)
    }

    fn as_text(&self) -> Option<&str> {
        self.as_ref()?.as_text()
    }

    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Result<Self, Value>, A::Error> {
        T::from_list(list).map(|read| read.map(Some))
    }

    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Result<Self, Value>, A::Error> {
        T::from_object(object).map(|read| read.map(Some))
    }
}

impl<T: Json> Json for Vec<T> {
    fn from_json(value: Value) -> Result<Self, Value> {
        let Value::Array(items) = value else { return Err(value) };
        let mut read: Vec<T> = Vec::with_capacity(items.len());
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            match T::from_json(item) {
                Ok(item) => read.push(item),
                Err(odd) => {
                    let before = read.iter().map(Json::to_json);
                    return Err(before.chain([odd]).chain(items).collect());
                }
            }
        }
        Ok(read)
    }

    fn to_json(&self) -> Value {
        self.iter().map(Json::to_json).collect()
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Result<Self, Value>, A::Error> {
        let mut read: Vec<T> = Vec::new();
        while let Some(item) = list.next_element_seed(As::new())? {
            match item {
                Ok(item) => read.push(item),
                Err(odd) => {
                    let mut all: Vec<Value> = read.iter().map(Json::to_json).chain([odd]).collect();
                    while let Some(item) = list.next_element()? {
                        all.push(item);
                    }
                    return Ok(Err(all.into()));
                }
            }
        }
        Ok(Ok(read))
    }
}

/// Moves a field out of an object; what does not fit stays where it is.
pub(crate) fn take<T: Json>(map: &mut Map<String, Value>, key: &str) -> Option<T> {
    match T::from_json(map.remove(key)?) {
        Ok(value) => Some(value),
        Err(value) => {
            map.insert(key.to_owned(), value);
            None
        }
    }
}

/// Puts a field into an object.
pub(crate) fn put<T: Json>(map: &mut Map<String, Value>, key: &str, field: Option<&T>) {
    if let Some(value) = field {
        map.insert(key.to_owned(), value.to_json());
    }
}

/// Shows a field that is there.
pub(crate) fn show<T: Debug>(out: &mut DebugStruct<'_, '_>, name: &str, field: Option<&T>) {
    if let Some(value) = field {
        out.field(name, value);
    }
}

/// Reads one alternative of a union, if an object has the fields it needs (each with its constant, where that is not empty).
pub(crate) fn attempt<T: Json, U>(value: Value, needs: &[(&str, &str)], wrap: fn(T) -> U) -> Result<U, Value> {
    let has = |(key, constant): &(&str, &str)| match value.get(key) {
        Some(have) => constant.is_empty() || have.as_str() == Some(constant),
        None => false,
    };
    if !needs.iter().all(has) {
        return Err(value);
    }
    T::from_json(value).map(wrap)
}
