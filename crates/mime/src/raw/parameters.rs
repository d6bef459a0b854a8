//! Values with parameters: `Content-Type`, `Content-Disposition` and their like, as leniently as mail needs it.

use super::charset::{self, Charset};
use super::lines::trim_blanks;
use super::words;

/// How many parameters of one field are read.
const PARAMETER_LIMIT: usize = 256;
/// How many pieces of one value are put together (RFC 2231 §3).
const PIECE_LIMIT: usize = 256;

/// Holds a value that parameters follow: `attachment; filename="a.txt"`.
///
/// RFC 2231 values are put together and decoded; of several forms of one parameter the most explicit counts, of equal
/// ones the first. Encoded-words are decoded too, which no standard allows and many writers need. Controls are replaced
/// by U+FFFD. A value whose octets are not of its charset is left out.
///
/// # Examples
///
/// ```
/// use posthaste_mime::RawMessage;
///
/// let message = RawMessage::parse("Content-Disposition: Attachment; filename*=utf-8''%C3%A9.txt; filename=e.txt\r\n\r\n")?;
/// let disposition = message.field("Content-Disposition").unwrap().parameters();
/// assert_eq!(disposition.value(), "attachment");
/// assert_eq!(disposition.get("filename"), Some("é.txt"));
/// # Ok::<(), posthaste_mime::RawError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    value: String,
    list: Vec<(String, String)>,
    boundary: Option<Vec<u8>>,
    repeated: Option<String>,
}

/// One `name=value` as it was written.
struct Written {
    name: String,
    value: Vec<u8>,
    quoted: bool,
}

impl Parameters {
    /// Reads an unfolded value.
    pub(super) fn read(field: &[u8]) -> Self {
        let mut pieces = Pieces { rest: field };
        let value = pieces.next().map(without_comments).unwrap_or_default();
        let value = charset::undeclared(&value, None).trim().to_ascii_lowercase();
        let written: Vec<Written> = pieces.take(PARAMETER_LIMIT).filter_map(split).collect();
        let mut parameters = Self {
            value: words::harmless(&value),
            ..Self::default()
        };
        let (mut seen, mut tried) = (Vec::new(), Vec::new());
        for one in &written {
            let name = one.name.split('*').next().unwrap_or_default();
            if seen.contains(&one.name.as_str()) {
                parameters.repeated.get_or_insert_with(|| name.to_owned());
            }
            seen.push(&one.name);
            if name.is_empty() || tried.contains(&name) {
                continue;
            }
            tried.push(name);
            if let Some((value, bytes)) = assembled(name, &written) {
                if name == "boundary" {
                    parameters.boundary = Some(bytes);
                }
                parameters.list.push((name.to_owned(), words::harmless(&value)));
            }
        }
        parameters
    }

    /// Returns what stands before the parameters, in lower case and without comments.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the value of a parameter; the case of `name` does not matter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.list
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the parameters in order, names in lower case.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The octets of the boundary.
    pub(super) fn boundary(&self) -> Option<&[u8]> {
        self.boundary.as_deref().filter(|boundary| !boundary.is_empty())
    }

    /// A parameter that stands there twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }

    /// These parameters behind another value.
    pub(super) fn with_value(mut self, value: &str) -> Self {
        value.clone_into(&mut self.value);
        self
    }
}

/// Cuts a value at the semicolons that stand outside of quotes.
struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = self.rest.iter().position(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b';' if !quoted => return true,
                _ => {}
            }
            false
        });
        let end = end.unwrap_or(self.rest.len());
        let piece = self.rest.get(..end);
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        piece
    }
}

/// Splits `name=value`; `None` if there is no `=`.
fn split(piece: &[u8]) -> Option<Written> {
    let equals = piece.iter().position(|byte| *byte == b'=')?;
    let name = trim_blanks(piece.get(..equals)?);
    let name = String::from_utf8(name.to_ascii_lowercase()).ok()?;
    let value = trim_blanks(piece.get(equals + 1..)?);
    let quoted = value.starts_with(b"\"");
    let value = match value.strip_prefix(b"\"") {
        Some(inside) => unquoted(inside),
        None => without_last_comment(value).to_vec(),
    };
    Some(Written { name, value, quoted })
}

/// What stands before the closing quote, quoted pairs resolved; the quote may be missing.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => value.extend(bytes.next()),
            _ => value.push(*byte),
        }
    }
    value
}

/// `us-ascii (Plain text)` is `us-ascii`, yet `report (1).pdf` is a file name.
fn without_last_comment(value: &[u8]) -> &[u8] {
    if !value.ends_with(b")") {
        return value;
    }
    let open = value.iter().position(|byte| *byte == b'(');
    open.and_then(|open| value.get(..open)).map_or(value, trim_blanks)
}

fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut depth = 0_usize;
    let mut kept = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth == 0 => kept.push(*byte),
            _ => {}
        }
    }
    kept
}

/// Puts together what was written for `name`: RFC 2231 in one piece, in several, or the plain form. Returns text and
/// octets.
fn assembled(name: &str, written: &[Written]) -> Option<(String, Vec<u8>)> {
    let form = |suffix: &str| written.iter().find(|one| one.name.strip_prefix(name) == Some(suffix));
    let whole = form("*").and_then(|one| extended(&one.value));
    whole
        .or_else(|| continued(name, written))
        .or_else(|| form("").map(plain))
}

fn plain(one: &Written) -> (String, Vec<u8>) {
    let text = if one.value.windows(2).any(|pair| pair == b"=?") {
        words::decode(&one.value, None)
    } else {
        charset::undeclared(&one.value, None)
    };
    (text, one.value.clone())
}

