//! Measures posthaste against what people use today, every pair in interleaved rounds of one run, and prints a table.
//!
//! `cargo run --release --manifest-path benches/versus/Cargo.toml [-- --smoke] [WORD]`: `--smoke` runs each thing once, a
//! word keeps the questions that contain it.

#![allow(dead_code, reason = "allocations are counted by the other program")]

mod campaign;
mod limit;
mod mime;
mod race;
mod render;
mod sign;
mod smtp;
mod verify;
mod webhooks;

use race::Effort;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let effort = if arguments.iter().any(|argument| argument == "--smoke") {
        Effort::SMOKE
    } else {
        Effort::FULL
    };
    let word = arguments.iter().find(|argument| !argument.starts_with("--"));
    match std::thread::available_parallelism() {
        Ok(cores) => println!("Cores: {cores}\n"),
        Err(error) => println!("Cores: unknown ({error})\n"),
    }
    println!("| what | median | times ours |\n| --- | ---: | ---: |");
    let races = [
        mime::races(),
        render::races(),
        sign::races(),
        verify::races(),
        campaign::races(),
        limit::races(),
        webhooks::races(),
        smtp::races(),
    ];
    for race in races.into_iter().flatten() {
        if word.is_none_or(|word| race.question().contains(word.as_str())) {
            race.run(effort);
        }
    }
}
