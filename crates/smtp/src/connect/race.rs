//! Attempts at several addresses, each begun a little after the one before it (RFC 8305 §5).

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How long an attempt is waited for before the next one begins beside it (RFC 8305 §8).
const DELAY: Duration = Duration::from_millis(250);

/// Tries `addresses` one after the other and returns what succeeds first; the others are given up then. A failed attempt makes
/// the next one begin at once.
pub(super) async fn race<T, F>(addresses: Vec<SocketAddr>, mut attempt: impl FnMut(SocketAddr) -> F) -> io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = addresses.into_iter();
    let mut running = JoinSet::new();
    let mut failed = Vec::new();
    let mut next_at = Instant::now();
    loop {
        let more = !waiting.as_slice().is_empty();
        if !more && running.is_empty() {
            return Err(Unreachable::error(failed));
        }
        if more && (running.is_empty() || Instant::now() >= next_at) {
            if let Some(address) = waiting.next() {
                let trying = attempt(address);
                running.spawn(async move { (address, trying.await) });
            }
            next_at = Instant::now() + DELAY;
            continue;
        }
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            () = sleep_until(next_at), if more => continue,
        };
        match ended {
            Some(Ok((_, Ok(connected)))) => return Ok(connected),
            Some(Ok((address, Err(error)))) => {
                failed.push((address, error));
                next_at = Instant::now();
            }
            Some(Err(ended)) => {
                if let Ok(panic) = ended.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            None => {}
        }
    }
}

/// Every address that was tried, and why each failed.
#[derive(Debug)]
struct Unreachable(Vec<(SocketAddr, io::Error)>);

impl Unreachable {
    /// The kind is that of the first failure: it is the preferred address.
    fn error(failed: Vec<(SocketAddr, io::Error)>) -> io::Error {
        match failed.first().map(|(_, error)| error.kind()) {
            Some(kind) => io::Error::new(kind, Self(failed)),
            None => io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the host has no address that may be used",
            ),
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, error)) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{address}: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unreachable {}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::sleep;

    use super::*;

    /// What an address does: after how many milliseconds, and whether it answers.
    type Plan = &'static [(u64, bool)];

    /// Runs a race and says which port won, when, and when each attempt began.
    async fn run(plan: Plan) -> (io::Result<u16>, u64, Vec<u64>) {
        let start = Instant::now();
        let began = Arc::new(Mutex::new(Vec::new()));
        let addresses = (0..u16::try_from(plan.len()).unwrap()).map(|port| SocketAddr::from(([192, 0, 2, 1], port)));
        let log = Arc::clone(&began);
        let millis = move |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap();
        let won = race(addresses.collect(), move |address| {
            log.lock().unwrap().push(millis(start));
            let (after, answers) = plan[usize::from(address.port())];
            async move {
                sleep(Duration::from_millis(after)).await;
                answers
                    .then_some(address.port())
                    .ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
            }
        })
        .await;
        let began = began.lock().unwrap().clone();
        (won, millis(start), began)
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_address_gets_its_chance_while_the_first_is_silent() {
        let (won, took, began) = run(&[(60_000, true), (30, true), (1, true)]).await;
        assert_eq!((won.unwrap(), began), (1, vec![0, 250]));
        assert_eq!(took, 280);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_alone_is_tried_when_it_answers() {
        let (won, took, began) = run(&[(200, true), (1, true)]).await;
        assert_eq!((won.unwrap(), took, began), (0, 200, vec![0]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_makes_the_next_attempt_begin_at_once() {
        let (won, _, began) = run(&[(10, false), (10, false), (10, true)]).await;
        assert_eq!((won.unwrap(), began), (2, vec![0, 10, 20]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_may_still_win_after_the_second_began() {
        let (won, _, began) = run(&[(300, true), (5_000, true)]).await;
        assert_eq!((won.unwrap(), began), (0, vec![0, 250]));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_each_is_named() {
        let (won, _, _) = run(&[(10, false), (400, false)]).await;
        let error = won.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let text = error.to_string();
        assert!(
            text.contains("192.0.2.1:0: ") && text.contains("192.0.2.1:1: "),
            "{text}"
        );
        let (won, _, _) = run(&[]).await;
        assert_eq!(won.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
