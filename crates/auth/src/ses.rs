//! The verdict words of Amazon SES, for systems that expect its notifications and rules.

use std::fmt;

use crate::dkim::{DkimResult, Verdict};
use crate::dmarc::{self, DmarcResult, Policy};
use crate::spf;

/// What SES says of SPF, DKIM or DMARC in the receipt of a message that came in.
///
/// | verdict | SPF | DKIM, the best signature | DMARC |
/// | --- | --- | --- | --- |
/// | `PASS` | pass | pass | pass |
/// | `FAIL` | fail, softfail | fail, permerror, policy | fail, permerror |
/// | `GRAY` | none, neutral | none, neutral, no signature, a key that is only tried out (`t=y`) | none |
/// | `PROCESSING_FAILED` | temperror, permerror | temperror | temperror |
///
/// SES documents the four words and the first and third row; where its documentation is silent, this is our choice: a record
/// that cannot be evaluated is no evidence against a sender, a signature that can never be verified is.
///
/// ```
/// use posthaste_auth::{SesVerdict, spf};
///
/// assert_eq!(SesVerdict::from(spf::Result::SoftFail).as_str(), "FAIL");
/// assert_eq!(SesVerdict::of_dkim(&[]), SesVerdict::Gray);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SesVerdict {
    /// `PASS`: it passed.
    Pass,
    /// `FAIL`: it failed.
    Fail,
    /// `GRAY`: there was nothing to check, or it says nothing.
    Gray,
    /// `PROCESSING_FAILED`: it could not be checked.
    ProcessingFailed,
}

impl SesVerdict {
    /// The word in a receipt's `status`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Gray => "GRAY",
            Self::ProcessingFailed => "PROCESSING_FAILED",
        }
    }

    /// The verdict on all of a message's signatures: the best one counts, and one that may still pass before one that failed.
    #[must_use]
    pub fn of_dkim(signatures: &[Verdict]) -> Self {
        let verdicts = || signatures.iter().map(Self::of_signature);
        [Self::Pass, Self::ProcessingFailed, Self::Fail]
            .into_iter()
            .find(|wanted| verdicts().any(|verdict| verdict == *wanted))
            .unwrap_or(Self::Gray)
    }

    fn of_signature(signature: &Verdict) -> Self {
        match Self::from(signature.result()) {
            Self::Fail if signature.is_testing() => Self::Gray,
            verdict => verdict,
        }
    }
}

impl fmt::Display for SesVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<spf::Result> for SesVerdict {
    fn from(result: spf::Result) -> Self {
        match result {
            spf::Result::Pass => Self::Pass,
            spf::Result::Fail | spf::Result::SoftFail => Self::Fail,
            spf::Result::None | spf::Result::Neutral => Self::Gray,
            spf::Result::TempError | spf::Result::PermError => Self::ProcessingFailed,
        }
    }
}

impl From<DkimResult> for SesVerdict {
    fn from(result: DkimResult) -> Self {
        match result {
            DkimResult::Pass => Self::Pass,
            DkimResult::Fail | DkimResult::PermError | DkimResult::Policy => Self::Fail,
            DkimResult::None | DkimResult::Neutral => Self::Gray,
            DkimResult::TempError => Self::ProcessingFailed,
        }
    }
}

impl From<DmarcResult> for SesVerdict {
    fn from(result: DmarcResult) -> Self {
        match result {
            DmarcResult::Pass => Self::Pass,
            DmarcResult::Fail | DmarcResult::PermError => Self::Fail,
            DmarcResult::None => Self::Gray,
            DmarcResult::TempError => Self::ProcessingFailed,
        }
    }
}

/// What SES says in `dmarcPolicy`: the policy that the domain publishes, when DMARC failed and only then.
pub(crate) fn dmarc_policy(report: &dmarc::Report) -> Option<Policy> {
    report.policy().filter(|_| report.result() == DmarcResult::Fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_signature_counts() {
        let of = |results: &[DkimResult]| {
            let verdicts: Vec<Verdict> = results
                .iter()
                .map(|result| Verdict::new(*result, "example.org".parse().unwrap()))
                .collect();
            SesVerdict::of_dkim(&verdicts).as_str()
        };
        use DkimResult::{Fail, Neutral, None, Pass, PermError, Policy, TempError};
        assert_eq!(of(&[Fail, TempError, Pass]), "PASS");
        assert_eq!(of(&[Fail, TempError, Neutral]), "PROCESSING_FAILED");
        for failed in [Fail, PermError, Policy] {
            assert_eq!(of(&[None, failed]), "FAIL");
        }
        assert_eq!(of(&[None, Neutral]), "GRAY");
        assert_eq!(of(&[]), "GRAY");
    }

    #[test]
    fn each_result_has_its_word() {
        use spf::Result as Spf;
        for (result, word) in [
            (Spf::Pass, "PASS"),
            (Spf::Fail, "FAIL"),
            (Spf::SoftFail, "FAIL"),
            (Spf::None, "GRAY"),
            (Spf::Neutral, "GRAY"),
            (Spf::TempError, "PROCESSING_FAILED"),
            (Spf::PermError, "PROCESSING_FAILED"),
        ] {
            assert_eq!(SesVerdict::from(result).to_string(), word);
        }
        for (result, word) in [
            (DmarcResult::Pass, "PASS"),
            (DmarcResult::Fail, "FAIL"),
            (DmarcResult::PermError, "FAIL"),
            (DmarcResult::None, "GRAY"),
            (DmarcResult::TempError, "PROCESSING_FAILED"),
        ] {
            assert_eq!(SesVerdict::from(result).to_string(), word);
        }
    }
}
