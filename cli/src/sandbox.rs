//! `bloomchats sandbox`: start, say where, run until told to stop.

use std::error::Error;
use std::io::{Read, stdin};
use std::net::IpAddr;
use std::time::Instant;

use bloomchats_sandbox::{Options, Sandbox};

use crate::{output, signal};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Loopback port; 0 takes a free one.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Decides keys and data: the same seed gives the same ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to listen; anything beyond loopback lets other machines read and steer the sandbox.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Serve HTTPS, by HTTP/2 where the client can; the certificate authority to trust is made anew, and its file printed.
    #[arg(long)]
    tls: bool,
    /// Set a vendor switch of docs/sandbox.md, such as `send_status=202`; may be repeated.
    #[arg(long = "switch", value_name = "NAME=VALUE", value_parser = switch)]
    switches: Vec<(String, serde_json::Value)>,
    /// Print one line of JSON when ready: url, blooio_api_key, bloomchats_api_key, ready_ms, and ca_path with --tls.
    #[arg(long)]
    json: bool,
    /// Stop when standard input closes, so that a test that dies takes its sandbox with it.
    #[arg(long)]
    stop_on_stdin_close: bool,
}

/// `name=value`, where the value is JSON, or else text.
fn switch(given: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = given.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

/// `started` is when the process began, for `ready_ms`.
pub(crate) fn run(arguments: &Arguments, started: Instant) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Signals are caught before anyone is told that the sandbox runs.
    let stop = runtime.block_on(async { signal::stop() })?;
    let mut options = Options::default().port(arguments.port).seed(arguments.seed).bind(arguments.bind);
    options.switches.extend(arguments.switches.iter().cloned());
    if arguments.tls {
        options = options.tls(std::env::temp_dir());
    }
    if !arguments.bind.is_loopback() {
        output::say(format_args!(
            "Warning: {} is not this machine alone; whoever reaches it can read and steer the sandbox.",
            arguments.bind
        ));
    }
    let sandbox = Sandbox::start(options)?;
    announce(&sandbox, arguments.json, started)?;
    runtime.block_on(async {
        let stdin_closes = arguments.stop_on_stdin_close.then(watch_stdin);
        tokio::pin!(stop);
        tokio::select! {
            () = &mut stop => {}
            () = closed(stdin_closes) => {}
        }
    });
    sandbox.stop();
    Ok(())
}

fn announce(sandbox: &Sandbox, json: bool, started: Instant) -> std::io::Result<()> {
    let (url, blooio, bloomchats) = (sandbox.url(), sandbox.blooio_api_key(), sandbox.bloomchats_api_key());
    let ca_path = sandbox.ca_path();
    if json {
        let ready_ms = started.elapsed().as_millis() as u64;
        let mut line = serde_json::json!({
            "url": url,
            "blooio_api_key": blooio,
            "bloomchats_api_key": bloomchats,
            "ready_ms": ready_ms,
        });
        if let Some(path) = ca_path {
            line["ca_path"] = path.to_string_lossy().into();
        }
        return output::print(line);
    }
    let mut lines = format!(
        "The sandbox listens on {url} (Ctrl-C stops it). Point your programs at it:\n\n\
         export BLOOIO_BASE_URL={url} BLOOIO_API_KEY={blooio}\n\
         export BLOOMCHATS_BASE_URL={url} BLOOMCHATS_API_KEY={bloomchats}"
    );
    if let Some(path) = ca_path {
        lines += &format!("\nexport SSL_CERT_FILE={}", path.display());
    }
    output::print(lines)
}

/// Resolves when standard input has ended; a thread waits for it, as reading it cannot be cancelled.
fn watch_stdin() -> tokio::sync::oneshot::Receiver<()> {
    let (closed, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 256];
        while matches!(stdin().read(&mut ignored), Ok(1..)) {}
        drop(closed);
    });
    receiver
}

async fn closed(stdin: Option<tokio::sync::oneshot::Receiver<()>>) {
    match stdin {
        Some(receiver) => {
            let _ = receiver.await;
        }
        None => std::future::pending().await,
    }
}
