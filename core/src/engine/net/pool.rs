//! Connections to the service: made when there is none at rest, kept for the next call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::{Extensions, HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::{Handle, Id};
use tokio::task::JoinSet;
use tower_service::Service;

use super::connect::{Connector, TooSlow};
use super::line::Line;
use super::socket::{Socket, Watcher};
use super::{causes, detail};
use crate::engine::lock;
use crate::engine::transport::Fault;
use crate::reactor::Shared;

/// Shorter than servers keep idle connections, so that a send rarely meets one that is being closed.
const IDLE: Duration = Duration::from_secs(20);

/// The connections of one client, all to the same origin.
pub(super) struct Pool {
    connector: Connector,
    /// At rest, the longest resting first.
    idle: Mutex<Vec<Line>>,
    /// HTTP/2 connections, one for each runtime that calls are made on.
    multiplexed: Mutex<Vec<Multiplexed>>,
    swept: AtomicBool,
}

/// A connection that carries any number of calls at once, driven by a task of its own.
struct Multiplexed {
    sender: http2::SendRequest<Full<Bytes>>,
    runtime: Id,
    used: Instant,
}

impl Multiplexed {
    fn is_good(&self) -> bool {
        !self.sender.is_closed() && self.used.elapsed() < IDLE
    }
}

/// What a request goes out on.
pub(super) enum Way {
    /// Its own until the answer is there.
    Own(Line),
    Shared(http2::SendRequest<Full<Bytes>>),
}

impl Way {
    /// Sends a request to `uri`. What has not begun to leave comes back with the error.
    pub async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
        uri: &Uri,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Way::Own(line) => {
                *request.uri_mut() = if line.forwards { uri.clone() } else { target(uri) };
                if let Some(host) = host(uri) {
                    request.headers_mut().insert(HOST, host);
                }
                line.send(request).await
            }
            Way::Shared(sender) => {
                *request.uri_mut() = uri.clone();
                sender.try_send_request(request).await
            }
        }
    }
}

impl Pool {
    pub fn new(connector: Connector) -> Pool {
        Pool { connector, idle: Mutex::default(), multiplexed: Mutex::default(), swept: AtomicBool::new(false) }
    }

    /// A connection at rest that is still good.
    pub fn at_rest(&self, watcher: &Watcher) -> Option<Way> {
        if let Some(sender) = self.shared_by(watcher) {
            return Some(Way::Shared(sender));
        }
        loop {
            let line = {
                let mut idle = lock(&self.idle);
                let near = idle.iter().rposition(|line| line.is_at(watcher));
                let place = near.or(idle.len().checked_sub(1))?;
                idle.remove(place)
            };
            if line.idle() < IDLE && line.wakes_up_at(watcher) {
                return Some(Way::Own(line));
            }
        }
    }

    fn shared_by(&self, watcher: &Watcher) -> Option<http2::SendRequest<Full<Bytes>>> {
        let runtime = watcher.tokio();
        let mut multiplexed = lock(&self.multiplexed);
        multiplexed.retain(Multiplexed::is_good);
        let found = multiplexed.iter_mut().find(|connection| connection.runtime == runtime)?;
        found.used = Instant::now();
        Some(found.sender.clone())
    }

    /// Leaves a connection to the calls it carries, because it takes no more.
    pub fn give_up_shared(&self, watcher: &Watcher) {
        let runtime = watcher.tokio();
        lock(&self.multiplexed).retain(|connection| connection.runtime != runtime);
    }

    /// Makes a connection to the service at `uri`, on tokio in any case.
    pub async fn connect(self: &Arc<Pool>, watcher: &Watcher, uri: Uri) -> Result<Way, Fault> {
        let Watcher::Reactor(reactor) = watcher else { return self.clone().dial(uri).await };
        let not_connected = |detail: &str| Fault::NotConnected { late: false, detail: detail.into() };
        // A set, because it aborts what it holds when it is dropped.
        let mut dialling = JoinSet::new();
        dialling.spawn_on(self.clone().dial(uri), reactor.background());
        let Some(Ok(way)) = dialling.join_next().await else {
            return Err(not_connected("making it was interrupted"));
        };
        match way? {
            Way::Own(line) if !line.wakes_up_at(watcher) => {
                Err(not_connected("the service closed the connection as soon as it was made"))
            }
            way => Ok(way),
        }
    }

