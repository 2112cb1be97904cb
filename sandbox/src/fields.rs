//! Typed reading of request bodies; `null` counts as absent.

use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The fields of a JSON object, with the API's way of refusing a wrong one.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    refuse: fn(&str, &str) -> Refusal,
}

impl<'a> Fields<'a> {
    /// `refuse` is given the field's name and what it must be.
    pub(crate) fn new(map: &'a Map<String, Value>, refuse: fn(&str, &str) -> Refusal) -> Fields<'a> {
        Fields { map, refuse }
    }

    pub(crate) fn refuse(&self, name: &str, must_be: &str) -> Refusal {
        (self.refuse)(name, must_be)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.typed(name, Value::as_str, "a string")
    }

    /// A string that must be there and not be empty.
    pub(crate) fn required_text(&self, name: &str) -> Result<&'a str, Refusal> {
        let text = self.text(name)?.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| self.refuse(name, "a non-empty string"))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.typed(name, Value::as_bool, "true or false")?.unwrap_or(false))
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.typed(name, Value::as_i64, "an integer")
    }

    pub(crate) fn list(&self, name: &str) -> Result<Option<&'a [Value]>, Refusal> {
        self.typed(name, |value| value.as_array().map(Vec::as_slice), "an array")
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Refusal> {
        let map = self.typed(name, Value::as_object, "an object")?;
        Ok(map.map(|map| Fields { map, refuse: self.refuse }))
    }

    /// A list of strings, none of them empty.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let texts: Option<Vec<&str>> = list.iter().map(|item| item.as_str().filter(|text| !text.is_empty())).collect();
        texts.map(Some).ok_or_else(|| self.refuse(name, "an array of non-empty strings"))
    }

    fn typed<T>(&self, name: &str, read: impl Fn(&'a Value) -> Option<T>, must_be: &str) -> Result<Option<T>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.refuse(name, must_be))
    }
}
