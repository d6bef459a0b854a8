//! DKIM signatures and keys. The first line of the input is the key record, wherever it is asked for; the rest is the
//! message. Whatever they say, there is a verdict for each signature and no more.
#![no_main]

use std::{future::Future, pin::pin, task, time::Duration, time::SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::dkim;
use posthaste_dns::{Answer, LookupFuture, Record, RecordType, Resolver};

/// Answers every question with one key.
#[derive(Debug)]
struct OneKey(Vec<u8>);

impl Resolver for OneKey {
    fn lookup<'a>(&'a self, _name: &'a str, _kind: RecordType) -> LookupFuture<'a> {
        Box::pin(async { Ok(Answer::new(vec![Record::txt(&self.0)], Duration::from_secs(60))) })
    }
}

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|octet| *octet == b'\n').unwrap_or(0);
    let (key, message) = input.split_at(end);
    let message = message.strip_prefix(b"\n").unwrap_or(message);
    let resolver = OneKey(key.to_vec());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut context = task::Context::from_waker(task::Waker::noop());
    let task::Poll::Ready(verdicts) = pin!(dkim::verify(message, &resolver, now)).poll(&mut context) else {
        unreachable!("the key is there at once")
    };
    let fields = message.split(|octet| *octet == b'\n').count();
    assert!(verdicts.len() <= fields + 1);
});
