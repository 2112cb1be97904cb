//! The clients: what builds them, and what starts each.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::package;
use crate::profile::Code;
use crate::shell::{command, has, in_ci, run, scratch, target};
use crate::test::virtual_environment;

/// A program that takes `URL send|list CONCURRENCY CALLS` and prints what they cost.
pub struct Client {
    /// Unique; begins with the language, but for the yardstick.
    pub name: &'static str,
    /// Whether it gives models instead of plain JSON.
    pub typed: bool,
    /// What it speaks over TLS with whom `SSL_CERT_FILE` or `NODE_EXTRA_CA_CERTS` names, if it can.
    pub tls: Option<Http>,
    folder: PathBuf,
    words: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
}

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Http {
    #[value(name = "h1")]
    One,
    #[value(name = "h2")]
    Two,
}

impl Client {
    /// The command to add the arguments to.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).current_dir(&self.folder).envs(self.environment.iter().cloned());
        command
    }
}

/// Where things are built, and whether quickly.
pub struct Workshop {
    pub root: PathBuf,
    quick: bool,
}

impl Workshop {
    /// Builds the Rust programs of this workspace.
    pub fn open(root: &Path, quick: bool) -> Result<Workshop> {
        let workshop = Workshop { root: root.to_path_buf(), quick };
        run(command(root, "cargo", &workshop.build()).args(["--package", "bloomchats-benches"]))?;
        Ok(workshop)
    }

    /// The fixture server's program.
    pub fn server(&self) -> PathBuf {
        self.rust("server")
    }

    /// A program of ours.
    pub fn rust(&self, program: &str) -> PathBuf {
        target(&self.root).join(self.profile()).join(program)
    }

    /// The interpreter that has the Python clients.
    pub fn python(&self) -> PathBuf {
        target(&self.root).join("bench-venv/bin/python")
    }

    /// The folder that has the Node peers.
    pub fn node(&self) -> PathBuf {
        target(&self.root).join("bench-node")
    }

    fn build(&self) -> Vec<&'static str> {
        let profile: &[&str] = if self.quick { &[] } else { &["--profile", "peers"] };
        [&["build", "--quiet"], profile].concat()
    }

    fn peers_target(&self) -> PathBuf {
        target(&self.root).join("bench-peers")
    }

    fn profile(&self) -> &'static str {
        if self.quick { "debug" } else { "peers" }
    }
}

/// Builds and installs every client whose language can be run here; `code` is that of the packages that a profile can guide.
pub fn all(workshop: &Workshop, code: &Code) -> Result<Vec<Client>> {
    let mut clients = rust(workshop)?;
    clients.extend(packages(workshop, code)?);
    let here = has("swift") || can_have_swift();
    clients.extend(built("Swift", "swift, or mmdebstrap as root,", here, || swift(workshop))?);
    Ok(clients)
}

/// Python's and Node's.
pub fn packages(workshop: &Workshop, code: &Code) -> Result<Vec<Client>> {
    let mut clients = built("Python", "python3", has("python3"), || python(workshop, code))?;
    clients.extend(built("Node", "npm", has("npm"), || node(workshop, code))?);
    Ok(clients)
}

fn built(language: &str, needs: &str, here: bool, build: impl FnOnce() -> Result<Vec<Client>>) -> Result<Vec<Client>> {
    if here {
        return build();
    }
    ensure!(!in_ci(), "{needs} cannot be started, and CI skips nothing");
    println!("{language}: skipped, {needs} cannot be started");
    Ok(Vec::new())
}

/// Whether `swift-toolchain.sh` can make a tree with Swift here and run programs in it.
fn can_have_swift() -> bool {
    let mounts = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
    has("mmdebstrap") && mounts.is_ok_and(|status| status.success())
}

fn rust(workshop: &Workshop) -> Result<Vec<Client>> {
    let folder = workshop.root.join("benches/peers");
    run(command(&folder, "cargo", &workshop.build()).env("CARGO_TARGET_DIR", workshop.peers_target()))?;
    let peers = workshop.peers_target().join(workshop.profile());
    let client = |name, program| program_in_rust(workshop, name, program);
    Ok(vec![
        client(super::YARDSTICK, workshop.rust("hyper")),
        client("rust-reqwest", peers.join("reqwest")),
        client("rust-blooio", peers.join("blooio")),
        client("rust-ours", workshop.rust("ours")),
    ])
}

