//! Failover between two providers that fail in every way there is: no message is sent twice, and none is lost.
//!
//! Both providers are made up, and keep count of what they took. Faults are drawn from a fixed seed, time is virtual.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use posthaste_mime::Message;
use posthaste_providers::{HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse, Postmark, Provider, SendGrid};
use posthaste_transport::layers::{Failover, HealthPolicy, Idempotency, Retry, RetryPolicy, RoundRobin};
use posthaste_transport::{Disposition, Fate, Outbound, Outcome, SendError, SendOptions, Transport, TransportExt};

const MESSAGES: u32 = 10_000;

/// Random numbers that are always the same (xorshift64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What was taken, by message and recipient: how often.
type Ledger = Arc<Mutex<HashMap<(u32, u32), u32>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Postmark,
    SendGrid,
}

/// A provider that takes messages and fails as the dice fall.
#[derive(Debug)]
struct Fickle {
    dice: Mutex<Dice>,
    ledger: Ledger,
    provider: Name,
}

impl Fickle {
    fn take(&self, message: u32, recipients: &[u32]) {
        let mut ledger = self.ledger.lock().unwrap();
        for recipient in recipients {
            *ledger.entry((message, *recipient)).or_default() += 1;
        }
    }
}

/// The number of the message in a request, and those of its recipients.
fn read(request: &HttpRequest) -> (u32, Vec<u32>) {
    let body = request.body().to_bytes().unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    let message = text.split_once("message-").unwrap().1;
    let message = message.split('-').next().unwrap().parse().unwrap();
    let recipients = (0..3).filter(|number| text.contains(&format!("r{number}@example.net")));
    (message, recipients.collect())
}

impl HttpClient for Fickle {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        let fault = self.dice.lock().unwrap().below(40);
        Box::pin(async move {
            let (message, recipients) = read(&request);
            match fault {
                0 => return Err(HttpError::new("nobody is there")),
                1 => std::future::pending::<()>().await,
                _ => {}
            }
            request.progress().begin();
            Ok(match fault {
                2 => {
                    self.take(message, &recipients);
                    HttpResponse::new(500, "<html>oops</html>")
                }
                3 => {
                    self.take(message, &recipients);
                    return Err(HttpError::new("connection reset"));
                }
                4 => return Err(HttpError::new("connection reset before it was taken")),
                5 => {
                    self.take(message, &recipients);
                    std::future::pending().await
                }
                6 => {
                    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
                    HttpResponse::new(429, "{}").with_header("Retry-After", soon)
                }
                7 => HttpResponse::new(503, "").with_header("Retry-After", "1"),
                8 => HttpResponse::new(502, "bad gateway"),
                9 => HttpResponse::new(401, "{}"),
                10 => {
                    self.take(message, &recipients);
                    HttpResponse::new(200, "{\"half\":")
                }
                // The last recipient is refused, the others are taken.
                11 if recipients.len() > 1 && self.provider == Name::Postmark => {
                    let (last, others) = recipients.split_last().unwrap();
                    self.take(message, others);
                    HttpResponse::new(
                        200,
                        format!(
                            "{{\"ErrorCode\":0,\"Message\":\"Message OK, but will not deliver to these inactive addresses: \
                             r{last}@example.net.\",\"MessageID\":\"1\"}}"
                        ),
                    )
                }
                _ => {
                    self.take(message, &recipients);
                    self.provider.accepts()
                }
            })
        })
    }
}

impl Name {
    fn accepts(self) -> HttpResponse {
        match self {
            Self::Postmark => HttpResponse::new(200, "{\"ErrorCode\":0,\"Message\":\"OK\",\"MessageID\":\"1\"}"),
            Self::SendGrid => HttpResponse::new(202, "").with_header("X-Message-Id", "1"),
        }
    }
}

fn mail(number: u32, recipients: u32) -> Outbound {
    let mut builder = Message::builder()
        .from("app@example.com".parse().unwrap())
        .subject(format!("message-{number}-"))
        .text("First line");
    for recipient in 0..recipients {
        builder = builder.to(format!("r{recipient}@example.net").parse().unwrap());
    }
    Outbound::new(builder.build().unwrap()).unwrap()
}

/// How often each recipient of a message has it.
fn copies(ledgers: &[Ledger], message: u32, recipient: u32) -> u32 {
    ledgers
        .iter()
        .map(|ledger| {
            let ledger = ledger.lock().unwrap();
            ledger.get(&(message, recipient)).copied().unwrap_or(0)
        })
        .sum()
}

fn check(number: u32, recipients: u32, result: &Result<Outcome, SendError>, ledgers: &[Ledger]) {
    let fates: Vec<Fate> = match result {
        Ok(outcome) => outcome.recipients().iter().map(|one| one.fate().clone()).collect(),
        Err(error) => match error.outcome() {
            Some(outcome) => outcome.recipients().iter().map(|one| one.fate().clone()).collect(),
            None if error.disposition() == Disposition::NotAccepted => Vec::new(),
            None => vec![Fate::Unknown; recipients as usize],
        },
    };
    for recipient in 0..recipients {
        let copies = copies(ledgers, number, recipient);
        let what = format!("message {number}, recipient {recipient}: {copies} copies, {result:?}");
        assert!(copies <= 1, "sent twice: {what}");
        match fates.get(recipient as usize) {
            Some(Fate::Accepted) => assert_eq!(copies, 1, "lost: {what}"),
            Some(Fate::Refused(_)) | None => assert_eq!(copies, 0, "taken, and nobody says so: {what}"),
            Some(_) => {}
        }
    }
}

