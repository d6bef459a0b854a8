//! The limiter from outside: against brute-force models, from many threads, under floods and across restarts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say plainly what they expect"
)]

mod changes;
mod keys;
mod model;
mod restart;
mod threads;
