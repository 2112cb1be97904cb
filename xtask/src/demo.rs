//! `cargo xtask demo`: the main job, done visibly against the sandbox, then the quickstart of every language.

use std::path::Path;

use anyhow::Result;

use crate::sandbox::Sandbox;
use crate::shell::{command, has, run, run_with, swift_root, target};
use crate::test::{build_command, virtual_environment};

/// Builds what it needs, starts the sandbox, and runs the tour and the quickstarts.
pub fn run_demo(root: &Path) -> Result<()> {
    build_command(root)?;
    run(&mut command(root, "cargo", &["build", "--quiet", "--package", "bloomchats", "--examples"]))?;
    let sandbox = Sandbox::start(root)?;
    let example = |name: &str| target(root).join("debug/examples").join(name);

    heading("The tour");
    run(sandbox.environment(&mut command(root, example("tour"), &[])))?;
    heading("Quickstart in Rust: examples/quickstart.rs");
    run(sandbox.environment(&mut command(root, example("quickstart"), &[])))?;

    if has("python3") {
        heading("Quickstart in Python: examples/quickstart.py");
        let venv = virtual_environment(root, "python-venv")?;
        run(&mut command(root, venv.join("bin/pip"), &["install", "--quiet", "maturin"]))?;
        let binding = root.join("bindings-python");
        run(command(&binding, venv.join("bin/maturin"), &["develop", "--quiet"]).env("VIRTUAL_ENV", &venv))?;
        run(sandbox.environment(&mut command(root, venv.join("bin/python"), &["examples/quickstart.py"])))?;
    }
    if has("node") && has("npm") {
        heading("Quickstart in Node: examples/quickstart.mjs");
        let binding = root.join("bindings-node");
        if !binding.join("node_modules").exists() {
            run(&mut command(&binding, "npm", &["ci", "--silent"]))?;
        }
        run(&mut command(&binding, "npm", &["run", "--silent", "build"]))?;
        let quickstart = std::fs::File::open(root.join("examples/quickstart.mjs"))?;
        let node = &mut command(&binding, "node", &["--input-type=module"]);
        run_with(sandbox.environment(node), quickstart.into())?;
    }
    if has("mmdebstrap") || has("swift") {
        heading("Quickstart in Swift: examples/quickstart.swift");
        let script = &mut command(root, root.join("xtask/scripts/swift-quickstart.sh"), &[]);
        run(sandbox.environment(script).env("SWIFT_ROOT", swift_root(root)))?;
    }
    println!("\nThat was the whole main job. Next: README.md");
    Ok(())
}

fn heading(text: &str) {
    println!("\n=== {text}");
}
