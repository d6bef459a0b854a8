//! The servers of a domain by its SRV records.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_dns::Zone;
use posthaste_mime::Message;
use posthaste_smtp::server::Verdict;
use posthaste_smtp::testing::{Fault, Stage, TestServer};
use posthaste_smtp::{
    ConfigError, ConnectFuture, Connector, IpChoice, Mechanism, Secret, SmtpConfig, SmtpError, SmtpTransport, SrvError,
    Tls,
};
use posthaste_transport::{Disposition, ErrorKind, Retry, SendError, TransportExt as _};

use crate::authority::{Authority, named};
use crate::peer::Do::{Ignore, Read, Say};
use crate::peer::Peer;

fn message() -> Message {
    let builder = Message::builder().from("ada@example.org".parse().unwrap());
    let builder = builder.to("bob@example.net".parse().unwrap());
    builder.subject("Hello").text("First line").build().unwrap()
}

fn config(records: &str) -> SmtpConfig {
    let zone = Zone::parse(&format!("$ORIGIN example.org.\n{records}")).unwrap();
    SmtpConfig::new("example.org").srv(true).resolver(zone)
}

fn srv_error(error: &SendError) -> &SrvError {
    match std::error::Error::source(error).unwrap().downcast_ref() {
        Some(SmtpError::Srv(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A port at which nobody listens.
fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn the_next_server_is_tried_when_the_first_cannot_be_reached() {
    let server = TestServer::start().await.unwrap();
    let (dead, alive) = (dead_port(), server.address().port());
    let records = format!("_submission._tcp SRV 1 0 {dead} localhost.\n_submission._tcp SRV 2 0 {alive} localhost.\n");
    let transport = config(&records).tls(Tls::None).ip(IpChoice::V4).build().unwrap();
    let outcome = transport.send_message(message()).await.unwrap();
    assert!(outcome.is_complete());
    server.only_mail().assert_subject("Hello");
}

#[tokio::test]
async fn when_none_can_be_reached_nothing_was_accepted() {
    let records = format!("_submission._tcp SRV 1 0 {} localhost.\n", dead_port());
    let transport = config(&records).tls(Tls::None).ip(IpChoice::V4).build().unwrap();
    let error = transport.send_message(message()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Safe));
}

#[tokio::test]
async fn a_domain_that_offers_no_submission_is_told_from_one_that_does_not_answer() {
    let send = async |records: &str| {
        let transport = config(records).build().unwrap();
        transport.send_message(message()).await.unwrap_err()
    };
    let error = send("_submission._tcp SRV 0 0 0 .\n_submissions._tcp SRV 0 0 0 .\n").await;
    assert!(matches!(srv_error(&error), SrvError::NotOffered));
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Invalid, Retry::Never));
    let error = send("@ A 192.0.2.1\n").await;
    assert!(matches!(srv_error(&error), SrvError::NoRecords));
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::NotAccepted, Retry::Never)
    );
    let error = send("$FAIL _submission._tcp servfail\n").await;
    assert!(matches!(srv_error(&error), SrvError::Lookup(_)));
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Safe));
}

/// Records of one priority after the other, for servers on this machine.
fn in_order(service: &str, ports: &[u16]) -> String {
    let record = |(priority, port)| format!("{service}._tcp SRV {priority} 0 {port} localhost.\n");
    ports.iter().enumerate().map(record).collect()
}

#[tokio::test]
async fn a_server_that_wants_nobody_at_the_moment_leaves_the_next() {
    for stage in [Stage::Connect, Stage::Ehlo] {
        let (busy, free) = (TestServer::start().await.unwrap(), TestServer::start().await.unwrap());
        busy.fail(Fault::reply(stage, Verdict::defer(421, (3, 2), "too busy")));
        let records = in_order("_submission", &[busy.address().port(), free.address().port()]);
        let transport = config(&records).tls(Tls::None).ip(IpChoice::V4).build().unwrap();
        let outcome = transport.send_message(message()).await.unwrap();
        assert!(outcome.is_complete(), "{stage:?}");
        free.only_mail().assert_subject("Hello");
        assert!(busy.received().is_empty());
    }
}

#[tokio::test]
async fn what_may_pass_at_one_server_may_pass_whatever_the_others_say() {
    let (busy, never) = (TestServer::start().await.unwrap(), TestServer::start().await.unwrap());
    busy.fail(Fault::reply(Stage::Connect, Verdict::defer(421, (3, 2), "too busy")));
    never.fail(Fault::reply(
        Stage::Connect,
        Verdict::refuse(554, (7, 1), "not from there"),
    ));
    for ports in [[&busy, &never], [&never, &busy]] {
        let records = in_order("_submission", &ports.map(|server| server.address().port()));
        let transport = config(&records).tls(Tls::None).ip(IpChoice::V4).build().unwrap();
        let error = transport.send_message(message()).await.unwrap_err();
        assert_eq!(error.reply().map(|reply| reply.code()), Some(421));
        assert_eq!(error.retry(), Retry::Safe);
    }
}

