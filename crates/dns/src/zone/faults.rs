//! The words of `$FAIL` and `$DNSSEC`.

use crate::{Dnssec, LookupError, Negative};

/// Finds the failure that a word stands for.
pub(super) fn read_failure(word: &str) -> Option<LookupError> {
    Some(match word.to_ascii_lowercase().as_str() {
        "nxdomain" => LookupError::NxDomain(Negative::default()),
        "nodata" => LookupError::NoData(Negative::default()),
        "servfail" => LookupError::ServFail,
        "refused" => LookupError::Refused,
        "timeout" => LookupError::Timeout,
        "truncated" => LookupError::Truncated,
        "bogus" => LookupError::Bogus,
        _ => return None,
    })
}

/// Gives the word for a failure, if there is one.
pub(super) fn failure_word(error: &LookupError) -> Option<&'static str> {
    match error {
        LookupError::NxDomain(_) => Some("nxdomain"),
        LookupError::NoData(_) => Some("nodata"),
        LookupError::ServFail => Some("servfail"),
        LookupError::Refused => Some("refused"),
        LookupError::Timeout => Some("timeout"),
        LookupError::Truncated => Some("truncated"),
        LookupError::Bogus => Some("bogus"),
        LookupError::InvalidName | LookupError::Network(_) => None,
    }
}

/// Finds the DNSSEC status that a word stands for.
pub(super) fn read_status(word: &str) -> Option<Dnssec> {
    [Dnssec::Secure, Dnssec::Insecure, Dnssec::Bogus, Dnssec::Indeterminate]
        .into_iter()
        .find(|status| status_word(*status).eq_ignore_ascii_case(word))
}

/// Gives the word for a DNSSEC status.
pub(super) fn status_word(status: Dnssec) -> &'static str {
    match status {
        Dnssec::Secure => "secure",
        Dnssec::Insecure => "insecure",
        Dnssec::Bogus => "bogus",
        Dnssec::Indeterminate => "indeterminate",
    }
}
