//! What the client makes of the certificates that servers show, and servers of those that clients do.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use posthaste_smtp::server::ServerBuilder;
use posthaste_smtp::{ConfigError, SmtpConfig, SmtpError, SmtpTransport, Timeouts, Tls};
use posthaste_transport::{
    Disposition, ErrorKind, Outcome, PeerAuthentication, Retry, Security, SendError, SendOptions, TlsVersion, Transport,
};
use rcgen::{CertificateParams, GeneralSubtree, NameConstraints, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Issued, Towards, named, self_signed};
use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
use crate::peer::Peer;
use crate::postbox::{Postbox, Running, mail, soon};

pub(crate) const HOST: &str = "mx.example.net";
pub(crate) const MODES: [Tls; 3] = [Tls::Implicit, Tls::Required, Tls::Opportunistic];

pub(crate) fn client(host: &str, running: &Running, tls: Tls) -> SmtpConfig {
    SmtpTransport::builder(host)
        .port(25)
        .tls(tls)
        .platform_roots(false)
        .timeouts(Timeouts::all(Duration::from_secs(20)))
        .connector(Towards(running.address))
}

pub(crate) async fn send(client: &SmtpTransport) -> Result<Outcome, SendError> {
    soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())).await
}

/// A server that shows `issued`.
pub(crate) async fn serve(postbox: &Postbox, issued: &Issued, tls: Tls) -> Running {
    Running::start(showing(postbox, issued, tls)).await
}

fn showing(postbox: &Postbox, issued: &Issued, tls: Tls) -> ServerBuilder {
    postbox
        .server()
        .tls(issued.chain.clone(), issued.key.clone())
        .implicit_tls(tls == Tls::Implicit)
}

/// Makes sure that nothing was sent, that it can be tried again, and why.
#[track_caller]
pub(crate) fn check_refused(error: &SendError, reason: &str, name: &str) {
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Unavailable, Disposition::NotAccepted, Retry::Safe),
        "{name}: {error}"
    );
    let Some(SmtpError::Certificate(certificate)) = error.source().unwrap().downcast_ref() else {
        panic!("{name}: {error:?}");
    };
    assert_eq!(certificate.to_string(), reason, "{name}");
    assert_eq!(error.to_string(), "smtp: unavailable while starting TLS", "{name}");
}

const UNKNOWN: &str = "the certificate comes from an authority that is not trusted, or its chain is not complete";

#[tokio::test]
async fn certificates_are_judged_alike_in_every_mode() {
    let trusted = Authority::new("trusted");
    let stranger = Authority::new("stranger");
    let narrow = Authority::with("narrow", |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.org".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let between = trusted.below("between");
    let with = |names: &[&str], change: fn(&mut CertificateParams)| {
        let mut params = named("server", names);
        change(&mut params);
        trusted.issue(&params)
    };
    let plain = |names: &[&str]| with(names, |_| {});
    let old = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    let for_mail = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::EmailProtection];
    };
    let incomplete = between.issue(&named("server", &[HOST]));
    let complete = Issued {
        chain: incomplete.chain.clone() + &between.pem(),
        key: incomplete.key.clone(),
        der: incomplete.der.clone(),
    };
    let other = "the certificate is not for mx.example.net, but for ";
    let cases = [
        ("right", HOST, plain(&[HOST]), Ok(())),
        ("right, in another case", "MX.Example.NET", plain(&[HOST]), Ok(())),
        ("one of several names", HOST, plain(&["a.example", HOST]), Ok(())),
        ("wildcard, one level", HOST, plain(&["*.example.net"]), Ok(())),
        ("through another authority", HOST, complete, Ok(())),
        ("address", "127.0.0.1", plain(&["127.0.0.1"]), Ok(())),
        (
            "expired",
            HOST,
            with(&[HOST], old),
            Err("the certificate has expired".to_owned()),
        ),
        (
            "not yet valid",
            HOST,
            with(&[HOST], early),
            Err("the certificate is not valid yet".into()),
        ),
        (
            "self-signed",
            HOST,
            self_signed(&named("server", &[HOST])),
            Err("the certificate is self-signed and not trusted".into()),
        ),
        (
            "unknown authority",
            HOST,
            stranger.issue(&named("server", &[HOST])),
            Err(UNKNOWN.into()),
        ),
        ("incomplete chain", HOST, incomplete, Err(UNKNOWN.into())),
        (
            "wrong name",
            HOST,
            plain(&["mx.example.org"]),
            Err(format!("{other}mx.example.org")),
        ),
        (
            "parent",
            HOST,
            plain(&["example.net"]),
            Err(format!("{other}example.net")),
        ),
        (
            "common name only",
            HOST,
            trusted.issue(&named(HOST, &[])),
            Err(format!("{other}no name at all")),
        ),
        (
            "wildcard, two levels",
            "a.mx.example.net",
            plain(&["*.example.net"]),
            Err("the certificate is not for a.mx.example.net, but for *.example.net".into()),
        ),
        (
            "address, for a name",
            "127.0.0.1",
            plain(&[HOST]),
            Err("the certificate is not for 127.0.0.1, but for mx.example.net".into()),
        ),
        (
            "for something else",
            HOST,
            with(&[HOST], for_mail),
            Err("the certificate is not for servers".into()),
        ),
        (
            "name constraints",
            HOST,
            narrow.issue(&named("server", &[HOST])),
            Err("the certificate does not hold".into()),
        ),
    ];
    for (name, host, issued, expected) in cases {
        for tls in MODES {
            let name = format!("{name}, {tls:?}");
            let postbox = Postbox::default();
            let running = serve(&postbox, &issued, tls).await;
            let roots = trusted.pem() + &narrow.pem();
            let client = client(host, &running, tls)
                .add_root_pem(roots)
                .unwrap()
                .build()
                .unwrap();
            match (send(&client).await, &expected) {
                (Ok(outcome), Ok(())) => {
                    let info = outcome.tls().unwrap();
                    assert_eq!(info.version(), TlsVersion::Tls13, "{name}");
                    assert_eq!(info.authentication(), PeerAuthentication::OwnRoots, "{name}");
                    assert_eq!(
                        (info.peer_name(), info.sent_client_certificate()),
                        (host, false),
                        "{name}"
                    );
                    assert!(info.cipher_suite().starts_with("TLS13_"), "{name}: {info}");
                    assert_eq!(postbox.messages().len(), 1, "{name}");
                }
                (Err(error), Err(reason)) => {
                    check_refused(&error, reason, &name);
                    assert!(postbox.messages().is_empty(), "{name}");
                }
                (found, _) => panic!("{name}: {found:?}"),
            }
        }
    }
}

