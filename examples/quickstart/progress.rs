//! A progress bar on a terminal, a plain line now and then elsewhere.

use std::cell::Cell;
use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::summary::Fate;

/// How many rows there are between two plain lines.
const PLAIN_STEP: usize = 50;

pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: usize,
    done: Cell<usize>,
    refused: Cell<usize>,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {per_sec}  {msg}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            total,
            done: Cell::new(0),
            refused: Cell::new(0),
        }
    }

    /// Counts one row.
    pub(crate) fn step(&self, fate: &Fate) {
        self.done.set(self.done.get() + 1);
        if !matches!(fate, Fate::Sent) {
            self.refused.set(self.refused.get() + 1);
        }
        let (done, refused) = (self.done.get(), self.refused.get());
        match &self.bar {
            Some(bar) => {
                bar.set_position(done as u64);
                bar.set_message(format!("{refused} not sent"));
            }
            None if done % PLAIN_STEP == 0 || done == self.total => {
                println!("{done} of {} rows, {refused} not sent", self.total);
            }
            None => {}
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
