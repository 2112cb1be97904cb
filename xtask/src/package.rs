//! `cargo xtask package`: the packages as they are released, and what each is built with.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::bench;
use crate::profile::Code;
use crate::shell::{command, output, run, scratch, swift_root};
use crate::test::python_with_tools;

/// A wheel is at most this large. An addon's limit is in `build.mjs`, Swift's in `swift-size.sh`.
const WHEEL_BYTES: u64 = 2_000_000;

/// Above the levels of zlib, the `zip` crate counts Zopfli's rounds from 10.
const ZOPFLI: i64 = 24;

/// Builds every package, says where it lies, and returns the wheel.
pub fn build(root: &Path) -> Result<PathBuf> {
    let code = bench::guided(root)?;
    let wheel = wheel(root, "bindings-python", &code)?;
    let size = fs::metadata(&wheel)?.len();
    println!("Python: {}, {:.2} MB", wheel.display(), size as f64 / 1e6);
    ensure!(size <= WHEEL_BYTES, "the wheel is larger than {} MB", WHEEL_BYTES as f64 / 1e6);
    node(root, "pack", &code)?;
    for file in fs::read_dir(root.join("bindings-node/dist"))? {
        let path = file?.path();
        if path.extension().is_some_and(|kind| kind == "node") {
            ensure_unplaced(&path.to_string_lossy(), &fs::read(&path)?)?;
        }
    }
    println!("Node: {}", root.join("bindings-node/npm/*.tgz").display());
    println!("{}", swift(root, "swift-size.sh", true)?);
    println!("Swift: {}", swift(root, "swift-native.sh", true)?);
    Ok(wheel)
}

/// Fails where a file of a package tells where its builder keeps the sources of crates.
fn ensure_unplaced(name: &str, bytes: &[u8]) -> Result<()> {
    let place = b"registry/src/";
    ensure!(!bytes.windows(place.len()).any(|part| part == place), "{name} holds a path of this machine");
    Ok(())
}

/// The wheel of a project's folder, alone in a folder of its own.
pub fn wheel(root: &Path, project: &str, code: &Code) -> Result<PathBuf> {
    let maturin = python_with_tools(root)?.join("bin/maturin");
    let out = scratch(root, "wheels")?.join(project);
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let packs = matches!(code, Code::Guided(_));
    let method = if packs { "stored" } else { "deflated" };
    let options = ["build", "--quiet", "--compression-method", method, "--out"];
    run(code.ask_for(root, command(&root.join(project), maturin, &options).arg(&out))?)?;
    let wheel = fs::read_dir(&out)?.next().context("maturin built no wheel")??.path();
    if packs {
        pack(&wheel)?;
    }
    Ok(wheel)
}

/// Packs a wheel whose files lie in it as they are. Zopfli takes ten seconds for what zlib does in one, and 3 % off that.
fn pack(wheel: &Path) -> Result<()> {
    let packed = wheel.with_extension("packed");
    let mut from = ZipArchive::new(File::open(wheel)?)?;
    let mut to = ZipWriter::new(File::create(&packed)?);
    for place in 0..from.len() {
        let mut file = from.by_index(place)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        ensure_unplaced(&file.name()?, &bytes)?;
        let options = file.options().compression_method(CompressionMethod::Deflated).compression_level(Some(ZOPFLI));
        to.start_file(file.name()?, options)?;
        to.write_all(&bytes)?;
    }
    to.finish()?;
    Ok(fs::rename(packed, wheel)?)
}

/// Has `build.mjs` make `dist/`, or also the tarballs: `build` or `pack`.
pub fn node(root: &Path, task: &str, code: &Code) -> Result<()> {
    let binding = root.join("bindings-node");
    run(&mut command(&binding, "npm", &["ci", "--silent"]))?;
    let release: &[&str] = if *code == Code::Debug { &[] } else { &["--", "--release"] };
    run(code.ask_for(root, command(&binding, "npm", &["run", "--silent", task]).args(release))?)
}

/// Runs a script that builds the native half of the Swift package, and returns what it prints. It is not guided by a profile, with
/// which it is larger than it may be (docs/performance.md).
pub fn swift(root: &Path, script: &str, release: bool) -> Result<String> {
    let release: &[&str] = if release { &["--release"] } else { &[] };
    let mut build = command(root, root.join("xtask/scripts").join(script), release);
    Ok(output(build.env("SWIFT_ROOT", swift_root(root)))?.trim_end().to_owned())
}
