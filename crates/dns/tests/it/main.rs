//! The crate as its users see it: over the wire, and under random input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say plainly what they expect"
)]

#[cfg(feature = "hickory")]
mod encrypted;
#[cfg(feature = "hickory")]
mod hickory;
mod properties;
#[cfg(feature = "hickory")]
mod responder;
#[cfg(feature = "hickory")]
mod secured;
#[cfg(feature = "hickory")]
mod server;
