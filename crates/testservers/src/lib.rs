//! Starts real PostgreSQL and Redis servers for tests and benches, each on a port and in a folder of its own.
//!
//! `cargo xtask test` finds or unpacks the programs and says in variables where they are. A server is stopped when its value is
//! dropped. [`run`] is a harness for tests that need them: one whose program is not there is printed as left out and counted
//! as skipped.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "for test programs, which talk to a person and say plainly what they expect"
)]

mod harness;
mod postgres;
mod redis;
mod running;

pub use harness::{Case, run};
pub use postgres::Postgres;
pub use redis::Redis;
pub use running::silent_address;

use std::path::PathBuf;

/// A program that a test needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// PostgreSQL, with its `initdb` beside it.
    Postgres,
    /// Redis or Valkey.
    Redis,
}

impl Program {
    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }

    /// Returns the variable that says where it is.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "POSTHASTE_INTEROP_POSTGRES",
            Self::Redis => "POSTHASTE_INTEROP_REDIS",
        }
    }

    /// Returns where it is, if it is there.
    #[must_use]
    pub fn path(self) -> Option<PathBuf> {
        std::env::var_os(self.variable()).map(PathBuf::from)
    }
}
