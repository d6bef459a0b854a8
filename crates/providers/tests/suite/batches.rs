//! Batches: everybody once, in order, and nobody sees another's address.

use posthaste_mime::Message;
use posthaste_providers::{Batch, HttpResponse, Personal};
use posthaste_transport::{Disposition, Feature, SendOptions};
use proptest::prelude::*;

use crate::fake::{Act, Fake, block_on};
use crate::features::readable;
use crate::samples::{self, Sample};

fn message() -> Message {
    Message::builder()
        .from("app@example.com".parse().unwrap())
        .subject("Hello")
        .text("First line")
        .build()
        .unwrap()
}

fn people(count: usize) -> Vec<Personal> {
    (0..count)
        .map(|number| Personal::new(format!("p{number}x@example.net").parse().unwrap()))
        .collect()
}

/// Sends a batch to so many, and says how many calls were made and with how many messages each.
fn send(sample: &'static Sample, count: usize) -> (posthaste_providers::BatchOutcome, Vec<Vec<usize>>) {
    let many = samples::max_batch(sample);
    // Each call is answered for the messages that it holds.
    let mut fake = Fake::new(sample);
    let mut left = count;
    while left > 0 {
        let here = left.min(many);
        // A call that holds one is answered as any other message.
        if many > 1 {
            let (name, value) = sample.header;
            let answer = HttpResponse::new(sample.accepts.0, (sample.accepts_batch)(here)).with_header(name, value);
            fake = fake.first(Act::Answer(answer));
        }
        left -= here;
    }
    let provider = samples::provider(sample, fake.clone());
    let batch = Batch::new(message()).to_each(people(count));
    let outcome = block_on(provider.send_batch(&batch, &SendOptions::new())).unwrap();
    let calls = fake
        .requests()
        .iter()
        .map(|request| {
            let body = request.body().to_bytes().unwrap();
            let text = readable(&String::from_utf8_lossy(&body));
            (0..count)
                .filter(|number| text.contains(&format!("p{number}x@example.net")))
                .collect()
        })
        .collect();
    (outcome, calls)
}

