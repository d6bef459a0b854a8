//! Where to turn to with what one may want of a list.

use super::check_uris;
use crate::HeaderError;

/// Says where to turn to with what one may want of a list: `List-Help`, `List-Subscribe`, `List-Post`, `List-Owner` and
/// `List-Archive` (RFC 2369). How to leave it is [`ListUnsubscribe`](crate::ListUnsubscribe).
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
    /// [`HeaderError`] for the field `List-Help` when there is no URI, or as [`ListUnsubscribe::new`](crate::ListUnsubscribe::new).
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
