//! The policy file.

use std::{fmt, str::FromStr, time::Duration};

use super::MxPattern;
use crate::fields::{is_name, is_wsp};

/// Says what senders are to do when a mail host fails the policy (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Not to deliver to it.
    Enforce,
    /// To deliver all the same, and to report it.
    Testing,
    /// Nothing: the domain no longer has a policy.
    None,
}

impl Mode {
    /// Gives the word in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = PolicyError;

    fn from_str(word: &str) -> Result<Self, PolicyError> {
        [Self::Enforce, Self::Testing, Self::None]
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or(PolicyError::Mode)
    }
}

/// Names a domain's mail hosts and says how strictly they are to be checked (RFC 8461 §3.2).
///
/// Its `Display` is the file to serve, as `text/plain`.
///
/// # Examples
///
/// ```
/// use posthaste_publish::mta_sts::{Mode, Policy, PolicyError};
///
/// let policy: Policy = "version: STSv1\nmode: testing\nmx: mx1.example.org\nmax_age: 86400\n".parse()?;
/// assert_eq!((policy.mode(), policy.max_age().as_secs()), (Mode::Testing, 86_400));
/// assert_eq!("version: STSv1\nmode: none\n".parse::<Policy>(), Err(PolicyError::Missing("max_age")));
/// # Ok::<(), PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    mode: Mode,
    mx: Vec<MxPattern>,
    /// In seconds, up to [`Policy::LONGEST_AGE`].
    max_age: u32,
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It is longer than [`Policy::MAX_OCTETS`].
    #[error("policy is longer than {} octets", Policy::MAX_OCTETS)]
    TooLong,
    /// It is not UTF-8 text.
    #[error("policy is not text at octet {0}")]
    Text(usize),
    /// A line, counted from 1, is not `name: value`.
    #[error("line {0} is not `name: value`")]
    Line(usize),
    /// A field that must be there is not.
    #[error("there is no `{0}`")]
    Missing(&'static str),
    /// The version is not `STSv1`.
    #[error("version is not STSv1")]
    Version,
    /// The mode is none of `enforce`, `testing` and `none`.
    #[error("mode is none of enforce, testing, none")]
    Mode,
    /// `max_age` is not a number of seconds up to [`Policy::LONGEST_AGE`].
    #[error("max_age is not a number of seconds up to {}", Policy::LONGEST_AGE.as_secs())]
    MaxAge,
    /// The pattern in this line is not one.
    #[error("line {0} has no pattern for host names")]
    Mx(usize),
}

impl Policy {
    /// The longest policy that is read, in octets (§3.3 says "such as 64 kilobytes").
    pub const MAX_OCTETS: usize = 65_536;

    /// The longest that a policy may be kept: about a year (§3.2).
    pub const LONGEST_AGE: Duration = Duration::from_secs(31_557_600);

    /// Makes a policy for no host yet. Senders may keep it for `max_age`, which is cut to whole seconds and to
    /// [`LONGEST_AGE`](Self::LONGEST_AGE).
    pub fn new(mode: Mode, max_age: Duration) -> Self {
        let seconds = max_age.min(Self::LONGEST_AGE).as_secs();
        Self {
            mode,
            mx: Vec::new(),
            max_age: u32::try_from(seconds).unwrap_or(0),
        }
    }

    /// Adds hosts.
    #[must_use]
    pub fn mx(mut self, pattern: MxPattern) -> Self {
        if !self.mx.contains(&pattern) {
            self.mx.push(pattern);
        }
        self
    }

    /// Reads what a server sent.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]; nothing over [`MAX_OCTETS`](Self::MAX_OCTETS) is looked at.
    pub fn parse(body: &[u8]) -> Result<Self, PolicyError> {
        if body.len() > Self::MAX_OCTETS {
            return Err(PolicyError::TooLong);
        }
        std::str::from_utf8(body)
            .map_err(|error| PolicyError::Text(error.valid_up_to()))?
            .parse()
    }

    /// Tells how strict it is.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Gives the patterns of the hosts, in the order of the file.
    pub fn patterns(&self) -> &[MxPattern] {
        &self.mx
    }

    /// Tells for how long senders may keep the policy.
    pub fn max_age(&self) -> Duration {
        Duration::from_secs(self.max_age.into())
    }

