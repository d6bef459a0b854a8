//! The servers of a domain by its SRV records.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use posthaste_dns::Zone;
use posthaste_mime::Message;
use posthaste_smtp::testing::TestServer;
use posthaste_smtp::{
    ConfigError, ConnectFuture, Connector, IpChoice, SmtpConfig, SmtpError, SmtpTransport, SrvError, Tls,
};
use posthaste_transport::{Disposition, ErrorKind, Retry, SendError, TransportExt as _};

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
