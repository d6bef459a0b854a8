//! Headers of mailing lists and bulk mail.

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

/// Says where to turn to with what one may want of a list: `List-Help`, `List-Subscribe`, `List-Post`, `List-Owner` and
/// `List-Archive` (RFC 2369). How to leave it is [`ListUnsubscribe`].
///
/// # Examples
///
/// ```
/// use posthaste_mime::ListCommands;
///
/// let commands = ListCommands::new().help(["mailto:list@example.org?subject=help"])?.no_posting();
/// assert!(commands.archive(["ftp://example.org"]).is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ListCommands {
    help: Vec<String>,
    subscribe: Vec<String>,
    post: Vec<String>,
    no_posting: bool,
    owner: Vec<String>,
    archive: Vec<String>,
}

impl ListCommands {
    /// Begins with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where help is had, best URI first.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `List-Help` when there is no URI, or as [`ListUnsubscribe::new`].
    pub fn help<I, S>(mut self, uris: I) -> Result<Self, HeaderError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.help = check_uris("List-Help", uris)?;
        Ok(self)
    }

    /// Sets how to join, best URI first.
    ///
    /// # Errors
    ///
    /// As [`ListCommands::help`], for the field `List-Subscribe`.
    pub fn subscribe<I, S>(mut self, uris: I) -> Result<Self, HeaderError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.subscribe = check_uris("List-Subscribe", uris)?;
        Ok(self)
    }

    /// Sets how to write to the list, best URI first.
    ///
    /// # Errors
    ///
    /// As [`ListCommands::help`], for the field `List-Post`.
    pub fn post<I, S>(mut self, uris: I) -> Result<Self, HeaderError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.post = check_uris("List-Post", uris)?;
        self.no_posting = false;
        Ok(self)
    }

    /// Says that nobody can write to the list: `List-Post: NO`.
    pub fn no_posting(mut self) -> Self {
        self.post.clear();
        self.no_posting = true;
        self
    }

    /// Sets where its owner is reached, best URI first.
    ///
    /// # Errors
    ///
    /// As [`ListCommands::help`], for the field `List-Owner`.
    pub fn owner<I, S>(mut self, uris: I) -> Result<Self, HeaderError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.owner = check_uris("List-Owner", uris)?;
        Ok(self)
    }

    /// Sets where its messages are kept, best URI first.
    ///
    /// # Errors
    ///
    /// As [`ListCommands::help`], for the field `List-Archive`.
    pub fn archive<I, S>(mut self, uris: I) -> Result<Self, HeaderError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.archive = check_uris("List-Archive", uris)?;
        Ok(self)
    }

    /// Tells whether nobody can write to the list.
    pub fn forbids_posting(&self) -> bool {
        self.no_posting
    }

    /// Returns the headers that are set, in order, each with its URIs; `List-Post` has none if nobody can write to the list.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let fields = [
            ("List-Help", &self.help),
            ("List-Subscribe", &self.subscribe),
            ("List-Post", &self.post),
            ("List-Owner", &self.owner),
            ("List-Archive", &self.archive),
        ];
        let no_posting = self.no_posting;
        fields
            .into_iter()
            .map(|(name, uris)| (name, uris.as_slice()))
            .filter(move |(name, uris)| !uris.is_empty() || (no_posting && *name == "List-Post"))
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
    fn commands_stand_in_order_and_are_named_when_refused() {
        let commands = ListCommands::new()
            .archive(["https://example.org/archive"])
            .unwrap()
            .no_posting()
            .help(["mailto:help@example.org", "https://example.org/help"])
            .unwrap();
        let names: Vec<_> = commands.fields().map(|(name, uris)| (name, uris.len())).collect();
        assert_eq!(names, [("List-Help", 2), ("List-Post", 0), ("List-Archive", 1)]);
        assert!(commands.forbids_posting());
        let open = commands.clone().post(["mailto:list@example.org"]).unwrap();
        assert!(!open.forbids_posting() && open.no_posting().fields().count() == 3);
        let bad = || ["https://a/\r\nBcc: x"];
        let commands = || ListCommands::new();
        assert_eq!(commands().help(bad()).unwrap_err().field(), "List-Help");
        assert_eq!(commands().subscribe(bad()).unwrap_err().field(), "List-Subscribe");
        assert_eq!(commands().post(bad()).unwrap_err().field(), "List-Post");
        assert_eq!(commands().owner(bad()).unwrap_err().field(), "List-Owner");
        assert_eq!(
            commands().archive(Vec::<String>::new()).unwrap_err().field(),
            "List-Archive"
        );
    }

    #[test]
    fn list_ids_are_dotted() {
        assert!(ListId::new("news.example.org").is_ok());
        for id in ["", "news", ".a", "a..b", "a b.c", "a>.b", "a.b\r\n", "=?x.y"] {
            assert!(ListId::new(id).is_err(), "{id:?}");
        }
    }
}
