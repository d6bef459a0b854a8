//! Runs cases one by one.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::Program;

/// One test: a sentence, the programs that it takes, and what happens.
#[non_exhaustive]
pub struct Case {
    name: String,
    needs: &'static [Program],
    run: Box<dyn Fn()>,
}

impl Case {
    /// Makes a case.
    pub fn new(name: impl Into<String>, needs: &'static [Program], run: impl Fn() + 'static) -> Self {
        Self {
            name: name.into(),
            needs,
            run: Box::new(run),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// Runs the cases whose names hold the words on the command line, and says what became of each.
#[must_use]
pub fn run(cases: &[Case]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for case in cases {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for case in cases {
        if !words.is_empty() && !words.iter().any(|word| case.name.contains(word.as_str())) {
            continue;
        }
        let missing: Vec<&str> = case
            .needs
            .iter()
            .filter(|need| need.path().is_none())
            .map(|need| need.name())
            .collect();
        if !missing.is_empty() {
            skipped += 1;
            println!("left out {}: needs {}", case.name, missing.join(", "));
        } else if catch_unwind(AssertUnwindSafe(&case.run)).is_ok() {
            passed += 1;
            println!("ok {}", case.name);
        } else {
            failed += 1;
            println!("FAILED {}", case.name);
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
