//! What the way in which the program ended means.

use std::fmt;

use posthaste_transport::{Disposition, ErrorKind, SendError};

/// How a run of the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The exit status; `None` if a signal ended it.
    pub(super) status: Option<i32>,
    /// Whether the program was given the whole message.
    pub(super) had_all: bool,
    /// The beginning of what it said.
    pub(super) said: Vec<u8>,
}

/// How the sendmail program ended and what it said: the source of the [`SendError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendmailError {
    status: Option<i32>,
    said: String,
}

impl SendmailError {
    /// Returns the exit status; `None` if a signal ended the program.
    #[must_use]
    pub const fn status(&self) -> Option<i32> {
        self.status
    }

    /// Returns the beginning of what it wrote to its standard error, at most 1024 characters, controls replaced.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }
}

impl fmt::Display for SendmailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "the program ended with status {status}")?,
            None => f.write_str("the program was ended by a signal")?,
        }
        if self.said.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.said)
        }
    }
}

impl std::error::Error for SendmailError {}

/// Returns the error that an end means, for one recipient `alone` or several; `None` if the message was taken. See the table
/// of [`SendmailTransport`](super::SendmailTransport).
pub(super) fn error(ended: &Ended, tempfail_refuses: bool, alone: bool) -> Option<SendError> {
    let (kind, refused) = match ended.status.unwrap_or(-1) {
        0 if ended.had_all => return None,
        64 | 66 | 72 | 78 => (ErrorKind::Invalid, true),
        65 => (ErrorKind::Rejected, true),
        // Which of several it was, and what became of the others, is not said.
        67 | 68 => (ErrorKind::Rejected, alone),
        69 | 71 | 73 => (ErrorKind::Unavailable, true),
        70 | 74 | 76 => (ErrorKind::Unavailable, false),
        75 => (ErrorKind::Unavailable, tempfail_refuses),
        77 => (ErrorKind::Unauthorized, true),
        _ => (ErrorKind::Unknown, false),
    };
    Some(made(ended, kind, refused))
}

fn made(ended: &Ended, kind: ErrorKind, refused: bool) -> SendError {
    let disposition = if refused || !ended.had_all {
        Disposition::NotAccepted
    } else {
        Disposition::Ambiguous
    };
    let said: String = String::from_utf8_lossy(&ended.said)
        .trim()
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(1024)
        .collect();
    SendError::new(kind, disposition)
        .with_detail("handing it to the program")
        .with_source(SendmailError {
            status: ended.status,
            said,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: impl Into<Option<i32>>, had_all: bool) -> Ended {
        Ended {
            status: status.into(),
            had_all,
            said: b"sendmail: fatal:\tno\n".to_vec(),
        }
    }

    #[test]
    fn every_status_has_its_meaning() {
        use Disposition::{Ambiguous, NotAccepted};
        use ErrorKind::{Invalid, Rejected, Unauthorized, Unavailable, Unknown};

        assert!(error(&ended(0, true), false, true).is_none());
        for (status, kind, disposition) in [
            (64, Invalid, NotAccepted),
            (65, Rejected, NotAccepted),
            (66, Invalid, NotAccepted),
            (67, Rejected, NotAccepted),
            (68, Rejected, NotAccepted),
            (69, Unavailable, NotAccepted),
            (70, Unavailable, Ambiguous),
            (71, Unavailable, NotAccepted),
            (72, Invalid, NotAccepted),
            (73, Unavailable, NotAccepted),
            (74, Unavailable, Ambiguous),
            (75, Unavailable, Ambiguous),
            (76, Unavailable, Ambiguous),
            (77, Unauthorized, NotAccepted),
            (78, Invalid, NotAccepted),
            (1, Unknown, Ambiguous),
            (127, Unknown, Ambiguous),
        ] {
            let error = error(&ended(status, true), false, true).unwrap();
            assert_eq!((error.kind(), error.disposition()), (kind, disposition), "{status}");
        }
        let refused = error(&ended(75, true), true, true).unwrap();
        assert_eq!(refused.disposition(), NotAccepted);
        for status in [67, 68] {
            let of_several = error(&ended(status, true), false, false).unwrap();
            assert_eq!((of_several.kind(), of_several.disposition()), (Rejected, Ambiguous));
        }
    }

    #[test]
    fn a_program_that_had_not_all_has_taken_nothing() {
        for status in [Some(0), Some(1), Some(75), None] {
            let error = error(&ended(status, false), false, true).unwrap();
            assert_eq!(error.disposition(), Disposition::NotAccepted, "{status:?}");
        }
        assert_eq!(
            error(&ended(None, true), false, true).unwrap().disposition(),
            Disposition::Ambiguous
        );
    }

    #[test]
    fn what_it_said_is_kept_and_harmless() {
        let error = error(&ended(69, true), false, true).unwrap();
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<SendmailError>());
        assert_eq!(source.map(SendmailError::said), Some("sendmail: fatal: no"));
        assert_eq!(
            source.map(ToString::to_string).as_deref(),
            Some("the program ended with status 69: sendmail: fatal: no")
        );
    }
}
