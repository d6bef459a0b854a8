//! What the crate does, seen from outside.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests, which may fail loudly"
)]

mod print;
mod setup;
mod spf;
mod warnings;

/// Runs a future to its end: nothing in these tests waits.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
