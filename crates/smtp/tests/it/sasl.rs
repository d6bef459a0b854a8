//! Mechanisms beyond PLAIN and LOGIN, against scripted servers.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_mime::IdSource;
use posthaste_smtp::{
    Mechanism, ScramError, Secret, SmtpConfig, SmtpError, SmtpTransport, Timeouts, Tls, TokenFuture, TokenSource,
};
use posthaste_transport::{Disposition, ErrorKind, Outcome, SendError, SendOptions, Transport};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
use crate::peer::{Do, Peer};
use crate::postbox::{certificate, mail, soon};

const SALT: &[u8] = b"salt and pepper";
const TAKE_MAIL: [Do; 8] = [
    Read(1),
    Say("250 ok\r\n"),
    Read(1),
    Say("250 ok\r\n"),
    Read(1),
    Say("354 go\r\n"),
    ReadMessage,
    Say("250 ok\r\n"),
];

/// Always the same random octets.
#[derive(Debug)]
struct Sevens;

impl IdSource for Sevens {
    fn next_id(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// A token with a number that grows when it is refused, if it may.
#[derive(Clone, Debug)]
struct Tokens {
    given: Arc<AtomicUsize>,
    refreshes: bool,
}

impl Tokens {
    fn new(refreshes: bool) -> Self {
        let given = Arc::default();
        Self { given, refreshes }
    }
}

impl TokenSource for Tokens {
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> TokenFuture<'a> {
        let current = format!("canary{}", self.given.load(Ordering::SeqCst));
        if self.refreshes && refused.is_some_and(|refused| refused.matches(&current)) {
            self.given.fetch_add(1, Ordering::SeqCst);
        }
        let token = format!("canary{}", self.given.load(Ordering::SeqCst));
        Box::pin(async move { Ok(Secret::new(token)) })
    }
}

fn text(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn challenge(plain: &str) -> Do {
    Say(text(format!("334 {}\r\n", STANDARD.encode(plain))))
}

fn offer(mechanisms: &str) -> [Do; 3] {
    [
        Say("220 hi\r\n"),
        Read(1),
        Say(text(format!("250-hi\r\n250 AUTH {mechanisms}\r\n"))),
    ]
}

fn sign(key: &[u8], message: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes())
        .as_ref()
        .to_vec()
}

/// What a server does that knows `password`: the proof that it expects, and its own.
fn scram(password: &str, first_bare: &str, server_first: &str, without_proof: &str) -> (String, String) {
    let mut salted = [0; 32];
    let rounds = std::num::NonZeroU32::new(4096).unwrap();
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        SALT,
        password.as_bytes(),
        &mut salted,
    );
    let message = format!("{first_bare},{server_first},{without_proof}");
    let client_key = sign(&salted, "Client Key");
    let stored = digest::digest(&digest::SHA256, &client_key);
    let signature = sign(stored.as_ref(), &message);
    let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, bit)| key ^ bit).collect();
    let server = sign(&sign(&salted, "Server Key"), &message);
    (
        format!("{without_proof},p={}", STANDARD.encode(proof)),
        format!("v={}", STANDARD.encode(server)),
    )
}

async fn send(config: SmtpConfig) -> Result<Outcome, SendError> {
    let client = config
        .danger_allow_plaintext_auth(true)
        .id_source(Sevens)
        .timeouts(Timeouts::all(Duration::from_secs(5)))
        .build()
        .unwrap();
    let result = soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())).await;
    if let Err(error) = &result {
        assert_eq!(error.disposition(), Disposition::NotAccepted);
        assert!(!format!("{error} {error:?} {:?}", error.source()).contains("canary"));
    }
    result
}

fn scram_error(error: &SendError) -> ScramError {
    match error.source().unwrap().downcast_ref() {
        Some(SmtpError::Scram(error)) => *error,
        other => panic!("{other:?}"),
    }
}

fn decoded(line: &str) -> String {
    String::from_utf8(STANDARD.decode(line).unwrap()).unwrap()
}

