//! `cargo xtask demo`: the main job, done visibly against the sandbox, then the quickstart and the story of every language.

use std::path::Path;

use anyhow::Result;

use crate::sandbox::Sandbox;
use crate::shell::{command, has, run, run_with, swift_root, target};
use crate::test::{build_command, virtual_environment};

/// The examples that every language has.
const TOLD: [&str; 2] = ["quickstart", "story"];

/// Builds what it needs, starts the sandbox, and runs the examples.
pub fn run_demo(root: &Path) -> Result<()> {
    build_command(root)?;
    let examples = ["build", "--quiet", "--package", "bloomchats", "--package", "bloomchats-sandbox", "--examples"];
    run(&mut command(root, "cargo", &examples))?;
    let sandbox = Sandbox::start(root)?;
    let example = |name: &str| target(root).join("debug/examples").join(name);

    heading("The tour");
    run(sandbox.environment(&mut command(root, example("tour"), &[])))?;
    for name in TOLD {
        heading(&format!("In Rust: examples/{name}.rs"));
        run(sandbox.environment(&mut command(root, example(name), &[])))?;
    }
    if has("python3") {
        let venv = virtual_environment(root, "python-venv")?;
        run(&mut command(root, venv.join("bin/pip"), &["install", "--quiet", "maturin"]))?;
        let binding = root.join("bindings-python");
        run(command(&binding, venv.join("bin/maturin"), &["develop", "--quiet"]).env("VIRTUAL_ENV", &venv))?;
        for name in TOLD {
            let script = format!("examples/{name}.py");
            heading(&format!("In Python: {script}"));
            run(sandbox.environment(&mut command(root, venv.join("bin/python"), &[&script])))?;
        }
    }
    if has("node") && has("npm") {
        let binding = root.join("bindings-node");
        if !binding.join("node_modules").exists() {
            run(&mut command(&binding, "npm", &["ci", "--silent"]))?;
        }
        run(&mut command(&binding, "npm", &["run", "--silent", "build"]))?;
        for name in TOLD {
            let script = format!("examples/{name}.mjs");
            heading(&format!("In Node: {script}"));
            let node = &mut command(&binding, "node", &["--input-type=module"]);
            run_with(sandbox.environment(node), std::fs::File::open(root.join(script))?.into())?;
        }
    }
    if has("mmdebstrap") || has("swift") {
        for name in TOLD {
            heading(&format!("In Swift: examples/{name}.swift"));
            let script = &mut command(root, root.join("xtask/scripts/swift-example.sh"), &[name]);
            run(sandbox.environment(script).env("SWIFT_ROOT", swift_root(root)))?;
        }
    }
    println!("\nThat was the whole main job. Next: README.md");
    Ok(())
}

fn heading(text: &str) {
    println!("\n=== {text}");
}
