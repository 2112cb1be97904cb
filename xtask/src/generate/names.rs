//! Case, and the words each language keeps for itself.

/// `imageUrl`, `FIXED_LINE`, `invisible-ink` → `image_url`, `fixed_line`, `invisible_ink`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && lower_before {
                out.push('_');
            }
            lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
            out.push(c.to_ascii_lowercase());
        } else {
            lower_before = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    out.trim_end_matches('_').to_owned()
}

/// `message.received`, `contact_cards` → `MessageReceived`, `ContactCards`.
pub fn pascal(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.map(capitalized).collect()
}

/// `send_to_chat` → `sendToChat`.
pub fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut chars = pascal.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// A language and the words that cannot be names of functions, arguments or fields in it.
pub struct Reserved {
    pub language: &'static str,
    words: &'static str,
}

impl Reserved {
    pub fn has(&self, word: &str) -> bool {
        self.words.split_ascii_whitespace().any(|reserved| reserved == word)
    }
}

pub const RUST: Reserved = Reserved {
    language: "Rust",
    words: "abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen \
            if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true \
            try type typeof union unsafe unsized use virtual where while yield",
};

pub const PYTHON: Reserved = Reserved {
    language: "Python",
    words: "False None True and as assert async await break class continue def del elif else except finally for from \
            global if import in is lambda nonlocal not or pass raise return try while with yield self",
};

/// Words that cannot name a parameter or variable; as property and method names TypeScript takes any.
pub const TYPESCRIPT: Reserved = Reserved {
    language: "TypeScript",
    words: "arguments await break case catch class const continue debugger default delete do else enum eval export extends \
            false finally for function if implements import in instanceof interface let new null package private protected \
            public return static super switch this throw true try typeof var void while with yield",
};

/// Words that need backticks as a declaration's name.
pub const SWIFT: Reserved = Reserved {
    language: "Swift",
    words: "Any Self as associatedtype break case catch class continue default defer deinit do else enum extension \
            fallthrough false fileprivate for func guard if import in init inout internal is let nil operator precedencegroup \
            private protocol public repeat rethrows return self static struct subscript super switch throw throws true try \
            typealias var where while",
};

pub const LANGUAGES: &[Reserved] = &[RUST, PYTHON, TYPESCRIPT, SWIFT];

/// Names every call has for its options; no argument may share them.
pub const CALL_OPTIONS: &[&str] = &[
    "timeout",
    "attempt_timeout",
    "max_retries",
    "idempotency_key",
    "header",
    "headers",
    "query",
    "extra_body",
    "signal",
    "with_response",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (given, expected) in [
            ("imageUrl", "image_url"),
            ("FIXED_LINE", "fixed_line"),
            ("invisible-ink", "invisible_ink"),
            ("api_key", "api_key"),
            ("message.received", "message_received"),
        ] {
            assert_eq!(snake(given), expected);
        }
        assert_eq!(pascal("message.name_changed"), "MessageNameChanged");
        assert_eq!(camel("send_to_chat"), "sendToChat");
    }
}
