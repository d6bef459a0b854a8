//! What became of each row, and whether that is what was expected.

use std::time::Duration;

use posthaste::{Disposition, Reply, SendError};

use crate::input::Row;
use crate::receiver::Received;

/// What became of one row.
pub(crate) enum Fate {
    /// The receiving server took it.
    Sent,
    /// The row itself is wrong; nothing was sent.
    Bad { what: &'static str, why: String },
    /// The receiving server refused it.
    Refused { what: &'static str, why: String },
    /// Nobody knows whether the receiving server took it.
    Ambiguous { why: String },
    /// It could not be handed over.
    Failed { why: String },
}

impl Fate {
    /// A refusal, told apart by its status code.
    pub(crate) fn refused(reply: Option<&Reply>) -> Self {
        let Some(reply) = reply else {
            return Self::Failed {
                why: "refused without a reply".to_owned(),
            };
        };
        let what = match reply.enhanced().map(|status| status.to_string()).as_deref() {
            Some("5.1.1") => "unknown recipient",
            Some("5.7.1") => "refused by policy",
            _ => "refused",
        };
        Self::Refused {
            what,
            why: reply.to_string(),
        }
    }

    pub(crate) fn from_error(error: &SendError) -> Self {
        match (error.disposition(), error.reply()) {
            (Disposition::NotAccepted, Some(reply)) => Self::refused(Some(reply)),
            (Disposition::NotAccepted, None) => Self::Failed { why: error.to_string() },
            _ => Self::Ambiguous { why: error.to_string() },
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::Sent => "sent",
            Self::Bad { what, .. } | Self::Refused { what, .. } => what,
            Self::Ambiguous { .. } => "ambiguous",
            Self::Failed { .. } => "failed",
        }
    }

    fn why(&self) -> Option<&str> {
        match self {
            Self::Sent => None,
            Self::Bad { why, .. } | Self::Refused { why, .. } | Self::Ambiguous { why } | Self::Failed { why } => {
                Some(why)
            }
        }
    }
}

/// All rows with what became of them.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<(Row, Fate)>,
}

impl Summary {
    pub(crate) fn add(&mut self, row: Row, fate: Fate) {
        self.rows.push((row, fate));
    }

    /// Prints it all; true if every row had the outcome that it expects and every mail sent was received.
    pub(crate) fn print(&self, elapsed: Duration, received: &Received) -> bool {
        let sent = self.rows.iter().filter(|(_, fate)| matches!(fate, Fate::Sent)).count();
        println!("\nnot sent:");
        for (row, fate) in &self.rows {
            if let Some(why) = fate.why() {
                println!("  line {:>3}: {}: {}", row.line, fate.label(), why.escape_debug());
            }
        }
        let surprises: Vec<_> = self
            .rows
            .iter()
            .filter(|(row, fate)| row.expect != fate.label())
            .collect();
        for (row, fate) in &surprises {
            println!(
                "  line {:>3} ({}): expected {}, was {}",
                row.line,
                row.email,
                row.expect,
                fate.label()
            );
        }
        if let Some(results) = &received.authentication_results {
            println!(
                "\none message's verdicts, as the receiving side wrote them:\n{}",
                results.trim_end()
            );
        }
        println!(
            "\nsent {sent}, refused {}, {:.0} messages per second, {:.1} s",
            self.rows.len() - sent,
            sent as f64 / elapsed.as_secs_f64(),
            elapsed.as_secs_f64(),
        );
        println!(
            "received {} as .eml files in {}",
            received.count,
            received.folder.display()
        );
        surprises.is_empty() && sent == received.count
    }
}
