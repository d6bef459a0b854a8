//! Runs every case on a new subject, and says what came of it.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::case::Stage;
use crate::{Case, Subject, cases};

/// Longest that one case may take before it counts as failed.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the suite on subjects that `make` makes, one for each case, and prints a line for each.
///
/// It is meant to be the whole of a test with `harness = false`. As with Rust's own harness, arguments on the command line
/// that are not options pick the cases whose names hold one of them.
/// See the [crate's page](crate) for a whole test.
pub fn run(make: impl Fn() -> Box<dyn Subject>) -> Summary {
    let picked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let chosen = cases()
        .iter()
        .filter(|case| picked.is_empty() || picked.iter().any(|text| case.name().contains(text)));
    let mut summary = run_cases(chosen, make, &mut std::io::stdout().lock());
    if picked.is_empty() && summary.passed == 0 {
        // A subject for which nothing can be checked has not been checked.
        summary.failed = summary.failed.saturating_add(1);
    }
    summary
}

/// Runs `cases` on subjects that `make` makes, and writes a line for each to `out`.
///
/// What cannot be written is left unsaid; the summary counts it all the same.
pub fn run_cases<'a>(
    cases: impl IntoIterator<Item = &'a Case>,
    make: impl Fn() -> Box<dyn Subject>,
    out: &mut dyn Write,
) -> Summary {
    let mut summary = Summary::default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(out, "no runtime: {error}");
            summary.failed = 1;
            return summary;
        }
    };
    for case in cases {
        let verdict = runtime.block_on(judge(case, &make));
        let _ = match &verdict {
            Verdict::Passed => writeln!(out, "{} ... ok", case.name()),
            Verdict::Failed(reason) => writeln!(out, "{} ... FAILED: {reason}", case.name()),
            Verdict::Skipped(reason) => writeln!(out, "{} ... ignored: {reason}", case.name()),
        };
        summary.count(&verdict);
    }
    // Threads that a broken transport keeps busy must not keep the process.
    runtime.shutdown_background();
    let _ = writeln!(out, "{summary}");
    summary
}

async fn judge(case: &Case, make: &impl Fn() -> Box<dyn Subject>) -> Verdict {
    let subject: Arc<dyn Subject> = Arc::from(make());
    let info = subject.transport().info();
    if let Some(need) = case.missing(&*subject, &info) {
        return Verdict::Skipped(need.to_string());
    }
    // In a task of its own, so that a transport that panics fails one case.
    let running = tokio::spawn(case.run(Stage::new(subject)));
    let abort = running.abort_handle();
    match tokio::time::timeout(LIMIT, running).await {
        Ok(Ok(Ok(()))) => Verdict::Passed,
        Ok(Ok(Err(failure))) => Verdict::Failed(failure.to_string()),
        Ok(Err(error)) => Verdict::Failed(format!("it panicked: {error}")),
        Err(_) => {
            abort.abort();
            Verdict::Failed(format!("it did not end within {} seconds", LIMIT.as_secs()))
        }
    }
}

enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Counts what came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a failed case has to fail the process"]
pub struct Summary {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Summary {
    fn count(&mut self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Skipped(_) => &mut self.skipped,
        };
        *counter = counter.saturating_add(1);
    }

    /// Returns how many cases passed.
    #[must_use]
    pub const fn passed(&self) -> usize {
        self.passed
    }

    /// Returns how many cases failed.
    #[must_use]
    pub const fn failed(&self) -> usize {
        self.failed
    }

    /// Returns how many cases were skipped, for the subject lacks what they need.
    #[must_use]
    pub const fn skipped(&self) -> usize {
        self.skipped
    }

    /// Returns success only if none failed. A whole run in which none passed counts as one failure.
    #[must_use]
    pub const fn exit_code(&self) -> ExitCode {
        if self.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}
