//! Who a message goes to: numbers, addresses, and their normal form.

/// E.164 with blanks, dashes, dots and parentheses taken out, or an email address in lower case; `None` for anything else.
pub(crate) fn normalize(raw: &str) -> Option<String> {
    if raw.starts_with('+') { phone(raw) } else { email(raw) }
}

fn phone(raw: &str) -> Option<String> {
    let number: String = raw.chars().filter(|c| !" -.()".contains(*c)).collect();
    let digits = &number[1..];
    let valid =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    valid.then_some(number)
}

fn email(raw: &str) -> Option<String> {
    let (local, domain) = raw.split_once('@')?;
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"@,;<>()[]\\\"".contains(c));
    let dotted = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
    (plain(local) && plain(domain) && dotted && raw.len() <= 254).then(|| raw.to_ascii_lowercase())
}

pub(crate) fn is_email(identifier: &str) -> bool {
    identifier.contains('@')
}

/// Whether two notations mean the same number: `(202) 555-0101` is `+12025550101`.
pub(crate) fn same_number(number: &str, notation: &str) -> bool {
    let plausible = notation.chars().all(|c| c.is_ascii_digit() || " +-.()".contains(c));
    let digits: String = notation.chars().filter(char::is_ascii_digit).collect();
    let known = number.trim_start_matches('+');
    plausible && (digits == known || (digits.len() >= 10 && known.strip_prefix('1') == Some(&digits)))
}
