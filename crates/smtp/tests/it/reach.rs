//! The ways to a server: proxies, a Unix socket, an address of one's own.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use posthaste_smtp::testing::TestServer;
use posthaste_smtp::{Proxy, ProxyError, SmtpConfig, SmtpTransport, Tls};
use posthaste_transport::{Disposition, ErrorKind, SendError, SendOptions, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::postbox::mail;

/// What a proxy on loopback does with its one connection, after it has read what `asks` says.
struct Script {
    /// What the client must say, and what it is told.
    steps: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the connection goes on to, if it does.
    to: Option<SocketAddr>,
}

/// Starts a proxy that follows a script; the task ends with what was wrong with the client's words.
async fn proxy(script: Script) -> (SocketAddr, JoinHandle<Result<(), String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.map_err(|error| error.to_string())?;
        for (asked, answer) in script.steps {
            let mut said = vec![0; asked.len()];
            client.read_exact(&mut said).await.map_err(|error| error.to_string())?;
            if said != asked {
                return Err(format!("{:?}", String::from_utf8_lossy(&said)));
            }
            client.write_all(&answer).await.map_err(|error| error.to_string())?;
        }
        if let Some(to) = script.to {
            let mut server = TcpStream::connect(to).await.map_err(|error| error.to_string())?;
            // However it ends: the client may be gone first.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Ok(())
    });
    (address, task)
}

fn transport(proxy: Proxy) -> SmtpTransport {
    SmtpConfig::new("mail.example.test")
        .port(2525)
        .tls(Tls::None)
        .proxy(proxy)
        .build()
        .unwrap()
}

async fn refused(transport: &SmtpTransport) -> SendError {
    let error = transport
        .send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted, "{error:?}");
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    error
}

/// The proxy's error, somewhere behind a send's.
fn proxy_error(error: &SendError) -> Option<ProxyError> {
    let mut source = Error::source(error);
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref::<ProxyError>() {
            return Some(found.clone());
        }
        let io = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = io.and_then(|inner| inner.downcast_ref::<ProxyError>()) {
            return Some(found.clone());
        }
        source = inner.source();
    }
    None
}

/// CONNECT to `mail.example.test`, port 2525, by name.
fn socks_request() -> Vec<u8> {
    let mut request = vec![5, 1, 0, 3, 17];
    request.extend_from_slice(b"mail.example.test");
    request.extend_from_slice(&2525_u16.to_be_bytes());
    request
}

const SOCKS_DONE: [u8; 10] = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80];