/// Serves one connection over TLS 1.2, and leaves SMTP to our own server.
async fn serve_tls_12(postbox: &Postbox, issued: &Issued) -> std::net::SocketAddr {
    let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).map(Result::unwrap);
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.collect(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = postbox.server().build().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(stream) = acceptor.accept(stream).await {
            server.serve_connection(stream, None).await;
        }
    });
    address
}

#[tokio::test]
async fn the_oldest_version_of_tls_can_be_set() {
    let trusted = Authority::new("trusted");
    let issued = trusted.issue(&named("server", &[HOST]));
    for minimum in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let postbox = Postbox::default();
        let address = serve_tls_12(&postbox, &issued).await;
        let client = SmtpTransport::builder(HOST)
            .tls(Tls::Implicit)
            .platform_roots(false)
            .add_root_pem(trusted.pem())
            .unwrap()
            .connector(Towards(address))
            .minimum_tls(minimum)
            .build()
            .unwrap();
        let sent = send(&client).await;
        if minimum == TlsVersion::Tls12 {
            let outcome = sent.unwrap();
            assert_eq!(outcome.tls().unwrap().version(), TlsVersion::Tls12);
            assert!(outcome.tls().unwrap().cipher_suite().starts_with("TLS_ECDHE"));
            continue;
        }
        let error = sent.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unavailable, Disposition::NotAccepted)
        );
        let cause = error.source().unwrap();
        assert!(matches!(cause.downcast_ref(), Some(SmtpError::Tls(_))), "{error:?}");
        assert!(postbox.messages().is_empty());
    }
}

