//! Keys in key services: that answer, that answer late, that do not answer, that answer with nonsense.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking that it failed"
)]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use posthaste_auth::dkim::{
    Algorithm, DkimResult, KeyServiceError, PublicKey, RemoteKey, RemoteSignature, SignError, Signer, SignerError,
    SigningInput, SigningKey, verify,
};
use posthaste_dns::Zone;

const MESSAGE: &[u8] = b"From: ada@example.org\r\nSubject: hello\r\n\r\nFirst line\r\n";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// How the service answers.
#[derive(Debug)]
enum Answer {
    /// Once the gate is open.
    Signature,
    /// A signature of something else.
    Forged,
    /// Octets.
    Octets(usize),
    Down,
    Denied,
}

/// Lets answers through once it is opened, and counts who asked.
#[derive(Debug, Default)]
struct Gate {
    is_open: AtomicBool,
    asked: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

impl Gate {
    fn opened() -> Arc<Self> {
        let gate = Self::default();
        gate.open();
        Arc::new(gate)
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
        self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    async fn pass(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        poll_fn(|context| {
            if self.is_open.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            self.waiting.lock().unwrap().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[derive(Debug)]
enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A key service with one key.
#[derive(Debug)]
struct Service {
    pair: Pair,
    public: Option<PublicKey>,
    answer: Answer,
    gate: Arc<Gate>,
}

impl Service {
    fn rsa(answer: Answer) -> Self {
        let pem = include_str!("data/rsa2048.pem");
        let public = PublicKey::parse(&SigningKey::from_pem(pem).unwrap().dns_record()).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).unwrap();
        Self {
            pair: Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).unwrap())),
            public: Some(public),
            answer,
            gate: Gate::opened(),
        }
    }

    fn ed25519(answer: Answer) -> Self {
        Self {
            pair: Pair::Ed25519(Box::new(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())),
            public: Some(PublicKey::parse(&ed25519().dns_record()).unwrap()),
            answer,
            gate: Gate::opened(),
        }
    }

    fn public(mut self, public: Option<PublicKey>) -> Self {
        self.public = public;
        self
    }

    fn gate(mut self, gate: &Arc<Gate>) -> Self {
        self.gate = Arc::clone(gate);
        self
    }

    fn operation(&self, hash: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let digest = Digest::import_less_safe(hash, &SHA256).unwrap();
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).unwrap();
                signature
            }
            Pair::Ed25519(pair) => pair.sign(hash).as_ref().to_vec(),
        }
    }
}

