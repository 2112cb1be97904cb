//! A sandbox process for the tasks here, which ends with them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::shell::cli_binary;

/// A running `bloomchats sandbox`; it stops when this is dropped, or when this process dies.
pub struct Sandbox {
    process: Child,
    facts: serde_json::Value,
}

impl Sandbox {
    /// Starts the built command on a free port.
    pub fn start(root: &Path) -> Result<Sandbox> {
        Sandbox::start_with(root, &[])
    }

    /// Starts one that is reached as the services are, by HTTP/2 under TLS.
    pub fn start_secure(root: &Path) -> Result<Sandbox> {
        Sandbox::start_with(root, &["--tls"])
    }

    fn start_with(root: &Path, options: &[&str]) -> Result<Sandbox> {
        let mut process = Command::new(cli_binary(root))
            .args(["sandbox", "--port", "0", "--json", "--stop-on-stdin-close"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the sandbox cannot be started")?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("the sandbox has no output")?).read_line(&mut line)?;
        let facts = serde_json::from_str(&line).with_context(|| format!("the sandbox said {line:?}"))?;
        Ok(Sandbox { process, facts })
    }

    /// Points a command at this sandbox.
    pub fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let fact = |name: &str| self.facts[name].as_str().unwrap_or_default().to_owned();
        if let Some(authority) = self.facts["ca_path"].as_str() {
            // The second is for what Node itself asks.
            command.env("SSL_CERT_FILE", authority).env("NODE_EXTRA_CA_CERTS", authority);
        }
        command
            .env("BLOOMCHATS_SANDBOX_URL", fact("url"))
            .env("BLOOIO_BASE_URL", fact("url"))
            .env("BLOOMCHATS_BASE_URL", fact("url"))
            .env("BLOOIO_API_KEY", fact("blooio_api_key"))
            .env("BLOOMCHATS_API_KEY", fact("bloomchats_api_key"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
