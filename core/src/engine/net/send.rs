//! A request on its way: which connection takes it, and what became of it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;

use super::line::Arriving;
use super::pool::{Pool, Way};
use super::socket::Watcher;
use super::{body, detail};
use crate::engine::progress::Progress;
use crate::engine::transport::{Body, Fault};

/// What a connection makes of a request: the head of its answer, boxed because it is handed up from future to future, or why there is
/// none, with the request where nothing of it has left.
pub(super) type Sent = Result<Box<Response<Incoming>>, TrySendError<Request<Full<Bytes>>>>;

impl Pool {
    /// Sends to `uri` on a connection at rest, or on a new one, until `late`. What a connection at rest did not begin to take goes to
    /// the next.
    pub async fn send(
        self: &Arc<Pool>,
        request: &mut Request<Full<Bytes>>,
        uri: &Uri,
        watcher: &Watcher,
        mut late: Pin<&mut impl Future<Output = ()>>,
        progress: &Progress,
    ) -> Result<(Way, Box<Response<Incoming>>), Fault> {
        // Requests of calls that begin together leave together, which costs less than each in between the answers of others
        // (docs/performance.md). Not after a connection is chosen, which could close meanwhile.
        if self.has_company() {
            step_aside().await;
        }
        // Rounds of the runtime, in which drivers hear what has come: reading, closing and saying so take one each.
        let mut rounds = 5;
        loop {
            let at_rest = self.at_rest(watcher);
            if rounds > 0 && at_rest.as_ref().is_some_and(Way::has_news) {
                rounds -= 1;
                tokio::task::yield_now().await;
                continue;
            }
            let is_new = at_rest.is_none();
            let mut way = match at_rest {
                Some(way) => way,
                None => tokio::select! {
                    biased;
                    made = self.connect(watcher, uri) => made?,
                    () = &mut late => return Err(Fault::not_connected(true, "it was not made in the attempt's time")),
                },
            };
            progress.leave();
            let sent = tokio::select! {
                biased;
                sent = way.send(request, uri, &self.greeting) => Some(sent),
                () = &mut late => None,
            };
            let mut error = match sent {
                Some(Ok(response)) => return Ok((way, response)),
                Some(Err(error)) => error,
                None => {
                    // Silence may mean that it leads nowhere any more. The calls that it carries may still find out.
                    self.give_up(way.shared());
                    return Err(Fault::Late);
                }
            };
            let detail = detail(error.error());
            *request = match error.take_message() {
                None => return Err(Fault::Broken { detail }),
                Some(_) if is_new => return Err(Fault::not_connected(false, detail)),
                Some(unsent) => unsent,
            };
            progress.come_back();
            self.give_up(way.shared());
        }
    }

    /// Reads the body of an answer, and takes its connection back where another request can follow.
    pub async fn read(self: &Arc<Pool>, way: Way, body: Incoming, gzip: bool) -> Body {
        let Way::Own(mut line) = way else { return body::read(body, gzip).await };
        let body = body::read(Arriving { line: &mut line, body }, gzip).await;
        if let Body::Whole(_) = &body {
            self.take_back(line);
        }
        body
    }
}

/// Lets go first whatever else is ready. tokio's own way waits for its runtime's thread, which may be the one that the call blocks.
async fn step_aside() {
    let mut aside = false;
    poll_fn(|context| {
        if std::mem::replace(&mut aside, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