    async fn dial(self: Arc<Pool>, uri: Uri) -> Result<Way, Fault> {
        let not_connected = |late, detail| Fault::NotConnected { late, detail };
        let stream = self
            .connector
            .clone()
            .call(uri)
            .await
            .map_err(|error| not_connected(causes(&*error).any(|cause| cause.is::<TooSlow>()), detail(&*error)))?;
        let connected = stream.connected();
        if connected.is_negotiated_h2() {
            let (sender, driver) = http2::handshake(TokioExecutor::new(), stream)
                .await
                .map_err(|error| not_connected(false, detail(&error)))?;
            let runtime = Handle::current();
            // How it ended is told to whoever waits for an answer.
            runtime.spawn(async { drop(driver.await) });
            let mut multiplexed = lock(&self.multiplexed);
            // Of several that were made at once, one stays; the others end with the calls they were made for.
            if !multiplexed.iter().any(|other| other.runtime == runtime.id() && other.is_good()) {
                multiplexed.push(Multiplexed { sender: sender.clone(), runtime: runtime.id(), used: Instant::now() });
            }
            drop(multiplexed);
            self.sweep_later();
            return Ok(Way::Shared(sender));
        }
        let mut extras = Extensions::new();
        connected.get_extras(&mut extras);
        let lost = || not_connected(false, "its socket is gone".into());
        let socket = extras.remove::<Socket>().ok_or_else(lost)?;
        let line = Line::open(stream, socket, connected.is_proxied()).await;
        line.map(Way::Own).map_err(|error| not_connected(false, detail(&error)))
    }

    /// Takes a line back whose answer has been read, if another request can follow.
    pub fn take_back(self: &Arc<Pool>, mut line: Line) {
        if line.comes_to_rest() {
            lock(&self.idle).push(line);
            self.sweep_later();
        }
    }

    /// Has connections closed that nobody has used for long.
    fn sweep_later(self: &Arc<Pool>) {
        if self.swept.swap(true, Ordering::AcqRel) {
            return;
        }
        let sweeper = Sweeper(Arc::downgrade(self));
        match Shared::current() {
            Some(reactor) => drop(reactor.background().spawn(sweeper.sweep())),
            None => drop(tokio::spawn(sweeper.sweep())),
        }
    }
}

/// What a server is asked for: the URL without its origin.
fn target(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map(Uri::from).unwrap_or_default()
}

/// The origin's name in a request.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let default = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    let (host, authority) = (uri.host()?, uri.authority()?);
    let port = uri.port_u16().filter(|port| *port != default);
    HeaderValue::from_str(if port.is_some() { authority.as_str() } else { host }).ok()
}

/// Closes idle connections for as long as there are any. One whose runtime ends leaves its place to another.
struct Sweeper(Weak<Pool>);

impl Sweeper {
    async fn sweep(self) {
        loop {
            tokio::time::sleep(IDLE / 4).await;
            let Some(pool) = self.0.upgrade() else { return };
            lock(&pool.multiplexed).retain(Multiplexed::is_good);
            let mut idle = lock(&pool.idle);
            let resting = idle.iter().position(|line| line.idle() < IDLE).unwrap_or(idle.len());
            let expired: Vec<_> = idle.drain(..resting).collect();
            if idle.is_empty() && lock(&pool.multiplexed).is_empty() {
                // Under the lock, so that a line that comes in later is seen by another sweeper.
                pool.swept.store(false, Ordering::Release);
                return;
            }
            drop(idle);
            drop(expired);
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.swept.store(false, Ordering::Release);
        }
    }
}
