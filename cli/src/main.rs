//! The `bloomchats` command.

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
}

fn main() -> ExitCode {
    let started = Instant::now();
    let result = match Arguments::parse().command {
        Command::Sandbox(arguments) => sandbox::run(&arguments, started),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bloomchats: {error}");
            ExitCode::FAILURE
        }
    }
}
