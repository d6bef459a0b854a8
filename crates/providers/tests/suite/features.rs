//! Part by part: what an adapter says yes to is in its request; what it does not say yes to is refused before any I/O.

use posthaste_transport::{ErrorKind, Feature, SendOptions, Transport};

use crate::fake::{Fake, block_on};
use crate::mail;
use crate::samples;

#[test]
fn every_feature_is_in_the_request_or_refused_before_any_request() {
    for sample in samples::all() {
        for feature in Feature::ALL {
            let Some((mail, options)) = mail::needing(*feature) else {
                continue;
            };
            let fake = Fake::new(sample);
            let transport = fake.transport();
            let info = transport.info();
            let sent = block_on(transport.send(&mail, &options));
            let what = format!("{}: {feature}", sample.name);
            if !info.capabilities().supports(*feature) {
                let error = sent.expect_err(&what);
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: {error}");
                assert!(
                    error.unsupported().iter().any(|missing| missing.feature() == *feature),
                    "{what}: {error}"
                );
                assert!(fake.requests().is_empty(), "{what}: a request was made");
                continue;
            }
            let _ = sent.unwrap_or_else(|error| panic!("{what}: {error}"));
            let with = fake.requests();
            let bare = Fake::new(sample);
            let _ = block_on(bare.transport().send(&mail::plain(), &SendOptions::new()));
            let without = bare.requests();
            assert_eq!((with.len(), without.len()), (1, 1), "{what}");
            let text = |request: &posthaste_providers::HttpRequest| {
                let body = request.body().to_bytes().unwrap();
                let head: String = request
                    .headers()
                    .map(|(name, value)| format!("{name}: {value}\n"))
                    .collect();
                format!("{}\n{head}\n{}", request.url(), String::from_utf8_lossy(&body))
            };
            assert_ne!(text(&with[0]), text(&without[0]), "{what}: it makes no difference");
        }
    }
}

#[test]
fn bytes_that_no_field_may_hold_are_refused_where_they_are_set() {
    for text in ["a\r\nBcc: eve@example.org", "a\nb", "a\0b", "a\rb"] {
        assert!(SendOptions::new().with_tag(text).is_err());
        assert!(SendOptions::new().with_metadata(text, "x").is_err());
        assert!(SendOptions::new().with_metadata("x", text).is_err());
        assert!(SendOptions::new().with_stream(text).is_err());
        assert!(SendOptions::new().with_idempotency_key(text).is_err());
        assert!(posthaste_mime::HeaderName::new(text).is_err());
        assert!(posthaste_mime::HeaderValue::new(text).is_err());
        assert!(text.parse::<posthaste_address::EmailAddress>().is_err());
        assert!(posthaste_address::Mailbox::with_name(text, "a@example.org".parse().unwrap()).is_err());
        assert!(posthaste_mime::FileName::new(text).is_err());
        assert!(posthaste_providers::Secret::new(text).is_err());
        assert!(mail::builder().subject(text).build().is_err());
    }
}

#[test]
fn domains_are_written_in_a_labels_and_names_as_they_are() {
    for sample in samples::all() {
        let message = mail::builder()
            .to("\"Příjemce, na adresu\" <to@příklad.example>".parse().unwrap())
            .build()
            .unwrap();
        let mail = posthaste_transport::Outbound::new(message).unwrap();
        let fake = Fake::new(sample);
        let _ = block_on(fake.transport().send(&mail, &SendOptions::new())).unwrap();
        let body = fake.requests()[0].body().to_bytes().unwrap();
        let body = readable(&String::from_utf8_lossy(&body));
        assert!(body.contains("to@xn--pklad-zsa96e.example"), "{}: {body}", sample.name);
        assert!(!body.contains("příklad"), "{}: {body}", sample.name);
        let name_is_there =
            body.contains("Příjemce, na adresu") || body.contains("=?utf-8?") || body.contains("=?UTF-8?");
        assert!(name_is_there, "{}: {body}", sample.name);
    }
}

/// Undoes what forms and JSON inside JSON do to text, and shows what base64 holds.
pub(crate) fn readable(body: &str) -> String {
    let form: String = url::form_urlencoded::parse(body.as_bytes())
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let mut text = format!("{body}\n{form}").replace("\\\"", "\"");
    for word in body.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=-_".contains(c))) {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE};
        if word.len() > 100
            && let Ok(bytes) = STANDARD.decode(word).or_else(|_| URL_SAFE.decode(word))
        {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}
