//! The head of an answer.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use serde::ser::{Serialize, Serializer};

/// An answer's headers. Names are in lower case; a name that came several times is here as often.
///
/// `Debug` shows how many there are. The JSON form is a list of pairs.
#[derive(Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    /// The first value of a name; whatever is not UTF-8 in it is replaced.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
    }
}

impl From<HeaderMap> for Headers {
    fn from(headers: HeaderMap) -> Headers {
        Headers(headers)
    }
}

impl IntoIterator for Headers {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        let pairs: Vec<_> = self.iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
        pairs.into_iter()
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.iter())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.0.len())
    }
}
