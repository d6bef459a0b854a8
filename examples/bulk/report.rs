//! A progress bar while it runs, and a table of where the time went.

use std::error::Error;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use posthaste::Outcome;
use posthaste::campaign::{EntryError, Mail, Progress, Stages};

use crate::counting::Counting;

/// How many failed rows are shown.
const SHOWN: u64 = 5;

/// How many rows there are between two plain lines, where there is no terminal.
const PLAIN_STEP: u64 = 20_000;

pub(crate) struct Report {
    bar: ProgressBar,
    plain: bool,
    total: u64,
    done: u64,
    failed: u64,
    refused: usize,
    stages: Stages,
}

impl Report {
    pub(crate) fn new(total: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target = if plain {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len}  {per_sec}  {eta} left") {
            bar.set_style(style);
        }
        Self {
            bar,
            plain,
            total,
            done: 0,
            failed: 0,
            refused: 0,
            stages: Stages::default(),
        }
    }

    pub(crate) fn made(&mut self, mail: &Mail) {
        self.stages += mail.stages;
    }

    pub(crate) fn sent(&mut self, outcome: &Outcome) {
        self.refused += outcome.refused().count();
    }

    pub(crate) fn failed(&mut self, row: u64, error: &EntryError) {
        self.failed += 1;
        if self.failed <= SHOWN {
            let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
            self.bar.suspend(|| println!("row {row}: {error}{cause}"));
        }
    }

    pub(crate) fn step(&mut self) {
        self.done += 1;
        self.bar.set_position(self.done);
        if self.plain && (self.done.is_multiple_of(PLAIN_STEP) || self.done == self.total) {
            println!("{} of {} rows", self.done, self.total);
        }
    }

    pub(crate) fn print(&self, progress: &Progress, transport: &Counting, elapsed: Duration) {
        self.bar.finish_and_clear();
        let messages = transport.messages();
        println!(
            "{messages} messages of {:.1} KB, {} failed, {} duplicates, {} passed over, {} refused",
            transport.bytes() as f64 / 1000.0 / messages.max(1) as f64,
            progress.failed,
            progress.duplicates,
            progress.passed,
            self.refused,
        );
        let rate = messages as f64 / elapsed.as_secs_f64();
        println!("{:.1} s, {rate:.0} messages per second\n", elapsed.as_secs_f64());
        println!("stage   |  of all | per message");
        let total = self.stages.total().as_secs_f64().max(f64::MIN_POSITIVE);
        for (name, time) in [
            ("render", self.stages.render),
            ("mime", self.stages.mime),
            ("hash", self.stages.hash),
            ("sign", self.stages.sign),
        ] {
            let seconds = time.as_secs_f64();
            let each = seconds * 1e6 / messages.max(1) as f64;
            println!("{name:7} | {:5.1} % | {each:8.1} µs", seconds / total * 100.0);
        }
    }
}
