//! What a peer answered: a code, an enhanced status and text.

use std::fmt;
use std::str::FromStr;

/// Most lines of a reply that are kept.
const MAX_LINES: usize = 64;
/// Most bytes of one line that are kept; RFC 5321 §4.5.3.1.5 allows 512.
const MAX_LINE: usize = 1024;
/// Most characters that [`Reply`] shows.
const MAX_SHOWN: usize = 400;

/// Keeps a peer's answer as it was given (RFC 5321 §4.2).
///
/// The text is the peer's and proves nothing. `Display` shows it on one line, shortened and with control characters
/// escaped. At most 64 lines of at most 1024 bytes are kept.
///
/// # Examples
///
/// ```
/// use posthaste_transport::Reply;
///
/// let reply = Reply::new(550, ["5.1.1 no such user", "5.1.1 try the directory"]);
/// assert_eq!(reply.enhanced().map(|status| status.to_string()).as_deref(), Some("5.1.1"));
/// assert_eq!(reply.lines(), ["no such user", "try the directory"]);
/// assert_eq!(reply.to_string(), "550 5.1.1 no such user try the directory");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    code: u16,
    enhanced: Option<EnhancedStatus>,
    lines: Vec<String>,
}

impl Reply {
    /// Takes a reply code and the text of each line after the code.
    ///
    /// An enhanced status at the start of the text is taken out of it, if its class is that of the code (RFC 2034 §4).
    pub fn new(code: u16, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut lines: Vec<String> = lines
            .into_iter()
            .take(MAX_LINES)
            .map(|line| {
                let mut line: String = line.into();
                line.truncate(floor_boundary(&line, MAX_LINE));
                line
            })
            .collect();
        let enhanced = lines
            .first()
            .and_then(|line| split_status(line))
            .map(|(status, _)| status)
            .filter(|status| status.class() == code / 100);
        if let Some(expected) = enhanced {
            for line in &mut lines {
                if let Some((status, rest)) = split_status(line)
                    && status == expected
                {
                    *line = rest.to_owned();
                }
            }
        }
        Self { code, enhanced, lines }
    }

    /// Replaces the enhanced status.
    #[must_use]
    pub const fn with_enhanced(mut self, status: EnhancedStatus) -> Self {
        self.enhanced = Some(status);
        self
    }

    /// Returns the reply code: three digits for SMTP, the status for HTTP.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// Returns the enhanced status, if there was one.
    #[must_use]
    pub const fn enhanced(&self) -> Option<EnhancedStatus> {
        self.enhanced
    }

    /// Returns the text, one item a line, without codes.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Says whether the code is 2xx.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        matches!(self.code, 200..=299)
    }

    /// Says whether the code is 4xx: the same may work later (RFC 5321 §4.2.1).
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.code, 400..=499)
    }

    /// Says whether the code is 5xx: the same will not work later.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        matches!(self.code, 500..=599)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.code)?;
        if let Some(status) = self.enhanced {
            write!(f, " {status}")?;
        }
        let mut shown = 0;
        for line in self.lines.iter().filter(|line| !line.is_empty()) {
            f.write_str(" ")?;
            for character in line.chars() {
                if shown == MAX_SHOWN {
                    return f.write_str("...");
                }
                shown += 1;
                show(f, character)?;
            }
        }
        Ok(())
    }
}

/// Writes one character of somebody else's text so that it cannot move a cursor or fake a line.
pub(crate) fn show(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    let hidden =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if character.is_control() || hidden {
        write!(f, "{}", character.escape_unicode())
    } else {
        fmt::Write::write_char(f, character)
    }
}

/// Returns the largest character boundary of `text` that is at most `limit`.
fn floor_boundary(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit)
        .rev()
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or(0)
}

/// Splits `5.1.1 text` into status and text.
fn split_status(line: &str) -> Option<(EnhancedStatus, &str)> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    Some((word.parse().ok()?, rest))
}

