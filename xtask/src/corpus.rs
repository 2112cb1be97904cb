//! The conformance corpus, as the tasks here see it: a set of case ids.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The id of every case.
pub fn ids(root: &Path) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("tests/conformance"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
            let cases = file["cases"].as_array().with_context(|| format!("{} has no cases", path.display()))?;
            ids.extend(cases.iter().filter_map(|case| case["id"].as_str()).map(str::to_owned));
        }
    }
    ensure!(!ids.is_empty(), "the corpus is empty");
    Ok(ids)
}

/// Every case that the architecture names as a proof must exist, and every case must prove a rule it names.
pub fn check_rules(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("docs/architecture.md"))?;
    let (_, section) = text.split_once("## 13. ").context("docs/architecture.md has lost its table of rules")?;
    let ids = ids(root)?;
    let mut proved = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let (_, cases) = row.trim_end_matches(" |").rsplit_once(" | ").context("a row without cases")?;
        for pattern in cases.split('`').skip(1).step_by(2) {
            let matches = ids.iter().filter(|id| match pattern.strip_suffix('*') {
                Some(prefix) => id.starts_with(prefix),
                None => *id == pattern,
            });
            let matches: Vec<_> = matches.cloned().collect();
            ensure!(!matches.is_empty(), "docs/architecture.md names `{pattern}`, and no corpus case is called so");
            proved.extend(matches);
        }
    }
    let idle: Vec<_> = ids.difference(&proved).collect();
    ensure!(idle.is_empty(), "docs/architecture.md names no rule that these cases prove: {idle:?}");
    println!("rules: {} corpus cases, each named by a rule", proved.len());
    Ok(())
}