#[tokio::test]
async fn a_login_that_is_refused_is_not_tried_elsewhere() {
    let build = async || {
        let builder = TestServer::builder().credentials("ada", "secret");
        builder.start().await.unwrap()
    };
    let (first, second) = (build().await, build().await);
    let records = in_order("_submission", &[first.address().port(), second.address().port()]);
    let config = config(&records).tls(Tls::None).ip(IpChoice::V4);
    let config = config.credentials("ada", "wrong").danger_allow_plaintext_auth(true);
    let error = config.build().unwrap().send_message(message()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!((first.connections(), second.connections()), (1, 0));
}

#[tokio::test]
async fn a_server_elsewhere_that_cannot_prove_that_it_speaks_for_the_domain_is_passed_over() {
    let authority = Authority::new("Test Authority");
    let serve = async |name: &str| {
        let issued = authority.issue(&named(name, &[name]));
        let builder = TestServer::builder().tls(issued.chain, issued.key).implicit_tls(true);
        builder.start().await.unwrap()
    };
    let (own_name, domain) = (serve("localhost").await, serve("example.org").await);
    let ports = [own_name.address().port(), domain.address().port()];
    let send = async |records: &str| {
        let config = config(records)
            .tls(Tls::Implicit)
            .ip(IpChoice::V4)
            .platform_roots(false);
        let transport = config.add_root_pem(authority.pem()).unwrap().build().unwrap();
        transport.send_message(message()).await
    };
    let records = in_order("_submissions", &ports);
    assert!(send(&records).await.unwrap().is_complete());
    domain.only_mail().assert_subject("Hello");
    assert!(own_name.received().is_empty());
    // Records that nobody could change make the name in them the one to ask for (RFC 6186 §6, RFC 7672 §2.2).
    let secure = format!("{records}$DNSSEC _submissions._tcp secure\n");
    assert!(send(&secure).await.unwrap().is_complete());
    own_name.only_mail().assert_subject("Hello");
    let error = send(&in_order("_submissions", &ports[..1])).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().downcast_ref();
    assert!(matches!(source, Some(SmtpError::Certificate(_))), "{error:?}");
}

#[tokio::test]
async fn a_token_names_the_server_that_it_is_shown_to() {
    let peer = Peer::start(vec![vec![
        Say("220 ready\r\n"),
        Read(1),
        Say("250-mx.example.net\r\n250 AUTH OAUTHBEARER\r\n"),
        Read(1),
        Say("454 4.7.0 not now\r\n"),
        Ignore,
    ]])
    .await;
    let port = peer.address.port();
    let config = config(&in_order("_submission", &[port]))
        .tls(Tls::None)
        .ip(IpChoice::V4);
    let config = config.token_source("ada@example.org", Secret::new("t0ken"));
    let config = config
        .mechanisms([Mechanism::OAuthBearer])
        .danger_allow_plaintext_auth(true);
    config.build().unwrap().send_message(message()).await.unwrap_err();
    let lines = peer.lines();
    let initial = lines
        .iter()
        .find_map(|line| line.strip_prefix("AUTH OAUTHBEARER "))
        .unwrap();
    let shown = String::from_utf8(STANDARD.decode(initial).unwrap()).unwrap();
    assert!(
        shown.contains(&format!("\x01host=localhost\x01port={port}\x01")),
        "{shown}"
    );
}

/// Notes where it is to go, and never gets there.
#[derive(Clone, Debug, Default)]
struct Noted(Arc<Mutex<Vec<(String, u16)>>>);

impl Connector for Noted {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        self.0.lock().unwrap().push((host.to_owned(), port));
        Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) })
    }
}

#[tokio::test]
async fn every_server_is_tried_in_its_order() {
    let noted = Noted::default();
    let records = "_submission._tcp SRV 20 0 587 late\n\
                   _submissions._tcp SRV 10 0 465 early\n\
                   _submission._tcp SRV 10 0 587 early\n";
    let transport = config(records).connector(noted.clone()).build().unwrap();
    transport.send_message(message()).await.unwrap_err();
    let expected = [("early", 465), ("early", 587), ("late", 587)];
    let expected = expected.map(|(host, port)| (format!("{host}.example.org"), port));
    assert_eq!(*noted.0.lock().unwrap(), expected);
}

#[test]
fn settings_that_contradict_the_records_are_refused() {
    assert!(matches!(
        SmtpTransport::from_url("smtp://example.org?srv=true"),
        Err(ConfigError::Missing("resolver"))
    ));
    assert!(
        SmtpConfig::from_url("smtp://example.org?srv=true")
            .unwrap()
            .needs_resolver()
    );
    assert!(!config("").needs_resolver());
    for config in [
        config("").port(587),
        config("").lmtp(true),
        config("").socket("/run/smtp"),
    ] {
        assert!(matches!(config.build(), Err(ConfigError::Invalid { .. })));
    }
}
