//! `cargo xtask generate`: contracts and overlay → one IR that knows no language → files.
//!
//! Adding a language is one module beside [`rust`], with a `render(&Ir, &mut Files)` that fills templates from
//! `xtask/templates/`, and one line in [`LANGUAGES`]. Everything a template may ask is in [`ir`]; what a language needs
//! beyond that (case, escapes, type spelling) it adds as filters in its own module, never to the IR.
//!
//! Generated files are checked in, say `@generated` at their top, and are listed with their digests in
//! `spec/generated.json`. The same input gives the same bytes on every machine.

mod check;
mod ir;
// Pure data, so the classes of every language come from the one table that core itself uses.
#[allow(dead_code)] // core calls its methods; here only the rows matter
#[path = "../../../core/src/error/kinds.rs"]
mod kinds;
mod lower;
mod names;
mod node;
mod output;
mod overlay;
mod python;
mod rust;
mod swift;
mod template;
#[cfg(test)]
mod tests;
mod typescript;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use ir::Ir;
use node::Node;
use output::Files;
use overlay::Overlay;

/// Every language's output.
const LANGUAGES: &[fn(&Ir, &mut Files) -> Result<()>] =
    &[rust::render, python::render, typescript::render, swift::render];

/// Writes the generated files below `root`, or only checks them.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let files = render(&ir(root)?)?;
    if check { files.check(root) } else { files.write(root) }
}

/// Prints the IR, for authors of templates.
pub fn print_ir(root: &Path) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&ir(root)?)?);
    Ok(())
}

/// Contracts and overlay below `root`, joined and checked.
fn ir(root: &Path) -> Result<Ir> {
    let overlay = Overlay::read(&root.join("spec/overlay.toml"))?;
    let mut contracts = BTreeMap::new();
    for api in overlay.apis.values() {
        let name = format!("spec/{}", api.contract);
        let text = fs::read_to_string(root.join(&name)).with_context(|| name.clone())?;
        contracts.insert(api.contract.clone(), Node::parse(&text).context(name)?);
    }
    let ir = lower::lower(&overlay, &contracts)?;
    check::check(&ir, &overlay)?;
    Ok(ir)
}

fn render(ir: &Ir) -> Result<Files> {
    let mut files = Files::default();
    for language in LANGUAGES {
        language(ir, &mut files)?;
    }
    Ok(files)
}
