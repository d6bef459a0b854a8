//! How to send: everything that is neither what the recipient sees nor who gets it.

use std::fmt;
use std::time::{Duration, SystemTime};

/// Longest text of one option; it may have to fit into one header line (RFC 5322 §2.1.1).
const MAX_TEXT: usize = 998;

/// Says how to send one message.
///
/// What a transport cannot honour is an error before any I/O, unless [`OnUnsupported`] says otherwise. Texts are checked
/// when they are set: they cannot be empty, hold a control character, or be longer than 998 bytes.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_transport::SendOptions;
///
/// let options = SendOptions::new()
///     .with_tag("welcome")?
///     .with_metadata("user", "42")?
///     .with_deadline(Duration::from_secs(30));
/// assert_eq!(options.tags(), ["welcome"]);
/// assert!(SendOptions::new().with_tag("a\r\nBcc: eve@example.org").is_err());
/// # Ok::<(), posthaste_transport::OptionError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    tags: Vec<String>,
    metadata: Vec<(String, String)>,
    schedule: Option<SystemTime>,
    track_opens: Option<bool>,
    track_clicks: Option<bool>,
    stream: Option<String>,
    configuration_set: Option<String>,
    idempotency_key: Option<String>,
    deadline: Option<Duration>,
    on_unsupported: OnUnsupported,
}

impl SendOptions {
    /// Asks for nothing special.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tag, which providers group their figures by.
    ///
    /// # Errors
    ///
    /// [`OptionError`] naming `tag`.
    pub fn with_tag(mut self, tag: impl Into<String>) -> Result<Self, OptionError> {
        self.tags.push(checked("tag", tag)?);
        Ok(self)
    }

    /// Adds a pair that comes back with the provider's events; a key that was there gets the new value.
    ///
    /// # Errors
    ///
    /// [`OptionError`] naming `metadata key` or `metadata value`.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Result<Self, OptionError> {
        let key = checked("metadata key", key)?;
        let value = checked("metadata value", value)?;
        match self.metadata.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.metadata.push((key, value)),
        }
        Ok(self)
    }

    /// Asks the provider to hold the message until `time`.
    #[must_use]
    pub const fn with_schedule(mut self, time: SystemTime) -> Self {
        self.schedule = Some(time);
        self
    }

    /// Asks for open tracking, or for none. Where the account alone decides, either is refused.
    #[must_use]
    pub const fn with_track_opens(mut self, track: bool) -> Self {
        self.track_opens = Some(track);
        self
    }

    /// Asks for click tracking, or for none. Where the account alone decides, either is refused.
    #[must_use]
    pub const fn with_track_clicks(mut self, track: bool) -> Self {
        self.track_clicks = Some(track);
        self
    }

    /// Chooses a message stream, also known as pool or sub-account.
    ///
    /// # Errors
    ///
    /// [`OptionError`] naming `stream`.
    pub fn with_stream(mut self, stream: impl Into<String>) -> Result<Self, OptionError> {
        self.stream = Some(checked("stream", stream)?);
        Ok(self)
    }

    /// Chooses a configuration set (Amazon SES).
    ///
    /// # Errors
    ///
    /// [`OptionError`] naming `configuration set`.
    pub fn with_configuration_set(mut self, name: impl Into<String>) -> Result<Self, OptionError> {
        self.configuration_set = Some(checked("configuration set", name)?);
        Ok(self)
    }

    /// Sets a key by which a provider recognises a repeat of the same send, and does not send twice.
    ///
    /// # Errors
    ///
    /// [`OptionError`] naming `idempotency key`.
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Result<Self, OptionError> {
        self.idempotency_key = Some(checked("idempotency key", key)?);
        Ok(self)
    }

    /// The same without the key: for layers that know keys in place of a transport that does not.
    pub(crate) fn without_idempotency_key(mut self) -> Self {
        self.idempotency_key = None;
        self
    }

    /// Bounds the whole send: layers, waiting and every attempt.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Chooses what happens to what the transport cannot honour.
    #[must_use]
    pub const fn with_on_unsupported(mut self, choice: OnUnsupported) -> Self {
        self.on_unsupported = choice;
        self
    }

    /// Returns the tags, in the order they were added.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Goes through the metadata, in the order it was added.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns when the message is to go out, if not now.
    #[must_use]
    pub const fn schedule(&self) -> Option<SystemTime> {
        self.schedule
    }

    /// Returns whether opens are to be tracked, if that was said.
    #[must_use]
    pub const fn track_opens(&self) -> Option<bool> {
        self.track_opens
    }

    /// Returns whether clicks are to be tracked, if that was said.
    #[must_use]
    pub const fn track_clicks(&self) -> Option<bool> {
        self.track_clicks
    }

    /// Returns the message stream.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// Returns the configuration set.
    #[must_use]
    pub fn configuration_set(&self) -> Option<&str> {
        self.configuration_set.as_deref()
    }

    /// Returns the idempotency key.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Returns the bound on the whole send.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns what happens to what the transport cannot honour.
    #[must_use]
    pub const fn on_unsupported(&self) -> OnUnsupported {
        self.on_unsupported
    }
}

