//! Headers of mailing lists and bulk mail.

mod commands;

pub use commands::ListCommands;

use crate::HeaderError;
use crate::text::{TOKEN_LIMIT, is_atext, refuse_controls, refuse_longer, refuse_others};

/// Says how to leave a list: `List-Unsubscribe` (RFC 2369) and, for one click, `List-Unsubscribe-Post` (RFC 8058).
///
/// # Examples
///
/// ```
/// use posthaste_mime::ListUnsubscribe;
///
/// let unsubscribe = ListUnsubscribe::new(["https://example.org/u/1", "mailto:leave@example.org"])?.one_click()?;
/// assert_eq!(unsubscribe.uris().count(), 2);
/// assert!(ListUnsubscribe::new(["javascript:alert(1)"]).is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListUnsubscribe {
    uris: Vec<String>,
    one_click: bool,
}

impl ListUnsubscribe {
    const FIELD: &'static str = "List-Unsubscribe";

    /// Checks and takes the URIs, best one first.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `List-Unsubscribe` when there is none, or one is not a `https`, `http` or
    /// `mailto` URI in the characters of RFC 3986, or is too long for a line.
    pub fn new<I, S>(uris: I) -> Result<Self, HeaderError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let uris = check_uris(Self::FIELD, uris)?;
        Ok(Self { uris, one_click: false })
    }

    /// Announces that a POST to the `https` URI leaves the list without a further question (RFC 8058 §3.1).
    ///
    /// Both headers must be covered by the DKIM signature for mail programs to offer it.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Syntax`] unless there is one `https` URI, and none with `http` (RFC 8058 §3.1).
    pub fn one_click(mut self) -> Result<Self, HeaderError> {
        let count = |name: &str| {
            self.uris
                .iter()
                .filter(|uri| scheme(uri).eq_ignore_ascii_case(name))
                .count()
        };
        if count("https") != 1 || count("http") != 0 {
            return Err(HeaderError::Syntax {
                field: Self::FIELD,
                expected: "a list with one https URI for one click, and none with http",
            });
        }
        self.one_click = true;
        Ok(self)
    }

    /// Returns the URIs in order.
    pub fn uris(&self) -> impl ExactSizeIterator<Item = &str> {
        self.uris.iter().map(String::as_str)
    }

    /// Tells whether one click is announced.
    pub fn is_one_click(&self) -> bool {
        self.one_click
    }
}

fn check_uris<I, S>(field: &'static str, uris: I) -> Result<Vec<String>, HeaderError>
where
    I: IntoIterator<Item = S>,
    S: Into<String>,
{
    let uris: Vec<String> = uris.into_iter().map(Into::into).collect();
    if uris.is_empty() {
        return Err(HeaderError::Empty { field });
    }
    uris.iter().try_for_each(|uri| check_uri(field, uri))?;
    Ok(uris)
}

fn scheme(uri: &str) -> &str {
    uri.split_once(':').map_or("", |(scheme, _)| scheme)
}

fn check_uri(field: &'static str, uri: &str) -> Result<(), HeaderError> {
    refuse_others(field, uri, |c| {
        c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
    })?;
    refuse_longer(field, uri, TOKEN_LIMIT - 3)?;
    let rest = uri.split_once(':').map_or("", |(_, rest)| rest);
    let scheme = scheme(uri);
    let known = if scheme.eq_ignore_ascii_case("mailto") {
        rest.contains('@')
    } else if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") {
        rest.strip_prefix("//")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
    } else {
        false
    };
    if known {
        Ok(())
    } else {
        Err(HeaderError::Syntax {
            field,
            expected: "an https, http or mailto URI",
        })
    }
}

/// Names a list for filters: `List-Id` (RFC 2919).
///
/// # Examples
///
/// ```
/// use posthaste_mime::ListId;
///
/// let list = ListId::new("news.example.org")?.description("Our news")?;
/// assert_eq!(list.as_str(), "news.example.org");
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListId {
    id: String,
    description: Option<String>,
}

impl ListId {
    const FIELD: &'static str = "List-Id";

    /// Checks and takes the identifier, without angle brackets: labels joined by dots.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `List-Id` when it is not a dot-atom with at least one dot, of at most 255 octets.
    pub fn new(id: &str) -> Result<Self, HeaderError> {
        if id.is_empty() {
            return Err(HeaderError::Empty { field: Self::FIELD });
        }
        refuse_others(Self::FIELD, id, |c| c == '.' || u8::try_from(c).is_ok_and(is_atext))?;
        refuse_longer(Self::FIELD, id, 255)?;
        if id.contains("=?") || !id.contains('.') || id.split('.').any(str::is_empty) {
            return Err(HeaderError::Syntax {
                field: Self::FIELD,
                expected: "labels joined by dots",
            });
        }
        Ok(Self {
            id: id.to_owned(),
            description: None,
        })
    }

    /// Sets the name that people read.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Control`] when it holds a control character.
    pub fn description(mut self, description: impl Into<String>) -> Result<Self, HeaderError> {
        let description = description.into();
        refuse_controls(Self::FIELD, &description, false)?;
        self.description = Some(description).filter(|text| !text.is_empty());
        Ok(self)
    }

    /// Returns the identifier.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// Returns the name that people read.
    pub fn description_text(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

/// Says that a program made the message: `Auto-Submitted` (RFC 3834 §5), so that no other program answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AutoSubmitted {
    /// Made by a program of its own accord: `auto-generated`.
    Generated,
    /// Made by a program in answer to a message: `auto-replied`.
    Replied,
}

impl AutoSubmitted {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "auto-generated",
            Self::Replied => "auto-replied",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uris_that_a_mail_program_may_follow_are_taken() {
        for uri in [
            "https://example.org/u?a=b&c=%20",
            "http://example.org",
            "mailto:a@example.org?subject=leave",
        ] {
            assert!(ListUnsubscribe::new([uri]).is_ok(), "{uri}");
        }
        let long = format!("https://example.org/{}", "x".repeat(1000));
        for uri in [
            "",
            "https:",
            "https://",
            "ftp://a/b",
            "https://a/>,<b",
            "https://a b",
            "mailto:x",
            "a\r\nb",
            &long,
        ] {
            assert!(ListUnsubscribe::new([uri]).is_err(), "{uri}");
        }
        assert!(ListUnsubscribe::new(Vec::<String>::new()).is_err());
    }

    #[test]
    fn one_click_needs_https() {
        assert!(
            ListUnsubscribe::new(["mailto:a@example.org"])
                .and_then(ListUnsubscribe::one_click)
                .is_err()
        );
        assert!(
            ListUnsubscribe::new(["http://example.org"])
                .and_then(ListUnsubscribe::one_click)
                .is_err()
        );
        assert!(
            ListUnsubscribe::new(["HTTPS://example.org"])
                .and_then(ListUnsubscribe::one_click)
                .is_ok()
        );
        for other in ["https://example.org/2", "http://example.org/2"] {
            let unsubscribe = ListUnsubscribe::new(["https://example.org/1", other]).unwrap();
            assert_eq!(unsubscribe.one_click().unwrap_err().field(), "List-Unsubscribe");
        }
        let both = ListUnsubscribe::new(["mailto:a@example.org", "https://example.org/1"]).unwrap();
        assert!(both.one_click().is_ok());
    }

    #[test]
    fn list_ids_are_dotted() {
        assert!(ListId::new("news.example.org").is_ok());
        for id in ["", "news", ".a", "a..b", "a b.c", "a>.b", "a.b\r\n", "=?x.y"] {
            assert!(ListId::new(id).is_err(), "{id:?}");
        }
    }
}
