use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_auth::dkim::{
    Algorithm, DkimResult, KeyServiceError, PublicKey, RemoteKey, RemoteSignature, Selector, Signer, SigningInput,
    SigningKey, verify,
};
use posthaste_dns::Zone;
use posthaste_mime::Clock;

use super::*;
use crate::testing::{Generated, mail, streaming};
use crate::{
    Capabilities, ErrorKind, Feature, MemoryTransport, Outbound, Retry, SendOptions, Transport, TransportExt,
    TransportInfo,
};

#[derive(Debug)]
struct Fixed(SystemTime);

impl Clock for Fixed {
    fn now(&self) -> SystemTime {
        self.0
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// A layer that signs for example.org, and the DNS that its key is in.
fn layer() -> (Sign, Zone) {
    let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    let record = key.dns_record();
    let zone = Zone::parse(&format!("s1._domainkey.example.org. 300 IN TXT \"{record}\"\n")).unwrap();
    let selector: Selector = "s1".parse().unwrap();
    let signer = Signer::builder("example.org".parse().unwrap())
        .key(selector, key)
        .build()
        .unwrap();
    (Sign::new(signer).with_clock(Arc::new(Fixed(now()))), zone)
}

#[tokio::test]
async fn what_is_sent_verifies() {
    let (sign, zone) = layer();
    let memory = MemoryTransport::new();
    let mail = mail(&["bob@example.net"]);
    let outcome = memory
        .clone()
        .layer(sign)
        .send(&mail, &SendOptions::new())
        .await
        .unwrap();
    assert_eq!(outcome.message_id(), mail.message_id());

    let bytes = memory.sent()[0].rope().to_bytes().unwrap();
    assert!(bytes.starts_with(b"DKIM-Signature: "));
    assert!(bytes.ends_with(&mail.rope().to_bytes().unwrap()));
    let verdicts = verify(&bytes, &zone, now()).await;
    assert_eq!(
        verdicts.iter().map(|verdict| verdict.result()).collect::<Vec<_>>(),
        [DkimResult::Pass]
    );
}

#[tokio::test]
async fn the_message_itself_is_shared_and_not_copied() {
    let (sign, _) = layer();
    let memory = MemoryTransport::new();
    let mail = mail(&["bob@example.net"]);
    assert!(
        memory
            .clone()
            .layer(sign)
            .send(&mail, &SendOptions::new())
            .await
            .is_ok()
    );
    let addresses = |rope: &posthaste_mime::Rope| {
        rope.in_memory()
            .unwrap()
            .map(|chunk| chunk.as_ptr())
            .collect::<Vec<_>>()
    };
    assert!(addresses(&memory.sent()[0].rope()).ends_with(&addresses(&mail.rope())));
}

#[tokio::test]
async fn what_is_streamed_verifies() {
    let (sign, zone) = layer();
    let memory = MemoryTransport::new();
    let mail = streaming(Generated::new(200_000));
    let sent = memory.clone().layer(sign).send(&mail, &SendOptions::new()).await;
    assert!(sent.unwrap().is_complete());
    let bytes = memory.sent()[0].rope().to_bytes().unwrap();
    assert!(bytes.ends_with(&mail.rope().to_bytes().unwrap()));
    let verdicts = verify(&bytes, &zone, now()).await;
    assert_eq!(
        verdicts.iter().map(|verdict| verdict.result()).collect::<Vec<_>>(),
        [DkimResult::Pass]
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_not_signed() {
    let (sign, _) = layer();
    let memory = MemoryTransport::new();
    for source in [
        Generated::new(200_000).failing_at(100_000),
        Generated::new(200_000).panicking_at(100_000),
    ] {
        let transport = memory.clone().layer(sign.clone());
        let error = transport
            .send(&streaming(source), &SendOptions::new())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.retry(), memory.attempts()),
            (ErrorKind::Unreadable, Retry::Never, 0)
        );
        assert_eq!(error.to_string(), "memory: the message could not be read while signing");
    }
}

#[tokio::test]
async fn what_is_not_what_was_signed_is_not_sent() {
    let (sign, _) = layer();
    let memory = MemoryTransport::new();
    let mail = streaming(Generated::new(200_000).varying());
    let error = memory
        .clone()
        .layer(sign)
        .send(&mail, &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), memory.sent().len()), (ErrorKind::Unreadable, 0));
    assert_eq!(error.to_string(), "memory: the message could not be read");
}

#[test]
fn a_deadline_ends_the_hashing() {
    let (sign, _) = layer();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    // It would take for ever.
    let source = Generated::new(1 << 50);
    let readers = Arc::clone(&source.open);
    let transport = MemoryTransport::new().layer(sign);
    let options = SendOptions::new().with_deadline(Duration::from_millis(20));
    let error = runtime
        .block_on(transport.send(&streaming(source), &options))
        .unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Safe));
    // Waits for the thread that hashes.
    drop(runtime);
    assert_eq!(readers.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let (sign, _) = layer();
    let memory = MemoryTransport::new();
    let anonymous = posthaste_mime::Rope::from(b"Subject: no author\r\n\r\n".to_vec());
    let mail = Outbound::raw(mail(&["bob@example.net"]).envelope().clone(), anonymous);
    let error = memory
        .clone()
        .layer(sign)
        .send(&mail, &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.retry(), memory.attempts()),
        (ErrorKind::Invalid, Retry::Never, 0)
    );
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(error.to_string(), "memory: invalid while signing");
}

#[tokio::test]
async fn a_transport_that_takes_no_bytes_says_so() {
    let (sign, _) = layer();
    let fields = TransportInfo::new("fields", Capabilities::wire().without(Feature::RawMime));
    let memory = MemoryTransport::new().with_info(fields);
    let error = memory
        .layer(sign)
        .send(&mail(&["bob@example.net"]), &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "fields: not supported by this transport: raw MIME");
}

#[test]
fn no_key_is_printed() {
    let (sign, _) = layer();
    let shown = format!("{sign:?} {:?}", MemoryTransport::new().layer(sign.clone()));
    assert!(!shown.contains("7, 7, 7") && !shown.contains("07070707"), "{shown}");
}

/// A key service: down, wrong, or silent.
#[derive(Clone, Copy, Debug)]
enum Service {
    Down,
    Wrong,
    Silent,
}

impl RemoteKey for Service {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519Sha256
    }

    fn public_key(&self) -> Option<&PublicKey> {
        None
    }

    fn sign<'a>(&'a self, _: &'a SigningInput) -> RemoteSignature<'a> {
        match self {
            Self::Down => Box::pin(async { Err(KeyServiceError::temporary("connection refused")) }),
            Self::Wrong => Box::pin(async { Ok(vec![0; 3]) }),
            Self::Silent => Box::pin(std::future::pending()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_service_that_does_not_sign_sends_nothing() {
    let options = SendOptions::new().with_deadline(Duration::from_secs(5));
    for (service, kind, retry) in [
        (Service::Down, ErrorKind::Unavailable, Retry::Safe),
        (Service::Wrong, ErrorKind::Invalid, Retry::Never),
        (Service::Silent, ErrorKind::Timeout, Retry::Safe),
    ] {
        let selector: Selector = "s1".parse().unwrap();
        let builder = Signer::builder("example.org".parse().unwrap());
        let signer = builder.remote_key(selector, Arc::new(service)).build().unwrap();
        let memory = MemoryTransport::new();
        let transport = memory.clone().layer(Sign::new(signer));
        let error = transport.send(&mail(&["bob@example.net"]), &options).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry(), memory.attempts()),
            (kind, retry, 0),
            "{service:?}"
        );
    }
}
