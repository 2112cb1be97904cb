//! One exchange with a server, as the engine sees it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};

use super::operation::Method;
use super::progress::Progress;
use crate::error::{Error, Result};

/// Largest body accepted, also after decompression.
pub(crate) const MAX_BODY: usize = 8 * 1024 * 1024;

/// What goes on the wire.
#[derive(Clone)]
pub(crate) struct WireRequest {
    pub method: Method,
    pub uri: Uri,
    /// Whole but for what the transport itself has to say; the credential's value is sensitive and wipes itself.
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What came back.
pub(crate) struct WireAnswer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Body,
}

/// How much of a body could be read.
pub(crate) enum Body {
    Whole(Bytes),
    /// Larger than [`MAX_BODY`]; reading stopped there.
    TooLarge,
    /// The connection broke or time ran out before the end.
    BrokenOff {
        late: bool,
        detail: String,
    },
}

/// Why there is no answer at all.
pub(crate) enum Fault {
    /// Nothing can have left: there was no connection.
    NotConnected { late: bool, detail: String },
    /// Anything may have happened.
    Broken { detail: String },
    /// No answer within the attempt's time.
    Late,
    /// The client itself cannot be built; nothing was sent.
    Setup(Error),
}

impl Fault {
    pub fn not_connected(late: bool, detail: impl Into<String>) -> Fault {
        Fault::NotConnected { late, detail: detail.into() }
    }
}

/// Carries one attempt. Implementations never retry and never follow redirects.
pub(crate) trait Transport: Send + Sync {
    /// Refuses threads on which nothing could be waited for. Asked before the first wait of a call.
    fn check_host(&self) -> Result<()> {
        Ok(())
    }

    /// Sends `request` and reads the answer within `limit`. `progress` hears of it when `request` goes to a connection.
    fn exchange<'a>(&'a self, request: WireRequest, limit: Duration, progress: &'a Progress) -> Exchanging<'a>;
}

pub(crate) type Exchanging<'a> = Pin<Box<dyn Future<Output = Result<WireAnswer, Fault>> + Send + 'a>>;
