//! The typed clients' front doors.

use super::request::{RawRequest, Request};
use crate::{Client, Config, Result};
use serde_json::Value;

/// Blooio: iMessage, SMS, RCS (v2) and many channels (v4, beta). Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Blooio {
    client: Client,
}

impl Blooio {
    /// A client with the key in `BLOOIO_API_KEY`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when the variable is missing or its value cannot be a key.
    pub fn from_env() -> Result<Blooio> {
        Blooio::open(Config::blooio())
    }

    /// A client with this key.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when it cannot be a key.
    pub fn new(api_key: impl Into<crate::Secret>) -> Result<Blooio> {
        Blooio::open(Config::blooio().with_api_key(api_key))
    }

    /// A client with these settings.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when a setting does not hold.
    pub fn open(config: Config) -> Result<Blooio> {
        Ok(Blooio { client: Client::open(config)? })
    }

    /// The typed client over an untyped one, as [`Client::open_scripted`] gives it to tests.
    pub fn over(client: Client) -> Blooio {
        Blooio { client }
    }

    /// Blooio v2.
    pub fn v2(&self) -> V2 {
        V2 { client: self.client.clone() }
    }

    /// Blooio v4, beta as a whole.
    pub fn v4(&self) -> V4 {
        V4 { client: self.client.clone() }
    }
}

/// Operations of Blooio v2.
#[derive(Clone, Debug)]
pub struct V2 {
    pub(crate) client: Client,
}

/// Operations of Blooio v4, beta as a whole.
#[derive(Clone, Debug)]
pub struct V4 {
    pub(crate) client: Client,
}

/// BloomChats: Instagram DM automation. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct BloomChats {
    pub(crate) client: Client,
}

impl BloomChats {
    /// A client with the key in `BLOOMCHATS_API_KEY`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when the variable is missing or its value cannot be a key.
    pub fn from_env() -> Result<BloomChats> {
        BloomChats::open(Config::bloomchats())
    }

    /// A client with this key.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when it cannot be a key.
    pub fn new(api_key: impl Into<crate::Secret>) -> Result<BloomChats> {
        BloomChats::open(Config::bloomchats().with_api_key(api_key))
    }

    /// A client with these settings.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when a setting does not hold.
    pub fn open(config: Config) -> Result<BloomChats> {
        Ok(BloomChats { client: Client::open(config)? })
    }

    /// The typed client over an untyped one, as [`Client::open_scripted`] gives it to tests.
    pub fn over(client: Client) -> BloomChats {
        BloomChats { client }
    }
}

macro_rules! raw {
    ($($type:ident $name:literal)*) => {$(
        impl $type {
            /// Any path below the API's prefix (`"GET", "/contacts"`) with the same auth, checks, limits and errors;
            /// plain JSON comes back. For what this version does not list.
            pub fn request(&self, method: &str, path: &str) -> Request<Value, RawRequest> {
                let request = Request::new(&self.client, concat!($name, ".request"));
                request.with("method", method.to_owned()).with("path", path.to_owned())
            }
        }
    )*};
}

raw! {
    BloomChats "bloomchats"
    V2 "blooio.v2"
    V4 "blooio.v4"
}
