//! Running other programs: every task here is a few of them in order.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Whether this runs in CI, where a missing toolchain is a failure and not a reason to skip.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Whether a program can be started.
pub fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// A command in `folder`.
pub fn command(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    command
}

/// Runs a command to its end; failure names it.
pub fn run(command: &mut Command) -> Result<()> {
    run_with(command, Stdio::null())
}

/// [`run`] with something to read.
pub fn run_with(command: &mut Command, input: Stdio) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.stdin(input).status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// What a command prints; failure names it.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let done = done.with_context(|| format!("cannot start {shown}"))?;
    ensure!(done.status.success(), "{shown} failed ({})", done.status);
    Ok(String::from_utf8(done.stdout)?)
}

/// The folder that the project's own tools and scratch files live in.
pub fn scratch(root: &Path, name: &str) -> Result<PathBuf> {
    let folder = target(root).join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Cargo's target folder.
pub fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The tree that Swift runs in where the host has none.
pub fn swift_root(root: &Path) -> PathBuf {
    std::env::var_os("SWIFT_ROOT").map_or_else(|| target(root).join("swift-root"), PathBuf::from)
}

/// The built `bloomchats` command.
pub fn cli_binary(root: &Path) -> PathBuf {
    target(root).join("debug").join(format!("bloomchats{}", std::env::consts::EXE_SUFFIX))
}
