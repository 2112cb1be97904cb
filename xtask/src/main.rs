//! `cargo xtask <task>`: what is done to this repository, from anywhere inside it.

mod bench;
mod corpus;
mod demo;
mod extend;
mod generate;
#[cfg(test)]
mod helpers;
mod mutate;
mod overhear;
mod package;
mod profile;
mod sandbox;
mod shell;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Tasks of this repository", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write everything that follows from the contracts and the overlay in spec/.
    Generate {
        /// Change nothing; fail if a generated file is missing, different or left over.
        #[arg(long)]
        check: bool,
        /// Print what templates see, as JSON, and write nothing.
        #[arg(long, conflicts_with = "check")]
        print_ir: bool,
    },
    /// Run every test suite, or the ones named.
    Test {
        /// A suite to run: generate, rust, python, node, swift, extend, bench, package. May be repeated.
        #[arg(long)]
        only: Vec<String>,
    },
    /// Break the engine's rules one at a time, on a copy, and see that the tests notice.
    Mutate {
        /// Break only this many, spread over the table.
        #[arg(long)]
        quick: Option<usize>,
        /// Break only the rules whose name holds this.
        #[arg(long)]
        only: Option<String>,
    },
    /// Measure every language's client beside its peers.
    Bench(bench::Options),
    /// Build the packages as they are released: optimised by what their calls run.
    Package,
    /// Do the main job visibly against the sandbox, then the quickstart of every language.
    Demo,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Generate { print_ir: true, .. } => generate::print_ir(&root()),
        Task::Generate { check, .. } => generate::run(&root(), check),
        Task::Test { .. } if !overhear::is_overheard() => overhear::run_overheard(&root()),
        Task::Test { only } => test::run_suites(&root(), &only),
        Task::Mutate { quick, only } => mutate::run_mutations(&root(), quick, only.as_deref()),
        Task::Bench(options) => bench::run_bench(&root(), &options),
        Task::Package => package::build(&root()).map(drop),
        Task::Demo => demo::run_demo(&root()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's own folder.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}
