//! `cargo xtask test`: every suite, from a fresh clone, with tools installed into the project's own folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::corpus;
use crate::profile::{self, Code};
use crate::sandbox::Sandbox;
use crate::shell::{cli_binary, command, has, in_ci, output, run, scratch, swift_root, target};

/// A part of the tests: its name, how many minutes it may take on two cores, what it needs, what it does.
struct Suite {
    name: &'static str,
    minutes: u32,
    needs: &'static [&'static str],
    run: fn(&Path) -> Result<()>,
}

const SUITES: &[Suite] = &[
    Suite { name: "generate", minutes: 1, needs: &[], run: generate },
    Suite { name: "rust", minutes: 11, needs: &[], run: rust },
    Suite { name: "python", minutes: 9, needs: &["python3", "npm", "curl"], run: python },
    Suite { name: "node", minutes: 10, needs: &["node", "npm"], run: node },
    Suite { name: "swift", minutes: 10, needs: &["mmdebstrap"], run: swift },
    Suite { name: "extend", minutes: 5, needs: &[], run: crate::extend::extend },
    Suite { name: "bench", minutes: 8, needs: &[], run: crate::bench::check },
    Suite { name: "package", minutes: 16, needs: &["python3", "npm", profile::TOOL], run: package },
];

/// Languages that run the corpus, by the suite that runs them.
const RUNNERS: &[(&str, &str)] =
    &[("rust", "rust"), ("python", "python-sync"), ("python", "python-async"), ("node", "node"), ("swift", "swift")];

/// Runs the suites named by `only`, or all.
pub fn run_suites(root: &Path, only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !SUITES.iter().any(|suite| suite.name == **name)) {
        let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("there is no suite {unknown}; there are {}", names.join(", "));
    }
    let chosen: Vec<_> =
        SUITES.iter().filter(|suite| only.is_empty() || only.iter().any(|name| name == suite.name)).collect();
    let (mut done, mut skipped) = (Vec::new(), Vec::new());
    for suite in chosen {
        let missing: Vec<_> = suite.needs.iter().filter(|program| !is_here(program)).collect();
        if !missing.is_empty() {
            ensure!(!in_ci(), "suite {}: {missing:?} cannot be started, and CI skips nothing", suite.name);
            println!("--- {}: skipped, {missing:?} cannot be started", suite.name);
            skipped.push(suite.name);
            continue;
        }
        println!("--- {} (at most {} min)", suite.name, suite.minutes);
        let begun = Instant::now();
        (suite.run)(root)
            .with_context(|| format!("suite {} failed; alone: cargo xtask test --only {0}", suite.name))?;
        let minutes = begun.elapsed().as_secs_f64() / 60.0;
        println!("--- {}: passed in {minutes:.1} min", suite.name);
        if minutes > f64::from(suite.minutes) {
            // A wall clock proves nothing on a shared machine, so this is for people to see.
            println!("--- {}: longer than the {} min it declares", suite.name, suite.minutes);
        }
        done.push(suite.name);
    }
    compare_corpora(root, &done)?;
    println!("{} passed, 0 failed, {} skipped", done.len(), skipped.len());
    Ok(())
}

fn is_here(program: &str) -> bool {
    if program == profile::TOOL { profile::tool().is_ok() } else { has(program) }
}

fn generate(root: &Path) -> Result<()> {
    crate::generate::run(root, true)?;
    crate::mutate::rules(root)?;
    corpus::check_rules(root)
}

fn rust(root: &Path) -> Result<()> {
    run(&mut command(root, "cargo", &["fmt", "--all", "--check"]))?;
    let hosts = ["--exclude", "bloomchats-python", "--exclude", "bloomchats-node", "--exclude", "bloomchats-swift"];
    let lint = [&["clippy", "--workspace", "--all-targets"][..], &hosts, &["--", "-D", "warnings"]].concat();
    run(&mut command(root, "cargo", &lint))?;
    let test = [&["test", "--workspace"][..], &hosts].concat();
    run(command(root, "cargo", &test).env("BLOOMCHATS_CONFORMANCE_OUT", passed_file(root, "rust")?))?;
    run(&mut command(root, "cargo", &["run", "--quiet", "--package", "bloomchats-sandbox", "--example", "story"]))
}

