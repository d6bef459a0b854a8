//! What a handler decides, and the reply that says it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The most characters of a reply's text.
const MAX_TEXT: usize = 480;

/// A decision and the reply that tells the client of it.
///
/// The enhanced status code (RFC 3463) gets its class from the decision, so the two cannot contradict each other.
/// Control characters and non-ASCII in the text are replaced by `?`: a text cannot forge a reply.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::Verdict;
///
/// let verdict = Verdict::refuse(550, (1, 1), "no such mailbox");
/// assert_eq!(verdict.to_string(), "550 5.1.1 no such mailbox");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    code: u16,
    status: (u16, u16),
    text: Cow<'static, str>,
    close: bool,
    /// Whether the connection is closed without a reply.
    silent: bool,
}

impl Verdict {
    /// Accepts.
    pub fn accept() -> Self {
        Self::accept_with("OK")
    }

    /// Accepts, with a text: `queued as ID` is what clients look for.
    pub fn accept_with(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: 250,
            status: (0, 0),
            text: text.into(),
            close: false,
            silent: false,
        }
    }

    /// Refuses for good, with a code from 500 to 599 (any other becomes 554) and the subject and detail of the enhanced
    /// status code.
    pub fn refuse(code: u16, status: (u16, u16), text: impl Into<Cow<'static, str>>) -> Self {
        let code = if (500..600).contains(&code) { code } else { 554 };
        Self {
            code,
            status,
            text: text.into(),
            close: false,
            silent: false,
        }
    }

    /// Refuses for now, with a code from 400 to 499 (any other becomes 451).
    pub fn defer(code: u16, status: (u16, u16), text: impl Into<Cow<'static, str>>) -> Self {
        let code = if (400..500).contains(&code) { code } else { 451 };
        Self {
            code,
            status,
            text: text.into(),
            close: false,
            silent: false,
        }
    }

    /// Refuses to pass mail on to a domain that is not served here.
    pub fn relay_denied() -> Self {
        Self::refuse(550, (7, 1), "relaying denied")
    }

    /// Closes the connection after the reply.
    pub fn and_close(mut self) -> Self {
        self.close = true;
        self
    }

    /// Closes the connection without a reply. No server should (RFC 5321 §3.8): for tests of clients.
    pub(crate) fn hang_up() -> Self {
        Self {
            silent: true,
            ..Self::defer(421, (0, 0), "").and_close()
        }
    }

    /// Whether the connection is closed without a reply.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether this accepts.
    pub fn is_accept(&self) -> bool {
        self.code < 400
    }

    /// Returns the reply code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Whether the connection is closed after the reply.
    pub fn closes(&self) -> bool {
        self.close || self.code == 421
    }

    /// Makes a positive reply of another code.
    pub(super) fn positive(code: u16, status: (u16, u16), text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            status,
            text: text.into(),
            close: false,
            silent: false,
        }
    }

    /// Makes the last reply before the server hangs up (RFC 5321 §3.8).
    pub(super) fn goodbye(status: (u16, u16), text: &'static str) -> Self {
        Self::defer(421, status, text).and_close()
    }
}

impl fmt::Display for Verdict {
    /// Writes the reply as it goes over the wire, without its CR LF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, detail) = (self.status.0.min(999), self.status.1.min(999));
        write!(f, "{} {}.{subject}.{detail} ", self.code, self.code / 100)?;
        printable(&self.text).fmt(f)
    }
}

/// Makes a text fit for a reply line: printable ASCII, and no longer than a line may be.
pub(super) fn printable(text: &str) -> impl fmt::Display {
    struct Printable<'t>(&'t str);

    impl fmt::Display for Printable<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let is_fit = self.0.len() <= MAX_TEXT && self.0.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            if is_fit {
                return f.write_str(self.0);
            }
            for c in self.0.chars().take(MAX_TEXT) {
                let c = if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
                f.write_char(c)?;
            }
            Ok(())
        }
    }

    Printable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_agree_and_texts_cannot_forge() {
        assert_eq!(Verdict::accept().to_string(), "250 2.0.0 OK");
        assert_eq!(Verdict::defer(550, (7, 1), "later").to_string(), "451 4.7.1 later");
        assert_eq!(Verdict::refuse(250, (7, 1), "no").to_string(), "554 5.7.1 no");
        assert_eq!(
            Verdict::refuse(550, (7, 1), "a\r\n250 b\u{e9}").to_string(),
            "550 5.7.1 a??250 b?"
        );
        assert!(Verdict::refuse(550, (7, 1), "x".repeat(5000)).to_string().len() < 510);
        assert!(Verdict::goodbye((3, 2), "bye").closes());
    }
}
