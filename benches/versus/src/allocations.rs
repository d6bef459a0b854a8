//! Counts what the same work allocates, once everything is warm: how often, and how much.
//!
//! `cargo run --release --manifest-path benches/versus/Cargo.toml --bin allocations [-- WORD]`

#![allow(dead_code, reason = "the races are timed by the other program")]

mod campaign;
mod mime;
mod race;
mod render;
mod sign;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let word = std::env::args().nth(1);
    println!("| what | allocations | octets |\n| --- | ---: | ---: |");
    let races = [mime::races(), render::races(), campaign::races()];
    for race in races.into_iter().flatten() {
        let question = race.question();
        if question.contains("all cores") || word.as_ref().is_some_and(|word| !question.contains(word.as_str())) {
            continue;
        }
        println!("| **{question}** | | |");
        race.each(|name, run| {
            for _ in 0..3 {
                run();
            }
            let region = Region::new(ALLOCATOR);
            run();
            let change = region.change();
            let count = change.allocations + change.reallocations;
            println!("| {name} | {count} | {} |", change.bytes_allocated);
        });
    }
}
