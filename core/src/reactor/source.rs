//! A socket that a reactor watches.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Token};

use super::Shared;
use crate::engine::lock;

/// Which way bytes go.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Read = 0,
    Write = 1,
}

/// A connected socket and the reactor that watches it.
pub(crate) struct Source {
    /// `None` once it has been handed on.
    stream: Option<TcpStream>,
    token: Token,
    slot: Arc<Slot>,
    reactor: Arc<Shared>,
}

/// What is known of a socket, and who waits for it.
pub(super) struct Slot(Mutex<[Half; 2]>);

struct Half {
    ready: bool,
    /// The peer will never change its state again: trying cannot block.
    closed: bool,
    waiting: Option<Waker>,
}

impl Slot {
    /// Of a socket that nobody has looked at yet: it is tried before it is waited for.
    fn new() -> Slot {
        let half = || Half { ready: true, closed: false, waiting: None };
        Slot(Mutex::new([half(), half()]))
    }

    pub fn happened(&self, event: &Event) {
        let mut woken = [None, None];
        let mut halves = lock(&self.0);
        let seen = [(event.is_readable(), event.is_read_closed()), (event.is_writable(), event.is_write_closed())];
        for ((half, woken), (ready, closed)) in halves.iter_mut().zip(&mut woken).zip(seen) {
            half.closed |= closed || event.is_error();
            if ready || half.closed {
                half.ready = true;
                *woken = half.waiting.take();
            }
        }
        drop(halves);
        woken.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Source {
    /// Watches a socket that does not block.
    pub fn new(reactor: Arc<Shared>, stream: std::net::TcpStream) -> io::Result<Source> {
        let mut stream = TcpStream::from_std(stream);
        let token = Token(reactor.last.fetch_add(1, Ordering::Relaxed) + 1);
        let slot = Arc::new(Slot::new());
        lock(&reactor.sockets).insert(token, slot.clone());
        let registered = reactor.registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE);
        let source = Source { stream: Some(stream), token, slot, reactor };
        registered.map(|()| source)
    }

    /// The reactor that watches it.
    pub fn reactor(&self) -> &Arc<Shared> {
        &self.reactor
    }

    /// The socket, for what needs no waiting.
    pub fn stream(&self) -> io::Result<&TcpStream> {
        self.stream.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Moves bytes once the socket lets it. `wanted`: how many would be moved at best; fewer mean that there are no more for now.
    pub fn poll_io(
        &self,
        direction: Direction,
        context: &mut Context<'_>,
        wanted: usize,
        mut io: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            {
                let mut halves = lock(&self.slot.0);
                let half = &mut halves[direction as usize];
                if !half.ready {
                    match &mut half.waiting {
                        Some(waker) => waker.clone_from(context.waker()),
                        none => *none = Some(context.waker().clone()),
                    }
                    return Poll::Pending;
                }
                // Taken back before the attempt: news that comes during it is not lost.
                half.ready = half.closed;
            }
            let moved = match io(self.stream()?) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
                done => Some(done),
            };
            // Windows tells again only of what was tried and would have blocked.
            if cfg!(windows) || !matches!(moved, Some(Ok(moved)) if 0 < moved && moved < wanted) {
                lock(&self.slot.0)[direction as usize].ready = true;
            }
            if let Some(done) = moved {
                return Poll::Ready(done);
            }
        }
    }

    /// Hands the socket to whoever watches it next.
    pub fn release(mut self) -> io::Result<std::net::TcpStream> {
        let stream = self.forget().ok_or(io::ErrorKind::NotConnected)?;
        #[cfg(unix)]
        return Ok(std::os::fd::OwnedFd::from(stream).into());
        #[cfg(windows)]
        return Ok(std::os::windows::io::OwnedSocket::from(stream).into());
    }

    fn forget(&mut self) -> Option<TcpStream> {
        let mut stream = self.stream.take()?;
        lock(&self.reactor.sockets).remove(&self.token);
        // A socket that cannot be taken out goes out when it is closed.
        let _ = self.reactor.registry.deregister(&mut stream);
        Some(stream)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        drop(self.forget());
    }
}
