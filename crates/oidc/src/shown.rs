//! Somebody else's text in our messages.

use std::fmt;

/// A piece of somebody else's text made fit for a message: at most 200 characters, none of them a control character or a
/// mark that reorders text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    const LONGEST: usize = 200;
    /// From here on a run of token characters may be a token that a provider repeats to us.
    const LIKE_A_TOKEN: usize = 40;

    /// The text as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text that a provider wrote in answer to a request with secrets in it. Some repeat what they were sent, so whatever is
    /// as long as a token is left out.
    pub(crate) fn answered(text: &str) -> Self {
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '=');
        let mut kept = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end =
                if is_token(first) { rest.find(|c| !is_token(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
            let (run, behind) = rest.split_at(end);
            kept.push_str(if run.len() >= Self::LIKE_A_TOKEN { "[…]" } else { run });
            rest = behind;
            if kept.len() > 4 * Self::LONGEST {
                break;
            }
        }
        Shown::from(kept)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        let is_unfit = |c: char| {
            // These would let a sender forge the look of a log line.
            c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        let mut shown: String = text.chars().filter(|c| !is_unfit(*c)).take(Self::LONGEST + 1).collect();
        if let Some((end, _)) = shown.char_indices().nth(Self::LONGEST) {
            shown.truncate(end);
            shown.push('…');
        }
        Shown(shown)
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Shown::from(text.as_str())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn shows_bounded_text_without_control_characters() {
        assert_eq!(Shown::from("a\nb\u{202E}c\u{7F}é").as_str(), "abcé");
        let long = Shown::from("é".repeat(1000)).to_string();
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn leaves_out_what_may_be_a_repeated_token_and_keeps_trace_ids() {
        let trace = "Trace ID: 0e4f8a1c-1b1b-4b1b-8b1b-1b1b1b1b1b1b";
        assert_eq!(Shown::answered(trace).as_str(), trace);
        let token = "1//0gAbCdEf".repeat(6).replace('/', "_");
        assert_eq!(Shown::answered(&format!("bad token {token}, sorry")).as_str(), "bad token […], sorry");
        assert_eq!(Shown::answered(&"a.".repeat(100_000)).as_str(), "[…]");
    }
}
