//! Adds up the results that test programs print.

use std::fmt;

/// How many tests passed, failed and were skipped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Reads one line of output; what is no result is passed over.
    ///
    /// Cargo's own harness closes with `test result: ok. 3 passed; 0 failed; 1 ignored; …`, ours with `3 passed, 0 failed, 1 skipped`.
    pub(crate) fn read(&mut self, line: &str) {
        let counts = match line.strip_prefix("test result: ") {
            Some(rest) => rest.split_once(". ").map_or("", |(_, counts)| counts),
            None if line.ends_with(" skipped") => line,
            None => return,
        };
        let mut read = Self::default();
        for count in counts.split([',', ';']) {
            let Some((number, what)) = count.trim().split_once(' ') else {
                return;
            };
            let (Ok(number), what) = (number.parse::<u64>(), what) else {
                break;
            };
            match what {
                "passed" => read.passed = number,
                "failed" => read.failed = number,
                "skipped" | "ignored" => read.skipped = number,
                _ => {}
            }
        }
        self.passed += read.passed;
        self.failed += read.failed;
        self.skipped += read.skipped;
    }

    /// Whether something passed and nothing failed.
    pub(crate) fn is_success(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_result_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.00s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
            "mime/filenames: 12 passed, 0 failed, 3 unsupported",
            "20 passed, 0 failed, 4 skipped",
            "all of them were skipped",
        ] {
            tally.read(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 30,
                failed: 1,
                skipped: 5
            }
        );
        assert_eq!(tally.to_string(), "30 passed, 1 failed, 5 skipped");
        assert!(!tally.is_success());
    }

    #[test]
    fn no_test_at_all_is_no_success() {
        assert!(!Tally::default().is_success());
    }
}
