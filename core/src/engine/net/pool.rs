//! Connections to the service: made when there is none at rest, kept for the next call.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::uri::Scheme;
use http::{Extensions, HeaderValue, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::connect::Connection;
use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinSet;
use tower_service::Service;

use super::connect::{Connector, TooSlow};
use super::lane::{Lane, Seat};
use super::line::{Line, since};
use super::send::Sent;
use super::socket::{Socket, Watcher};
use super::{causes, detail};
use crate::engine::lock;
use crate::engine::transport::Fault;
use crate::reactor::Shared;

/// Shorter than servers keep idle connections, so that a send rarely meets one that is being closed.
const IDLE: Duration = Duration::from_secs(20);

/// How long to wait for a connection that another call is making and may share.
const PATIENCE: Duration = Duration::from_secs(1);

/// The connections of one client, all to the same origin.
pub(super) struct Pool {
    connector: Connector,
    pub greeting: Greeting,
    /// At rest, the longest resting first.
    idle: Mutex<Vec<Line>>,
    /// HTTP/2 connections, of the runtimes that calls are made on; more than one where the service allows too few calls on it.
    multiplexed: Mutex<Vec<Multiplexed>>,
    /// The number of the last of these.
    last: AtomicU64,
    /// Held while a connection is made that others may be able to share, so that calls that come first together make one.
    dialling: AsyncMutex<()>,
    /// The service has been seen to share none.
    shares_none: AtomicBool,
    swept: AtomicBool,
}

/// What HTTP/1.1 says of the way in every request.
pub(super) struct Greeting {
    /// The origin's name.
    host: Option<HeaderValue>,
    /// For a proxy that forwards requests; the one before a tunnel hears it when that is made.
    password: Option<HeaderValue>,
}

/// A connection that carries any number of calls at once.
struct Multiplexed {
    lane: Lane,
    runtime: Id,
    used: SystemTime,
}

impl Multiplexed {
    fn is_good(&self) -> bool {
        self.lane.is_open() && since(self.used) < IDLE
    }
}

/// What a request goes out on.
pub(super) enum Way {
    /// Its own until the answer is there.
    Own(Line),
    /// One that other calls go out on too.
    Shared(Seat),
}

impl Way {
    /// The number of a shared one.
    pub fn shared(&self) -> Option<u64> {
        if let Way::Shared(seat) = self { Some(seat.lane()) } else { None }
    }

    /// Whether something came that its driver has not heard yet, which may be goodbye.
    pub fn has_news(&self) -> bool {
        matches!(self, Way::Shared(seat) if seat.has_news())
    }

    /// Sends a request to `uri`, which leaves nothing of it: what has not begun to leave comes back with the error.
    pub async fn send(&mut self, request: &mut Request<Full<Bytes>>, uri: &Uri, greeting: &Greeting) -> Sent {
        match self {
            Way::Own(line) => {
                *request.uri_mut() = if line.forwards { uri.clone() } else { target(uri) };
                if let Some(host) = &greeting.host {
                    request.headers_mut().insert(HOST, host.clone());
                }
                if let Some(password) = greeting.password.as_ref().filter(|_| line.forwards) {
                    request.headers_mut().insert(PROXY_AUTHORIZATION, password.clone());
                }
                line.send(request).await
            }
            Way::Shared(seat) => {
                *request.uri_mut() = uri.clone();
                seat.send(std::mem::take(request)).await
            }
        }
    }
}

impl Pool {
    /// To the origin of `uri`, by a proxy that asks for `password` or by none.
    pub fn new(connector: Connector, uri: &Uri, password: Option<HeaderValue>) -> Pool {
        Pool {
            connector,
            greeting: Greeting { host: host(uri), password },
            idle: Mutex::default(),
            multiplexed: Mutex::default(),
            last: AtomicU64::new(0),
            dialling: AsyncMutex::default(),
            shares_none: AtomicBool::new(false),
            swept: AtomicBool::new(false),
        }
    }

    /// Whether other calls are under way: each holds the pool, as their client does.
    pub fn has_company(self: &Arc<Pool>) -> bool {
        Arc::strong_count(self) > 2
    }

    /// A connection at rest that is still good.
    pub fn at_rest(&self, watcher: &Watcher) -> Option<Way> {
        if let Some(way) = self.shared_on(watcher.tokio()) {
            return Some(way);
        }
        loop {
            let line = {
                let mut idle = lock(&self.idle);
                let near = idle.iter().rposition(|line| line.is_at(watcher));
                let place = near.or(idle.len().checked_sub(1))?;
                idle.remove(place)
            };
            if line.is_fresh(IDLE) && line.wakes_up_at(watcher) {
                return Some(Way::Own(line));
            }
        }
    }

    fn shared_on(&self, runtime: Id) -> Option<Way> {
        let mut multiplexed = lock(&self.multiplexed);
        multiplexed.retain(Multiplexed::is_good);
        let mut here = multiplexed.iter_mut().filter(|connection| connection.runtime == runtime);
        here.find_map(|connection| {
            let seat = connection.lane.seat()?;
            connection.used = SystemTime::now();
            Some(Way::Shared(seat))
        })
    }

    /// Leaves a shared connection to the calls it carries, because it takes no more or may lead nowhere.
    pub fn give_up(&self, shared: Option<u64>) {
        lock(&self.multiplexed).retain(|connection| Some(connection.lane.number) != shared);
    }

    /// [`Pool::connect_here`] in a box, since its future is ten times as large as a call's. Not inlined, or every turn of a call needed
    /// the stack to make it on.
    #[inline(never)]
    pub fn connect(
        self: &Arc<Pool>,
        watcher: &Watcher,
        uri: &Uri,
    ) -> Pin<Box<impl Future<Output = Result<Way, Fault>>>> {
        Box::pin(self.connect_here(watcher, uri.clone()))
    }

    /// Makes a connection to the service at `uri`, on tokio in any case.
    async fn connect_here(self: &Arc<Pool>, watcher: &Watcher, uri: Uri) -> Result<Way, Fault> {
        let Watcher::Reactor(reactor) = watcher else { return self.clone().dial(uri).await };
        // A set, because it aborts what it holds when it is dropped.
        let mut dialling = JoinSet::new();
        dialling.spawn_on(self.clone().dial(uri), reactor.background());
        let Some(Ok(way)) = dialling.join_next().await else {
            return Err(Fault::not_connected(false, "making it was interrupted"));
        };
        match way? {
            // What the service may have said already, as TLS does, or whether it has closed, is seen before anything is sent.
            Way::Own(line) if !line.moves_to(watcher) => Err(Fault::not_connected(false, "its socket is gone")),
            way => Ok(way),
        }
    }

    async fn dial(self: Arc<Pool>, uri: Uri) -> Result<Way, Fault> {
        let may_share = || uri.scheme() == Some(&Scheme::HTTPS) && !self.shares_none.load(Ordering::Relaxed);
        let turn = if may_share() { tokio::time::timeout(PATIENCE, self.dialling.lock()).await.ok() } else { None };
        if let Some(way) = self.shared_on(Handle::current().id()).filter(|_| may_share()) {
            return Ok(way);
        }
        // Kept only as long as there may be something to share: the others need not queue for connections of their own.
        let _turn = turn.filter(|_| may_share());
        let stream = self.connector.clone().call(uri).await;
        let stream = stream.map_err(|error| Fault::not_connected(causes(&*error).any(is_late), detail(&*error)))?;
        let connected = stream.connected();
        let mut extras = Extensions::new();
        connected.get_extras(&mut extras);
        let socket = extras.remove::<Socket>();
        if connected.is_negotiated_h2() {
            let runtime = Handle::current();
            let number = self.last.fetch_add(1, Ordering::Relaxed);
            let socket = socket.filter(|_| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread);
            let lane = Lane::open(stream, number, socket).await;
            let lane = lane.map_err(|error| Fault::not_connected(false, detail(&error)))?;
            let seat = lane.seat().ok_or_else(|| Fault::not_connected(false, "it takes no calls"))?;
            let has_room =
                |other: &Multiplexed| other.runtime == runtime.id() && other.is_good() && other.lane.has_seat();
            let mut multiplexed = lock(&self.multiplexed);
            // Of several that were made at once, one stays; the others end with the calls they were made for.
            if !multiplexed.iter().any(has_room) {
                multiplexed.push(Multiplexed { lane, runtime: runtime.id(), used: SystemTime::now() });
            }
            drop(multiplexed);
            self.sweep_later();
            return Ok(Way::Shared(seat));
        }
        self.shares_none.store(true, Ordering::Relaxed);
        let socket = socket.ok_or_else(|| Fault::not_connected(false, "its socket is gone"))?;
        let line = Line::open(stream, socket, connected.is_proxied()).await;
        line.map(Way::Own).map_err(|error| Fault::not_connected(false, detail(&error)))
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

/// Whether making a connection took too long: all of it, or one address of several.
fn is_late(cause: &(dyn StdError + 'static)) -> bool {
    let io = cause.downcast_ref::<io::Error>();
    cause.is::<TooSlow>() || io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
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
            let (mut idle, mut multiplexed) = (lock(&pool.idle), lock(&pool.multiplexed));
            multiplexed.retain(Multiplexed::is_good);
            let resting = idle.iter().position(|line| line.is_fresh(IDLE)).unwrap_or(idle.len());
            let expired: Vec<_> = idle.drain(..resting).collect();
            if idle.is_empty() && multiplexed.is_empty() {
                // Under the locks, so that what comes in later is seen by another sweeper.
                pool.swept.store(false, Ordering::Release);
                return;
            }
            drop((idle, multiplexed));
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
