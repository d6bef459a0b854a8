//! Answers: what is accepted, what is refused, and what nobody can make sense of.

use std::time::{Duration, SystemTime};

use posthaste_providers::{HttpResponse, ProviderError};
use posthaste_transport::{Disposition, ErrorKind, Retry, SendOptions, Transport};

use crate::fake::{Act, Fake, block_on};
use crate::mail;
use crate::samples;

#[test]
fn an_acceptance_gives_its_id() {
    for sample in samples::all() {
        let fake = Fake::new(sample);
        let outcome = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap();
        assert!(outcome.is_complete(), "{}", sample.name);
        let id = outcome.provider_id().or_else(|| outcome.recipients()[0].provider_id());
        assert_eq!(id, sample.id, "{}", sample.name);
        assert_eq!(outcome.message_id(), Some("id@example.com"), "{}", sample.name);
    }
}

#[test]
fn statuses_say_what_may_be_repeated() {
    use Disposition::{Ambiguous, NotAccepted};
    for sample in samples::all() {
        for (status, dispositions, retry) in [
            (400, &[NotAccepted][..], Some(Retry::Never)),
            (401, &[NotAccepted], Some(Retry::Never)),
            (403, &[NotAccepted], Some(Retry::Never)),
            (404, &[NotAccepted], Some(Retry::Never)),
            (413, &[NotAccepted], Some(Retry::Never)),
            (422, &[NotAccepted], Some(Retry::Never)),
            (429, &[NotAccepted], Some(Retry::Safe)),
            (500, &[Ambiguous, NotAccepted], None),
            (502, &[Ambiguous], Some(Retry::MayDuplicate)),
            (504, &[Ambiguous], Some(Retry::MayDuplicate)),
        ] {
            for body in [
                "",
                "{}",
                "[]",
                "null",
                "<html>Bad Gateway</html>",
                "{\"message\":",
                "{\"errors\":[{}]}",
                "{\"errors\":[null,1]}",
                "{\"error\":{\"message\":1}}",
                "{\"message\":\"refused\",\"code\":7}",
            ] {
                let fake = Fake::new(sample).first(Act::Answer(HttpResponse::new(status, body)));
                let error = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap_err();
                let what = format!("{} {status} {body}: {error:?}", sample.name);
                assert!(dispositions.contains(&error.disposition()), "{what}");
                if let Some(retry) = retry {
                    assert_eq!(error.retry(), retry, "{what}");
                }
                let source =
                    std::error::Error::source(&error).and_then(|source| source.downcast_ref::<ProviderError>());
                assert_eq!(source.map(ProviderError::status), Some(status), "{what}");
            }
        }
    }
}

#[test]
fn retry_after_is_taken_in_seconds_and_as_a_date() {
    let in_a_minute = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
    for sample in samples::all() {
        for (value, least, most) in [("17", 17, 17), (in_a_minute.as_str(), 60, 90)] {
            for status in [429, 503] {
                let answer = HttpResponse::new(status, "{}").with_header("retry-after", value);
                let fake = Fake::new(sample).first(Act::Answer(answer));
                let error = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap_err();
                let what = format!("{} {status} {value}: {error:?}", sample.name);
                let seconds = error.retry_after().map(|wait| wait.as_secs());
                assert!(
                    seconds.is_some_and(|seconds| (least..=most).contains(&seconds)),
                    "{what}"
                );
                assert_eq!(error.disposition(), Disposition::NotAccepted, "{what}");
                assert_eq!(error.retry(), Retry::Safe, "{what}");
            }
        }
    }
}

#[test]
fn an_acceptance_that_makes_no_sense_is_not_repeated() {
    for sample in samples::all() {
        // Where the status says it all, there is nothing that could make no sense.
        if sample.accepts.1.is_empty() {
            continue;
        }
        for body in [
            "",
            "<html></html>",
            "{",
            "[]",
            "{}",
            "null",
            "1",
            "\"\"",
            "[null]",
            "{\"status\":1}",
        ] {
            let answer = HttpResponse::new(sample.accepts.0, body);
            let fake = Fake::new(sample).first(Act::Answer(answer));
            let sent = block_on(fake.transport().send(&mail::plain(), &SendOptions::new()));
            let what = format!("{} {body}: {sent:?}", sample.name);
            match sent {
                // Some say nothing but yes: then the id is what is missing.
                Ok(outcome) => assert_eq!(outcome.provider_id(), None, "{what}"),
                Err(error) => assert_ne!(error.retry(), Retry::Safe, "{what}"),
            }
        }
        let whole = Fake::new(sample).accepts();
        let cut = HttpResponse::new(whole.status(), whole.body().clone()).truncated();
        let fake = Fake::new(sample).first(Act::Answer(cut));
        if let Err(error) = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())) {
            assert_ne!(error.retry(), Retry::Safe, "{}: {error}", sample.name);
        }
    }
}

#[test]
fn a_redirect_is_refused() {
    for sample in samples::all() {
        for status in [301, 302, 307, 308] {
            let answer = HttpResponse::new(status, "").with_header("Location", "https://evil.example/");
            let fake = Fake::new(sample).first(Act::Answer(answer));
            let error = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{}", sample.name);
            assert_eq!(fake.requests().len(), 1, "{}", sample.name);
        }
    }
}