impl RemoteKey for Service {
    fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    fn public_key(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    fn sign<'a>(&'a self, input: &'a SigningInput) -> RemoteSignature<'a> {
        Box::pin(async move {
            self.gate.pass().await;
            // The two forms of the input are of the same header.
            let hash = aws_lc_rs::digest::digest(&SHA256, input.header());
            assert_eq!(hash.as_ref(), input.hash());
            assert!(input.header().starts_with(b"from:ada@example.org\r\n"));
            match &self.answer {
                Answer::Signature => Ok(self.operation(input.hash())),
                Answer::Forged => Ok(self.operation(&[0; 32])),
                Answer::Octets(length) => Ok(vec![1; *length]),
                Answer::Down => Err(KeyServiceError::temporary(std::io::Error::other("connection refused"))),
                Answer::Denied => Err(KeyServiceError::permanent("access denied")),
            }
        })
    }
}

fn ed25519() -> SigningKey {
    SigningKey::from_ed25519_seed(&[7; 32]).unwrap()
}

fn signer(keys: impl IntoIterator<Item = Service>) -> Signer {
    let mut builder = Signer::builder("example.org".parse().unwrap());
    for (index, key) in keys.into_iter().enumerate() {
        builder = builder.remote_key(format!("s{index}").parse().unwrap(), Arc::new(key));
    }
    builder.build().unwrap()
}

async fn results(signer: &Signer, fields: &str) -> Vec<DkimResult> {
    let zone: String = signer
        .dns_records()
        .iter()
        .map(|record| format!("{record}\n"))
        .collect();
    let zone = Zone::parse(&zone).unwrap();
    let verdicts = verify(&[fields.as_bytes(), MESSAGE].concat(), &zone, now()).await;
    verdicts.iter().map(posthaste_auth::dkim::Verdict::result).collect()
}

#[tokio::test]
async fn services_and_keys_that_are_here_sign_the_same() {
    let remote = signer([Service::rsa(Answer::Signature), Service::ed25519(Answer::Signature)]);
    let local = Signer::builder("example.org".parse().unwrap())
        .key(
            "s0".parse().unwrap(),
            SigningKey::from_pem(include_str!("data/rsa2048.pem")).unwrap(),
        )
        .key("s1".parse().unwrap(), ed25519())
        .build()
        .unwrap();
    let fields = remote.sign_async([MESSAGE], now()).await.unwrap();
    assert_eq!(results(&remote, &fields).await, [DkimResult::Pass; 2]);
    assert_eq!(fields, local.sign([MESSAGE], now()).unwrap());
    assert_eq!(fields, local.sign_async(MESSAGE.chunks(7), now()).await.unwrap());
    assert!(remote.has_remote_keys() && !local.has_remote_keys());
    assert_eq!(remote.dns_records(), local.dns_records());

    let mut body = remote.body();
    body.update(b"First line\r\n");
    let header = &MESSAGE[..MESSAGE.len() - b"First line\r\n".len()];
    assert_eq!(fields, remote.sign_body_async(header, body, now()).await.unwrap());
}

#[test]
fn a_key_that_is_elsewhere_is_not_waited_for_where_nothing_waits() {
    let error = signer([Service::ed25519(Answer::Signature)])
        .sign([MESSAGE], now())
        .unwrap_err();
    assert_eq!(error, SignError::RemoteKey("s0".parse().unwrap()));
}

#[test]
fn services_are_asked_at_once_and_waited_for_together() {
    let gate = Arc::new(Gate::default());
    let signer = signer([
        Service::rsa(Answer::Signature).gate(&gate),
        Service::ed25519(Answer::Signature).gate(&gate),
    ]);
    let mut signing = pin!(signer.sign_async([MESSAGE], now()));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(signing.as_mut().poll(&mut context).is_pending());
        // Polled again, nobody is asked again.
        assert_eq!(gate.asked.load(Ordering::SeqCst), 2);
    }
    gate.open();
    let Poll::Ready(Ok(fields)) = signing.as_mut().poll(&mut context) else {
        unreachable!("both have answered")
    };
    assert_eq!(fields.matches("DKIM-Signature:").count(), 2);
}

#[test]
fn an_error_does_not_wait_for_a_slow_service_and_dropping_asks_no_more() {
    let gate = Arc::new(Gate::default());
    let slow = || Service::rsa(Answer::Signature).gate(&gate);
    let both = signer([slow(), Service::ed25519(Answer::Down)]);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = pin!(both.sign_async([MESSAGE], now())).poll(&mut context) else {
        unreachable!("one of them failed")
    };
    assert!(error.is_temporary());

    let one = signer([slow()]);
    let mut signing = one.sign_async([MESSAGE], now());
    assert!(signing.as_mut().poll(&mut context).is_pending());
    drop((signing, one, both));
    gate.open();
    assert_eq!(Arc::strong_count(&gate), 1);
}