/// Reads `charset'language'text` with `%XX` escapes (RFC 2231 §4). The language and its apostrophe may be missing.
fn extended(value: &[u8]) -> Option<(String, Vec<u8>)> {
    let (charset, text) = charset_and_text(value)?;
    let bytes = unescaped(text);
    Some((charset.decode_exactly(&bytes)?, bytes))
}

fn charset_and_text(value: &[u8]) -> Option<(Charset, &[u8])> {
    let end = value.iter().position(|byte| *byte == b'\'')?;
    let charset = std::str::from_utf8(value.get(..end)?).ok().and_then(Charset::of)?;
    let rest = value.get(end + 1..)?;
    let text = match rest.iter().position(|byte| *byte == b'\'') {
        Some(end) => rest.get(end + 1..)?,
        None => rest,
    };
    Some((charset, text))
}

/// Puts `name*0`, `name*1*` and so on together, up to the first that is missing (RFC 2231 §3).
fn continued(name: &str, written: &[Written]) -> Option<(String, Vec<u8>)> {
    let mut charset = None;
    let mut bytes = Vec::new();
    let mut quoted = true;
    for index in 0..PIECE_LIMIT {
        let number = index.to_string();
        let piece = written.iter().find_map(|one| {
            let suffix = one.name.strip_prefix(name)?.strip_prefix('*')?.strip_prefix(&number)?;
            matches!(suffix, "" | "*").then_some((one, suffix == "*"))
        });
        match piece {
            None if index == 0 => return None,
            None => break,
            Some((one, true)) if index == 0 => {
                let (declared, text) = charset_and_text(&one.value)?;
                charset = Some(declared);
                bytes.extend(unescaped(text));
            }
            Some((one, true)) => bytes.extend(unescaped(&one.value)),
            Some((one, false)) => {
                quoted &= one.quoted;
                bytes.extend_from_slice(&one.value);
            }
        }
    }
    let text = match charset {
        Some(charset) => charset.decode_exactly(&bytes)?,
        None if quoted => words::decode(&bytes, None),
        None => charset::undeclared(&bytes, None),
    };
    Some((text, bytes))
}

/// Resolves `%XX`; what is no escape stands for itself.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let [byte, after @ ..] = rest {
        let escape = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(field: &str, expected: &[(&str, &str)]) {
        let parameters = Parameters::read(field.as_bytes());
        let read: Vec<(&str, &str)> = parameters.iter().collect();
        assert_eq!(read, expected, "{field:?}");
    }

    #[test]
    fn values_are_tokens_or_quoted() {
        check("a; b=c; D = \"e;\\\"f\" ;", &[("b", "c"), ("d", "e;\"f")]);
        check("text/plain; charset=us-ascii (Plain text)", &[("charset", "us-ascii")]);
        check("a; filename=report (1).pdf", &[("filename", "report (1).pdf")]);
        check("a; b=\"c", &[("b", "c")]);
        check("a; b; =c", &[]);
    }

    #[test]
    fn the_value_loses_comments_and_case() {
        assert_eq!(Parameters::read(b"Text/Plain (x (y)) ; a=b").value(), "text/plain");
        assert_eq!(Parameters::read(b"").value(), "");
    }

    #[test]
    fn the_most_explicit_form_counts() {
        check("a; n=1; n*0=2; n*=utf-8''3", &[("n", "3")]);
        check("a; n=1; n*0=2; n*1=3", &[("n", "23")]);
        check("a; n=1; n*=utf-8''%FF", &[("n", "1")]);
        check("a; n=1; n*=nonsense''x", &[("n", "1")]);
        check("a; n*0*=utf-8'en'%C3; n*1*=%A9", &[("n", "é")]);
        check("a; n=1; n=2", &[("n", "1")]);
    }

    #[test]
    fn words_in_values_are_decoded() {
        check("a; n=\"=?utf-8?Q?=C3=A9?=.txt\"", &[("n", "é.txt")]);
        check("a; n==?utf-8?Q?x?=", &[("n", "x")]);
    }

    #[test]
    fn controls_are_replaced() {
        check("a; n*=utf-8''a%0D%0Ab", &[("n", "a\u{FFFD}\u{FFFD}b")]);
    }

    #[test]
    fn a_second_one_is_noticed() {
        assert_eq!(Parameters::read(b"a; n=1; n=2").repeated(), Some("n"));
        assert_eq!(Parameters::read(b"a; n*0=1; n*1=2").repeated(), None);
    }

    #[test]
    fn hostile_numbers_of_parameters_are_cut() {
        let field: String = (0..5000).map(|n| format!("; n{n}=x")).collect();
        assert_eq!(Parameters::read(field.as_bytes()).iter().len(), PARAMETER_LIMIT);
        let field: String = (0..5000).map(|n| format!("; n*{n}=x")).collect();
        assert_eq!(
            Parameters::read(field.as_bytes()).get("n").map(str::len),
            Some(PARAMETER_LIMIT)
        );
    }

    proptest! {
        #[test]
        fn any_octets_can_be_read(field in prop::collection::vec(any::<u8>(), 0..200)) {
            let parameters = Parameters::read(&field);
            for (_, value) in parameters.iter() {
                prop_assert!(!value.contains(['\r', '\n', '\0']));
            }
        }

        #[test]
        fn likely_text_can_be_read(field in "[ab*'%0-2;=\" ?\\\\]{0,60}") {
            let _ = Parameters::read(field.as_bytes());
        }
    }
}
