//! The `bloomchats` command.

mod call;
mod sandbox;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

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
    Operations(call::ListArguments),
}

fn main() -> ExitCode {
    let started = Instant::now();
    let result = match Arguments::parse().command {
        Command::Sandbox(arguments) => sandbox::run(&arguments, started).map(|()| ExitCode::SUCCESS),
        Command::Call(arguments) => call::run(&arguments),
        Command::Operations(arguments) => {
            call::list(&arguments);
            Ok(ExitCode::SUCCESS)
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bloomchats: {error}");
            ExitCode::FAILURE
        }
    }
}
