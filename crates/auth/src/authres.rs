//! Writes and parses Authentication-Results (RFC 8601), and removes those that a stranger forged.

use std::fmt;

use crate::dkim::Fields;

/// How long a line is at most, in octets.
const LINE: usize = 76;

/// How many results one field may hold before it is refused.
const RESULTS: usize = 100;

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
    results: Vec<MethodResult>,
}

impl AuthenticationResults {
    /// Begins a field in the name of a server, its `authserv-id`.
    pub fn new(authserv_id: impl Into<String>) -> Self {
        Self {
            authserv_id: printable(&authserv_id.into()),
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

    /// What came out; none means that nothing was checked.
    #[must_use]
    pub fn results(&self) -> &[MethodResult] {
        &self.results
    }

    /// Parses the value of a field, what stands behind its colon.
    ///
    /// # Errors
    ///
    /// [`ParseError`], with the byte at which `value` goes wrong.
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        Parser {
            text: value,
            position: 0,
        }
        .field()
    }
}

impl fmt::Display for AuthenticationResults {
    /// Writes the whole field, folded with a line for each method, its CRLF included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = "Authentication-Results: ".to_owned();
        push_value(&mut out, &self.authserv_id);
        if self.results.is_empty() {
            out.push_str("; none");
        }
        for result in &self.results {
            out.push(';');
            let mut line = 0;
            for (index, word) in result.words().into_iter().enumerate() {
                // A line for each method, as people read it.
                if index == 0 || line + 1 + word.len() > LINE {
                    out.push_str("\r\n\t");
                    line = 1;
                } else {
                    out.push(' ');
                    line += 1;
                }
                out.push_str(&word);
                line += word.len();
            }
        }
        write!(f, "{out}\r\n")
    }
}

