//! An HTTP/2 connection, driven by a task of its own; as many calls go out on it at once as the service allows.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connect::Stream;
use super::send::Sent;
use super::socket::Socket;
use crate::engine::lock;

/// How long it may be silent with calls on it until it is asked whether it lives, and then until it has to answer: one whose path is gone
/// must not swallow call after call.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Seats until the service has said how many there are, as hyper assumes.
const SEATS: usize = 100;

#[derive(Clone)]
pub(super) struct Lane {
    /// Among its pool's.
    pub number: u64,
    sender: http2::SendRequest<Full<Bytes>>,
    /// Held to hand over a request, and to end what takes it: hyper's channel would keep for good what comes in while it is emptied.
    door: Arc<Mutex<()>>,
    seats: Arc<Seats>,
    /// Where the driver stands still whenever the runtime's one thread does something else: may hold what it has not heard yet.
    socket: Option<Socket>,
}

struct Seats {
    all: AtomicUsize,
    taken: AtomicUsize,
}

impl Lane {
    /// Greets the service, and drives the connection on the current runtime.
    pub async fn open(stream: Stream, number: u64, socket: Option<Socket>) -> hyper::Result<Lane> {
        let (sender, mut driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(HEARTBEAT)
            .keep_alive_timeout(HEARTBEAT)
            .initial_max_send_streams(SEATS)
            .handshake(stream)
            .await?;
        let door = Arc::<Mutex<()>>::default();
        let seats = Arc::new(Seats { all: SEATS.into(), taken: 0.into() });
        let (closing, told) = (door.clone(), seats.clone());
        tokio::spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = poll_fn(|context| {
                let polled = Pin::new(&mut driver).poll(context);
                told.all.store(driver.current_max_send_streams(), Ordering::Relaxed);
                polled
            })
            .await;
            let _closing = lock(&closing);
            drop(driver);
        });
        Ok(Lane { number, sender, door, seats, socket })
    }

    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// A seat for a call, if one is free. A call that waited for one in hyper's hands could leave long after its caller has let go of it.
    pub fn seat(&self) -> Option<Seat> {
        let Seats { all, taken } = &*self.seats;
        let seat = Seat(self.clone());
        (taken.fetch_add(1, Ordering::Relaxed) < all.load(Ordering::Relaxed)).then_some(seat)
    }

    /// Whether there is one.
    pub fn has_seat(&self) -> bool {
        self.seats.taken.load(Ordering::Relaxed) < self.seats.all.load(Ordering::Relaxed)
    }
}

/// A call's place on a lane, until it is dropped.
pub(super) struct Seat(Lane);

impl Seat {
    /// The number of its lane.
    pub fn lane(&self) -> u64 {
        self.0.number
    }

    /// Whether something came that the driver has not heard yet, which may be goodbye.
    pub fn has_news(&self) -> bool {
        self.0.socket.as_ref().is_some_and(|socket| !socket.is_quiet())
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Sent {
        let door = lock(&self.0.door);
        let sent = self.0.sender.try_send_request(request);
        drop(door);
        sent.await.map(Box::new)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.seats.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
