//! A new operation is a piece of contract and one line of overlay: proved in a scratch copy, in every language.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell::{command, has, in_ci, run, scratch, swift_root, target};
use crate::test::virtual_environment;

/// The imaginary operation as its contract would state it.
pub const CONTRACT: &str = "  /chats/{chatId}/archive:
    post:
      operationId: archiveChat
      summary: Put a conversation away
      parameters:
        - $ref: '#/components/parameters/ChatId'
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {reason: {type: string, description: Why it goes.}}}
      responses:
        '200': {description: Done, content: {application/json: {schema: {$ref: '#/components/schemas/DeleteResponse'}}}}
";

/// Its line in the overlay.
pub const OVERLAY: &str = "archive = \"archiveChat\"\n";

/// Makes the copy, adds the operation, and calls it from every language whose toolchain is here.
pub fn extend(root: &Path) -> Result<()> {
    let copy = copy_tree(root)?;
    edit(&copy.join("spec/blooio-v2.openapi.yaml"), "\npaths:\n", &format!("\npaths:\n{CONTRACT}"))?;
    let before = "mark_read = \"markChatRead\"\n";
    edit(&copy.join("spec/overlay.toml"), before, &format!("{before}{OVERLAY}"))?;
    crate::generate::run(&copy, false)?;

    rust(root, &copy)?;
    type Call = fn(&Path, &Path) -> Result<()>;
    for (name, needs, call) in [
        ("python", &["python3"][..], python as Call),
        ("node", &["node", "npm"][..], node),
        ("swift", &["mmdebstrap"][..], swift),
    ] {
        if needs.iter().all(|program| has(program)) {
            call(root, &copy)?;
        } else {
            ensure!(!in_ci(), "{name} cannot be started, and CI skips nothing");
            println!("{name}: skipped, its toolchain is not here");
        }
    }
    Ok(())
}

fn rust(root: &Path, copy: &Path) -> Result<()> {
    std::fs::copy(root.join("tests/extend/archive.rs"), copy.join("core/tests/archive.rs"))?;
    run(in_copy(root, &mut command(copy, "cargo", &["test", "--quiet", "-p", "bloomchats", "--test", "archive"])))
}

fn python(root: &Path, copy: &Path) -> Result<()> {
    let venv = virtual_environment(root, "python-extend")?;
    let bin = |program: &str| venv.join("bin").join(program);
    run(&mut command(root, bin("pip"), &["install", "--quiet", "maturin>=1.16,<2", "mypy>=2.4,<3"]))?;
    let maturin = &mut command(&copy.join("bindings-python"), bin("maturin"), &["develop", "--quiet"]);
    run(in_copy(root, maturin).env("VIRTUAL_ENV", &venv))?;
    run(&mut command(copy, bin("python"), &["tests/extend/archive.py"]))?;
    run(command(copy, bin("mypy"), &["--strict", "tests/extend/archive.py"])
        .env("MYPYPATH", copy.join("bindings-python/python")))
}

fn node(root: &Path, copy: &Path) -> Result<()> {
    let binding = copy.join("bindings-node");
    run(&mut command(&binding, "npm", &["ci", "--silent"]))?;
    run(in_copy(root, &mut command(&binding, "npm", &["run", "--silent", "build"])))?;
    let declared = std::fs::read_to_string(binding.join("ts/generated/blooio_v2/resources.ts"))?;
    ensure!(declared.contains("Put a conversation away"), "the TypeScript veneer has lost the summary");
    // Inside the package, so that its name resolves to itself.
    std::fs::copy(root.join("tests/extend/archive.ts"), binding.join("archive.mts"))?;
    let tsc = binding.join("node_modules/.bin/tsc");
    let strict = "--strict --module nodenext --target es2022 --types node --skipLibCheck --ignoreConfig archive.mts";
    let strict: Vec<&str> = strict.split(' ').collect();
    run(&mut command(&binding, tsc, &strict))?;
    run(&mut command(&binding, "node", &["archive.mjs"]))
}

fn swift(root: &Path, copy: &Path) -> Result<()> {
    std::fs::copy(
        root.join("tests/extend/ArchiveTests.swift"),
        copy.join("bindings-swift/Tests/BloomChatsTests/ArchiveTests.swift"),
    )?;
    let script = copy.join("xtask/scripts/swift-test.sh");
    run(in_copy(root, &mut command(copy, script, &["--filter", "archiveIsThere"]))
        .env("SWIFT_ROOT", swift_root(root))
        .env("SWIFT_WORK", target(root).join("swift-extend")))
}

/// Dependencies are compiled once for both trees.
fn in_copy<'a>(root: &Path, command: &'a mut Command) -> &'a mut Command {
    command.env("CARGO_TARGET_DIR", target(root))
}

/// What git tracks, in a folder of its own.
fn copy_tree(root: &Path) -> Result<PathBuf> {
    let copy = scratch(root, "extend")?;
    std::fs::remove_dir_all(&copy)?;
    let listed =
        Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().context("git lists the files")?;
    ensure!(listed.status.success(), "git ls-files failed");
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), copy.join(name));
        std::fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        std::fs::copy(&from, &to).with_context(|| format!("copying {name}"))?;
    }
    Ok(copy)
}

fn edit(file: &Path, before: &str, after: &str) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    ensure!(text.contains(before), "{} no longer holds {before:?}", file.display());
    std::fs::write(file, text.replacen(before, after, 1))?;
    Ok(())
}
