//! The limiter in memory, in a real Redis and in a real PostgreSQL, by one suite; and what holds when the server goes away.
//!
//! `cargo xtask test` says where the programs are; without them their tests are left out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test program that says plainly what it expects"
)]

mod outage;
mod postgres;
mod processes;
mod redis;
mod suite;

use std::process::ExitCode;

use posthaste_limit::{Limiter, RedisLimiter};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, url, kind] = arguments.as_slice()
        && word == processes::CHILD
    {
        return processes::child(url, kind);
    }
    let mut cases = Vec::new();
    cases.extend(suite::cases("memory", &[], |limit, clock| {
        Box::new(match clock {
            Some(clock) => Limiter::builder(limit).clock(clock).build(),
            None => Limiter::new(limit),
        })
    }));
    cases.extend(suite::cases("redis", redis::NEEDS, |limit, clock| {
        let builder = RedisLimiter::builder(&redis::url(), limit).prefix(redis::fresh_prefix());
        Box::new(redis::build(builder, clock))
    }));
    cases.extend(suite::cases("postgres", postgres::NEEDS, |limit, clock| {
        Box::new(postgres::fresh(limit, clock))
    }));
    cases.extend(redis::cases());
    cases.extend(postgres::cases());
    cases.extend(outage::cases());
    cases.extend(processes::cases());
    let code = testservers::run(&cases);
    redis::stop();
    postgres::stop();
    code
}

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}
