//! The lists from outside: one suite for all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say plainly what they expect"
)]

mod csv;
mod memory;
mod sqlite;
mod suite;

/// Makes a test of each case, with a list that `$list` makes.
macro_rules! tests_of {
    ($list:path: $($case:ident)+) => {$(
        #[tokio::test]
        async fn $case() {
            $crate::suite::$case($list().await).await;
        }
    )+};
}

use tests_of;
