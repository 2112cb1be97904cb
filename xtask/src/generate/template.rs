//! The template engine as every language uses it.

use anyhow::{Context, Result, anyhow};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

use super::names;

/// An environment with the filters that know no language: `snake`, `pascal`, `camel`.
pub fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("snake", names::snake);
    environment.add_filter("pascal", names::pascal);
    environment.add_filter("camel", names::camel);
    Ok(environment)
}

/// Fills a template; `context` is an object whose fields are the template's variables.
pub fn fill(environment: &Environment<'_>, name: &str, context: Value) -> Result<String> {
    let template = environment.get_template(name)?;
    let text = template.render(Serde(context)).map_err(|error| anyhow!("{error:#}"));
    text.with_context(|| format!("xtask/templates/{name}"))
}