fn python(root: &Path) -> Result<()> {
    let venv = python_with_tools(root)?;
    let bin = |program: &str| venv.join("bin").join(program);
    let tools = scratch(root, "python-tools")?;
    build_command(root)?;
    let binding = root.join("bindings-python");
    run(command(&binding, bin("maturin"), &["develop", "--quiet"]).env("VIRTUAL_ENV", &venv))?;
    let suites = ["-q", "tests/python", "tests/e2e", "tests/contract"];
    run(command(root, bin("pytest"), &suites).env("BLOOMCHATS_BIN", cli_binary(root)))?;
    let secure = Sandbox::start_secure(root)?;
    run(secure.environment(&mut command(root, bin("pytest"), &["-q", "tests/python/test_exactly_once.py"])))?;
    for runner in ["sync", "async"] {
        let script = format!("tests/runners/python/test_{runner}.py");
        let out = passed_file(root, &format!("python-{runner}"))?;
        run(command(root, bin("pytest"), &["-q", &script]).env("BLOOMCHATS_CONFORMANCE_OUT", out))?;
    }
    run(&mut command(
        &binding,
        bin("mypy"),
        &[
            "--strict",
            "python/bloomchats",
            "python/pytest_bloomchats",
            "../examples/quickstart.py",
            "../examples/story.py",
            "../tests/python/typing_cases.py",
        ],
    ))?;
    run(&mut command(&tools, "npm", &["install", "--silent", "--no-save", "--no-package-lock", "pyright@1.1"]))?;
    let pyright = tools.join("node_modules/.bin/pyright");
    run(&mut command(&binding, &pyright, &["--pythonpath", &bin("python").to_string_lossy()]))?;
    // Fails where a user's checker would have to guess a type. Packages are looked for by the `python` on PATH alone.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([venv.join("bin")].into_iter().chain(std::env::split_paths(&path)))?;
    for package in ["bloomchats", "pytest_bloomchats"] {
        let verify = ["--verifytypes", package, "--ignoreexternal"];
        run(command(&tools, &pyright, &verify).env("PATH", &path))?;
    }
    Ok(())
}

fn node(root: &Path) -> Result<()> {
    build_command(root)?;
    let binding = root.join("bindings-node");
    run(&mut command(&binding, "npm", &["ci", "--silent"]))?;
    run(&mut command(&binding, "npm", &["run", "--silent", "build"]))?;
    let out = passed_file(root, "node")?;
    run(command(&binding, "npm", &["test", "--silent"])
        .env("BLOOMCHATS_BIN", cli_binary(root))
        .env("BLOOMCHATS_CONFORMANCE_OUT", out))?;
    let secure = Sandbox::start_secure(root)?;
    let suite = ["--test", "--test-reporter=dot", "tests/node/exactly-once.test.mjs"];
    run(secure.environment(command(root, "node", &suite).env("BLOOMCHATS_BIN", cli_binary(root))))
}

fn swift(root: &Path) -> Result<()> {
    build_command(root)?;
    let out = passed_file(root, "swift")?;
    run(command(root, root.join("xtask/scripts/swift-test.sh"), &[])
        .env("SWIFT_ROOT", swift_root(root))
        .env("BLOOMCHATS_BIN", cli_binary(root))
        .env("BLOOMCHATS_CONFORMANCE_OUT", out))
}

/// The packages as they are released: installed as strangers would, and held against the corpus.
fn package(root: &Path) -> Result<()> {
    build_command(root)?;
    let wheel = crate::package::build(root)?;
    let installed = install_wheels(root, &wheel)?;
    let tools = python_with_tools(root)?.join("bin");
    let loaded = ["-c", "import bloomchats._native as native; print(native.__file__)"];
    let loaded = output(command(root, tools.join("python"), &loaded).env("PYTHONPATH", &installed))?;
    ensure!(loaded.starts_with(&installed), "not the released wheel, but {loaded} would be tested");
    for runner in ["sync", "async"] {
        let script = format!("tests/runners/python/test_{runner}.py");
        run(command(root, tools.join("pytest"), &["-q", &script]).env("PYTHONPATH", &installed))?;
    }
    run(command(root, "node", &["tests/install/node/run.mjs"]).env("BLOOMCHATS_BIN", cli_binary(root)))?;
    run(&mut command(root, "node", &["tests/runners/node/run.mjs"]))
}

