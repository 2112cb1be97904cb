//! The `bloomchats` command.

mod call;
mod operations;
mod output;
mod sandbox;
mod signal;

use std::process::ExitCode;
use std::time::Instant;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bloomchats", version, about = "BloomChats and Blooio from the shell")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a stand-in for the APIs on loopback: same answers, no account, nobody gets a message.
    Sandbox(sandbox::Arguments),
    /// Call an operation; keys and base URLs come from the environment. Exit code 3: it failed and may have been sent.
    Call(call::Arguments),
    /// List the operations that `call` knows.
    Operations(operations::Arguments),
}

fn main() -> ExitCode {
    let started = Instant::now();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return unusable(&error),
    };
    let result = match arguments.command {
        Command::Sandbox(arguments) => sandbox::run(&arguments, started).map(|()| ExitCode::SUCCESS),
        Command::Call(arguments) => call::run(&arguments),
        Command::Operations(arguments) => operations::list(&arguments).map(|()| ExitCode::SUCCESS),
    };
    match result {
        Ok(code) => code,
        Err(error) if output::is_unread(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(format_args!("bloomchats: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Help and version as clap prints them; of a mistake only its own line, and where to read more.
fn unusable(error: &clap::Error) -> ExitCode {
    // No command at all is a question, and its answer is the help.
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // A reader that went away needs no help any more.
        let _ = error.print();
        return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let line = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches("error: ");
    output::say(format_args!("bloomchats: {line} (see bloomchats {}--help)", subcommand()));
    ExitCode::from(2)
}

/// The subcommand that was named, with a blank behind it; it has a help of its own.
fn subcommand() -> String {
    let named = std::env::args().nth(1).filter(|name| Arguments::command().find_subcommand(name).is_some());
    named.map(|name| name + " ").unwrap_or_default()
}
