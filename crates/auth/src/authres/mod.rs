//! Writes and parses Authentication-Results (RFC 8601), and removes those that a stranger forged.
//!
//! # Writing
//!
//! What comes from strangers (HELO, reverse-path, header text) cannot break out of its place: control characters, line ends
//! and characters that turn the direction of writing are left out, a value is cut at 256 octets, and what is more than a token
//! or an address stands in quotes. Lines are folded at 76 columns where there is a space to fold at, and never reach 998 octets.
//! Values may be UTF-8, as internationalised mail has them (RFC 8616, RFC 6532);
//! [`to_ascii`](AuthenticationResults::to_ascii) is for all other mail.
//!
//! # Parsing
//!
//! All of RFC 8601 §2.2: versions, comments anywhere, quoted strings, reasons, properties of any type, `none`; methods that are
//! not known (`dkim-adsp`, say) like those that are. The comment right behind a result is kept, others are not. Beyond the
//! grammar, two habits are understood: properties without a type (`action=none`), which have an empty
//! [`kind`](Property::kind), and a semicolon at the end.
//!
//! # Trusting
//!
//! Anybody can write such a field. Only those below our own authserv-id may be believed, and only once a border server of ours
//! has removed those that came from outside with that name: [`strip`] (RFC 8601 §5).

mod parse;
mod server_name;
mod strip;
mod write;

use std::fmt;

pub use crate::structured::{ParseError, ParseErrorKind};
pub use strip::strip;

use write::Writer;

/// An Authentication-Results field: who checked, and what came out of each method.
///
/// ```
/// use posthaste_auth::authres::{AuthenticationResults, MethodResult};
///
/// let results = AuthenticationResults::new("mx.example.net")
///     .with(MethodResult::new("spf", "pass").property("smtp", "mailfrom", "example.org"));
/// assert_eq!(
///     results.to_string(),
///     "Authentication-Results: mx.example.net;\r\n\tspf=pass smtp.mailfrom=example.org\r\n",
/// );
/// let parsed = AuthenticationResults::parse(" mx.example.net; spf=pass smtp.mailfrom=example.org")?;
/// assert_eq!(parsed, results);
/// # Ok::<(), posthaste_auth::authres::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationResults {
    authserv_id: String,
    version: Option<u32>,
    results: Vec<MethodResult>,
}

impl AuthenticationResults {
    /// Begins a field in the name of a server, its `authserv-id`.
    pub fn new(authserv_id: impl Into<String>) -> Self {
        Self {
            authserv_id: printable(&authserv_id.into()),
            version: None,
            results: Vec::new(),
        }
    }

    /// Adds a result.
    #[must_use]
    pub fn with(mut self, result: MethodResult) -> Self {
        self.results.push(result);
        self
    }

    /// Who checked.
    #[must_use]
    pub fn authserv_id(&self) -> &str {
        &self.authserv_id
    }

    /// The version of the field's syntax: 1 unless it says otherwise. Others are not to be believed (RFC 8601 §2.2).
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version.unwrap_or(1)
    }

    /// What came out; none means that nothing was checked.
    #[must_use]
    pub fn results(&self) -> &[MethodResult] {
        &self.results
    }

    /// Puts `?` for what is not ASCII, for mail that is not internationalised. Give domains as A-labels.
    #[must_use]
    pub fn to_ascii(&self) -> Self {
        Self {
            authserv_id: ascii(&self.authserv_id),
            version: self.version,
            results: self.results.iter().map(MethodResult::to_ascii).collect(),
        }
    }

    /// Parses the value of a field, what stands behind its colon.
    ///
    /// # Errors
    ///
    /// [`ParseError`], with the byte at which `value` goes wrong.
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        parse::field(value)
    }

    /// The value of the field, folded like the whole; for a field of another name with the same content.
    pub(crate) fn write_value(&self, writer: &mut Writer) {
        writer.word(&write::value(&self.authserv_id));
        if let Some(version) = self.version {
            writer.word(&version.to_string());
        }
        if self.results.is_empty() {
            writer.text("; none");
        }
        for result in &self.results {
            writer.text(";");
            result.write(writer);
        }
    }
}