/// A member of a stack: a provider that fails, tried thrice.
fn members(ledgers: &[Ledger; 2]) -> [Arc<dyn Transport>; 2] {
    let fickle = |index: usize, provider| Fickle {
        dice: Mutex::new(Dice(0x9e37_79b9_7f4a_7c15 + index as u64)),
        ledger: Arc::clone(&ledgers[index]),
        provider,
    };
    let retry = || {
        Retry::new(
            RetryPolicy::default()
                .with_attempts(NonZeroU32::new(3).unwrap())
                .with_base_delay(Duration::from_millis(100)),
        )
    };
    let first = Provider::with_client(Postmark::new("token").unwrap(), fickle(0, Name::Postmark));
    let second = Provider::with_client(SendGrid::new("key").unwrap(), fickle(1, Name::SendGrid));
    [
        Arc::new(first.with_timeout(Duration::from_secs(5)).layer(retry())),
        Arc::new(second.with_timeout(Duration::from_secs(5)).layer(retry())),
    ]
}

fn health() -> HealthPolicy {
    HealthPolicy::default().with_rest(Duration::from_secs(1))
}

/// What became of the messages: how many came through, were certainly not taken, or may have been.
#[derive(Debug, Default)]
struct Counts {
    accepted: u32,
    refused: u32,
    open: u32,
}

impl Counts {
    fn of(results: &[Result<Outcome, SendError>]) -> Self {
        let mut counts = Self::default();
        for result in results {
            match result {
                Ok(_) => counts.accepted += 1,
                Err(error) if error.disposition() == Disposition::NotAccepted => counts.refused += 1,
                Err(_) => counts.open += 1,
            }
        }
        counts
    }

    /// The dice are always the same: most come through, and every way of failing was met.
    fn check(&self) {
        assert_eq!(self.accepted + self.refused + self.open, MESSAGES);
        assert!(self.accepted > MESSAGES / 2 && self.open > 100, "{self:?}");
    }
}

/// Sends every message, so many at once, and checks what each send says against what the providers took.
async fn send_all(stack: &dyn Transport, ledgers: &[Ledger], at_once: usize) -> Counts {
    let options = SendOptions::new().with_deadline(Duration::from_secs(60));
    let sends = stream::iter(0..MESSAGES).map(async |number| {
        let recipients = 1 + number % 3;
        let result = stack.send(&mail(number, recipients), &options).await;
        check(number, recipients, &result, ledgers);
        result
    });
    Counts::of(&sends.buffer_unordered(at_once).collect::<Vec<_>>().await)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_twice_and_nothing_is_lost() {
    let ledgers = Default::default();
    let stack = Failover::new(members(&ledgers)).with_health(health());
    send_all(&stack, &ledgers, 1).await.check();
}

#[tokio::test(start_paused = true)]
async fn nor_when_many_are_under_way() {
    let ledgers = Default::default();
    let stack = Failover::new(members(&ledgers)).with_health(health());
    send_all(&stack, &ledgers, 64).await.check();
}

#[tokio::test(start_paused = true)]
async fn nor_when_they_take_turns() {
    let ledgers = Default::default();
    let stack = RoundRobin::new(members(&ledgers)).with_health(health());
    send_all(&stack, &ledgers, 64).await.check();
    let taken = |ledger: &Ledger| ledger.lock().unwrap().len();
    assert!(taken(&ledgers[0]) > 5000 && taken(&ledgers[1]) > 5000);
}

/// Who does not know what became of a message sends it again under the same key, until it says so.
#[tokio::test(start_paused = true)]
async fn nor_when_every_send_is_repeated() {
    let ledgers = Default::default();
    let stack = Failover::new(members(&ledgers))
        .with_health(health())
        .layer(Idempotency::in_memory());
    let mut results = Vec::new();
    for number in 0..MESSAGES {
        let recipients = 1 + number % 3;
        let options = SendOptions::new()
            .with_deadline(Duration::from_secs(60))
            .with_idempotency_key(format!("message {number}"))
            .unwrap();
        let mail = mail(number, recipients);
        let first = stack.send(&mail, &options).await;
        check(number, recipients, &first, &ledgers);
        let again = stack.send(&mail, &options).await;
        let is_settled = |result: &Result<Outcome, SendError>| match result {
            Ok(_) => true,
            Err(error) => error.disposition() != Disposition::NotAccepted,
        };
        match (&first, &again) {
            (Ok(first), Ok(again)) => assert_eq!(first.recipients(), again.recipients()),
            (first, again) if is_settled(first) => assert!(is_settled(again) && again.is_err(), "{first:?} {again:?}"),
            // It was not taken: the repeat is a send of its own.
            (_, again) => check(number, recipients, again, &ledgers),
        }
        for recipient in 0..recipients {
            assert!(
                copies(&ledgers, number, recipient) <= 1,
                "message {number} was sent twice"
            );
        }
        results.push(again);
    }
    let counts = Counts::of(&results);
    counts.check();
    assert!(counts.refused < MESSAGES / 100, "{counts:?}");
}
