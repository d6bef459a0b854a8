//! Providers that a file describes: what is wrong with a file, and what a message cannot do to the request.

use posthaste_mime::{Attachment, ContentType, HeaderName, HeaderValue};
use posthaste_providers::{Description, DescriptionError, Generic, Provider, SettingsError, connect};
use posthaste_transport::{ErrorKind, Feature, Outbound, SendOptions, Transport};
use proptest::prelude::*;
use serde_json::Value;

use crate::fake::{Act, Fake, block_on};
use crate::mail;
use crate::samples::{self, Sample};

fn sample(name: &str) -> &'static Sample {
    samples::all().iter().find(|sample| sample.name == name).unwrap()
}

fn json(fake: &Fake) -> Value {
    serde_json::from_slice(&fake.requests()[0].body().to_bytes().unwrap()).unwrap()
}

#[test]
fn the_description_of_postmark_does_what_its_adapter_does() {
    let (own, described) = (sample("postmark"), sample("postmark-described"));
    let capabilities = samples::capabilities(described);
    for feature in [
        Feature::Attachments,
        Feature::InlineParts,
        Feature::CustomHeaders,
        Feature::Stream,
    ] {
        assert!(capabilities.supports(feature), "{feature}");
    }
    for (mail, options) in [(mail::plain(), SendOptions::new()), mail::full(&capabilities)] {
        let bodies = [own, described].map(|sample| {
            let fake = Fake::new(sample);
            let _ = block_on(fake.transport().send(&mail, &options)).unwrap();
            let request = &fake.requests()[0];
            let key = request.header("X-Postmark-Server-Token").map(str::to_owned);
            (request.url().to_owned(), key, json(&fake))
        });
        assert_eq!(bodies[0], bodies[1]);
    }
}

