//! A stand-in for the BloomChats and Blooio APIs on loopback: the same answers, with state, and nobody gets a message.
//!
//! ```
//! use bloomchats_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options::default())?;
//! println!("{} {}", sandbox.url(), sandbox.blooio_api_key());
//! sandbox.stop();
//! # Ok::<(), bloomchats_sandbox::StartError>(())
//! ```

mod blooio;
mod bloomchats;
mod body;
mod clock;
mod connection;
mod control;
mod fault;
mod fields;
mod ids;
mod limit;
mod logs;
mod multipart;
mod namespace;
mod refusal;
mod route;
mod server;
mod service;
mod switches;
mod timers;
mod v2;
mod v4;
mod webhooks;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// How to start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The loopback port; 0, the default, takes a free one.
    pub port: u16,
    /// Decides keys and data: the same seed gives the same ones. Default 1.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { port: 0, seed: 1 }
    }
}

impl Options {
    /// The same options on `port`.
    #[must_use]
    pub fn port(mut self, port: u16) -> Options {
        self.port = port;
        self
    }

    /// The same options with `seed`.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Options {
        self.seed = seed;
        self
    }
}

/// Why the sandbox did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Another process listens on the port.
    PortInUse(u16),
    /// The operating system refused a socket or a thread.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::PortInUse(port) => {
                write!(f, "port {port} is in use; choose another one, or 0 for any free one")
            }
            StartError::Io(error) => write!(f, "the sandbox cannot start: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::PortInUse(_) => None,
            StartError::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> StartError {
        StartError::Io(error)
    }
}

/// A running sandbox, on a thread of its own. Dropping it stops it.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    blooio_api_key: String,
    bloomchats_api_key: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts on loopback; when this returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError::PortInUse`] when something listens there already.
    pub fn start(options: Options) -> Result<Sandbox, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::PortInUse(options.port),
            _ => StartError::Io(error),
        })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let namespaces = Arc::new(namespace::Namespaces::new(options.seed, switches::Switches::default()));
        let keys = namespaces.default().keys.clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("bloomchats-sandbox".to_owned()).spawn(move || {
            // Dropping the runtime with `block_on` closes every connection and timer: stopping never waits for clients.
            runtime.block_on(async {
                tokio::select! {
                    () = server::serve(listener, namespaces, address) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Sandbox {
            address,
            blooio_api_key: keys.blooio,
            bloomchats_api_key: keys.bloomchats,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The origin to point clients at (`base_url`), without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The Blooio key of the default namespace, for v2 and v4.
    pub fn blooio_api_key(&self) -> &str {
        &self.blooio_api_key
    }

    /// The BloomChats key of the default namespace.
    pub fn bloomchats_api_key(&self) -> &str {
        &self.bloomchats_api_key
    }

    /// Stops it and waits until its port is free again.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An error here is a panic of the server thread, which has been printed where it happened.
            let _ = thread.join();
        }
    }
}