#[tokio::test]
async fn scram_is_preferred_and_both_sides_prove_themselves() {
    let nonce = STANDARD.encode([7; 16]);
    let first_bare = format!("n=ada,r={nonce}");
    let server_first = format!("r={nonce}server,s={},i=4096", STANDARD.encode(SALT));
    let (proof, verifier) = scram("canary", &first_bare, &server_first, &format!("c=biws,r={nonce}server"));
    let head = || {
        [
            offer("PLAIN SCRAM-SHA-256 LOGIN").as_slice(),
            &[Read(1), challenge(&server_first), Read(1)],
        ]
        .concat()
    };

    let good = [
        &head(),
        [challenge(&verifier), Read(1), Say("235 in\r\n")].as_slice(),
        &TAKE_MAIL,
    ]
    .concat();
    let peer = Peer::start(vec![good]).await;
    assert!(
        send(peer.client().credentials("ada", "canary"))
            .await
            .unwrap()
            .is_complete()
    );
    let lines = peer.lines();
    let first = lines[1].strip_prefix("AUTH SCRAM-SHA-256 ").unwrap();
    assert_eq!(
        (decoded(first), decoded(&lines[2])),
        (format!("n,,{first_bare}"), proof)
    );
    assert_eq!(lines[3], "");

    // A server that does not know the password gets no mail, whatever it says.
    for (answer, expected) in [
        (vec![challenge("v=AAAA"), Ignore], Some(ScramError::Signature)),
        (
            vec![challenge("e=invalid-proof"), Read(1), Say("535 no\r\n")],
            Some(ScramError::Refused),
        ),
        (vec![challenge("no idea"), Ignore], Some(ScramError::Message)),
        (vec![Say("235 come in\r\n"), Ignore], None),
    ] {
        let peer = Peer::start(vec![[head(), answer].concat()]).await;
        let error = send(peer.client().credentials("ada", "canary")).await.unwrap_err();
        match expected {
            Some(expected) => {
                assert_eq!((error.kind(), scram_error(&error)), (ErrorKind::Unauthorized, expected));
            }
            None => assert!(matches!(
                error.source().unwrap().downcast_ref(),
                Some(SmtpError::Unexpected(235))
            )),
        }
        assert_eq!(peer.count("MAIL"), 0);
    }
    let early = [
        offer("SCRAM-SHA-256").as_slice(),
        &[Read(1), Say("235 come in\r\n"), Ignore],
    ]
    .concat();
    let peer = Peer::start(vec![early]).await;
    assert!(send(peer.client().credentials("ada", "canary")).await.is_err());
}

#[tokio::test]
async fn a_hostile_first_message_costs_nothing() {
    let nonce = STANDARD.encode([7; 16]);
    for (first, expected) in [
        (
            format!("r={nonce}x,s=AAAA,i=4294967295"),
            ScramError::Iterations(u32::MAX),
        ),
        (format!("r={nonce}x,s=AAAA,i=1"), ScramError::Iterations(1)),
        ("r=somebody,s=AAAA,i=4096".to_owned(), ScramError::Nonce),
        ("\u{0}".to_owned(), ScramError::Message),
    ] {
        let steps = [offer("SCRAM-SHA-256").as_slice(), &[Read(1), challenge(&first), Ignore]].concat();
        let peer = Peer::start(vec![steps]).await;
        let error = send(peer.client().credentials("ada", "canary")).await.unwrap_err();
        assert_eq!(scram_error(&error), expected);
    }
    // A control character has no prepared form.
    let peer = Peer::start(vec![[offer("SCRAM-SHA-256").as_slice(), &[Ignore]].concat()]).await;
    let error = send(peer.client().credentials("a\u{7}da", "canary")).await.unwrap_err();
    assert_eq!(scram_error(&error), ScramError::Credentials);
}