/// What happens to a wish that a transport cannot honour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnsupported {
    /// Refuse to send, and say everything that is missing.
    #[default]
    Error,
    /// Send without it, and say so in [`Plan::dropped`](crate::Plan::dropped). What would change who gets the message,
    /// when, or how safely is still an error: see [`Feature::is_droppable`](crate::Feature::is_droppable).
    Degrade,
    /// Hand over the finished bytes if the transport's own fields cannot express the message; all else is an error.
    RawMime,
}

fn checked(field: &'static str, text: impl Into<String>) -> Result<String, OptionError> {
    let text = text.into();
    let problem = if text.is_empty() {
        Some(OptionProblem::Empty)
    } else if text.len() > MAX_TEXT {
        Some(OptionProblem::TooLong {
            length: text.len(),
            at_most: MAX_TEXT,
        })
    } else {
        text.char_indices()
            .find(|(_, character)| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'))
            .map(|(offset, _)| OptionProblem::Control { offset })
    };
    match problem {
        Some(problem) => Err(OptionError { field, problem }),
        None => Ok(text),
    }
}

/// Says which option is not valid, and why. Does not hold its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct OptionError {
    field: &'static str,
    problem: OptionProblem,
}

impl OptionError {
    /// Returns the option's name, such as `tag` or `metadata key`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// Returns what is wrong with it.
    #[must_use]
    pub const fn problem(&self) -> &OptionProblem {
        &self.problem
    }
}

/// What can be wrong with the text of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionProblem {
    /// It has no text.
    Empty,
    /// It is too long.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The bytes that it may have.
        at_most: usize,
    },
    /// It holds a control character or a line separator.
    Control {
        /// Where, in bytes.
        offset: usize,
    },
}

impl fmt::Display for OptionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { length, at_most } => write!(f, "has {length} bytes, and may have {at_most}"),
            Self::Control { offset } => write!(f, "holds a control character at byte {offset}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_text_names_its_field() {
        let new = SendOptions::new;
        let fields = [
            new().with_tag("\n").unwrap_err().field(),
            new().with_metadata("\n", "x").unwrap_err().field(),
            new().with_metadata("x", "\n").unwrap_err().field(),
            new().with_stream("\n").unwrap_err().field(),
            new().with_configuration_set("\n").unwrap_err().field(),
            new().with_idempotency_key("\n").unwrap_err().field(),
        ];
        assert_eq!(
            fields,
            [
                "tag",
                "metadata key",
                "metadata value",
                "stream",
                "configuration set",
                "idempotency key"
            ]
        );
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(
            SendOptions::new().with_tag("\u{e4}\0").unwrap_err().to_string(),
            "tag holds a control character at byte 2"
        );
        assert_eq!(SendOptions::new().with_tag("").unwrap_err().to_string(), "tag is empty");
        assert_eq!(
            SendOptions::new().with_tag("x".repeat(999)).unwrap_err().to_string(),
            "tag has 999 bytes, and may have 998"
        );
    }

    #[test]
    fn a_metadata_key_is_there_once() {
        let options = SendOptions::new()
            .with_metadata("a", "1")
            .unwrap()
            .with_metadata("a", "2")
            .unwrap();
        assert_eq!(options.metadata().collect::<Vec<_>>(), [("a", "2")]);
    }

    proptest! {
        #[test]
        fn what_is_kept_holds_no_control_character(text in any::<String>()) {
            if let Ok(options) = SendOptions::new().with_tag(text.clone()) {
                prop_assert_eq!(options.tags(), std::slice::from_ref(&text));
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
