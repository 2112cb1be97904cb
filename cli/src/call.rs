//! `bloomchats call`: any operation from the shell, by its public name.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bloomchats::operation::{self, Operation, Paging, Place, Schema};
use bloomchats::{Call, Client, Config, File};
use serde_json::{Map, Value};

use crate::{operations, output, signal};

/// The call may have had its effect although it failed: look before asking again without its key.
const MAYBE_SENT: u8 = 3;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Public name of the operation, as blooio.v2.messages.send; `bloomchats operations` lists them.
    operation: String,
    /// name=text, name:=JSON, or name@path for an upload.
    arguments: Vec<String>,
    /// Follow a list to its end, one item a line.
    #[arg(long)]
    all: bool,
    /// Longest the call may take, waits included, in s.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<f64>,
    /// Retries after the first attempt, 0 to 10.
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// Resume an earlier send with its key instead of a new one.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Makes the call and prints its answer as JSON. Keys and base URLs come from the environment.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    operations::check(&arguments.operation)?;
    let call = read(arguments)?;
    let config = if arguments.operation.starts_with("bloomchats.") { Config::bloomchats() } else { Config::blooio() };
    // Here is no argument that a key could be passed as.
    let client = Client::open(config.with_language("cli"))
        .map_err(|error| error.message().replacen("pass api_key, or set", "set", 1))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Signals are caught before anything is sent.
    let stop = runtime.block_on(async { signal::stop_or_hangup() })?;
    let (progress, answer) = client.start(call);
    let finished = runtime.block_on(async {
        tokio::select! {
            answer = show(answer, arguments.all) => Some(answer),
            () = stop => None,
        }
    });
    // A reader that takes nothing more must not keep the process.
    runtime.shutdown_background();
    let (what, maybe_sent, key) = match finished {
        Some(Ok(())) => return Ok(ExitCode::SUCCESS),
        Some(Err(Failure::Call(error))) => {
            let key = error.idempotency_key().map(str::to_owned);
            (format!("{error:?}"), error.maybe_sent(), key)
        }
        // It was done, and nobody has learned of it.
        Some(Err(Failure::Output(error))) if progress.maybe_sent() => {
            (error.to_string(), true, progress.idempotency_key())
        }
        Some(Err(Failure::Output(error))) => return Err(error.into()),
        None => ("interrupted".to_owned(), progress.maybe_sent(), progress.idempotency_key()),
    };
    output::say(format_args!("bloomchats: {what}"));
    if !maybe_sent {
        return Ok(ExitCode::FAILURE);
    }
    if let Some(key) = key {
        output::say(format_args!(
            "bloomchats: it may have been sent; to ask again without sending twice: --idempotency-key {key}"
        ));
    }
    Ok(ExitCode::from(MAYBE_SENT))
}

enum Failure {
    Call(bloomchats::Error),
    Output(std::io::Error),
}

async fn show(answer: bloomchats::Run, all: bool) -> Result<(), Failure> {
    let mut answer = answer.await.map_err(Failure::Call)?;
    if !all || answer.items.is_none() {
        let text = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value) => format!("{value:#}"),
            Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
        };
        return print(text).await;
    }
    loop {
        let body: Value = serde_json::from_slice(&answer.body).map_err(|e| Failure::Output(e.into()))?;
        let items = answer.items.as_deref().filter(|key| !key.is_empty()).map_or(&body, |key| &body[key]);
        let lines: Vec<String> = items.as_array().into_iter().flatten().map(Value::to_string).collect();
        if !lines.is_empty() {
            print(lines.join("\n")).await?;
        }
        match answer.next.take() {
            Some(next) => *answer = next.fetch().await.map_err(Failure::Call)?,
            None => return Ok(()),
        }
    }
}

/// On a thread of its own, so that a signal is heard while the reader takes its time.
async fn print(text: String) -> Result<(), Failure> {
    let printed = tokio::task::spawn_blocking(move || output::print(text)).await;
    printed.unwrap_or_else(|gone| Err(std::io::Error::other(gone))).map_err(Failure::Output)
}