/// Says what went wrong in three numbers (RFC 3463): class, subject, detail.
///
/// Detail goes to 999, for providers use it (`5.7.606`).
///
/// # Examples
///
/// ```
/// use posthaste_transport::EnhancedStatus;
///
/// let status: EnhancedStatus = "5.7.606".parse()?;
/// assert_eq!((status.class(), status.subject(), status.detail()), (5, 7, 606));
/// assert!("5.7".parse::<EnhancedStatus>().is_err());
/// # Ok::<(), posthaste_transport::EnhancedStatusError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatus {
    class: u16,
    subject: u16,
    detail: u16,
}

impl EnhancedStatus {
    /// Makes a status of its three numbers.
    ///
    /// # Errors
    ///
    /// [`EnhancedStatusError`], unless the class is 2, 4 or 5 and the others are below 1000 (RFC 3463 §2).
    pub const fn new(class: u16, subject: u16, detail: u16) -> Result<Self, EnhancedStatusError> {
        if matches!(class, 2 | 4 | 5) && subject < 1000 && detail < 1000 {
            Ok(Self { class, subject, detail })
        } else {
            Err(EnhancedStatusError(()))
        }
    }

    /// Returns 2 (success), 4 (transient) or 5 (permanent).
    #[must_use]
    pub const fn class(self) -> u16 {
        self.class
    }

    /// Returns what it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// Returns the precise condition.
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.detail
    }
}

impl FromStr for EnhancedStatus {
    type Err = EnhancedStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.').map(|part| {
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse::<u16>().ok() } else { None }
        });
        match (
            parts.next().flatten(),
            parts.next().flatten(),
            parts.next().flatten(),
            parts.next(),
        ) {
            (Some(class), Some(subject), Some(detail), None) => Self::new(class, subject, detail),
            _ => Err(EnhancedStatusError(())),
        }
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// Says that a text or three numbers are no enhanced status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an enhanced status is class.subject.detail, with class 2, 4 or 5 and at most three digits each")]
pub struct EnhancedStatusError(());

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_of_another_class_stays_in_the_text() {
        let reply = Reply::new(250, ["5.1.1 odd"]);
        assert_eq!(reply.enhanced(), None);
        assert_eq!(reply.lines(), ["5.1.1 odd"]);
    }

    #[test]
    fn lines_without_the_status_keep_their_text() {
        let reply = Reply::new(550, ["5.7.1 refused", "see https://example.org"]);
        assert_eq!(reply.lines(), ["refused", "see https://example.org"]);
    }

    #[test]
    fn a_status_alone_is_a_status() {
        assert_eq!(Reply::new(451, ["4.3.0"]).to_string(), "451 4.3.0");
    }

    #[test]
    fn control_characters_are_shown_escaped() {
        let shown = Reply::new(550, ["a\r\n\u{1b}[2Jb\u{202e}c"]).to_string();
        assert_eq!(shown, "550 a\\u{d}\\u{a}\\u{1b}[2Jb\\u{202e}c");
    }

    #[test]
    fn long_replies_are_cut_on_a_character_boundary() {
        let reply = Reply::new(550, vec!["\u{e4}".repeat(5000); 100]);
        assert_eq!(reply.lines().len(), 64);
        assert!(reply.lines().iter().all(|line| line.len() == 1024));
        assert!(reply.to_string().ends_with("..."));
    }

    #[test]
    fn odd_statuses_are_refused() {
        for text in [
            "",
            "5",
            "5.1",
            "5.1.1.1",
            "3.1.1",
            "5.1.1000",
            "+5.1.1",
            "5.-1.1",
            "5..1",
            "5.1.1 ",
            "\u{0665}.1.1",
        ] {
            assert!(text.parse::<EnhancedStatus>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_status_reads_back(class in prop::sample::select(vec![2_u16, 4, 5]), subject in 0..1000_u16, detail in 0..1000_u16) {
            let status = EnhancedStatus::new(class, subject, detail).unwrap();
            prop_assert_eq!(status.to_string().parse::<EnhancedStatus>().unwrap(), status);
        }

        #[test]
        fn any_text_is_a_reply_on_one_line(code in 0..1000_u16, lines in prop::collection::vec(".{0,40}", 0..5)) {
            let shown = Reply::new(code, lines).to_string();
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
