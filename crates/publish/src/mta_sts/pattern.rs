//! Which hosts a policy means.

use std::{borrow::Cow, fmt, str::FromStr};

use posthaste_address::Domain;

/// Names a host, or with `*.` in front, all hosts one label below a name (RFC 8461 §3.2, §4.1).
///
/// # Examples
///
/// ```
/// use posthaste_publish::mta_sts::MxPattern;
///
/// let pattern: MxPattern = "*.example.org".parse()?;
/// assert!(pattern.matches("MX1.example.org."));
/// assert!(!pattern.matches("example.org") && !pattern.matches("a.mx1.example.org"));
/// # Ok::<(), posthaste_publish::mta_sts::MxPatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MxPattern {
    /// In lower case.
    name: String,
    wildcard: bool,
}

/// Text is not a host name, nor one behind `*.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern is not a host name in A-labels, nor `*.` and one")]
#[non_exhaustive]
pub struct MxPatternError;

impl MxPattern {
    /// Tells whether a host is meant. Case does not count, nor does a dot at its end; a host name in U-labels is brought
    /// into A-labels first.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let host: Cow<'_, str> = if host.is_ascii() {
            host.into()
        } else {
            match host.parse::<Domain>() {
                Ok(domain) => domain.as_str().to_owned().into(),
                Err(_) => return false,
            }
        };
        if !self.wildcard {
            return host.eq_ignore_ascii_case(&self.name);
        }
        host.split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(&self.name))
    }

    /// Tells whether it starts with `*.`.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// Gives the name: the host, or what stands behind `*.`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for MxPattern {
    type Err = MxPatternError;

    fn from_str(text: &str) -> Result<Self, MxPatternError> {
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if name.len() <= 253 && name.split('.').all(is_label) {
            Ok(Self {
                name: name.to_ascii_lowercase(),
                wildcard,
            })
        } else {
            Err(MxPatternError)
        }
    }
}

/// RFC 5321 §4.1.2, sub-domain: letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wildcard {
            f.write_str("*.")?;
        }
        f.write_str(&self.name)
    }
}

/// Tells whether a host is meant by a pattern as a policy writes it; by one that is wrong, none is.
///
/// # Examples
///
/// ```
/// use posthaste_publish::mta_sts::mx_matches;
///
/// assert!(mx_matches("*.example.org", "mx1.example.org"));
/// assert!(!mx_matches("*", "mx1"));
/// ```
pub fn mx_matches(pattern: &str, host: &str) -> bool {
    pattern.parse::<MxPattern>().is_ok_and(|pattern| pattern.matches(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match() {
        assert!(mx_matches("mail.example.org", "MAIL.example.org."));
        assert!(mx_matches("MAIL.example.org", "mail.example.org"));
        assert!(mx_matches("*.xn--bcher-kva.example", "mx.bücher.example"));
        assert!(!mx_matches("mail.example.org", "x.mail.example.org"));
        assert!(!mx_matches("*.example.org", ".example.org"));
        assert!(!mx_matches("*.example.org", "a.b.example.org"));
        assert!(!mx_matches("example.org", ""));
        assert!(!mx_matches("*.example.org", "mx1.example.org.."));
    }

    #[test]
    fn wrong_patterns_match_nothing() {
        for pattern in [
            "",
            "*",
            "*.",
            "*.*.example.org",
            "mail.*.org",
            "ma*l.example.org",
            ".example.org",
            "example.org.",
            "bücher.example",
            "a_b.example.org",
            "-a.example.org",
        ] {
            assert_eq!(pattern.parse::<MxPattern>(), Err(MxPatternError), "{pattern}");
            assert!(!mx_matches(pattern, pattern), "{pattern}");
        }
    }
}
