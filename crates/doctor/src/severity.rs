//! How bad it is, and who says so.

use std::fmt;

/// Says how bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Good to know.
    Info,
    /// Works, and should be better.
    Warning,
    /// Mail gets lost, is refused or can be forged; or nobody can tell.
    Error,
}

impl Severity {
    /// Gives the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// An RFC: its number and section.
    Rfc(u16, &'static str),
    /// The draft of BIMI.
    Bimi,
    /// Gmail's rules for senders (since February 2024).
    Gmail,
    /// Yahoo's rules for senders (since February 2024).
    Yahoo,
    /// Outlook's rules for senders of much mail (since May 2025).
    Outlook,
    /// The developer guide of Amazon SES: the page.
    Ses(&'static str),
    /// What filters and postmasters are known to go by, without a rule that somebody wrote down and stands by.
    Practice,
}

impl Source {
    /// Gives the address where it can be read, if it can be.
    pub fn url(self) -> Option<String> {
        Some(match self {
            Self::Rfc(number, section) => {
                let is_appendix = section.starts_with(|c: char| c.is_ascii_alphabetic());
                let part = if is_appendix { "appendix" } else { "section" };
                format!("https://www.rfc-editor.org/rfc/rfc{number}#{part}-{section}")
            }
            Self::Bimi => {
                "https://datatracker.ietf.org/doc/draft-brand-indicators-for-message-identification/".to_owned()
            }
            Self::Gmail => "https://support.google.com/a/answer/81126".to_owned(),
            Self::Yahoo => "https://senders.yahooinc.com/best-practices/".to_owned(),
            Self::Outlook => "https://sendersupport.olc.protection.outlook.com/pm/policies.aspx".to_owned(),
            Self::Ses(page) => format!("https://docs.aws.amazon.com/ses/latest/dg/{page}.html"),
            Self::Practice => return None,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rfc(number, section) => write!(f, "RFC {number} §{section}"),
            Self::Bimi => f.write_str("BIMI draft"),
            Self::Gmail => f.write_str("Gmail"),
            Self::Yahoo => f.write_str("Yahoo"),
            Self::Outlook => f.write_str("Outlook"),
            Self::Ses(_) => f.write_str("Amazon SES"),
            Self::Practice => f.write_str("common practice"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_appendices_have_their_addresses() {
        let check = |source: Source, end: &str| assert!(source.url().is_some_and(|url| url.ends_with(end)), "{source}");
        check(Source::Rfc(7208, "4.6.4"), "/rfc7208#section-4.6.4");
        check(Source::Rfc(9989, "A.6"), "/rfc9989#appendix-A.6");
        check(Source::Ses("attachments"), "/ses/latest/dg/attachments.html");
        assert_eq!(Source::Practice.url(), None);
    }
}