/// Installs the wheels where nothing else is: no index, no command on PATH but what they bring. Returns the folder of the packages.
fn install_wheels(root: &Path, wheel: &Path) -> Result<String> {
    let companion = crate::package::wheel(root, "cli", &Code::Plain)?;
    let clean = virtual_environment(root, "python-clean")?;
    let mut install = command(root, clean.join("bin/pip"), &["install", "--quiet", "--force-reinstall", "--no-index"]);
    for wheel in [wheel, &companion] {
        install.arg("--find-links").arg(wheel);
    }
    run(install.arg("bloomchats[sandbox]"))?;
    for package in ["bloomchats", "bloomchats_sandbox"] {
        let licensed = output(&mut command(root, clean.join("bin/pip"), &["show", "--files", package]))?;
        ensure!(licensed.contains("LICENSE-MIT"), "no licence came with {package}");
    }
    let python = |arguments: &[&str]| command(root, clean.join("bin/python"), arguments);
    run(python(&["examples/story.py"]).env_remove("BLOOMCHATS_BIN").env_remove("BLOOMCHATS_SANDBOX_URL"))?;
    let sandbox = Sandbox::start(root)?;
    run(sandbox.environment(&mut python(&["examples/quickstart.py"])))?;
    let folder = output(&mut python(&["-c", "import sysconfig; print(sysconfig.get_path('platlib'))"]))?;
    Ok(folder.trim_end().to_owned())
}

/// Builds the `bloomchats` command that the suites start their sandbox with.
pub fn build_command(root: &Path) -> Result<()> {
    run(&mut command(root, "cargo", &["build", "--quiet", "--package", "bloomchats-cli"]))
}

/// A virtual environment that has what the Python tests need.
pub fn python_with_tools(root: &Path) -> Result<PathBuf> {
    let venv = virtual_environment(root, "python-venv")?;
    let pip = venv.join("bin/pip");
    run(&mut command(root, pip, &["install", "--quiet", "--requirement", "tests/python/requirements.txt"]))?;
    Ok(venv)
}

/// A virtual environment of the project's own.
pub fn virtual_environment(root: &Path, name: &str) -> Result<PathBuf> {
    let folder = target(root).join(name);
    if !folder.join("bin/python").exists() {
        run(&mut command(root, "python3", &["-m", "venv", &folder.to_string_lossy()]))?;
    }
    Ok(folder)
}

/// Where a runner writes the ids of the cases that passed; an old file must not stand in for a new run.
fn passed_file(root: &Path, runner: &str) -> Result<PathBuf> {
    let file = scratch(root, "conformance")?.join(format!("{runner}.txt"));
    if file.exists() {
        std::fs::remove_file(&file)?;
    }
    Ok(file)
}

/// Every language passes the same cases: the corpus' own list is what each is held against.
fn compare_corpora(root: &Path, done: &[&str]) -> Result<()> {
    let expected = corpus::ids(root)?;
    for (_, runner) in RUNNERS.iter().filter(|(suite, _)| done.contains(suite)) {
        let file = scratch(root, "conformance")?.join(format!("{runner}.txt"));
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("the {runner} runner wrote no list of passed cases"))?;
        let passed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
        let missing: Vec<_> = expected.difference(&passed).collect();
        let foreign: Vec<_> = passed.difference(&expected).collect();
        ensure!(missing.is_empty(), "{runner} lacks {} corpus cases: {missing:?}", missing.len());
        ensure!(foreign.is_empty(), "{runner} reports cases the corpus does not have: {foreign:?}");
        println!("corpus: {runner} passed all {} cases", passed.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::SUITES;

    #[test]
    fn the_suites_fit_into_the_time_they_share() {
        assert!(SUITES.iter().map(|suite| suite.minutes).sum::<u32>() <= 70);
    }
}