#[tokio::test]
async fn cram_md5_is_used_only_when_it_is_asked_for() {
    let steps = || {
        let talk = [Read(1), challenge("<1@mx>"), Read(1), Say("235 in\r\n")];
        [offer("CRAM-MD5").as_slice(), &talk, &TAKE_MAIL].concat()
    };
    let peer = Peer::start(vec![steps()]).await;
    let error = send(peer.client().credentials("ada", "canary")).await.unwrap_err();
    let Some(SmtpError::NoMechanism { offered, ours }) = error.source().unwrap().downcast_ref() else {
        panic!("{error:?}");
    };
    assert_eq!(
        (offered.as_str(), ours.as_str()),
        ("CRAM-MD5", "SCRAM-SHA-256 PLAIN LOGIN")
    );

    let peer = Peer::start(vec![steps()]).await;
    let config = peer
        .client()
        .credentials("ada", "canary")
        .mechanisms([Mechanism::CramMd5]);
    assert!(send(config).await.unwrap().is_complete());
    assert_eq!(peer.lines()[1], "AUTH CRAM-MD5");
    let answer = decoded(&peer.lines()[2]);
    assert!(answer.starts_with("ada ") && answer.len() == 36, "{answer}");
}

#[tokio::test]
async fn a_token_that_expired_is_replaced_once() {
    let refused = [
        Read(1),
        challenge(r#"{"status":"invalid_token"}"#),
        Read(1),
        Say("535 5.7.8 token expired\r\n"),
    ];
    let taken = [[Read(1), Say("235 in\r\n")].as_slice(), &TAKE_MAIL].concat();
    for (offered, first, cancel) in [
        (
            "XOAUTH2 OAUTHBEARER",
            "n,a=ada@x,\x01host=127.0.0.1\x01port=PORT\x01auth=Bearer canary0\x01\x01",
            "AQ==",
        ),
        ("XOAUTH2", "user=ada@x\x01auth=Bearer canary0\x01\x01", ""),
    ] {
        let steps = [offer(offered).as_slice(), &refused, &taken].concat();
        let peer = Peer::start(vec![steps]).await;
        assert!(
            send(peer.client().token_source("ada@x", Tokens::new(true)))
                .await
                .unwrap()
                .is_complete()
        );
        let lines = peer.lines();
        let said = decoded(lines[1].rsplit(' ').next().unwrap());
        assert_eq!(said, first.replace("PORT", &peer.address.port().to_string()));
        assert_eq!(lines[2], cancel);
        assert!(decoded(lines[3].rsplit(' ').next().unwrap()).contains("canary1"));

        // A source that has no other token is not asked for ever.
        let peer = Peer::start(vec![[offer(offered).as_slice(), &refused, &[Ignore]].concat()]).await;
        let error = send(peer.client().token_source("ada@x", Tokens::new(false)))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.reply().unwrap().code(), peer.count("AUTH")),
            (ErrorKind::Unauthorized, 535, 1)
        );
        // Nor is one whose second token is refused too.
        let peer = Peer::start(vec![
            [offer(offered).as_slice(), &refused, &refused, &[Ignore]].concat(),
        ])
        .await;
        let error = send(peer.client().token_source("ada@x", Tokens::new(true)))
            .await
            .unwrap_err();
        assert_eq!((error.reply().unwrap().code(), peer.count("AUTH")), (535, 2));
    }
    // A server that hangs up after it refused is shown the fresh token over another connection.
    let peer = Peer::start(vec![
        [offer("XOAUTH2").as_slice(), &refused].concat(),
        [offer("XOAUTH2").as_slice(), &taken].concat(),
    ])
    .await;
    assert!(
        send(peer.client().token_source("ada@x", Tokens::new(true)))
            .await
            .unwrap()
            .is_complete()
    );
    assert_eq!(peer.count("EHLO"), 2);
}

