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
pub mod testing;
mod timers;
mod tls;
mod v2;
mod v4;
mod webhooks;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// How to start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The port; 0, the default, takes a free one.
    pub port: u16,
    /// Decides keys and data: the same seed gives the same ones. Default 1.
    pub seed: u64,
    /// Where to listen. Default 127.0.0.1; anything beyond loopback lets other machines read and steer the sandbox.
    pub bind: IpAddr,
    /// HTTPS in place of HTTP: a CA is made and its certificate written into this directory, until the sandbox stops.
    /// Default `None`, plain HTTP.
    pub tls: Option<PathBuf>,
    /// Vendor switches by name, as `PUT /_sandbox/switches` takes them. Default none: each has its own default.
    pub switches: serde_json::Map<String, serde_json::Value>,
}

impl Default for Options {
    fn default() -> Options {
        let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Options { port: 0, seed: 1, bind, tls: None, switches: serde_json::Map::new() }
    }
}

impl Options {
    /// The same options on `port`.
    #[must_use]
    pub fn port(mut self, port: u16) -> Options {
        self.port = port;
        self
    }

    /// The same options on another address than 127.0.0.1.
    #[must_use]
    pub fn bind(mut self, bind: IpAddr) -> Options {
        self.bind = bind;
        self
    }

    /// The same options with HTTPS, by HTTP/2 where the client can; the CA's certificate in `directory`.
    #[must_use]
    pub fn tls(mut self, directory: impl Into<PathBuf>) -> Options {
        self.tls = Some(directory.into());
        self
    }

    /// The same options with one vendor switch set.
    #[must_use]
    pub fn switch(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Options {
        self.switches.insert(name.into(), value.into());
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
    /// A switch that does not exist, or a value it does not take; the text says which and what.
    Switch(String),
    /// The operating system refused a socket or a thread.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::PortInUse(port) => {
                write!(f, "port {port} is in use; choose another one, or 0 for any free one")
            }
            StartError::Switch(reason) => f.write_str(reason),
            StartError::Io(error) => write!(f, "the sandbox cannot start: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::PortInUse(_) | StartError::Switch(_) => None,
            StartError::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> StartError {
        StartError::Io(error)
    }
}

/// A running sandbox, on a thread of its own, or a namespace of one. It ends when the last of them is dropped.
pub struct Sandbox {
    server: Arc<Server>,
    desk: testing::Desk,
    url: String,
    blooio_api_key: String,
    bloomchats_api_key: String,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sandbox({:?})", self.url)
    }
}

/// What serves; dropping it stops it.
struct Server {
    authority: Option<tls::Authority>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts; when this returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError::PortInUse`] when something listens there already, [`StartError::Switch`] for a switch there is not.
    pub fn start(options: Options) -> Result<Sandbox, StartError> {
        let switches = switches::Switches::default().with(&options.switches).map_err(StartError::Switch)?;
        let listener = TcpListener::bind((options.bind, options.port)).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::PortInUse(options.port),
            _ => StartError::Io(error),
        })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let tls =
            options.tls.as_deref().map(|directory| tls::Authority::create(directory, options.bind, address.port()));
        let (acceptor, authority) = tls.transpose()?.unzip();
        let url = format!("{}://{address}", if acceptor.is_some() { "https" } else { "http" });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let namespaces = Arc::new(namespace::Namespaces::new(options.seed, switches, &url));
        let keys = namespaces.default().keys.clone();
        let app = Arc::new(server::App {
            namespaces: Arc::clone(&namespaces),
            url: url.clone(),
            receivers: control::Receivers::default(),
            open: !options.bind.is_loopback(),
        });
        let desk = testing::Desk::new(Arc::clone(&app), runtime.handle().clone(), keys.blooio.clone());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("bloomchats-sandbox".to_owned()).spawn(move || {
            // Dropping the runtime with `block_on` closes every connection and timer: stopping never waits for clients.
            runtime.block_on(async {
                tokio::select! {
                    () = server::serve(listener, acceptor, namespaces, app) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Sandbox {
            server: Arc::new(Server { authority, stop: Some(stop), thread: Some(thread) }),
            desk,
            url,
            blooio_api_key: keys.blooio,
            bloomchats_api_key: keys.bloomchats,
        })
    }

    /// The origin to point clients at (`base_url`), without a slash at its end.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// With HTTPS, the PEM file of the CA that clients have to trust (`SSL_CERT_FILE`, `ca_certs`).
    pub fn ca_path(&self) -> Option<&Path> {
        self.server.authority.as_ref().map(tls::Authority::path)
    }

    /// The Blooio key of the default namespace, for v2 and v4.
    pub fn blooio_api_key(&self) -> &str {
        &self.blooio_api_key
    }

    /// The BloomChats key of the default namespace.
    pub fn bloomchats_api_key(&self) -> &str {
        &self.bloomchats_api_key
    }

    /// Stops it, unless one of its namespaces is still there, and waits until its port is free again.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An error here is a panic of the server thread, which has been printed where it happened.
            let _ = thread.join();
        }
    }
}
