//! Reads back what the crate writes, with an independent parser and a scan of the raw lines.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests"
)]

mod exact;
mod folding;
mod hostile;
mod length;
mod parts;
mod prototypes;
mod refusals;
mod round_trip;
mod streamed;
mod tree;
mod wire;