/// Bare hyper and ours once more, built like the packages that a profile guides.
pub fn rust_again(workshop: &Workshop, code: &Code) -> Result<Vec<Client>> {
    let programs = ["--package", "bloomchats-benches", "--bin", "hyper", "--bin", "ours"];
    run(code.ask_for(&workshop.root, command(&workshop.root, "cargo", &workshop.build()).args(programs))?)?;
    let built = code.folder(&workshop.root)?.join(workshop.profile());
    let client = |name, program| program_in_rust(workshop, name, built.join(program));
    Ok(vec![client("hyper-guided", "hyper"), client("rust-ours-guided", "ours")])
}

fn program_in_rust(workshop: &Workshop, name: &'static str, program: PathBuf) -> Client {
    Client {
        name,
        typed: true,
        tls: Some(Http::Two),
        folder: workshop.root.clone(),
        words: vec![program.into()],
        environment: Vec::new(),
    }
}

fn python(workshop: &Workshop, code: &Code) -> Result<Vec<Client>> {
    let root = &workshop.root;
    let environment = virtual_environment(root, "bench-venv")?;
    let bin = |program: &str| environment.join("bin").join(program);
    let install = ["install", "--quiet", "--disable-pip-version-check"];
    run(command(root, bin("pip"), &install).args(["--requirement", "benches/python/requirements.txt"]))?;
    if *code == Code::Debug {
        let mut develop = command(&root.join("bindings-python"), bin("maturin"), &["develop", "--quiet"]);
        run(develop.env("VIRTUAL_ENV", &environment))?;
    } else {
        let wheel = package::wheel(root, "bindings-python", code)?;
        run(command(root, bin("pip"), &install).args(["--force-reinstall", "--no-deps", "--no-index"]).arg(wheel))?;
    }
    let script = root.join("benches/python/client.py");
    let client = |(name, typed, tls, function): (&'static str, bool, Option<Http>, &str)| Client {
        name,
        typed,
        tls,
        folder: root.clone(),
        words: vec![workshop.python().into(), script.clone().into(), function.into()],
        environment: Vec::new(),
    };
    Ok([
        ("python-ours-sync", true, Some(Http::Two), "ours_sync"),
        ("python-ours-async", true, Some(Http::Two), "ours_async"),
        ("python-blooio-sync", true, Some(Http::One), "blooio_sync"),
        ("python-blooio-async", true, Some(Http::One), "blooio_async"),
        ("python-httpx-sync", false, Some(Http::One), "httpx_sync"),
        ("python-httpx-async", false, Some(Http::One), "httpx_async"),
        ("python-aiohttp", false, Some(Http::One), "aiohttp_async"),
        ("python-pyreqwest-sync", false, Some(Http::Two), "pyreqwest_sync"),
        ("python-pyreqwest-async", false, Some(Http::Two), "pyreqwest_async"),
        ("python-sockets-sync", false, None, "sockets_sync"),
        ("python-sockets-async", false, None, "sockets_async"),
    ]
    .map(client)
    .into())
}

fn node(workshop: &Workshop, code: &Code) -> Result<Vec<Client>> {
    let root = &workshop.root;
    let binding = root.join("bindings-node");
    let folder = scratch(root, "bench-node")?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(root.join("benches/node").join(file), folder.join(file))?;
    }
    run(&mut command(&folder, "npm", &["ci", "--silent"]))?;
    package::node(root, "build", code)?;
    let script = root.join("benches/node/client.mjs");
    let client = |(name, typed, tls, function): (&'static str, bool, Option<Http>, &str)| Client {
        name,
        typed,
        tls,
        folder: folder.clone(),
        words: vec!["node".into(), script.clone().into(), function.into()],
        environment: vec![("BLOOMCHATS_PACKAGE", binding.clone().into())],
    };
    Ok([
        ("node-ours", true, Some(Http::Two), "ours"),
        ("node-fetch", false, Some(Http::One), "fetch"),
        ("node-undici", false, Some(Http::Two), "undici"),
        ("node-axios", false, Some(Http::One), "axios"),
        ("node-sockets", false, None, "sockets"),
    ]
    .map(client)
    .into())
}

fn swift(workshop: &Workshop) -> Result<Vec<Client>> {
    let root = &workshop.root;
    let program = package::swift(root, "swift-bench.sh", !workshop.quick)?;
    let client = |(name, tls, which): (&'static str, Option<Http>, &str)| Client {
        name,
        typed: true,
        tls,
        folder: root.clone(),
        words: vec![program.clone().into(), which.into()],
        environment: Vec::new(),
    };
    Ok([("swift-ours", Some(Http::Two), "ours"), ("swift-urlsession", None, "urlsession")].map(client).into())
}
