//! `cargo xtask package`: the packages as they are released, and what each is built with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::bench;
use crate::profile::Code;
use crate::shell::{command, output, run, scratch, swift_root};
use crate::test::virtual_environment;

/// A wheel is at most this large. An addon's limit is in `build.mjs`, Swift's in `swift-size.sh`.
const WHEEL_BYTES: u64 = 2_000_000;

/// Swift's library is not guided by a profile, with which it is larger than it may be (docs/performance.md).
pub const SWIFT: Code = Code::Plain;

/// Builds every package, says where it lies, and returns the wheel.
pub fn build(root: &Path) -> Result<PathBuf> {
    let code = bench::guided(root)?;
    let wheel = wheel(root, "bindings-python", &code)?;
    let size = std::fs::metadata(&wheel)?.len();
    println!("Python: {}, {:.2} MB", wheel.display(), size as f64 / 1e6);
    ensure!(size <= WHEEL_BYTES, "the wheel is larger than {} MB", WHEEL_BYTES as f64 / 1e6);
    node(root, "pack", &code)?;
    println!("Node: {}", root.join("bindings-node/npm/*.tgz").display());
    println!("{}", swift(root, "swift-size.sh", &SWIFT)?);
    println!("Swift: {}", swift(root, "swift-native.sh", &SWIFT)?);
    Ok(wheel)
}

/// The wheel of a project's folder, alone in a folder of its own.
pub fn wheel(root: &Path, project: &str, code: &Code) -> Result<PathBuf> {
    let tools = virtual_environment(root, "package-venv")?.join("bin");
    run(&mut command(
        root,
        tools.join("pip"),
        &["install", "--quiet", "--disable-pip-version-check", "maturin>=1.16,<2"],
    ))?;
    let out = scratch(root, "wheels")?.join(project);
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    let options = ["build", "--quiet", "--compression-level", "9", "--out"];
    let mut build = command(&root.join(project), tools.join("maturin"), &options);
    run(code.ask_for(root, build.arg(&out))?)?;
    Ok(std::fs::read_dir(&out)?.next().context("maturin built no wheel")??.path())
}

/// Has `build.mjs` make `dist/`, or also the tarballs: `build` or `pack`.
pub fn node(root: &Path, task: &str, code: &Code) -> Result<()> {
    let binding = root.join("bindings-node");
    run(&mut command(&binding, "npm", &["ci", "--silent"]))?;
    let release: &[&str] = if *code == Code::Debug { &[] } else { &["--", "--release"] };
    run(code.ask_for(root, command(&binding, "npm", &["run", "--silent", task]).args(release))?)
}

/// Runs a script that builds the native half of the Swift package, and returns what it prints.
pub fn swift(root: &Path, script: &str, code: &Code) -> Result<String> {
    let release: &[&str] = if *code == Code::Debug { &[] } else { &["--release"] };
    let mut build = command(root, root.join("xtask/scripts").join(script), release);
    let told = output(code.ask_for(root, build.env("SWIFT_ROOT", swift_root(root)))?)?;
    Ok(told.trim_end().to_owned())
}
