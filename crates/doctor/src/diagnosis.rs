//! All that was found.

use std::fmt;

use crate::{Code, Finding, Severity};

/// Holds the findings about a domain or a message.
///
/// Its `Display` is a text for people, grouped by subject; with the feature `serde` it serializes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    subject: String,
    findings: Vec<Finding>,
}

impl Diagnosis {
    /// How many findings of one code about one subject are kept.
    const MOST: usize = 10;

    pub(crate) fn new(subject: &str, findings: impl IntoIterator<Item = Finding>) -> Self {
        let mut kept: Vec<Finding> = Vec::new();
        for finding in findings {
            let like = kept
                .iter()
                .filter(|known| known.code() == finding.code() && known.subject() == finding.subject())
                .count();
            if like < Self::MOST && !kept.contains(&finding) {
                kept.push(finding);
            }
        }
        Self {
            subject: crate::finding::escaped(subject),
            findings: kept,
        }
    }

    /// Gives what was looked at: the domain, or `message`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Gives all findings, in the order in which they were looked for.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Tells how bad the worst one is.
    pub fn worst(&self) -> Severity {
        let severities = self.findings.iter().map(Finding::severity);
        severities.max().unwrap_or(Severity::Ok)
    }

    /// Tells whether something of this code was found.
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }

    /// Counts the findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        let like = |finding: &&Finding| finding.severity() == severity;
        self.findings.iter().filter(like).count()
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        writeln!(
            f,
            "{}: {}, {}",
            self.subject,
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning")
        )?;
        let mut shown: Vec<&str> = Vec::new();
        for finding in &self.findings {
            let subject = finding.subject();
            if shown.contains(&subject) {
                continue;
            }
            shown.push(subject);
            writeln!(f, "\n{subject}")?;
            for finding in self.findings.iter().filter(|other| other.subject() == subject) {
                writeln!(f, "{finding}")?;
            }
        }
        Ok(())
    }
}
