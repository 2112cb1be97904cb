//! `spec/overlay.toml`: our names and rules, typed. An unknown key is an error; [`super::check`] refuses unused entries.

use std::path::Path;

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Reserved words that are public names nevertheless.
    pub reserved: Vec<String>,
    pub undeclared: Undeclared,
    pub apis: IndexMap<String, Api>,
    #[serde(default)]
    pub composite: IndexMap<String, Composite>,
}

/// Statuses that need not be declared by an operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undeclared {
    pub statuses: Vec<u16>,
}

/// One service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Public prefix of its operations: `blooio.v2`.
    pub name: String,
    /// File in `spec/`.
    pub contract: String,
    pub title: String,
    pub doc: String,
    pub stability: String,
    /// Idempotency class of POST operations that name none.
    pub idempotency_post: Option<String>,
    /// Schema of its error bodies.
    pub error: String,
    /// Fields never shown in debug output though their names look harmless: `field` or `Model.field`.
    #[serde(default)]
    pub sensitive: Vec<String>,
    /// Component schema → public name.
    #[serde(default)]
    pub rename: IndexMap<String, String>,
    /// Request schemas beginning with this are not argument sources.
    pub ignored_bodies: Option<String>,
    /// Path parameter → argument name.
    #[serde(default)]
    pub paths: IndexMap<String, String>,
    /// Path parameters that are text, not identifiers.
    #[serde(default)]
    pub free_text: Vec<String>,
    /// Documentation instead of the contract's: by path parameter, model, `Schema.field` or `operationId.argument`.
    #[serde(default)]
    pub docs: IndexMap<String, String>,
    /// Where an unnamed schema stands (`Model.field`, `Model.field[]`, `operationId.argument`, `operationId.status`) → name.
    #[serde(default)]
    pub inline: IndexMap<String, String>,
    /// Union → names of its alternatives, in contract order.
    #[serde(default)]
    pub variants: IndexMap<String, Vec<String>>,
    /// Enum value → name, where the value makes no name.
    #[serde(default)]
    pub values: IndexMap<String, String>,
    /// Model → fields core adds to answers.
    #[serde(default)]
    pub filled: IndexMap<String, IndexMap<String, Filled>>,
    /// Model → fields that are there in every answer.
    #[serde(default)]
    pub always: IndexMap<String, Vec<String>>,
    pub resources: IndexMap<String, Resource>,
}

/// A field core adds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    /// `string?` or `string[]`.
    #[serde(rename = "type")]
    pub ty: String,
    pub doc: String,
}

/// `doc`, then `verb = operation`.
#[derive(Deserialize)]
pub struct Resource {
    pub doc: String,
    #[serde(flatten)]
    pub operations: IndexMap<String, Entry>,
}

/// An operation: its `operationId`, or that and exceptions.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Entry {
    Name(String),
    Full(Box<Rules>),
}

/// Exceptions to the derived rules.
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// `operationId`.
    pub of: String,
    pub doc: Option<String>,
    pub stability: Option<String>,
    /// `trusted`, `sent` or `none`.
    pub idempotency: Option<String>,
    #[serde(default)]
    pub read_only: bool,
    #[serde(default)]
    pub effect_get: bool,
    #[serde(default)]
    pub one_time_secret: bool,
    /// Send family: `v2`, `v4_routed`, `v4_channel`, `v4_chat`, `v4_create_chat`.
    pub send: Option<String>,
    /// Name of the union of its answers, where they differ by status or shape.
    pub result: Option<String>,
    /// `anywhere`: the array is looked for.
    pub paging: Option<String>,
    /// Model of an item, where paging is `anywhere`.
    pub item: Option<String>,
    /// The field that identifies an item of a list.
    pub id: Option<String>,
    /// Arguments that switch a cursor list to offsets.
    #[serde(default)]
    pub offset_when: Vec<String>,
}

impl Entry {
    pub fn rules(&self) -> Rules {
        match self {
            Entry::Name(of) => Rules { of: of.clone(), ..Rules::default() },
            Entry::Full(rules) => Rules::clone(rules),
        }
    }
}

/// A call core makes of several operations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composite {
    /// The composite whose description holds here too.
    pub like: Option<String>,
    #[serde(default)]
    pub doc: String,
    #[serde(default)]
    pub result: String,
    #[serde(default)]
    pub arguments: IndexMap<String, CompositeArgument>,
}

/// One argument of a composite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompositeArgument {
    /// `string`; `message`: an id or the result of a send; else the name of an enum of `values`.
    #[serde(rename = "type")]
    pub ty: String,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub required: bool,
    pub default: Option<String>,
    pub doc: String,
}

impl Overlay {
    pub fn read(path: &Path) -> Result<Overlay> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Overlay::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Overlay> {
        toml::from_str(text).context("spec/overlay.toml")
    }
}
