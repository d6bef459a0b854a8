//! SMTP vectors: command lines, replies, sessions told step by step, and smuggled messages.
//!
//! Commands and server scenarios run against our server, replies and client scenarios against our parser and client, all
//! over pipes in memory.

mod client;
mod commands;
mod desk;
mod dialog;
mod replies;
mod scenarios;
mod smuggling;

use std::future::Future;
use std::time::Duration;

use crate::harness::Set;

/// Expectations that we do not follow, on purpose.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "smtp/smtp-commands",
            run: commands::run,
        },
        Set {
            name: "smtp/smtp-replies",
            run: replies::run,
        },
        Set {
            name: "smtp/smtp-scenarios",
            run: scenarios::run,
        },
        Set {
            name: "smtp/smtp-smuggling",
            run: smuggling::run,
        },
    ]
}

/// Runs one case to its end; one that hangs fails.
fn block_on<T>(case: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let limited = async { tokio::time::timeout(Duration::from_secs(20), case).await };
    runtime.block_on(limited).unwrap_or_else(|_| Err("hangs".to_owned()))
}
