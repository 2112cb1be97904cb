//! Which operation a method and a path mean.

use crate::service::{Call, Outcome};

/// How an operation is answered.
#[derive(Clone, Copy)]
pub(crate) enum Handling {
    /// By this sandbox, with state.
    Here(fn(&mut Call<'_>) -> Outcome),
    /// The vendor answers 501 as well; the name is what v4 calls the resource.
    ComingSoon(&'static str),
}

/// One operation of a contract, or of the control API.
pub(crate) struct Route<H = Handling> {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) handling: H,
}

pub(crate) const fn here(method: &'static str, template: &'static str, handler: fn(&mut Call<'_>) -> Outcome) -> Route {
    Route { method, template, handling: Handling::Here(handler) }
}

pub(crate) const fn coming_soon(method: &'static str, template: &'static str, resource: &'static str) -> Route {
    Route { method, template, handling: Handling::ComingSoon(resource) }
}

/// What the routing table says about a request.
pub(crate) enum Found<'a, H> {
    Route(&'a Route<H>),
    /// The path exists, for these methods only.
    OtherMethods(String),
    Nothing,
}

/// Finds the operation for `segments`, the decoded path without its prefix.
pub(crate) fn find<'a, H>(routes: &'a [Route<H>], method: &str, segments: &[String]) -> Found<'a, H> {
    let fitting = || routes.iter().filter(|route| fits(route.template, segments));
    // A literal segment beats a value: `/webhooks/versions` is not a webhook's id.
    let best = fitting().filter(|route| route.method == method).max_by_key(|route| literals(route.template));
    if let Some(route) = best {
        return Found::Route(route);
    }
    let mut methods: Vec<&str> = fitting().map(|route| route.method).collect();
    methods.dedup();
    match methods.is_empty() {
        true => Found::Nothing,
        false => Found::OtherMethods(methods.join(", ")),
    }
}

/// The path values of `segments` in the order of the template.
pub(crate) fn values(template: &str, segments: Vec<String>) -> Vec<String> {
    let parts = template[1..].split('/');
    parts.zip(segments).filter(|(part, _)| is_value(part)).map(|(_, segment)| segment).collect()
}

fn fits(template: &str, segments: &[String]) -> bool {
    let mut parts = template[1..].split('/');
    let all = segments.iter().all(|segment| match parts.next() {
        Some(part) if is_value(part) => !segment.is_empty(),
        Some(part) => part == segment,
        None => false,
    });
    all && parts.next().is_none()
}

fn literals(template: &str) -> usize {
    template.split('/').filter(|part| !is_value(part)).count()
}

fn is_value(part: &str) -> bool {
    part.starts_with('{')
}