#[tokio::test]
async fn a_token_too_long_for_a_command_follows_it() {
    let token = format!("canary{}", "x".repeat(2000));
    let offer_tokens = offer("XOAUTH2");
    let steps = [
        offer_tokens.as_slice(),
        &[Read(1), Say("334 \r\n"), Read(1), Say("235 in\r\n")],
        &TAKE_MAIL,
    ];
    let peer = Peer::start(vec![steps.concat()]).await;
    assert!(
        send(peer.client().token_source("ada@x", Secret::new(&*token)))
            .await
            .unwrap()
            .is_complete()
    );
    assert_eq!(peer.lines()[1], "AUTH XOAUTH2");
    assert!(decoded(&peer.lines()[2]).contains(&token));

    for token in ["", "two words", "can\x01ary"] {
        let peer = Peer::start(vec![[offer("XOAUTH2").as_slice(), &[Ignore]].concat()]).await;
        let error = send(peer.client().token_source("ada@x", Secret::new(token)))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), peer.count("AUTH")), (ErrorKind::Unauthorized, 0));
    }
}

#[derive(Debug)]
struct NoTokens;

impl TokenSource for NoTokens {
    fn token<'a>(&'a self, _: Option<&'a Secret>) -> TokenFuture<'a> {
        Box::pin(async { Err("the token endpoint is down".into()) })
    }
}

#[tokio::test]
async fn a_source_that_fails_says_why() {
    let peer = Peer::start(vec![[offer("XOAUTH2").as_slice(), &[Ignore]].concat()]).await;
    let error = send(peer.client().token_source("ada@x", NoTokens)).await.unwrap_err();
    let cause = error.source().unwrap();
    assert!(matches!(cause.downcast_ref(), Some(SmtpError::Token(_))));
    assert_eq!(cause.source().unwrap().to_string(), "the token endpoint is down");
}

/// A server over TLS that offers SCRAM with and without channel binding, and returns what it was told.
async fn bound(listener: TcpListener, chain: String, key: String, offered: &'static str) -> Vec<String> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let stream = tokio_rustls::TlsAcceptor::from(Arc::new(config))
        .accept(stream)
        .await
        .unwrap();
    let exported = stream
        .get_ref()
        .1
        .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
    let mut stream = BufReader::new(stream);
    let mut told = vec![STANDARD.encode([b"p=tls-exporter,,".as_slice(), &exported.unwrap()].concat())];
    say(&mut stream, "220 hi\r\n").await;
    hear(&mut stream).await;
    say(&mut stream, &format!("250-hi\r\n250 AUTH {offered}\r\n")).await;
    told.push(hear(&mut stream).await);
    let nonce = STANDARD.encode([7; 16]);
    let first = format!("r={nonce}server,s={},i=4096", STANDARD.encode(SALT));
    say(&mut stream, &format!("334 {}\r\n", STANDARD.encode(first))).await;
    told.push(decoded(&hear(&mut stream).await));
    say(&mut stream, "535 5.7.8 no\r\n").await;
    told
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

async fn hear(stream: &mut BufReader<impl AsyncRead + Unpin>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

#[tokio::test]
async fn scram_is_bound_to_the_tls_session() {
    for (offered, header, bound_by) in [
        ("SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=ada", None),
        // The client could have, and says so: a server that did offer it knows that somebody took the offer away.
        ("SCRAM-SHA-256", "y,,n=ada", Some("c=eSws,")),
    ] {
        let (chain, key) = certificate();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(bound(listener, chain.clone(), key, offered));
        let config = SmtpTransport::builder("127.0.0.1")
            .port(port)
            .tls(Tls::Implicit)
            .platform_roots(false);
        let config = config.add_root_pem(&chain).unwrap().credentials("ada", "canary");
        let error = send(config).await.unwrap_err();
        assert_eq!(error.reply().unwrap().code(), 535);
        let told = server.await.unwrap();
        let (name, first) = told[1].strip_prefix("AUTH ").unwrap().split_once(' ').unwrap();
        assert!(offered.ends_with(name), "{name}");
        assert!(decoded(first).starts_with(header), "{first}");
        let expected = bound_by.map_or_else(|| format!("c={},", told[0]), str::to_owned);
        assert!(told[2].starts_with(&expected), "{}", told[2]);
    }
}