/// What came out of one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodResult {
    method: String,
    result: String,
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
    /// Where it was found: `smtp`, `header`, `body` or `policy`.
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
    /// Names a method and what came out: `dkim` and `pass`, say. Letters, digits and hyphens are kept of both.
    pub fn new(method: &str, result: &str) -> Self {
        Self {
            method: keyword(method),
            result: keyword(result),
            reason: None,
            properties: Vec::new(),
        }
    }

    /// Says why.
    #[must_use]
    pub fn reason(mut self, reason: impl fmt::Display) -> Self {
        self.reason = Some(printable(&reason.to_string()));
        self
    }

    /// Says what it is about.
    #[must_use]
    pub fn property(mut self, kind: &str, name: &str, value: impl fmt::Display) -> Self {
        self.properties.push(Property {
            kind: keyword(kind),
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

    /// What came out.
    #[must_use]
    pub fn result(&self) -> &str {
        &self.result
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

    /// The pieces between which a line may be folded.
    fn words(&self) -> Vec<String> {
        let mut words = vec![format!("{}={}", self.method, self.result)];
        if let Some(reason) = &self.reason {
            let mut word = "reason=".to_owned();
            push_quoted(&mut word, reason);
            words.push(word);
        }
        for property in &self.properties {
            let mut word = format!("{}.{}=", property.kind, property.name);
            push_value(&mut word, &property.value);
            words.push(word);
        }
        words
    }
}

/// Letters, digits and hyphens in lower case: RFC 8601 §2.2 `Keyword`.
fn keyword(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Text without control characters and of bounded length: what comes from strangers ends up here.
fn printable(text: &str) -> String {
    let mut room = 256;
    text.chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        .take_while(|c| {
            let fits = c.len_utf8() <= room;
            room = room.saturating_sub(c.len_utf8());
            fits
        })
        .collect()
}

fn is_token(c: char) -> bool {
    matches!(c, '!'..='~') && !"()<>@,;:\\\"/[]?=".contains(c)
}

/// A value as it is, or in quotes where it is more than a token or an address.
fn push_value(out: &mut String, value: &str) {
    let value = printable(value);
    let is_plain = !value.is_empty() && value.chars().all(|c| is_token(c) || c == '@');
    if is_plain {
        out.push_str(&value)
    } else {
        push_quoted(out, &value)
    }
}

fn push_quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Why text is not the value of an Authentication-Results field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not Authentication-Results at byte {offset}")]
pub struct ParseError {
    offset: usize,
}

impl ParseError {
    /// Where, as a byte offset into the value.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl Parser<'_> {
    fn field(mut self) -> Result<AuthenticationResults, ParseError> {
        let mut field = AuthenticationResults::new(self.value()?);
        self.space()?;
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.word()?;
        }
        while self.eat(';')? {
            if self.at_end()? && !field.results.is_empty() {
                break;
            }
            let method = self.word()?;
            if method.eq_ignore_ascii_case("none") && self.at_end()? {
                break;
            }
            field.results.push(self.result(&method)?);
            if field.results.len() > RESULTS {
                return Err(self.error());
            }
        }
        if self.at_end()? { Ok(field) } else { Err(self.error()) }
    }

    fn result(&mut self, method: &str) -> Result<MethodResult, ParseError> {
        if self.eat('/')? {
            self.word()?;
        }
        self.expect('=')?;
        let mut result = MethodResult::new(method, &self.word()?);
        while !self.at_end()? && self.peek() != Some(';') {
            let name = self.word()?;
            if self.eat('.')? {
                let property = self.word()?;
                self.expect('=')?;
                let value = self.value()?;
                result = result.property(&name, &property, value);
            } else if name.eq_ignore_ascii_case("reason") {
                self.expect('=')?;
                let reason = self.value()?;
                result = result.reason(reason);
            } else {
                return Err(self.error());
            }
        }
        Ok(result)
    }

    fn error(&self) -> ParseError {
        ParseError { offset: self.position }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.position..).and_then(|rest| rest.chars().next())
    }

    fn at_end(&mut self) -> Result<bool, ParseError> {
        self.space()?;
        Ok(self.peek().is_none())
    }

    fn eat(&mut self, c: char) -> Result<bool, ParseError> {
        self.space()?;
        let found = self.peek() == Some(c);
        if found {
            self.position += c.len_utf8();
        }
        Ok(found)
    }

    fn expect(&mut self, c: char) -> Result<(), ParseError> {
        if self.eat(c)? { Ok(()) } else { Err(self.error()) }
    }

    /// Skips white space and comments.
    fn space(&mut self) -> Result<(), ParseError> {
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                '\\' if depth > 0 => self.position += 1,
                ' ' | '\t' | '\r' | '\n' => {}
                _ if depth > 0 => {}
                _ => break,
            }
            self.position += self.peek().map_or(0, char::len_utf8);
        }
        if depth == 0 { Ok(()) } else { Err(self.error()) }
    }

    /// A word of letters, digits and hyphens.
    fn word(&mut self) -> Result<String, ParseError> {
        self.space()?;
        let mut word = String::new();
        while let Some(c) = self
            .peek()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        {
            word.push(c);
            self.position += 1;
        }
        if word.is_empty() { Err(self.error()) } else { Ok(word) }
    }

    /// A quoted string, or anything up to white space, a semicolon or a comment.
    fn value(&mut self) -> Result<String, ParseError> {
        self.space()?;
        let mut value = String::new();
        if self.peek() == Some('"') {
            self.position += 1;
            while let Some(mut c) = self.peek() {
                self.position += c.len_utf8();
                if c == '"' {
                    return Ok(value);
                }
                if c == '\\' {
                    c = self.peek().ok_or_else(|| self.error())?;
                    self.position += c.len_utf8();
                }
                value.push(c);
            }
            return Err(self.error());
        }
        while let Some(c) = self
            .peek()
            .filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '(' | '"'))
        {
            value.push(c);
            self.position += c.len_utf8();
        }
        if value.is_empty() { Err(self.error()) } else { Ok(value) }
    }
}

