//! Several processes, one limit.

use std::process::{Command, ExitCode, Stdio};

use posthaste_limit::{Limit, PostgresLimiter, RedisLimiter, SharedLimiter};
use testservers::Case;

use crate::{postgres, redis, runtime};

/// What makes this program a child of itself.
pub(crate) const CHILD: &str = "child-of-the-test";

const BURST: u32 = 100;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "redis::four_processes_are_admitted_exactly_the_burst_together",
            redis::NEEDS,
            || {
                together(&redis::url(), "redis");
            },
        ),
        Case::new(
            "postgres::four_processes_are_admitted_exactly_the_burst_together",
            postgres::NEEDS,
            || {
                together(&postgres::database(), "postgres");
            },
        ),
    ]
}

fn together(url: &str, kind: &str) {
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args([CHILD, url, kind])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let admitted: Vec<u32> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        })
        .collect();
    assert_eq!(admitted.iter().sum::<u32>(), BURST, "{admitted:?}");
}

/// Asks for as many as all together may have, by the server's clock, and prints how many it got.
pub(crate) fn child(url: &str, kind: &str) -> ExitCode {
    let limit = Limit::per_second(1e-6)
        .unwrap()
        .burst(BURST)
        .unwrap()
        .per_day(1000)
        .unwrap();
    let admitted = runtime().block_on(async {
        let limiter: Box<dyn SharedLimiter> = match kind {
            "redis" => Box::new(RedisLimiter::builder(url, limit).prefix("processes:").build().unwrap()),
            _ => Box::new(PostgresLimiter::builder(url, limit).build().unwrap()),
        };
        let mut admitted = 0;
        for _ in 0..BURST {
            admitted += u32::from(limiter.acquire("all", 1).await.unwrap().is_admitted());
        }
        admitted
    });
    println!("{admitted}");
    ExitCode::SUCCESS
}