#[tokio::test]
async fn a_server_may_ask_for_a_certificate() {
    let trusted = Authority::new("trusted");
    let clients = Authority::new("clients");
    let issued = trusted.issue(&named("server", &[HOST]));
    let ada = clients.issue(&named("ada", &["ada.example"]));
    let mallory = Authority::new("strangers").issue(&named("mallory", &["mallory.example"]));
    // Whether the server insists, what the client has, and whether that is enough; and the name that is known then.
    let cases = [
        (true, Some(&ada), Some(Some("ada"))),
        (true, None, None),
        (true, Some(&mallory), None),
        (false, Some(&ada), Some(Some("ada"))),
        (false, None, Some(None)),
        (false, Some(&mallory), None),
    ];
    for tls in MODES {
        for (require, shown, expected) in &cases {
            let postbox = Postbox::default();
            let server = showing(&postbox, &issued, tls)
                .client_authorities(clients.pem())
                .require_client_certificate(*require);
            let running = Running::start(server).await;
            let mut config = client(HOST, &running, tls).add_root_pem(trusted.pem()).unwrap();
            if let Some(shown) = shown {
                config = config.client_certificate(shown.chain.clone(), shown.key.clone());
            }
            let sent = send(&config.build().unwrap()).await;
            let Some(name) = expected else {
                let error = sent.unwrap_err();
                assert_eq!(error.disposition(), Disposition::NotAccepted, "{tls:?} {error}");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{tls:?} {error}");
                assert!(postbox.messages().is_empty());
                continue;
            };
            let outcome = sent.unwrap();
            assert_eq!(outcome.tls().unwrap().sent_client_certificate(), shown.is_some());
            assert_eq!(outcome.tls().unwrap().authentication(), PeerAuthentication::OwnRoots);
            let messages = postbox.messages();
            let encryption = messages[0].session().encryption().unwrap();
            assert_eq!(encryption.client_name(), *name);
            let der = shown.map(|shown| shown.der.as_slice());
            assert_eq!(encryption.client_certificate(), der);
        }
    }
}

#[tokio::test]
async fn a_certificate_is_shown_to_who_asks_only() {
    let trusted = Authority::new("trusted");
    let issued = trusted.issue(&named("server", &[HOST]));
    let ada = Authority::new("clients").issue(&named("ada", &[]));
    let postbox = Postbox::default();
    let running = serve(&postbox, &issued, Tls::Required).await;
    let config = client(HOST, &running, Tls::Required)
        .add_root_pem(trusted.pem())
        .unwrap();
    let client = config.client_certificate(ada.chain, ada.key).build().unwrap();
    let outcome = send(&client).await.unwrap();
    assert!(!outcome.tls().unwrap().sent_client_certificate());
}

