//! Hostile mail and hostile DNS: each attack has a verdict with a name, in bounded work.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says by panicking that it failed"
)]

mod arc;
mod dkim;
mod dmarc;
mod dns_failures;
mod forge;
mod spf;
