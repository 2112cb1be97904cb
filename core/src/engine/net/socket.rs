//! A TCP connection that goes where its call goes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

use crate::engine::lock;
use crate::reactor::{Direction, Shared, Source};

/// Reads no more than this at once: what is read into has to be cleared first.
const AT_ONCE: usize = 32 * 1024;

/// A connection's socket. Clones are the same socket: one is read and written by hyper, one is kept to look after it.
#[derive(Clone)]
pub(super) struct Socket(Arc<Mutex<Watched>>);

/// The socket, and who says when it is ready.
enum Watched {
    Tokio(TcpStream, Id),
    Reactor(Source),
    /// Handing it on has failed.
    Lost,
}

/// Who wakes the calls of this thread when a socket is ready.
pub(super) enum Watcher {
    Tokio(Id),
    Reactor(Arc<Shared>),
}

impl Watcher {
    /// `None` outside of any runtime, where nothing could be waited for.
    pub fn here() -> Option<Watcher> {
        match Shared::current() {
            Some(reactor) => Some(Watcher::Reactor(reactor)),
            None => Handle::try_current().ok().map(|handle| Watcher::Tokio(handle.id())),
        }
    }

    /// The runtime that makes connections for it.
    pub fn tokio(&self) -> Id {
        match self {
            Watcher::Tokio(id) => *id,
            Watcher::Reactor(reactor) => reactor.background().id(),
        }
    }
}

impl Socket {
    /// A connection that was made on this runtime.
    pub fn new(stream: TcpStream) -> Socket {
        Socket(Arc::new(Mutex::new(Watched::Tokio(stream, Handle::current().id()))))
    }

    /// Whether it is `watcher` that watches it.
    pub fn is_watched_by(&self, watcher: &Watcher) -> bool {
        match (&*lock(&self.0), watcher) {
            (Watched::Tokio(_, id), Watcher::Tokio(here)) => id == here,
            (Watched::Reactor(source), Watcher::Reactor(here)) => Arc::ptr_eq(source.reactor(), here),
            _ => false,
        }
    }

    /// Has `watcher` watch it from now on.
    pub fn move_to(&self, watcher: &Watcher) -> io::Result<()> {
        if self.is_watched_by(watcher) {
            return Ok(());
        }
        let mut watched = lock(&self.0);
        let stream = match std::mem::replace(&mut *watched, Watched::Lost) {
            Watched::Tokio(stream, _) => stream.into_std()?,
            Watched::Reactor(source) => source.release()?,
            Watched::Lost => return Err(io::ErrorKind::NotConnected.into()),
        };
        *watched = match watcher {
            Watcher::Tokio(id) => Watched::Tokio(TcpStream::from_std(stream)?, *id),
            Watcher::Reactor(reactor) => Watched::Reactor(Source::new(reactor.clone(), stream)?),
        };
        Ok(())
    }

    /// Whether the peer has said nothing since it last answered: neither goodbye nor anything unasked.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let peeked = match &*lock(&self.0) {
            Watched::Tokio(stream, _) => SockRef::from(stream).peek(&mut byte),
            Watched::Reactor(source) => source.stream().and_then(|stream| SockRef::from(stream).peek(&mut byte)),
            Watched::Lost => return false,
        };
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.clone())
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *lock(&self.0) {
            Watched::Tokio(stream, _) => Pin::new(stream).poll_read(cx, into),
            Watched::Reactor(source) => {
                let wanted = into.remaining().min(AT_ONCE);
                let read = std::task::ready!(source.poll_io(Direction::Read, cx, wanted, |mut stream| {
                    io::Read::read(&mut stream, into.initialize_unfilled_to(wanted))
                }))?;
                into.advance(read);
                Poll::Ready(Ok(()))
            }
            Watched::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *lock(&self.0) {
            Watched::Tokio(stream, _) => Pin::new(stream).poll_write(cx, bytes),
            Watched::Reactor(source) => {
                source.poll_io(Direction::Write, cx, bytes.len(), |mut stream| io::Write::write(&mut stream, bytes))
            }
            Watched::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *lock(&self.0) {
            Watched::Tokio(stream, _) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Watched::Reactor(source) => {
                let wanted = pieces.iter().map(|piece| piece.len()).sum();
                source
                    .poll_io(Direction::Write, cx, wanted, |mut stream| io::Write::write_vectored(&mut stream, pieces))
            }
            Watched::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Sockets hold nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *lock(&self.0) {
            Watched::Tokio(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Watched::Reactor(source) => Poll::Ready(source.stream()?.shutdown(std::net::Shutdown::Write)),
            Watched::Lost => Poll::Ready(Ok(())),
        }
    }
}
