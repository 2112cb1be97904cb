//! `bloomchats operations`, and what a mistaken name may have meant.

use bloomchats::operation::{self, Operation};

use crate::output;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only names that begin so.
    prefix: Option<String>,
}

/// What the engine offers beside the contracts' own operations.
const COMPOSITE: &[&str] = &[
    "bloomchats.request method path query? body?",
    "blooio.v2.messages.wait chat message until?",
    "blooio.v2.request method path query? body?",
    "blooio.v4.messages.wait chat message until?",
    "blooio.v4.request method path query? body?",
];
/// How many names are offered for a mistaken one.
const OFFERED: usize = 3;

/// Prints every operation with its arguments; `?` marks those that may be left out.
pub(crate) fn list(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let prefix = arguments.prefix.as_deref().unwrap_or_default();
    let mut lines: Vec<String> = COMPOSITE.iter().map(|line| (*line).to_owned()).collect();
    lines.extend(operation::all().iter().map(|row| format!("{} {}", row.name, self::arguments(row).join(" "))));
    lines.retain(|line| line.starts_with(prefix));
    if lines.is_empty() {
        return Err(format!("operations: none begins with {prefix}").into());
    }
    Ok(output::print(lines.join("\n"))?)
}

/// Names of the arguments an operation takes, with `?` behind those that may be left out.
pub(crate) fn arguments(row: &Operation) -> Vec<String> {
    let mark = |required| if required { "" } else { "?" };
    row.arguments.iter().map(|argument| format!("{}{}", argument.field.name, mark(argument.field.required))).collect()
}

/// Refuses a name that is no operation's, and says which ones come near it.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let mut names: Vec<&str> = names().collect();
    if names.contains(&name) {
        return Ok(());
    }
    names.sort_by_cached_key(|known| strsim::damerau_levenshtein(name, known));
    let nearest = names[..OFFERED].join(", ");
    Err(format!("operation: there is none of this name, nearest are {nearest}; bloomchats operations lists them all"))
}

fn names() -> impl Iterator<Item = &'static str> {
    let composite = COMPOSITE.iter().filter_map(|line| line.split(' ').next());
    composite.chain(operation::all().iter().map(|operation| operation.name))
}