#[test]
fn codes_mean_what_the_description_says() {
    for (body, kind) in [
        (r#"{"ErrorCode":406,"Message":"inactive"}"#, ErrorKind::Rejected),
        (r#"{"ErrorCode":10,"Message":"key"}"#, ErrorKind::Unauthorized),
        (r#"{"ErrorCode":429,"Message":"slow"}"#, ErrorKind::Throttled),
        (r#"{"ErrorCode":300,"Message":"odd"}"#, ErrorKind::Invalid),
    ] {
        for status in [200, 422] {
            let answer = posthaste_providers::HttpResponse::new(status, body);
            let fake = Fake::new(sample("postmark-described")).first(Act::Answer(answer));
            let error = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap_err();
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert_eq!(
                error.disposition(),
                posthaste_transport::Disposition::NotAccepted,
                "{status} {body}"
            );
        }
    }
}

#[test]
fn what_is_not_described_is_refused_before_any_request() {
    let description: Description = ONE.parse().unwrap();
    let fake = Fake::new(sample("mailpace"));
    let provider = Provider::with_client(
        Generic::new(description, Some("hidden".to_owned())).unwrap(),
        fake.clone(),
    );
    let to = || mail::builder().to("a@example.net".parse().unwrap());
    for builder in [
        to().to("b@example.net".parse().unwrap()),
        to().cc("b@example.net".parse().unwrap()),
        to().bcc("b@example.net".parse().unwrap()),
        to().reply_to("b@example.net".parse().unwrap()),
    ] {
        let mail = Outbound::new(builder.build().unwrap()).unwrap();
        let error = block_on(provider.send(&mail, &SendOptions::new())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    assert!(fake.requests().is_empty());
    let _ = block_on(provider.send(&mail::plain(), &SendOptions::new())).unwrap();
    assert_eq!(
        json(&fake),
        serde_json::json!({
            "constant": {"version": 2, "sandbox": false, "list": [1.5, "a {brace}"]},
            "from": "app@example.com", "to": "mailto:a@example.net", "subject": "Hello", "text": "First line",
        })
    );
}

/// A provider that takes one recipient.
const ONE: &str = r#"
name = "one"
[request]
url = "http://127.0.0.1:1/send"
auth = { value = "Key {key}" }
[request.json]
constant = { version = 2, sandbox = false, list = [1.5, "a {{brace}}"] }
from = "{from.email}"
to = "mailto:{to.email}"
subject = "{subject}"
text = "{text}"
html = "{html}"
nobody = [{ name = "{to.name}" }]
"#;

#[test]
fn what_is_wrong_with_a_description_is_said_with_its_place() {
    for (from, to, error) in [
        (
            "name = \"one\"",
            "name = \"one\"\ntitle = \"x\"",
            "line 3: unknown field `title`",
        ),
        ("name = \"one\"", "", "line 1: missing field `name`"),
        ("name = \"one\"", "name = \"Acme Mail\"", "name is not one word"),
        ("name = \"one\"", "name = one", "line 2: "),
        (
            "http://127.0.0.1:1/send",
            "http://acme.example/",
            "request.url is not https",
        ),
        (
            "http://127.0.0.1:1/send",
            "https://key@acme.example/",
            "request.url holds a key",
        ),
        ("http://127.0.0.1:1/send", "send", "request.url is no URL"),
        ("Key {key}", "Key", "request.auth.value has no {key}"),
        ("Key {key}", "Key {key}\\n", "request.auth.value is not printable"),
        ("{ value = ", "{ basic = ", "request.auth.basic is not user:password"),
        (
            "{ value = ",
            "{ header = \"a b\", value = ",
            "request.auth.header is no name",
        ),
        ("{subject}", "x", "request names no {subject}"),
        (
            "{to.email}",
            "{to.mail}",
            "request.json.to there is no placeholder {to.mail}",
        ),
        (
            "{from.email}",
            "{email}",
            "request.json.from there is no placeholder {email}",
        ),
        (
            "mailto:{to.email}",
            "mailto:{to.list}",
            "request.json.to has a placeholder among text",
        ),
        ("{text}", "{text", "request.json.text has a `{` without"),
        ("{text}", "{text}}", "request.json.text has a `}` without"),
        (
            "version = 2",
            "version = nan",
            "request.json.constant.version is no number",
        ),
        (
            "version = 2",
            "version = 2026-11-23",
            "request.json.constant.version is a date",
        ),
        (
            "version = 2",
            "version = { each = \"to\" }",
            "request.json.constant.version has `each`",
        ),
        (
            "version = 2",
            "version = { each = \"x\", as = 1 }",
            "request.json.constant.version.each names no list",
        ),
        (
            "version = 2",
            "version = { when = \"subject\", yes = 1, no = 2 }",
            "request.json.constant.version.when",
        ),
        (
            "nobody = [",
            "nobody = { each = \"to\", as = { each = \"cc\", as = 1 } }\nx = [",
            "request.json.nobody.as is a list inside",
        ),
        (
            "nobody = [",
            "nobody = { each = \"files\", as = \"{name}\" }\nx = [",
            "request lists files without",
        ),
        ("[request.json]", "[request.form]\n[request.json]", "request has one of"),
        (
            "[request.json]",
            "[answer]\nid = \"id\"\n[request.json]",
            "answer.id is no JSON pointer",
        ),
        (
            "[request.json]",
            "[answer]\naccepted = [302]\n[request.json]",
            "answer.accepted has 302",
        ),
        (
            "[request.json]",
            "[[answer.errors]]\nkind = \"invalid\"\n[request.json]",
            "answer.errors.0 has neither",
        ),
        (
            "[request.json]",
            "[[answer.errors]]\ncode = \"1\"\nkind = \"invalid\"\n[request.json]",
            "answer.errors.0 has a code",
        ),
        (
            "[request.json]",
            "[[answer.errors]]\nstatus = 1\nkind = \"bad\"\n[request.json]",
            "unknown variant `bad`",
        ),
    ] {
        assert!(ONE.contains(from), "{from}");
        let text = ONE.replacen(from, to, 1);
        let found = text.parse::<Description>().expect_err(error).to_string();
        assert!(found.contains(error), "{found} is not {error}");
    }
    let deep = format!("nobody = {}1{}\nx = [", "[".repeat(60), "]".repeat(60));
    let error = ONE.replacen("nobody = [", &deep, 1).parse::<Description>().unwrap_err();
    assert!(error.to_string().contains("nested too deeply"), "{error}");
}

#[test]
fn urls_say_what_they_lack() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/descriptions/mailpace.toml");
    let client = || Fake::new(sample("mailpace"));
    let error = |url: &str| connect(url, client()).map(|_| ()).unwrap_err();
    assert_eq!(error("generic://key@default"), SettingsError::Missing("file"));
    assert_eq!(
        error(&format!("generic://default?file={path}")),
        SettingsError::Missing("key")
    );
    assert!(matches!(
        error("generic://key@default?file=/nowhere/at/all.toml"),
        SettingsError::Description(DescriptionError::File(std::io::ErrorKind::NotFound))
    ));
    assert!(matches!(
        error(&format!("generic://key@default?file={path}&region=eu")),
        SettingsError::UnknownKey { .. }
    ));
    assert_eq!(
        connect(&format!("generic://key@default?file={path}"), client())
            .unwrap()
            .info()
            .name(),
        "mailpace"
    );
}

/// The examples of the page, whole, are descriptions.
#[test]
fn the_page_about_descriptions_holds_descriptions() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generic-provider.md")).unwrap();
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        let _ = example
            .parse::<Description>()
            .unwrap_or_else(|error| panic!("{error} in {example}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a message says, it stays where the description puts it.
    #[test]
    fn no_text_leaves_its_place(
        subject in "[ -~\u{e0}-\u{ff}]{1,40}", text in any::<String>(), name in "[ -~]{1,20}[a-z]", value in "[!-~]{1,30}",
    ) {
        let pdf = ContentType::parse("application/pdf").unwrap();
        let Ok(file) = Attachment::new(name.as_str(), pdf, &b"x"[..]) else { return Ok(()) };
        let builder = mail::builder()
            .to("a@example.net".parse().unwrap())
            .subject(subject.as_str())
            .text(text.as_str())
            .header(HeaderName::new("X-Order").unwrap(), HeaderValue::new(&value).unwrap())
            .attach(file);
        let Ok(message) = builder.build() else { return Ok(()) };
        let mail = Outbound::new(message.clone()).unwrap();

        let fake = Fake::new(sample("smtp2go"));
        let _ = block_on(fake.transport().send(&mail, &SendOptions::new())).unwrap();
        let json = json(&fake);
        prop_assert_eq!(json["subject"].as_str(), message.subject());
        prop_assert_eq!(json["text_body"].as_str(), message.text());
        prop_assert_eq!(json["custom_headers"][0]["value"].as_str(), Some(value.as_str()));
        prop_assert_eq!(json.as_object().unwrap().len(), 6);

        let fake = Fake::new(sample("a-form"));
        let _ = block_on(fake.transport().send(&mail, &SendOptions::new())).unwrap();
        let body = fake.requests()[0].body().to_bytes().unwrap();
        let body = String::from_utf8_lossy(&body);
        // Attachment, from, headers, subject, text, to twice.
        prop_assert_eq!(body.matches("-form\r\nContent-Disposition: form-data; name=\"").count(), 7);
    }

    #[test]
    fn reading_descriptions_never_panics(text in "([a-z]{1,6}( = |\\.|\\[|\\]|\\{|\\}|\"|,|\n)){0,20}", cut in 0_usize..600) {
        let _ = text.parse::<Description>();
        let half: String = ONE.chars().take(cut).collect();
        let _ = half.parse::<Description>();
        let _ = format!("{half}{text}").parse::<Description>();
    }
}