fn read(arguments: &Arguments) -> Result<Call, String> {
    let mut call = Call::new(&arguments.operation, Map::new());
    // What the engine composes itself has no row, and checks what it is given.
    let row = operation::all().iter().find(|row| row.name == arguments.operation);
    if arguments.all && row.is_none_or(|row| matches!(row.paging, Paging::None)) {
        return Err(format!("--all: {} is no list", arguments.operation));
    }
    for argument in &arguments.arguments {
        let at = argument.find(['=', '@', ':']).filter(|at| *at > 0);
        let (name, rest) = at.map(|at| argument.split_at(at)).ok_or_else(|| form(argument))?;
        if call.arguments.contains_key(name) || call.files.iter().any(|file| file.field == name) {
            return Err(format!("{name}: is given twice"));
        }
        if let Some(row) = row {
            check(row, name, rest)?;
        }
        if let Some(json) = rest.strip_prefix(":=") {
            let value = serde_json::from_str(json).map_err(|_| format!("{name}: what follows := is not JSON"))?;
            call.arguments.insert(name.to_owned(), value);
        } else if let Some(text) = rest.strip_prefix('=') {
            call.arguments.insert(name.to_owned(), text.into());
        } else if let Some(path) = rest.strip_prefix('@') {
            call.files.push(upload(name, Path::new(path))?);
        } else {
            return Err(form(argument));
        }
    }
    let seconds =
        |s: f64| Duration::try_from_secs_f64(s).map_err(|_| "--timeout: is not a number of seconds".to_owned());
    call.options.timeout = arguments.timeout.map(seconds).transpose()?;
    call.options.max_retries = arguments.max_retries;
    call.options.idempotency_key.clone_from(&arguments.idempotency_key);
    Ok(call)
}

/// Says which arguments there are, and how to write one that is written in another way.
fn check(row: &Operation, name: &str, rest: &str) -> Result<(), String> {
    let Some(argument) = row.arguments.iter().find(|argument| argument.field.name == name) else {
        return Err(format!("{name}: {} takes {}", row.name, operations::arguments(row).join(", ")));
    };
    match (argument.place, rest.starts_with('@')) {
        (Place::File, false) => return Err(format!("{name}: is an upload; write {name}@path")),
        (Place::File, true) => return Ok(()),
        (_, true) => return Err(format!("{name}: is no upload; write {name}=text or {name}:=JSON")),
        (_, false) => {}
    }
    let (Some(text), Some(what)) = (rest.strip_prefix('='), kind_beside_text(argument.field.schema)) else {
        return Ok(());
    };
    let example = match serde_json::from_str(text) {
        Ok(Value::Number(_) | Value::Bool(_)) => text,
        _ => "JSON",
    };
    Err(format!("{name}: is {what}, and {name}=… is text; write {name}:={example}"))
}

/// What it takes, where that is one thing and not text.
fn kind_beside_text(schema: &Schema) -> Option<&'static str> {
    match schema {
        Schema::Integer | Schema::Number => Some("a number"),
        Schema::Boolean => Some("true or false"),
        Schema::List { .. } => Some("a list"),
        Schema::Object(_) => Some("an object"),
        Schema::Nullable(inner) => kind_beside_text(inner),
        Schema::Any | Schema::String | Schema::OneOf(_) => None,
    }
}

fn form(argument: &str) -> String {
    let name = argument.split(['=', '@', ':']).next().unwrap_or_default();
    format!("{name}: write arguments as name=text, name:=JSON or name@path")
}

fn upload(field: &str, path: &Path) -> Result<File, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{field}: {}: {error}", path.display()))?;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let content_type = match extension.as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "heif" => "image/heif",
        _ => "application/octet-stream",
    };
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(File::new(field, filename, content_type, bytes))
}
