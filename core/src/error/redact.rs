//! Takes people's data and credentials out of text that came from a server.

const HIDDEN: &str = "[…]";
const KEY_PREFIXES: &[&str] = &["bl_", "blo_", "dmtb_", "whsec_", "api_", "Bearer"];

/// `text` without e-mail addresses, phone numbers, keys, and the caller's own `values`.
///
/// Servers quote what they were sent; error messages end up in logs. The body on the error stays as it came.
pub(crate) fn redact<'a>(text: &str, values: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    // Longest first: a value inside another would leave the rest of it standing.
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        text = text.replace(value, HIDDEN);
    }
    hide_numbers(&hide_words(&text))
}

fn hide_words(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_end();
            let core = bare.trim_matches(|c: char| !c.is_alphanumeric());
            match (core.find('@'), key_in(core)) {
                (Some(at), _) if at > 0 && core.len() > at + 1 => word.replace(core, HIDDEN),
                (_, Some(at)) => word.replace(&core[at..], HIDDEN),
                _ => word.to_owned(),
            }
        })
        .collect()
}

/// Where a key begins in a word such as `key="bl_live_…"`.
fn key_in(word: &str) -> Option<usize> {
    let begins = |at: &usize| !word[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_') && word.len() - at > 8;
    let places = |prefix: &&str| word.match_indices(*prefix).map(|(at, _)| at).find(begins);
    KEY_PREFIXES.iter().filter_map(places).min()
}

/// Seven digits or more, however they are grouped, are taken for a phone number.
fn hide_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let flush = |out: &mut String, run: &mut String| {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        if digits >= 7 {
            let end = run.trim_end_matches(|c: char| !c.is_ascii_digit() && c != ')').len();
            out.push_str(HIDDEN);
            out.push_str(&run[end..]);
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in text.chars() {
        let starts = c.is_ascii_digit() || c == '+' || c == '(';
        let continues = !run.is_empty() && (c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/'));
        if starts || continues {
            run.push(c);
        } else {
            flush(&mut out, &mut run);
            out.push(c);
        }
    }
    flush(&mut out, &mut run);
    out
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn people_and_keys_disappear_and_words_stay() {
        let said = "No chat with +1 (555) 123-4567 or jane@example.com for bl_live_0123456789; status 400, limit 200.";
        let kept = "No chat with […] or […] for […]; status 400, limit 200.";
        assert_eq!(redact(said, []), kept);
        assert_eq!(redact("refused: Meet at noon", ["Meet at noon"]), "refused: […]");
        assert_eq!(
            redact("{\"key\":\"bl_live_0123456789\"} of my_api_settings", []),
            "{\"key\":\"[…]\"} of my_api_settings"
        );
    }
}