#[tokio::test]
async fn a_service_that_does_not_sign_says_why() {
    for (answer, is_temporary, text) in [
        (Answer::Down, true, "connection refused"),
        (Answer::Denied, false, "access denied"),
    ] {
        let signer = signer([Service::ed25519(answer)]);
        let error = signer.sign_async([MESSAGE], now()).await.unwrap_err();
        assert_eq!(error.is_temporary(), is_temporary);
        assert_eq!(error.to_string(), "key `s0` did not sign");
        let service = std::error::Error::source(&error).unwrap();
        assert!(
            service.to_string().starts_with("key service gave no signature"),
            "{service}"
        );
        assert_eq!(service.source().unwrap().to_string(), text);
        assert_eq!(error, error.clone());
    }
}

#[tokio::test]
async fn wrong_signatures_are_not_used() {
    let wrong = SignError::WrongSignature("s0".parse().unwrap());
    for service in [
        Service::rsa(Answer::Forged),
        Service::rsa(Answer::Octets(256)),
        Service::rsa(Answer::Octets(0)),
        Service::ed25519(Answer::Forged),
        Service::ed25519(Answer::Octets(64)),
        // Where the public key is not known, the length is.
        Service::ed25519(Answer::Octets(63)).public(None),
        Service::rsa(Answer::Octets(128)).public(None),
        Service::rsa(Answer::Octets(100_000)).public(None),
    ] {
        let shown = format!("{service:?}");
        let signer = signer([service]);
        let error = signer.sign_async([MESSAGE], now()).await.unwrap_err();
        assert_eq!(error, wrong, "{shown}");
    }
    let unknown = signer([Service::ed25519(Answer::Forged).public(None)]);
    let fields = unknown.sign_async([MESSAGE], now()).await.unwrap();
    assert_eq!((fields.matches("b=").count(), unknown.dns_records().len()), (1, 0));
}

#[tokio::test]
async fn messages_that_cannot_be_signed_ask_nobody() {
    let gate = Gate::opened();
    let signer = signer([Service::ed25519(Answer::Signature).gate(&gate)]);
    let error = signer
        .sign_async([b"To: ada@example.org\r\n\r\n".as_slice()], now())
        .await
        .unwrap_err();
    assert_eq!((error, gate.asked.load(Ordering::SeqCst)), (SignError::NoFrom, 0));
}

#[test]
fn public_keys_that_do_not_fit_are_found_when_the_signer_is_made() {
    let build = |service: Service| {
        let builder = Signer::builder("example.org".parse().unwrap());
        builder
            .remote_key("s".parse().unwrap(), Arc::new(service))
            .build()
            .unwrap_err()
    };
    let other = Service::rsa(Answer::Signature).public(PublicKey::parse(&ed25519().dns_record()).ok());
    assert_eq!(build(other), SignerError::PublicKey("s".parse().unwrap()));
    let short = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Q\
        vx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
    let short = Service::rsa(Answer::Signature).public(Some(PublicKey::parse(short).unwrap()));
    assert_eq!(
        build(short),
        SignerError::KeySize {
            selector: "s".parse().unwrap(),
            bits: 1024
        }
    );
}

#[test]
fn inputs_and_services_show_no_header() {
    let seen = Arc::new(Mutex::new(String::new()));
    #[derive(Debug)]
    struct Spy(Arc<Mutex<String>>);
    impl RemoteKey for Spy {
        fn algorithm(&self) -> Algorithm {
            Algorithm::Ed25519Sha256
        }
        fn public_key(&self) -> Option<&PublicKey> {
            None
        }
        fn sign<'a>(&'a self, input: &'a SigningInput) -> RemoteSignature<'a> {
            *self.0.lock().unwrap() = format!("{input:?} {}", input.selector());
            Box::pin(async { Ok(vec![0; 64]) })
        }
    }
    let builder = Signer::builder("example.org".parse().unwrap());
    let signer = builder
        .remote_key("s".parse().unwrap(), Arc::new(Spy(Arc::clone(&seen))))
        .build()
        .unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(signer.sign_async([MESSAGE], now())).poll(&mut context).is_ready());
    let seen = seen.lock().unwrap();
    assert!(seen.contains("example.org") && !seen.contains("hello"), "{seen}");
}
