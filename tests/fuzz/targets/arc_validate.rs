//! ARC chains. The first line of the input is the key record, wherever it is asked for; the rest is the message. Whatever it says,
//! there is a result; and what can be sealed holds then, unless it was broken before, and breaks with its body.
#![no_main]

use std::{future::Future, pin::pin, sync::LazyLock, task, time::Duration, time::SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::arc::{self, Chain, ChainResult, Payload, Sealer};
use posthaste_auth::authres::AuthenticationResults;
use posthaste_auth::dkim::SigningKey;
use posthaste_dns::{Answer, LookupFuture, Record, RecordType, Resolver};

/// Answers questions for our own key with that, and every other with one key.
#[derive(Debug)]
struct OneKey<'a>(&'a [u8]);

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    let key = SigningKey::from_ed25519_seed(&[1; 32]).expect("32 octets");
    let builder = Sealer::builder("example.org".parse().expect("valid"));
    builder.key("own".parse().expect("valid"), key).build().expect("valid")
});

impl Resolver for OneKey<'_> {
    fn lookup<'a>(&'a self, name: &'a str, _kind: RecordType) -> LookupFuture<'a> {
        let own = SEALER.dns_record().expect("a key that is here");
        let record = if name == own.name() {
            Record::txt(own.text())
        } else {
            Record::txt(self.0)
        };
        Box::pin(async { Ok(Answer::new(vec![record], Duration::from_secs(60))) })
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn validate(message: &[u8], resolver: &OneKey<'_>) -> Chain {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(arc::validate(message, resolver, now())).poll(&mut context) {
        task::Poll::Ready(chain) => chain,
        task::Poll::Pending => unreachable!("the key is there at once"),
    }
}

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|octet| *octet == b'\n').unwrap_or(0);
    let (key, message) = input.split_at(end);
    let message = message.strip_prefix(b"\n").unwrap_or(message);
    let resolver = OneKey(key);

    let chain = validate(message, &resolver);
    assert_eq!(chain.reason().is_some(), chain.result() == ChainResult::Fail);
    assert!(chain.sets().len() <= 50);
    let results = AuthenticationResults::new("mx.example.org").with(chain.method_result(None));
    let payload = Payload::of_message(message, "mx.example.org").unwrap_or_else(|| Payload::from(&results));
    let set = SEALER.seal(message, payload, &chain, now());
    let Ok(set) = set.or_else(|_| SEALER.seal(message, &results, &chain, now())) else {
        return;
    };
    let mut sealed = [set.as_bytes(), message].concat();
    let held = set.contains(" cv=none;") || set.contains(" cv=pass;");
    let again = validate(&sealed, &resolver);
    assert_eq!(
        again.result(),
        if held { ChainResult::Pass } else { ChainResult::Fail },
        "{again:?}"
    );
    // An empty line first: without one there was no body to change.
    sealed.extend_from_slice(b"\r\n\r\nmore");
    assert_eq!(validate(&sealed, &resolver).result(), ChainResult::Fail);
});
