//! What the suite is worth: transports that break a promise, and the case that says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says plainly what it expects")]

mod broken;
mod fake_smtp;
#[path = "../in_memory/mod.rs"]
mod in_memory;
mod runner;