    /// Tells whether a host is among those of the policy (§4.1).
    pub fn allows(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| pattern.matches(host))
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        if text.len() > Self::MAX_OCTETS {
            return Err(PolicyError::TooLong);
        }
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let mut mx: Vec<MxPattern> = Vec::new();
        for (index, line) in text.split('\n').enumerate() {
            let number = index + 1;
            let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches(is_wsp);
            if line.is_empty() {
                continue;
            }
            let (name, value) = field(line).ok_or(PolicyError::Line(number))?;
            match name {
                // §3.2: of fields that may stand there once, the first counts.
                "version" => _ = version.get_or_insert(value),
                "mode" => _ = mode.get_or_insert(value),
                "max_age" => _ = max_age.get_or_insert(value),
                "mx" => mx.push(value.parse().map_err(|_| PolicyError::Mx(number))?),
                _ => {}
            }
        }
        if version.ok_or(PolicyError::Missing("version"))? != "STSv1" {
            return Err(PolicyError::Version);
        }
        let mode: Mode = mode.ok_or(PolicyError::Missing("mode"))?.parse()?;
        let max_age = seconds(max_age.ok_or(PolicyError::Missing("max_age"))?).ok_or(PolicyError::MaxAge)?;
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::Missing("mx"));
        }
        Ok(Self { mode, mx, max_age })
    }
}

/// §3.2: sts-policy-field = name ":" *WSP value
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let value = value.trim_start_matches(is_wsp);
    let fits = is_name(name) && !value.is_empty() && !value.chars().any(|c| c.is_control() && c != '\t');
    fits.then_some((name, value))
}

/// §3.2: 1*10DIGIT, up to the maximum.
fn seconds(text: &str) -> Option<u32> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|seconds| digits && u64::from(*seconds) <= Policy::LONGEST_AGE.as_secs())
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: STSv1\r\nmode: {}\r\n", self.mode)?;
        for pattern in &self.mx {
            write!(f, "mx: {pattern}\r\n")?;
        }
        write!(f, "max_age: {}\r\n", self.max_age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &Result<(Mode, usize, u64), PolicyError>) {
        let policy = Policy::parse(body.as_bytes())
            .map(|policy| (policy.mode(), policy.patterns().len(), policy.max_age().as_secs()));
        assert_eq!(&policy, expected, "{body}");
    }

    #[test]
    fn policies_are_read() {
        let body = "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmx: *.b.example\r\nmax_age: 604800\r\n";
        check(body, &Ok((Mode::Enforce, 2, 604_800)));
        check("mode:none\nmax_age:0\nversion:STSv1", &Ok((Mode::None, 0, 0)));
        check(
            "version: STSv1\nmode: testing\nmode: bad\nmx: a.b \nmax_age: 1\nx: a b\n\n",
            &Ok((Mode::Testing, 1, 1)),
        );
    }

    #[test]
    fn wrong_policies_say_why() {
        let with =
            |old: &str, new: &str| "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n".replace(old, new);
        check(&with("STSv1", "STSv2"), &Err(PolicyError::Version));
        check(&with("version: STSv1\n", ""), &Err(PolicyError::Missing("version")));
        check(&with("mode: enforce\n", ""), &Err(PolicyError::Missing("mode")));
        check(&with("enforce", "Enforce"), &Err(PolicyError::Mode));
        check(&with("max_age: 1\n", ""), &Err(PolicyError::Missing("max_age")));
        for age in ["-1", "+1", "1.5", "31557601", "12345678901", "0x1"] {
            check(
                &with("max_age: 1", &format!("max_age: {age}")),
                &Err(PolicyError::MaxAge),
            );
        }
        check(&with("mx: a.example\n", ""), &Err(PolicyError::Missing("mx")));
        check(&with("a.example", "*"), &Err(PolicyError::Mx(3)));
        check(&with("mode: ", "mode "), &Err(PolicyError::Line(2)));
        check(&with("mode: ", "mode : "), &Err(PolicyError::Line(2)));
        check("<html>", &Err(PolicyError::Line(1)));
        check("", &Err(PolicyError::Missing("version")));
        assert_eq!(Policy::parse(b"version: \xff"), Err(PolicyError::Text(9)));
    }

    #[test]
    fn long_ones_are_not_looked_at() {
        check(&"mx: b.example\n".repeat(5000), &Err(PolicyError::TooLong));
        assert_eq!(Policy::new(Mode::None, Duration::MAX).max_age(), Policy::LONGEST_AGE);
    }
}
