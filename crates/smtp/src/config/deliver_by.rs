//! The time within which a message is to be delivered (RFC 2852).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The longest time that the protocol can say, in seconds.
const MAX: u64 = 999_999_999;

/// Says within which time messages are to be delivered, and what happens to one that is not (DELIVERBY, RFC 2852).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_smtp::DeliverBy;
///
/// assert_eq!(DeliverBy::or_return(Duration::from_secs(120)).to_string(), "120;R");
/// assert_eq!("86400;NT".parse(), Ok(DeliverBy::or_notify(Duration::from_secs(86400)).trace(true)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverBy {
    seconds: u64,
    returns: bool,
    trace: bool,
}

impl DeliverBy {
    /// Returns a message that is not delivered within `time`, of whole seconds from one to 999 999 999.
    pub fn or_return(time: Duration) -> Self {
        Self {
            seconds: time.as_secs().clamp(1, MAX),
            returns: true,
            trace: false,
        }
    }

    /// Notifies the sender of a message that is not delivered within `time`, and goes on trying.
    pub fn or_notify(time: Duration) -> Self {
        Self {
            seconds: time.as_secs().min(MAX),
            returns: false,
            trace: false,
        }
    }

    /// Sets whether the sender is told of systems on the way that do not know the extension.
    pub fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }
}

impl fmt::Display for DeliverBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.returns { "R" } else { "N" };
        let trace = if self.trace { "T" } else { "" };
        write!(f, "{};{mode}{trace}", self.seconds)
    }
}

/// The text is not `120;R`, `120;N`, or one of these with a `T` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time to deliver by, as 120;R or 86400;NT")]
#[non_exhaustive]
pub struct DeliverByError;

impl FromStr for DeliverBy {
    type Err = DeliverByError;

    fn from_str(text: &str) -> Result<Self, DeliverByError> {
        let (seconds, mode) = text.split_once(';').ok_or(DeliverByError)?;
        let (returns, trace) = match mode.to_ascii_uppercase().as_str() {
            "R" => (true, false),
            "RT" => (true, true),
            "N" => (false, false),
            "NT" => (false, true),
            _ => return Err(DeliverByError),
        };
        let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = seconds.parse().ok().filter(|seconds| *seconds <= MAX && digits);
        let seconds = seconds
            .filter(|seconds| *seconds > 0 || !returns)
            .ok_or(DeliverByError)?;
        Ok(Self {
            seconds,
            returns,
            trace,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        for text in ["1;R", "120;RT", "0;N", "999999999;NT"] {
            assert_eq!(text.parse::<DeliverBy>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "120",
            "0;R",
            "-1;N",
            "+1;N",
            "1;X",
            "1000000000;N",
            "1;N SIZE=1",
            "1;RTT",
        ] {
            assert!(text.parse::<DeliverBy>().is_err(), "{text}");
        }
        assert_eq!(DeliverBy::or_return(Duration::ZERO).to_string(), "1;R");
        assert_eq!(DeliverBy::or_notify(Duration::MAX).to_string(), "999999999;N");
    }
}
