//! What ARC-Authentication-Results holds behind its instance (RFC 8617 §4.1.1).

use super::MOST_SETS;
use crate::authres::{AuthenticationResults, ParseError};
use crate::dkim::Fields;

/// How long a line may be, in octets, without its end (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;

/// Why text cannot be sealed as results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It is not the value of an Authentication-Results field.
    #[error(transparent)]
    Results(#[from] ParseError),
    /// A line end is not CRLF and white space, or a line is longer than 998 octets.
    #[error("results are not folded as a header field is")]
    Lines,
}

/// Results to seal: the text of Authentication-Results, from the server's name on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(String);

impl Payload {
    /// Takes the value of an Authentication-Results field as it is, comments and line ends included.
    ///
    /// # Errors
    ///
    /// [`PayloadError`], if it cannot be read or is not folded properly.
    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        AuthenticationResults::parse(text)?;
        let is_folded = text.split("\r\n").enumerate().all(|(index, line)| {
            line.len() <= LONGEST_LINE
                && !line.contains(|c: char| c.is_control() && c != '\t')
                && (index == 0 || (line.starts_with([' ', '\t']) && !line.trim_matches([' ', '\t']).is_empty()))
        });
        if is_folded {
            Ok(Self(text.to_owned()))
        } else {
            Err(PayloadError::Lines)
        }
    }

    /// Gathers the results that stand in a message in the name of a server: all its Authentication-Results in one (RFC 8617
    /// §4.1.1). `None`: there are none.
    ///
    /// What strangers wrote in that name must be gone already: [`authres`](crate::authres) removes it.
    #[must_use]
    pub fn of_message(message: &[u8], authserv_id: &str) -> Option<Self> {
        let fields = Fields::parse(message);
        let mut merged: Option<(String, usize)> = None;
        for field in fields.iter().filter(|field| field.is(b"Authentication-Results")) {
            let Some(value) = std::str::from_utf8(field.value())
                .ok()
                .and_then(|value| Self::parse(value).ok())
            else {
                continue;
            };
            let is_of_server = AuthenticationResults::parse(&value.0)
                .is_ok_and(|results| results.authserv_id().eq_ignore_ascii_case(authserv_id));
            let Some((server, results)) = split(&value.0).filter(|_| is_of_server) else {
                continue;
            };
            let (merged, count) = merged.get_or_insert_with(|| (server.to_owned(), 0));
            let results = results.trim_matches([' ', '\t', '\r', '\n', ';']);
            if !results.is_empty() && !results.eq_ignore_ascii_case("none") {
                merged.push_str(if *count == 0 { "; " } else { ";\r\n\t" });
                merged.push_str(results);
                *count += 1;
            }
        }
        merged.map(|(mut merged, count)| {
            if count == 0 {
                merged.push_str("; none");
            }
            Self(merged)
        })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether it tells this of the chain: `pass`, say.
    pub(super) fn says(&self, word: &str) -> bool {
        AuthenticationResults::parse(&self.0).is_ok_and(|results| {
            let mut results = results.results().iter();
            results.any(|result| result.method() == "arc" && result.result() == word)
        })
    }
}

impl From<&AuthenticationResults> for Payload {
    fn from(results: &AuthenticationResults) -> Self {
        let field = results.to_string();
        let (_, value) = field.split_once(':').unwrap_or_default();
        Self(value.trim_matches([' ', '\t', '\r', '\n']).to_owned())
    }
}

impl From<AuthenticationResults> for Payload {
    fn from(results: AuthenticationResults) -> Self {
        Self::from(&results)
    }
}

/// The server's name, and what stands behind the semicolon that ends it.
fn split(value: &str) -> Option<(&str, &str)> {
    let mut rest = value;
    loop {
        rest = without_space(rest)?;
        if rest.starts_with('"') {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let is_end = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                is_end
            })?;
            rest = rest.get(end.0 + 1..)?;
            continue;
        }
        match rest.chars().next()? {
            ';' => {
                let (server, results) = value.split_at_checked(value.len() - rest.len())?;
                return Some((server.trim_end_matches([' ', '\t', '\r', '\n']), results.get(1..)?));
            }
            c => rest = rest.get(c.len_utf8()..)?,
        }
    }
}

/// Reads an instance: a number from 1 to 50 (RFC 8617 §4.2.1).
pub(super) fn instance(text: &str) -> Option<u8> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number)?;
    (1..=MOST_SETS).contains(&number).then_some(number)
}

/// The instance of an ARC-Authentication-Results field, and what stands behind its semicolon (RFC 8617 §4.1.1).
pub(super) fn split_instance(value: &str) -> Option<(u8, &str)> {
    let rest = without_space(value)?.strip_prefix('i')?;
    let rest = without_space(without_space(rest)?.strip_prefix('=')?)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(end)?;
    let rest = without_space(rest)?.strip_prefix(';')?;
    Some((instance(number)?, rest))
}

/// The text behind white space and comments (RFC 5322 §3.2.2); `None` if a comment does not end.
fn without_space(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ' ' | '\t' | '\r' | '\n' => {}
            _ if depth > 0 => {}
            _ => return text.get(index..),
        }
    }
    (depth == 0).then_some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances() {
        assert_eq!(split_instance(" i=1; mx; none"), Some((1, " mx; none")));
        assert_eq!(
            split_instance("\r\n\t(a (b\\)) c) i (x) =\t50 (;) ;mx"),
            Some((50, "mx"))
        );
        for wrong in [
            "",
            "i=",
            "i=;",
            "i=0; mx",
            "i=51; mx",
            "i=100; mx",
            "i=1 mx; none",
            "I=1; mx",
            "mx; i=1",
            "(i=1; mx",
            "i=+1;",
            "i=1",
        ] {
            assert_eq!(split_instance(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn texts_must_be_results_and_folded() {
        let text = "mx.example; spf=pass (why)\r\n\tsmtp.mailfrom=a@b.example";
        assert_eq!(Payload::parse(&format!(" {text}\r\n")).unwrap().as_str(), text);
        assert!(matches!(
            Payload::parse("mx.example; ;;"),
            Err(PayloadError::Results(_))
        ));
        for wrong in [
            "mx.example; none\r\nX: y",
            "mx;\r\n spf=pass\n dkim=pass",
            "mx;\r\n \r\n spf=pass",
            "mx;\rspf=pass",
        ] {
            assert!(Payload::parse(wrong).is_err(), "{wrong:?}");
        }
        let long = format!("mx; spf=pass reason=\"{}\"", "a".repeat(LONGEST_LINE));
        assert!(Payload::parse(&long).is_err());
    }

    #[test]
    fn fields_of_one_server_are_merged() {
        let message = b"Authentication-Results: (;) mx.example 1; spf=pass (a;b)\r\n smtp.mailfrom=b.example;\r\n\
            Authentication-Results: other.example; dkim=fail\r\nAuthentication-Results: MX.example; none\r\n\
            Authentication-Results: mx.example; dkim=none\r\n\r\nAuthentication-Results: mx.example; dmarc=pass\r\n";
        assert_eq!(
            Payload::of_message(message, "mx.example").unwrap().as_str(),
            "(;) mx.example 1; spf=pass (a;b)\r\n smtp.mailfrom=b.example;\r\n\tdkim=none"
        );
        assert_eq!(Payload::of_message(message, "mx.example.org"), None);
        let none = b"Authentication-Results: \"mx;\\\"\"; none\r\n\r\n";
        assert_eq!(
            Payload::of_message(none, "mx;\"").unwrap().as_str(),
            "\"mx;\\\"\"; none"
        );
    }
}
