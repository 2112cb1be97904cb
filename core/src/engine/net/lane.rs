//! An HTTP/2 connection, driven by a task of its own; any number of calls go out on it at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connect::Stream;
use super::socket::Socket;
use crate::engine::lock;

/// How long it may be silent with calls on it until it is asked whether it lives, and then until it has to answer: one whose path is gone
/// must not swallow call after call.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A place on such a connection.
#[derive(Clone)]
pub(super) struct Lane {
    /// Of the connection, among its pool's.
    pub number: u64,
    sender: http2::SendRequest<Full<Bytes>>,
    /// Held to hand over a request, and to end what takes it: hyper's channel would keep for good what comes in while it is emptied.
    door: Arc<Mutex<()>>,
    /// Where the driver stands still whenever the runtime's one thread does something else: may hold what it has not heard yet.
    socket: Option<Socket>,
}

impl Lane {
    /// Greets the service, and drives the connection on the current runtime.
    pub async fn open(stream: Stream, number: u64) -> hyper::Result<Lane> {
        let (sender, mut driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(HEARTBEAT)
            .keep_alive_timeout(HEARTBEAT)
            .handshake(stream)
            .await?;
        let door = Arc::<Mutex<()>>::default();
        let closing = door.clone();
        tokio::spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = (&mut driver).await;
            let _closing = lock(&closing);
            drop(driver);
        });
        Ok(Lane { number, sender, door, socket: None })
    }

    /// The same place, which also looks at the socket.
    pub fn with_socket(self, socket: Option<Socket>) -> Lane {
        Lane { socket, ..self }
    }

    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Whether something came that the driver has not heard yet, which may be goodbye.
    pub fn has_news(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| !socket.is_quiet())
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        let door = lock(&self.door);
        let sent = self.sender.try_send_request(request);
        drop(door);
        sent.await
    }
}
