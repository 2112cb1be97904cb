//! `cargo xtask mutate`: breaks one rule of the engine at a time, on a copy, and sees whether the tests notice.
//!
//! A rule that can be broken unnoticed is a rule that nothing proves. The rules are in `xtask/mutations.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::shell::scratch;

/// Everything core's tests need, relative to the repository.
const COPIED: &[&str] = &["core", "sandbox", "examples", "spec", "tests/conformance", "docs", "Cargo.lock"];

/// Tests that must notice, the quickest first; `bloomchats` are the library's own.
const JUDGES: &[&str] = &["conformance", "bloomchats", "observe", "properties"];

/// A broken rule may make a loop endless; that is noticed too.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Rule>,
}

/// A rule, and the edit that breaks it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    name: String,
    /// Below `core/src`.
    file: String,
    find: String,
    replace: String,
}

impl Rule {
    fn apply(&self, sources: &Path) -> Result<(PathBuf, String)> {
        let file = sources.join(&self.file);
        let text = fs::read_to_string(&file).with_context(|| format!("rule \"{}\": {}", self.name, self.file))?;
        let found = text.matches(&self.find).count();
        ensure!(found == 1, "rule \"{}\" is stale: its text stands {found} times in {}", self.name, self.file);
        Ok((file, text.replacen(&self.find, &self.replace, 1)))
    }
}

enum Verdict {
    Caught { by: String },
    Survived,
}

/// The rules, each of which still finds its text.
pub fn rules(root: &Path) -> Result<Vec<Rule>> {
    let Table { rule: rules } = toml::from_str(&fs::read_to_string(root.join("xtask/mutations.toml"))?)?;
    for rule in &rules {
        rule.apply(&root.join("core/src"))?;
    }
    Ok(rules)
}

/// Breaks every rule whose name holds `only`, or `quick` of them spread over the table.
pub fn run_mutations(root: &Path, quick: Option<usize>, only: Option<&str>) -> Result<()> {
    let rules = rules(root)?;
    let chosen = choose(&rules, quick, only);
    ensure!(!chosen.is_empty(), "no rule has such a name");

    let tree = copy_tree(root)?;
    let begun = Instant::now();
    match judge(&tree).context("the tests cannot be built unbroken")? {
        Verdict::Survived => println!("unbroken: passes in {:.0} s", begun.elapsed().as_secs_f64()),
        Verdict::Caught { by } => bail!("{by} fails on the unbroken tree; mend that first"),
    }
    let mut survivors = Vec::new();
    for rule in &chosen {
        let begun = Instant::now();
        let (file, broken) = rule.apply(&tree.join("core/src"))?;
        let whole = fs::read_to_string(&file)?;
        fs::write(&file, broken)?;
        let verdict = judge(&tree);
        fs::write(&file, whole)?;
        let seconds = begun.elapsed().as_secs_f64();
        match verdict.with_context(|| format!("rule \"{}\": its edit does not compile", rule.name))? {
            Verdict::Caught { by } => println!("caught   {:<70} {by} ({seconds:.0} s)", rule.name),
            Verdict::Survived => {
                println!("SURVIVED {:<70} ({seconds:.0} s)", rule.name);
                survivors.push(rule.name.as_str());
            }
        }
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    println!("{} rules broken, {} caught, in {minutes:.1} min", chosen.len(), chosen.len() - survivors.len());
    ensure!(survivors.is_empty(), "nothing proves: {}", survivors.join("; "));
    Ok(())
}

fn choose<'a>(rules: &'a [Rule], quick: Option<usize>, only: Option<&str>) -> Vec<&'a Rule> {
    let named: Vec<_> = rules.iter().filter(|rule| only.is_none_or(|only| rule.name.contains(only))).collect();
    let wanted = quick.unwrap_or(named.len()).clamp(1, named.len().max(1));
    (0..wanted.min(named.len())).map(|n| named[n * named.len() / wanted]).collect()
}

/// A workspace of core alone, so that a broken rule rebuilds nothing else.
fn copy_tree(root: &Path) -> Result<PathBuf> {
    let tree = scratch(root, "mutate")?.join("tree");
    for name in COPIED {
        copy(&root.join(name), &tree.join(name))?;
    }
    let mut manifest: toml::Table = toml::from_str(&fs::read_to_string(root.join("Cargo.toml"))?)?;
    let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
    let workspace = workspace.context("Cargo.toml has no workspace")?;
    for members in ["members", "default-members"] {
        workspace.insert(members.into(), vec!["core"].into());
    }
    write_if_new(&tree.join("Cargo.toml"), manifest.to_string().as_bytes())?;
    Ok(tree)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        remove_leftovers(from, to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    write_if_new(to, &fs::read(from).with_context(|| format!("{}", from.display()))?)
}

/// What an earlier run copied and the repository no longer has would be built and tested.
fn remove_leftovers(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
    }
    Ok(())
}

/// Untouched files keep their times, and cargo its build.
fn write_if_new(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    Ok(fs::write(file, bytes)?)
}

/// Builds the tests of a tree and runs them until one fails. `Err` when they do not compile.
fn judge(tree: &Path) -> Result<Verdict> {
    let programs = build(tree)?;
    for name in JUDGES {
        let program = programs.get(*name).with_context(|| format!("core has no tests named {name}"))?;
        if !passes(program, &tree.join("core"))? {
            return Ok(Verdict::Caught { by: (*name).to_owned() });
        }
    }
    Ok(Verdict::Survived)
}

fn build(tree: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let output = Command::new("cargo")
        .current_dir(tree)
        .args(["test", "--quiet", "--package", "bloomchats", "--lib"])
        .args(JUDGES.iter().filter(|name| **name != "bloomchats").flat_map(|name| ["--test", *name]))
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .env("CARGO_TARGET_DIR", tree.with_file_name("target"))
        // Nobody debugs these binaries, and linking is most of the work.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .stdin(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut programs = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let (Some(name), Some(program)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            programs.insert(name.to_owned(), program.into());
        }
    }
    Ok(programs)
}

fn passes(program: &Path, folder: &Path) -> Result<bool> {
    let mut test = Command::new(program)
        .current_dir(folder)
        .arg("--quiet")
        .env("RUST_BACKTRACE", "0")
        // A broken rule shows within a few hundred schedules; a whole one costs its full number of cases.
        .env("BLOOMCHATS_CASES", "1500")
        .env("BLOOMCHATS_CONFORMANCE_OUT", folder.with_file_name("passed.txt"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = test.try_wait()? {
            return Ok(status.success());
        }
        if begun.elapsed() > PATIENCE {
            test.kill()?;
            test.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
