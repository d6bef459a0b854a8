//! Policies fetched from a server on loopback, over TLS.

#![cfg(feature = "https")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use posthaste_dns::Zone;
use posthaste_doctor::{Code, Doctor, FetchError, Https, HttpsClient};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const HOST: &str = "mta-sts.example.org";
const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 1209600\n";

/// How a server behaves after the request.
#[derive(Clone)]
enum Then {
    /// Sends these octets and closes.
    Answer(String),
    /// Sends the start of a page and then nothing more.
    Stall,
}

struct Server {
    address: SocketAddr,
    root: String,
}

fn page(status: &str, kind: &str, body: &str) -> Then {
    let length = body.len();
    Then::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nLocation: https://{HOST}/\r\n\r\n{body}"
    ))
}

/// Serves one kind of page, with a certificate for a host.
async fn serve(host: &str, then: Then) -> Server {
    let certified = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, then) = (acceptor.clone(), then.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate hangs up here.
                let Ok(mut stream) = acceptor.accept(socket).await else {
                    return;
                };
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut octets = [0; 1024];
                    match stream.read(&mut octets).await {
                        Ok(count) if count > 0 => request.extend(octets.into_iter().take(count)),
                        _ => return,
                    }
                }
                match then {
                    Then::Answer(text) => {
                        let _ = stream.write_all(text.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    }
                    Then::Stall => {
                        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nversion";
                        let _ = stream.write_all(head.as_bytes()).await;
                        // Until the client goes.
                        let _ = stream.read(&mut [0; 1]).await;
                    }
                }
            });
        }
    });
    Server {
        address,
        root: certified.cert.pem(),
    }
}

fn client(server: &Server, timeout: Duration) -> HttpsClient {
    HttpsClient::builder()
        .only_root_pem(&server.root)
        .unwrap()
        .address(HOST, server.address)
        .timeout(timeout)
        .build()
        .unwrap()
}

async fn fetch(server: &Server) -> Result<Vec<u8>, FetchError> {
    let url = format!("https://{HOST}:{}/.well-known/mta-sts.txt", server.address.port());
    client(server, Duration::from_secs(30)).get(&url).await
}

#[tokio::test]
async fn a_policy_is_fetched() {
    let server = serve(HOST, page("200 OK", "Text/Plain; charset=utf-8", POLICY)).await;
    assert_eq!(fetch(&server).await.unwrap(), POLICY.as_bytes());
}

#[tokio::test]
async fn what_is_no_policy_page_is_refused() {
    let cases = [
        (page("301 Moved", "text/plain", POLICY), FetchError::Status(301)),
        (page("404 Not Found", "text/plain", POLICY), FetchError::Status(404)),
        (page("204 No Content", "text/plain", ""), FetchError::Status(204)),
        (
            page("200 OK", "text/html", POLICY),
            FetchError::ContentType("text/html".to_owned()),
        ),
        (
            page("200 OK", "text/plainer", POLICY),
            FetchError::ContentType("text/plainer".to_owned()),
        ),
        (
            Then::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()),
            FetchError::ContentType(String::new()),
        ),
        (page("200 OK", "text/plain", &"x".repeat(65_537)), FetchError::TooLong),
        (
            // It does not say how long it is.
            Then::Answer(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{}",
                "x".repeat(200_000)
            )),
            FetchError::TooLong,
        ),
    ];
    for (then, expected) in cases {
        assert_eq!(fetch(&serve(HOST, then).await).await, Err(expected));
    }
    let longest = "x".repeat(65_536);
    let server = serve(HOST, page("200 OK", "text/plain", &longest)).await;
    assert_eq!(fetch(&server).await.unwrap().len(), 65_536);
}

#[tokio::test]
async fn certificates_are_checked() {
    let right = serve(HOST, page("200 OK", "text/plain", POLICY)).await;
    let stranger = serve(HOST, page("200 OK", "text/plain", POLICY)).await;
    let wrong_root = Server {
        address: right.address,
        root: stranger.root,
    };
    let other_host = serve("www.example.org", page("200 OK", "text/plain", POLICY)).await;
    for server in [wrong_root, other_host] {
        let error = fetch(&server).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Connect(why) if why.contains("certificate")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_page_that_does_not_end_takes_no_longer_than_it_may() {
    let server = serve(HOST, Then::Stall).await;
    let url = format!("https://{HOST}:{}/", server.address.port());
    let client = client(&server, Duration::from_millis(300));
    assert_eq!(client.get(&url).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn a_page_that_breaks_off_is_none() {
    let text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nversion";
    let server = serve(HOST, Then::Answer(text.to_owned())).await;
    assert!(matches!(fetch(&server).await, Err(FetchError::Connect(_))));
}

#[tokio::test]
async fn plain_http_and_closed_ports_are_no_page() {
    let server = serve(HOST, page("200 OK", "text/plain", POLICY)).await;
    let client = client(&server, Duration::from_secs(30));
    let plain = format!("http://{HOST}:{}/", server.address.port());
    assert!(matches!(client.get(&plain).await, Err(FetchError::Connect(_))));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Server {
        address: closed,
        root: server.root.clone(),
    };
    assert!(matches!(fetch(&nobody).await, Err(FetchError::Connect(_))));
}

#[test]
fn roots_that_are_none_are_refused() {
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let made = HttpsClient::builder()
            .only_root_pem(pem)
            .and_then(|builder| builder.build());
        assert!(matches!(made, Err(FetchError::Setup(_))), "{pem:?}");
    }
}

/// Sends what the doctor asks for to the server's port, as port 443 is not a test's to have.
#[derive(Debug)]
struct Ported(HttpsClient, u16);

impl Https for Ported {
    fn get<'a>(&'a self, url: &'a str) -> posthaste_doctor::FetchFuture<'a> {
        let url = url.replacen(HOST, &format!("{HOST}:{}", self.1), 1);
        Box::pin(async move { self.0.get(&url).await })
    }
}

#[tokio::test]
async fn the_doctor_reads_what_was_fetched() {
    let zone = "example.org. MX 10 mail.example.org.\nmail.example.org. A 192.0.2.1\n\
                _mta-sts.example.org. TXT \"v=STSv1; id=1\"\n";
    let zone = Zone::parse(zone).unwrap();
    let cases = [
        (page("200 OK", "text/plain", POLICY), Code::StsOk),
        (page("200 OK", "text/plain", "no policy"), Code::StsPolicy),
        (page("301 Moved", "text/plain", POLICY), Code::StsUnreachable),
    ];
    for (then, code) in cases {
        let server = serve(HOST, then).await;
        let https = Ported(client(&server, Duration::from_secs(30)), server.address.port());
        let diagnosis = Doctor::new(&zone)
            .https(&https)
            .check(&"example.org".parse().unwrap())
            .await;
        assert!(diagnosis.has(code), "no {code} in\n{diagnosis}");
    }
}