#[tokio::test]
async fn a_socks5_proxy_is_given_the_name_and_carries_the_mail() {
    let server = TestServer::start().await.unwrap();
    let (address, task) = proxy(Script {
        steps: vec![(vec![5, 1, 0], vec![5, 0]), (socks_request(), SOCKS_DONE.to_vec())],
        to: Some(server.address()),
    })
    .await;
    let transport = transport(Proxy::socks5("127.0.0.1", address.port()));
    let outcome = transport
        .send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())
        .await
        .unwrap();
    assert!(outcome.is_complete());
    assert_eq!(server.received().len(), 1);
    drop(transport);
    assert_eq!(task.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_socks5_proxy_that_answers_with_a_name_or_an_ipv6_address_is_understood() {
    let named = [&[5, 0, 0, 3, 5][..], b"proxy", &[0, 80]].concat();
    let ipv6 = [&[5, 0, 0, 4][..], &[0; 18]].concat();
    for answer in [named, ipv6] {
        let server = TestServer::start().await.unwrap();
        let (address, _task) = proxy(Script {
            steps: vec![(vec![5, 1, 0], vec![5, 0]), (socks_request(), answer)],
            to: Some(server.address()),
        })
        .await;
        let transport = transport(Proxy::socks5("127.0.0.1", address.port()));
        assert!(
            transport
                .send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_socks5_proxy_is_told_who_asks() {
    let login = [&[1, 3][..], b"ada", &[7], b"hunter2"].concat();
    let server = TestServer::start().await.unwrap();
    let (address, task) = proxy(Script {
        steps: vec![
            (vec![5, 2, 0, 2], vec![5, 2]),
            (login.clone(), vec![1, 0]),
            (socks_request(), SOCKS_DONE.to_vec()),
        ],
        to: Some(server.address()),
    })
    .await;
    let way = Proxy::socks5("127.0.0.1", address.port()).credentials("ada", "hunter2");
    let transport = transport(way);
    assert!(
        transport
            .send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())
            .await
            .is_ok()
    );
    drop(transport);
    assert_eq!(task.await.unwrap(), Ok(()));

    let (address, _task) = proxy(Script {
        steps: vec![(vec![5, 2, 0, 2], vec![5, 2]), (login, vec![1, 1])],
        to: None,
    })
    .await;
    let way = Proxy::socks5("127.0.0.1", address.port()).credentials("ada", "hunter2");
    let error = refused(&self::transport(way)).await;
    assert_eq!(proxy_error(&error), Some(ProxyError::Unauthorized));
}

#[tokio::test]
async fn what_a_socks5_proxy_refuses_is_said() {
    for reply in [1_u8, 2, 3, 4, 5, 6, 7, 8, 200] {
        let (address, _task) = proxy(Script {
            steps: vec![
                (vec![5, 1, 0], vec![5, 0]),
                (socks_request(), vec![5, reply, 0, 1, 0, 0, 0, 0, 0, 0]),
            ],
            to: None,
        })
        .await;
        let error = refused(&transport(Proxy::socks5("127.0.0.1", address.port()))).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(proxy_error(&error), Some(ProxyError::Socks5(reply)));
    }
    let (address, _task) = proxy(Script {
        steps: vec![(vec![5, 1, 0], vec![5, 0xff])],
        to: None,
    })
    .await;
    let error = refused(&transport(Proxy::socks5("127.0.0.1", address.port()))).await;
    assert_eq!(proxy_error(&error), Some(ProxyError::Unauthorized));
}

#[tokio::test]
async fn a_socks5_proxy_that_talks_nonsense_or_hangs_up_is_not_believed() {
    for first in [&b"HT"[..], &[4, 0], &[5, 2], &[5, 7]] {
        let (address, _task) = proxy(Script {
            steps: vec![(vec![5, 1, 0], first.to_vec())],
            to: None,
        })
        .await;
        let error = refused(&transport(Proxy::socks5("127.0.0.1", address.port()))).await;
        assert_eq!(proxy_error(&error), Some(ProxyError::Answer("SOCKS5")), "{first:?}");
    }
    for cut in [&[5_u8][..], &[5, 0, 5, 0, 0], &[5, 0, 5, 0, 0, 9, 1]] {
        let (address, _task) = proxy(Script {
            steps: vec![(vec![5, 1, 0], cut.to_vec())],
            to: None,
        })
        .await;
        let error = refused(&transport(Proxy::socks5("127.0.0.1", address.port()))).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{cut:?}: {error}");
    }
}

fn connect_request(credentials: &str) -> Vec<u8> {
    format!("CONNECT mail.example.test:2525 HTTP/1.1\r\nHost: mail.example.test:2525\r\n{credentials}\r\n").into_bytes()
}

#[tokio::test]
async fn an_http_proxy_connects_and_the_servers_words_are_not_taken_for_its_own() {
    // ada:hunter2
    let credentials = "Proxy-Authorization: Basic YWRhOmh1bnRlcjI=\r\n";
    for (credentials, way) in [("", None), (credentials, Some(("ada", "hunter2")))] {
        let server = TestServer::start().await.unwrap();
        let (address, task) = proxy(Script {
            steps: vec![(
                connect_request(credentials),
                b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n".to_vec(),
            )],
            to: Some(server.address()),
        })
        .await;
        let mut proxy = Proxy::http("127.0.0.1", address.port());
        if let Some((username, password)) = way {
            proxy = proxy.credentials(username, password);
        }
        let transport = transport(proxy);
        assert!(
            transport
                .send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())
                .await
                .is_ok()
        );
        assert_eq!(server.received().len(), 1);
        drop(transport);
        assert_eq!(task.await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn what_an_http_proxy_refuses_is_said() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(9000));
    for (answer, expected) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            ProxyError::Unauthorized,
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", ProxyError::Http(403)),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n", ProxyError::Http(502)),
        ("HTTP/1.1 301 Moved\r\nLocation: x\r\n\r\n", ProxyError::Http(301)),
        ("HTTP/1.1 2000 OK\r\n\r\n", ProxyError::Answer("HTTP")),
        ("HTTP/2 200\r\n\r\n", ProxyError::Answer("HTTP")),
        ("220 mail.example.test ESMTP\r\n", ProxyError::Answer("HTTP")),
        (&long, ProxyError::TooLong(8192)),
    ] {
        let (address, _task) = proxy(Script {
            steps: vec![(connect_request(""), answer.as_bytes().to_vec())],
            to: None,
        })
        .await;
        let error = refused(&transport(Proxy::http("127.0.0.1", address.port()))).await;
        assert_eq!(proxy_error(&error), Some(expected), "{answer:.40}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_ends_with_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let transport = transport(Proxy::socks5("127.0.0.1", port));
    let error = refused(&transport).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn connections_come_from_the_address_that_was_set() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
    let seen = tokio::spawn(async move {
        let (mut stream, peer) = listener.accept().await.unwrap();
        stream.write_all(b"554 go away\r\n").await.unwrap();
        peer.ip()
    });
    let transport = SmtpConfig::new("127.0.0.1")
        .port(port)
        .tls(Tls::None)
        .bind(from)
        .build()
        .unwrap();
    refused(&transport).await;
    assert_eq!(seen.await.unwrap(), from);
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_an_error_and_nothing_is_sent() {
    let server = TestServer::start().await.unwrap();
    let transport = SmtpConfig::new("127.0.0.1")
        .port(server.address().port())
        .tls(Tls::None)
        .bind(Ipv4Addr::new(192, 0, 2, 1))
        .build()
        .unwrap();
    refused(&transport).await;
    assert_eq!(server.connections(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_leads_to_a_server() {
    let server = TestServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("smtp.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let address = server.address();
    let task = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(address).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    });
    let url = format!("smtp://localhost?tls=none&socket={}", path.display());
    let transport = SmtpTransport::from_url(&url).unwrap();
    assert!(
        transport
            .send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())
            .await
            .is_ok()
    );
    assert_eq!(server.received().len(), 1);
    drop(transport);
    task.await.unwrap();

    let gone = SmtpTransport::from_url("smtp://localhost?tls=none&socket=/nowhere/smtp.sock").unwrap();
    assert_eq!(refused(&gone).await.kind(), ErrorKind::Unavailable);
}