impl fmt::Display for AuthenticationResults {
    /// Writes the whole field, folded with a line for each method, its CRLF included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::new("Authentication-Results:");
        self.write_value(&mut writer);
        f.write_str(&writer.finish())
    }
}

/// What came out of one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodResult {
    method: String,
    version: Option<u32>,
    result: String,
    comment: Option<String>,
    reason: Option<String>,
    properties: Vec<Property>,
}

/// What a result is about: `header.d=example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    kind: String,
    name: String,
    value: String,
}

impl Property {
    /// Where it was found: `smtp`, `header`, `body` or `policy`. Empty where the writer left that out.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl MethodResult {
    /// Names a method and what came out: `dkim` and `pass`, say. Letters, digits and hyphens are kept of both, up to 64.
    pub fn new(method: &str, result: &str) -> Self {
        Self {
            method: keyword(method),
            version: None,
            result: keyword(result),
            comment: None,
            reason: None,
            properties: Vec::new(),
        }
    }

    /// Says something to people, in parentheses behind the result.
    #[must_use]
    pub fn comment(mut self, comment: impl fmt::Display) -> Self {
        self.comment = Some(printable(&comment.to_string()));
        self
    }

    /// Says why.
    #[must_use]
    pub fn reason(mut self, reason: impl fmt::Display) -> Self {
        self.reason = Some(printable(&reason.to_string()));
        self
    }

    /// Says what it is about. An empty `kind` is left out, as some write it; `reason` without one is the reason.
    #[must_use]
    pub fn property(mut self, kind: &str, name: &str, value: impl fmt::Display) -> Self {
        if kind.is_empty() && keyword(name) == "reason" {
            return self.reason(value);
        }
        self.properties.push(Property {
            kind: if kind.is_empty() { String::new() } else { keyword(kind) },
            name: keyword(name),
            value: printable(&value.to_string()),
        });
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The version of the method: 1 unless the field says otherwise.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version.unwrap_or(1)
    }

    /// What came out.
    #[must_use]
    pub fn result(&self) -> &str {
        &self.result
    }

    /// What stands in parentheses behind the result.
    #[must_use]
    pub fn remark(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Why.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What it is about.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The value of the first property of this type and name: `value_of("header", "d")`.
    #[must_use]
    pub fn value_of(&self, kind: &str, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|property| property.kind.eq_ignore_ascii_case(kind) && property.name.eq_ignore_ascii_case(name))
            .map(Property::value)
    }

    fn to_ascii(&self) -> Self {
        Self {
            comment: self.comment.as_deref().map(ascii),
            reason: self.reason.as_deref().map(ascii),
            properties: self
                .properties
                .iter()
                .map(|property| Property {
                    value: ascii(&property.value),
                    ..property.clone()
                })
                .collect(),
            ..self.clone()
        }
    }

    fn write(&self, writer: &mut Writer) {
        let version = self.version.map(|version| format!("/{version}")).unwrap_or_default();
        writer.line(&format!("{}{version}={}", self.method, self.result));
        if let Some(comment) = &self.comment {
            writer.word(&write::comment(comment));
        }
        if let Some(reason) = &self.reason {
            writer.word(&format!("reason={}", write::quoted(reason)));
        }
        for property in &self.properties {
            let dot = if property.kind.is_empty() { "" } else { "." };
            let value = write::value(&property.value);
            writer.word(&format!("{}{dot}{}={value}", property.kind, property.name));
        }
    }
}

/// Letters, digits and hyphens in lower case, as RFC 8601 §2.2 has `Keyword`, and the underscore that others write.
fn keyword(text: &str) -> String {
    const MOST: usize = 64;
    let word: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .take(MOST)
        .collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}

/// Text without control characters and of bounded length: what comes from strangers ends up here.
fn printable(text: &str) -> String {
    let mut room = 256;
    text.chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control() && !turns_lines(*c))
        .take_while(|c| {
            let fits = c.len_utf8() <= room;
            room = room.saturating_sub(c.len_utf8());
            fits
        })
        .collect()
}

/// Says whether a character ends lines, or has those that follow shown in another order.
fn turns_lines(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