#[test]
fn everybody_gets_one_message_and_an_outcome_in_order() {
    for sample in samples::all() {
        for count in [1, 2, 7] {
            let (outcome, calls) = send(sample, count);
            let what = format!("{} {count}: {calls:?} {outcome:?}", sample.name);
            assert!(outcome.is_complete(), "{what}");
            let addresses: Vec<String> = outcome
                .recipients()
                .iter()
                .map(|recipient| recipient.address().to_string())
                .collect();
            let expected: Vec<String> = (0..count).map(|number| format!("p{number}x@example.net")).collect();
            assert_eq!(addresses, expected, "{what}");
            let everybody: Vec<usize> = calls.iter().flatten().copied().collect();
            assert_eq!(everybody, (0..count).collect::<Vec<_>>(), "{what}");
            assert_eq!(outcome.calls() as usize, calls.len(), "{what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn calls_hold_as_many_as_they_may_and_cover_everybody_once(extra in 1_usize..40) {
        for sample in samples::all() {
            let many = samples::max_batch(sample);
            let count = if many > 1000 { extra } else { many + extra };
            let (_, calls) = send(sample, count);
            prop_assert!(calls.iter().all(|call| call.len() <= many), "{}", sample.name);
            let everybody: Vec<usize> = calls.iter().flatten().copied().collect();
            prop_assert_eq!(everybody, (0..count).collect::<Vec<_>>(), "{}", sample.name);
            prop_assert_eq!(calls.len(), count.div_ceil(many), "{}", sample.name);
        }
    }
}

#[test]
fn a_call_that_fails_fails_for_its_own_recipients_alone() {
    for sample in samples::all() {
        let many = samples::max_batch(sample);
        let fake = Fake::new(sample).first(Act::Answer(HttpResponse::new(400, "{}")));
        let provider = samples::provider(sample, fake.clone());
        let batch = Batch::new(message()).to_each(people(many.min(1000)));
        let outcome = block_on(provider.send_batch(&batch, &SendOptions::new())).unwrap();
        assert_eq!(outcome.failures().len(), 1, "{}", sample.name);
        assert_eq!(outcome.failures()[0].disposition(), Disposition::NotAccepted);
        assert!(outcome.recipients()[0].fate().refusal().is_some(), "{}", sample.name);
    }
}

#[test]
fn who_is_not_believed_stops_asking() {
    for sample in samples::all() {
        let fake = Fake::new(sample).first(Act::Answer(HttpResponse::new(401, "{}")));
        let provider = samples::provider(sample, fake.clone());
        let batch = Batch::new(message()).to_each(people(samples::max_batch(sample) * 3));
        let outcome = block_on(provider.send_batch(&batch, &SendOptions::new())).unwrap();
        assert_eq!(fake.requests().len(), 1, "{}", sample.name);
        assert_eq!(outcome.recipients().len(), samples::max_batch(sample) * 3);
        assert_eq!(outcome.accepted().count(), 0);
    }
}

#[test]
fn what_a_provider_cannot_do_for_each_is_refused_before_any_call() {
    use posthaste_mime::{HeaderName, HeaderValue};
    let one = || Personal::new("a@example.net".parse().unwrap());
    let cases: [(Feature, Batch); 4] = [
        (
            Feature::StoredTemplate,
            Batch::new(message()).with_template("welcome").to_each([one()]),
        ),
        (
            Feature::PersonalData,
            Batch::new(message()).to_each([one().with_data("name", "Ana")]),
        ),
        (
            Feature::PersonalMetadata,
            Batch::new(message()).to_each([one().with_metadata("order", "42").unwrap()]),
        ),
        (
            Feature::PersonalHeaders,
            Batch::new(message())
                .to_each([one().with_header(HeaderName::new("X-Order").unwrap(), HeaderValue::new("42").unwrap())]),
        ),
    ];
    for sample in samples::all() {
        for (feature, batch) in &cases {
            let fake = Fake::new(sample);
            let provider = samples::provider(sample, fake.clone());
            if samples::capabilities(sample).supports(*feature) {
                continue;
            }
            let error = block_on(provider.send_batch(batch, &SendOptions::new())).unwrap_err();
            assert!(
                error.unsupported().iter().any(|missing| missing.feature() == *feature),
                "{}: {error}",
                sample.name
            );
            assert!(fake.requests().is_empty(), "{}", sample.name);
        }
    }
}

#[test]
fn who_is_named_twice_gets_both_messages_with_their_own_data() {
    for sample in samples::all() {
        let capabilities = samples::capabilities(sample);
        if samples::max_batch(sample) < 2 || !capabilities.supports(Feature::PersonalData) {
            continue;
        }
        let fake = Fake::new(sample);
        let transport = samples::provider(sample, fake.clone());
        let person = |order: &str| Personal::new("Ana <a@example.net>".parse().unwrap()).with_data("order", order);
        let mut batch = Batch::new(message());
        if capabilities.supports(Feature::StoredTemplate) {
            batch = batch.with_template("11111111-2222-3333-4444-555555555555");
        }
        let batch = batch.to_each([person("first-order"), person("second-order")]);
        let sent = block_on(transport.send_batch(&batch, &SendOptions::new()));
        if sent.is_err() {
            // Its template is none, or its texts cannot hold data.
            continue;
        }
        let bodies: Vec<String> = fake
            .requests()
            .iter()
            .map(|request| readable(&String::from_utf8_lossy(&request.body().to_bytes().unwrap())))
            .collect();
        assert_eq!(bodies.len(), 2, "{}", sample.name);
        assert!(
            bodies[0].contains("first-order") && bodies[1].contains("second-order"),
            "{}",
            sample.name
        );
    }
}

#[test]
fn the_key_of_a_call_is_that_of_its_recipients() {
    let sample = samples::all().iter().find(|sample| sample.name == "resend").unwrap();
    let keys = |names: &[&str]| -> Vec<String> {
        let fake = Fake::new(sample);
        let transport = samples::provider(sample, fake.clone());
        // Twice the same address makes two calls.
        let people = names
            .iter()
            .map(|name| Personal::new(format!("{name}@example.net").parse().unwrap()));
        let batch = Batch::new(message()).to_each(people);
        let options = SendOptions::new().with_idempotency_key("order-7").unwrap();
        let _ = block_on(transport.send_batch(&batch, &options)).unwrap();
        fake.requests()
            .iter()
            .map(|request| request.header("Idempotency-Key").unwrap().to_owned())
            .collect()
    };
    let first = keys(&["a", "a", "b", "b", "c"]);
    assert_eq!(first.len(), 3, "{first:?}");
    assert_eq!(first, keys(&["a", "a", "b", "b", "c"]));
    let rest = keys(&["b", "b", "c"]);
    assert!(
        rest.iter().all(|key| key.starts_with("order-7-") && *key != first[0]),
        "{rest:?}"
    );
}
