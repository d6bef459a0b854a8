//! The facade from outside: URLs, and a mailer with all its layers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::{Duration, Instant};

use posthaste::dkim::{Signer, SigningKey};
use posthaste::transport::Scripted;
use posthaste::{
    ConnectError, Disposition, Limit, Mailer, MemoryTransport, Message, Registry, Reply, RetryPolicy, SendError,
    SendOptions, TransportExt,
};

fn message() -> Message {
    Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .bcc("carol@example.net".parse().unwrap())
        .subject("Hello")
        .text("First line")
        .build()
        .unwrap()
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn urls_make_transports() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("file://{}", folder.path().display());
    for (url, name) in [
        ("memory://", "memory"),
        ("MEMORY://", "memory"),
        (file.as_str(), "file"),
        ("smtp://localhost", "smtp"),
        ("smtps://ada:sesame@mail.example.org:4650", "smtp"),
        ("lmtp://127.0.0.1?tls=none", "smtp"),
        ("smtp+gmail://ada:sesame@default", "smtp"),
        ("SMTP+SES://ada:sesame@eu-west-1:587", "smtp"),
        ("sendmail:///usr/sbin/sendmail?timeout=30s", "sendmail"),
    ] {
        assert_eq!(posthaste::connect(url).unwrap().info().name(), name, "{url}");
    }
}

#[test]
fn wrong_urls_are_refused_with_the_reason_and_without_the_password() {
    for (url, expected) in [
        ("mail.example.org", "begins with a scheme"),
        ("imap://ada:sesame@host", "unknown scheme `imap`; known are: "),
        ("memory://?size=3", "memory:// takes no option `size`"),
        ("memory://host", "memory:// takes no host or path"),
        ("file://host/path", "file:///path"),
        ("file:///tmp/out?mode=3", "takes no option `mode`"),
        ("smtp://ada:sesame@host/?retries=3", "retries"),
        ("smtps://ada:sesame@host:99999", "not"),
        ("sesame@host:25", "begins with a scheme"),
        ("smtp://ada:12?sesame@host", "behind the host"),
        ("smtps://", ""),
        ("smtp+gmial://ada:sesame@default", "preset"),
        ("lmtp+gmail://ada:sesame@default", "unknown scheme"),
    ] {
        let error = posthaste::connect(url).unwrap_err();
        let text = error_chain(&error);
        assert!(text.contains(expected), "{url}: {text}");
        assert!(
            !format!("{text}{error:?}").contains("sesame"),
            "{url}: {text} {error:?}"
        );
    }
}

#[test]
fn a_registry_is_a_plain_value() {
    let registry = Registry::empty().with("here", |_| Ok(std::sync::Arc::new(MemoryTransport::new())));
    assert_eq!(registry.schemes().collect::<Vec<_>>(), ["here"]);
    assert!(registry.connect("here://").is_ok());
    assert!(matches!(
        registry.connect("memory://"),
        Err(ConnectError::UnknownScheme { .. })
    ));
}

#[tokio::test]
async fn all_layers_together() {
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("s1".parse().unwrap(), SigningKey::generate_ed25519().unwrap())
        .build()
        .unwrap();
    let caught = MemoryTransport::new();
    let mailer = Mailer::builder(caught.clone())
        .sign(signer)
        .limit(Limit::per_second(1_000).unwrap())
        .retry(RetryPolicy::default())
        .build();
    let outcome = mailer.send(message()).await.unwrap();
    assert!(outcome.is_complete());
    assert_eq!(outcome.recipients().len(), 2);

    let sent = &caught.sent()[0];
    let bytes = sent.rope().to_bytes().unwrap();
    assert!(bytes.starts_with(b"DKIM-Signature: v=1; a=ed25519-sha256;"));
    assert!(
        !String::from_utf8_lossy(&bytes).contains("carol"),
        "Bcc never reaches the bytes"
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_carries_the_same_signature_and_message_id() {
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("s1".parse().unwrap(), SigningKey::generate_ed25519().unwrap())
        .build()
        .unwrap();
    let caught = MemoryTransport::new();
    caught.answer(Scripted::Fail(SendError::from_reply(Reply::new(451, ["4.3.0 later"]))));
    let mailer = Mailer::builder(caught.clone())
        .sign(signer)
        .retry(RetryPolicy::default())
        .build();
    let outcome = mailer.send(message()).await.unwrap();
    assert_eq!((outcome.attempts(), caught.attempts()), (2, 2));
    let text = String::from_utf8_lossy(&caught.sent()[0].rope().to_bytes().unwrap()).into_owned();
    assert_eq!(
        text.matches("DKIM-Signature:").count(),
        1,
        "signed once, whatever the attempts"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_repeated() {
    let caught = MemoryTransport::new();
    caught.answer(Scripted::LoseAnswer);
    let mailer = Mailer::builder(caught.clone()).retry(RetryPolicy::default()).build();
    let error = mailer.send(message()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Ambiguous);
    assert_eq!(caught.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_between_transport_and_retry() {
    let caught = MemoryTransport::new();
    let limit = Limit::per_second(2).unwrap().burst(2).unwrap();
    let mailer = Mailer::builder(caught.clone()).limit(limit).build();
    // Two recipients a message, and the limiter's clock is the real one: the second message cannot be admitted within
    // the deadline, and says so instead of sending.
    let options = SendOptions::new().with_deadline(Duration::from_millis(50));
    let mail = posthaste::Outbound::new(message()).unwrap();
    let begun = Instant::now();
    assert!(mailer.send_with(&mail, &options).await.unwrap().is_complete());
    let error = mailer.send_with(&mail, &options).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted, "{error}");
    assert_eq!(caught.attempts(), 1);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_mailer_is_a_transport_of_ones_own_stacking_too() {
    let caught = MemoryTransport::new();
    let stacked = caught
        .clone()
        .layer(posthaste::transport::layers::Retry::new(RetryPolicy::default()));
    assert!(
        Mailer::builder(stacked)
            .build()
            .send(message())
            .await
            .unwrap()
            .is_complete()
    );
    assert_eq!(caught.sent().len(), 1);
}
