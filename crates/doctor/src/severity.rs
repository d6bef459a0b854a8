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
    /// The developer guide of Amazon SES.
    Ses,
}

impl Source {
    /// Gives the address where it can be read.
    pub fn url(self) -> String {
        match self {
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
            Self::Ses => "https://docs.aws.amazon.com/ses/latest/dg/".to_owned(),
        }
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
            Self::Ses => f.write_str("Amazon SES"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_appendices_have_their_addresses() {
        assert!(Source::Rfc(7208, "4.6.4").url().ends_with("/rfc7208#section-4.6.4"));
        assert!(Source::Rfc(9989, "A.6").url().ends_with("/rfc9989#appendix-A.6"));
    }
}
