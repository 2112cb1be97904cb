//! An HTTP/1.1 connection, driven by the call that uses it. Between calls it belongs to nobody: no task holds it, and it goes on under
//! whatever drives the next call.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, Connection, SendRequest};

use super::connect::Stream;
use super::send::Sent;
use super::socket::{Socket, Watcher};

/// Boxed, because lines are handed about and it is large.
type Driver = Box<Connection<Stream, Full<Bytes>>>;

pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it is closed.
    driver: Option<Driver>,
    socket: Socket,
    /// It ends at a proxy, which has to be told the whole URL.
    pub forwards: bool,
    used: SystemTime,
    /// How long the service keeps it, where it has said so.
    kept: Option<Duration>,
}

impl Line {
    pub async fn open(stream: Stream, socket: Socket, forwards: bool) -> hyper::Result<Line> {
        let (sender, driver) = http1::handshake(stream).await?;
        Ok(Line { sender, driver: Some(Box::new(driver)), socket, forwards, used: SystemTime::now(), kept: None })
    }

    /// Sends a request, which leaves nothing of it, and waits for the head of its answer.
    pub async fn send(&mut self, request: &mut Request<Full<Bytes>>) -> Sent {
        let Line { sender, driver, .. } = self;
        let mut response = pin!(sender.try_send_request(std::mem::take(request)));
        let response = poll_fn(|context| {
            drive(driver, context);
            response.as_mut().poll(&mut unheard())
        })
        .await?;
        self.kept = kept(response.headers());
        Ok(Box::new(response))
    }

    /// Whether another request can be sent: the last exchange is over on both sides. From here on it wakes nobody: the call is over,
    /// and the next one looks at it before it sends.
    pub fn comes_to_rest(&mut self) -> bool {
        drive(&mut self.driver, &mut unheard());
        self.used = SystemTime::now();
        self.driver.is_some() && self.sender.is_ready()
    }

    pub fn is_at(&self, watcher: &Watcher) -> bool {
        self.socket.is_watched_by(watcher)
    }

    /// Whether it can be used for a call that `watcher` wakes. The peer may have hung up while nobody listened.
    pub fn wakes_up_at(&self, watcher: &Watcher) -> bool {
        self.socket.is_quiet() && self.moves_to(watcher)
    }

    /// Has `watcher` wake its calls from now on.
    pub fn moves_to(&self, watcher: &Watcher) -> bool {
        self.socket.move_to(watcher).is_ok()
    }

    /// Whether it has rested for less than `longest`, and than the service keeps it.
    pub fn is_fresh(&self, longest: Duration) -> bool {
        since(self.used) < self.kept.map_or(longest, |kept| kept.min(longest))
    }
}

/// How long a service says it keeps a connection, less a second: what goes out as it closes may have arrived or not.
fn kept(headers: &HeaderMap) -> Option<Duration> {
    static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    let named = headers.get(&KEEP_ALIVE)?.to_str().ok()?;
    let seconds = named.split(',').find_map(|part| part.trim().strip_prefix("timeout=")?.parse().ok())?;
    Some(Duration::from_secs(seconds).saturating_sub(Duration::from_secs(1)))
}

/// How long ago that was, by the clock that goes on while the machine sleeps: what a peer forgot during a night may cost a message its
/// certainty. Where that clock was set back meanwhile it was too long ago, which costs no more than a new connection.
pub(super) fn since(then: SystemTime) -> Duration {
    then.elapsed().unwrap_or(Duration::MAX)
}

/// What only the driver brings about needs no wake-up: whoever waits for it has just driven.
fn unheard() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    // How it ended is told to whoever waits for an answer.
    if driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(context).is_ready()) {
        *driver = None;
    }
}

/// The body of an answer that comes on a line.
pub(super) struct Arriving<'a> {
    pub line: &'a mut Line,
    pub body: Incoming,
}

impl Body for Arriving<'_> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        if let frame @ Poll::Ready(_) = Pin::new(&mut self.body).poll_frame(&mut unheard()) {
            return frame;
        }
        drive(&mut self.line.driver, context);
        Pin::new(&mut self.body).poll_frame(&mut unheard())
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_counts_though_the_machine_slept_and_a_clock_set_back_makes_nothing_fresh() {
        let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
        assert!(since(now - hour) >= hour);
        assert_eq!(since(now + hour), Duration::MAX);
    }
}
