//! Names, as lists sort and search them: without case.

/// What a name sorts by; who has none comes first. (`None` and not an empty text: comparing ten thousand empty texts takes
/// 10 ms on machines whose `memcmp` minds their address.)
pub(crate) fn sort_name(name: Option<&str>) -> Option<String> {
    name.filter(|name| !name.is_empty()).map(str::to_lowercase)
}

/// Whether a name holds `search`, which is in lower case; every name holds nothing.
pub(crate) fn has(name: Option<&str>, search: &str) -> bool {
    search.is_empty() || name.is_some_and(|name| name.to_lowercase().contains(search))
}