/// The host name in an authserv-id, however it is dressed up: readers differ in what they take for one.
fn server_name(authserv_id: &str) -> &str {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let from = authserv_id.find(is_name).unwrap_or(authserv_id.len());
    let name = authserv_id.get(from..).unwrap_or_default();
    let to = name.find(|c| !is_name(c)).unwrap_or(name.len());
    name.get(..to).unwrap_or_default().trim_end_matches('.')
}

/// Gives `message` without the Authentication-Results fields that claim to be `authserv_id`'s (RFC 8601 §5): only those
/// that we put there ourselves, later, can be believed. Fields that cannot be parsed are removed too.
#[must_use]
pub fn strip(message: &[u8], authserv_id: &str) -> Vec<u8> {
    let fields = Fields::parse(message);
    let mut out = Vec::with_capacity(message.len());
    let mut kept = 0;
    for field in fields.iter() {
        if !field.is(b"Authentication-Results") {
            continue;
        }
        let value = String::from_utf8_lossy(field.value());
        let is_ours = AuthenticationResults::parse(&value).map_or(true, |results| {
            server_name(results.authserv_id()).eq_ignore_ascii_case(server_name(authserv_id))
        });
        if is_ours {
            out.extend_from_slice(message.get(kept..field.start).unwrap_or_default());
            kept = field.start + field.raw.len();
        }
    }
    out.extend_from_slice(message.get(kept..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_others_parse() {
        let value = " mx.example.net 1; dkim=pass (2048-bit key) reason=\"good \\\"enough\\\"\"\r\n\theader.d=example.org \
                     header.i=@example.org; spf/1=fail smtp.mailfrom=ada@example.org;";
        let parsed = AuthenticationResults::parse(value).unwrap();
        assert_eq!(parsed.authserv_id(), "mx.example.net");
        let dkim = &parsed.results()[0];
        assert_eq!(
            (dkim.method(), dkim.result(), dkim.why()),
            ("dkim", "pass", Some("good \"enough\""))
        );
        assert_eq!(dkim.properties()[1].value(), "@example.org");
        assert_eq!(parsed.results()[1].result(), "fail");
        assert!(AuthenticationResults::parse(" mx; none").unwrap().results().is_empty());
        assert_eq!(AuthenticationResults::parse(" mx; dkim").unwrap_err().offset(), 9);
        assert!(AuthenticationResults::parse(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn nothing_breaks_out_of_a_value() {
        let field = AuthenticationResults::new("mx")
            .with(MethodResult::new("spf", "pass").property("smtp", "mailfrom", "a\r\nX-Evil: 1; dkim=pass\"@b"))
            .to_string();
        assert_eq!(
            field,
            "Authentication-Results: mx;\r\n\tspf=pass smtp.mailfrom=\"aX-Evil: 1; dkim=pass\\\"@b\"\r\n"
        );
        let parsed = AuthenticationResults::parse(field.strip_prefix("Authentication-Results:").unwrap()).unwrap();
        assert_eq!(parsed.results().len(), 1);
    }

    #[test]
    fn a_name_dressed_up_is_the_same_name() {
        for id in ["mx/1", "mx.", "MX:25", "\u{a0}mx", "\"mx\"", "mx\u{a0}"] {
            let message = format!("Authentication-Results: {id}; spf=pass\r\n\r\nbody\r\n");
            assert_eq!(strip(message.as_bytes(), "mx"), b"\r\nbody\r\n", "{id:?}");
        }
        let other = b"Authentication-Results: mx2; spf=pass\r\n\r\n";
        assert_eq!(strip(other, "mx"), other);
    }

    #[test]
    fn forged_fields_go_and_the_rest_stays() {
        let message = b"A: 1\r\nAuthentication-Results: MX.example; spf=pass\r\n x.y=z\r\nAuthentication-Results: other; spf=pass\r\n\
            authentication-results: ((\r\nB: 2\r\n\r\nAuthentication-Results: mx.example; in the body\r\n";
        let expected = b"A: 1\r\nAuthentication-Results: other; spf=pass\r\nB: 2\r\n\r\n\
            Authentication-Results: mx.example; in the body\r\n";
        assert_eq!(strip(message, "mx.example"), expected);
    }
}
