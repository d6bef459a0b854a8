//! Times several ways to do one thing in interleaved rounds, so that a noisy machine is equally noisy for all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One way to do the thing in question.
pub struct Runner {
    name: &'static str,
    run: Box<dyn FnMut() -> usize>,
}

impl Runner {
    /// Names a closure; what it returns is kept from being optimised away.
    pub fn new(name: &'static str, run: impl FnMut() -> usize + 'static) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }
}

/// One question, answered by ours (the first runner) and by the peers (the others).
pub struct Race {
    question: &'static str,
    runners: Vec<Runner>,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub slice: Duration,
}

impl Effort {
    /// Enough for medians that hold.
    pub const FULL: Self = Self {
        rounds: 31,
        slice: Duration::from_millis(20),
    };
    /// Each closure once or twice: shows that they run.
    pub const SMOKE: Self = Self {
        rounds: 1,
        slice: Duration::ZERO,
    };
}

impl Race {
    /// Asks `question`, with ours as the first of the runners.
    pub fn new(question: &'static str, runners: Vec<Runner>) -> Self {
        Self { question, runners }
    }

    pub fn question(&self) -> &'static str {
        self.question
    }

    /// Hands over each runner with its name.
    pub fn each(self, mut visit: impl FnMut(&'static str, &mut dyn FnMut() -> usize)) {
        for mut runner in self.runners {
            visit(runner.name, &mut runner.run);
        }
    }

    /// Runs all rounds and prints one line a runner: median time, and the ratio to ours.
    pub fn run(mut self, effort: Effort) {
        let counts: Vec<u32> = self
            .runners
            .iter_mut()
            .map(|runner| iterations(runner, effort.slice))
            .collect();
        let mut times = vec![Vec::with_capacity(effort.rounds); self.runners.len()];
        for _ in 0..effort.rounds {
            for ((runner, &count), times) in self.runners.iter_mut().zip(&counts).zip(&mut times) {
                let start = Instant::now();
                for _ in 0..count {
                    black_box((runner.run)());
                }
                times.push(start.elapsed().as_secs_f64() / f64::from(count));
            }
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        let ours = medians.first().copied().unwrap_or(f64::NAN);
        println!("| **{}** | | |", self.question);
        for (runner, time) in self.runners.iter().zip(&medians) {
            println!("| {} | {} | {:.2} |", runner.name, human(*time), time / ours);
        }
    }
}

/// How many runs fill one slice.
fn iterations(runner: &mut Runner, slice: Duration) -> u32 {
    let mut count = 1_u32;
    loop {
        let start = Instant::now();
        for _ in 0..count {
            black_box((runner.run)());
        }
        if start.elapsed() >= slice || count >= 1 << 24 {
            return count;
        }
        count *= 2;
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn human(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.1} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}