#[tokio::test]
async fn certificates_come_from_files_by_url_and_environment() {
    let trusted = Authority::new("trusted");
    let clients = Authority::new("clients");
    let issued = trusted.issue(&named("server", &["127.0.0.1"]));
    let ada = clients.issue(&named("ada", &[]));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let roots = write("roots.pem", &trusted.pem());
    let (chain, key) = (write("chain.pem", &ada.chain), write("key.pem", &ada.key));
    let both = write("both.pem", &(ada.key.clone() + &ada.chain));
    let postbox = Postbox::default();
    let server = showing(&postbox, &issued, Tls::Required)
        .client_authorities(clients.pem())
        .require_client_certificate(true);
    let running = Running::start(server).await;

    let port = running.address.port();
    let start = format!("smtp://127.0.0.1:{port}?roots={roots}&platform_roots=false&minimum_tls=1.3");
    let by_url = |rest: &str| SmtpTransport::from_url(&(start.clone() + rest)).unwrap();
    let port = port.to_string();
    let vars = [
        ("SMTP_HOST", "127.0.0.1"),
        ("SMTP_PORT", &port),
        ("SMTP_ROOTS", &roots),
        ("SMTP_PLATFORM_ROOTS", "false"),
        ("SMTP_MINIMUM_TLS", "1.3"),
        ("SMTP_CLIENT_CERTIFICATE", &chain),
        ("SMTP_CLIENT_KEY", &key),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let by_setters = SmtpConfig::new("127.0.0.1")
        .port(running.address.port())
        .platform_roots(false)
        .add_root_file(&roots)
        .client_certificate_file(&both);
    for client in [
        by_url(&format!("&client_certificate={chain}&client_key={key}")),
        by_url(&format!("&client_certificate={both}")),
        SmtpConfig::from_vars(vars).unwrap().build().unwrap(),
        by_setters.build().unwrap(),
    ] {
        let outcome = send(&client).await.unwrap();
        assert!(outcome.tls().unwrap().sent_client_certificate());
    }
    assert_eq!(postbox.messages().len(), 4);
}

#[test]
fn certificates_that_cannot_be_shown_are_refused_at_once() {
    let clients = Authority::new("clients");
    let (ada, bob) = (clients.issue(&named("ada", &[])), clients.issue(&named("bob", &[])));
    let config = || SmtpConfig::new(HOST).platform_roots(false);
    let build = |config: SmtpConfig| config.build().unwrap_err();

    let error = build(config().client_certificate(ada.chain.clone(), bob.key.clone()));
    assert!(matches!(error, ConfigError::KeyMismatch), "{error}");
    let error = build(config().client_certificate("nothing", bob.key.clone()));
    assert!(matches!(error, ConfigError::Certificate(_)), "{error}");
    let error = build(config().client_certificate(ada.chain.clone(), "nothing"));
    assert!(matches!(error, ConfigError::Certificate(_)), "{error}");
    let error = build(config().client_key_file("key.pem"));
    assert!(matches!(error, ConfigError::Missing("client_certificate")), "{error}");
    for (config, expected) in [
        (
            config().client_certificate_file("/nowhere/at-all.pem"),
            "client_certificate",
        ),
        (
            config()
                .client_certificate_file("/nowhere/at-all.pem")
                .client_key_file("/x"),
            "client_certificate",
        ),
        (config().add_root_file("/nowhere/at-all.pem"), "roots"),
    ] {
        let error = build(config);
        assert!(
            matches!(&error, ConfigError::File { setting, .. } if *setting == expected),
            "{error}"
        );
        assert!(error.to_string().contains("/nowhere/at-all.pem"), "{error}");
    }
    for value in ["1.1", "TLSv1.3", ""] {
        let error = SmtpConfig::from_url(&format!("smtp://{HOST}?minimum_tls={value}")).unwrap_err();
        assert!(error.to_string().contains("1.2 or 1.3"), "{error}");
    }

    // A key has this much in common with no other text.
    let canary = ada.key.lines().nth(1).unwrap().to_owned();
    let config = config().client_certificate(ada.chain.clone(), ada.key.clone());
    assert!(!format!("{config:?}").contains(&canary));
    assert!(!format!("{:?}", config.build().unwrap()).contains(&canary));

    let server = || Postbox::default().server().tls(ada.chain.clone(), ada.key.clone());
    assert!(server().client_authorities(clients.pem()).build().is_ok());
    assert!(server().client_authorities("nothing").build().is_err());
    assert!(server().require_client_certificate(true).build().is_err());
    let bare = Postbox::default().server();
    assert!(bare.client_authorities(clients.pem()).build().is_err());
    let error = Postbox::default().server().tls(ada.chain.clone(), bob.key).build();
    assert!(matches!(error, Err(ConfigError::KeyMismatch)));
}

#[tokio::test]
async fn an_offer_that_is_taken_away_shows_in_the_outcome() {
    let plain = [
        Say("220 hi\r\n"),
        Read(1),
        Say("250 hi\r\n"),
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("354 go\r\n"),
        ReadMessage,
        Say("250 ok\r\n"),
        Ignore,
    ];
    let peer = Peer::start(vec![plain.to_vec(); 2]).await;
    for tls in [Tls::Opportunistic, Tls::None] {
        let outcome = send(&peer.client().tls(tls).build().unwrap()).await.unwrap();
        assert_eq!(outcome.security(), Some(&Security::ClearText));
        assert_eq!(outcome.tls(), None);
    }
    let peer = Peer::start(vec![plain.to_vec()]).await;
    let error = send(&peer.client().tls(Tls::Required).build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unsupported, Disposition::NotAccepted)
    );
    assert_eq!(peer.lines().len(), 1, "nothing behind EHLO");
}

#[tokio::test]
async fn a_refusal_says_over_what_connection_it_came() {
    let trusted = Authority::new("trusted");
    let issued = trusted.issue(&named("server", &[HOST]));
    let running = serve(&Postbox::default(), &issued, Tls::Implicit).await;
    let config = client(HOST, &running, Tls::Implicit)
        .add_root_pem(trusted.pem())
        .unwrap();
    let client = config.build().unwrap();
    let sent = soon(client.send(&mail(&["nobody@example.net"], "text\r\n"), &SendOptions::new())).await;
    let error = sent.unwrap_err();
    let outcome = error.outcome().unwrap();
    assert_eq!(outcome.tls().unwrap().peer_name(), HOST);
}

#[tokio::test]
async fn sessions_that_are_resumed_say_the_same() {
    let trusted = Authority::new("trusted");
    let issued = trusted.issue(&named("server", &[HOST]));
    let postbox = Postbox::default();
    let running = serve(&postbox, &issued, Tls::Required).await;
    for platform in [false, true] {
        let config = client(HOST, &running, Tls::Required)
            .platform_roots(platform)
            .idle_timeout(Duration::ZERO)
            .add_root_pem(trusted.pem())
            .unwrap();
        let client = config.build().unwrap();
        for _ in 0..3 {
            let outcome = send(&client).await.unwrap();
            assert_eq!(outcome.tls().unwrap().authentication(), PeerAuthentication::OwnRoots);
        }
        client.close().await;
    }
}
