//! TLS from the first octet, by STARTTLS, and not at all.

use std::error::Error as _;
use std::time::Duration;

use posthaste_smtp::{ConfigError, SmtpConfig, SmtpError, SmtpTransport, Timeouts, Tls};
use posthaste_transport::{Disposition, ErrorKind, SendError, SendOptions, Transport};

use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
use crate::peer::{Do, Peer};
use crate::postbox::{Postbox, Running, certificate, mail, soon};

const OFFER: [Do; 4] = [Say("220 hi\r\n"), Read(1), Say("250-hi\r\n250 STARTTLS\r\n"), Read(1)];
const MESSAGE: [Do; 8] = [
    Read(1),
    Say("250 ok\r\n"),
    Read(1),
    Say("250 ok\r\n"),
    Read(1),
    Say("354 go\r\n"),
    ReadMessage,
    Say("250 ok\r\n"),
];

fn quick(config: SmtpConfig) -> SmtpTransport {
    config
        .timeouts(Timeouts::all(Duration::from_secs(2)))
        .platform_roots(false)
        .build()
        .unwrap()
}

async fn send(client: &SmtpTransport) -> Result<(), SendError> {
    soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new()))
        .await
        .map(drop)
}

#[tokio::test]
async fn encrypts_by_starttls_and_from_the_first_octet() {
    let (chain, key) = certificate();
    for (implicit, tls) in [
        (true, Tls::Implicit),
        (false, Tls::Required),
        (false, Tls::Opportunistic),
    ] {
        let postbox = Postbox::default();
        let running = Running::start(
            postbox
                .server()
                .tls(chain.clone(), key.clone())
                .implicit_tls(implicit)
                .require_tls(true),
        )
        .await;
        let client = quick(running.client().tls(tls).add_root_pem(&chain).unwrap());
        send(&client).await.unwrap();
        send(&client).await.unwrap();
        assert!(postbox.messages().iter().all(|message| message.is_secure()), "{tls:?}");
        assert_eq!(postbox.messages().len(), 2);
        client.close().await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_of_another_name_is_refused() {
    let (chain, key) = certificate();
    let (other, _) = certificate();
    let postbox = Postbox::default();
    let running = Running::start(postbox.server().tls(chain.clone(), key)).await;
    let stranger = quick(running.client().tls(Tls::Required).add_root_pem(&other).unwrap());
    let misnamed = SmtpTransport::builder("localhost")
        .port(running.address.port())
        .add_root_pem(&chain)
        .unwrap();
    for client in [stranger, quick(misnamed)] {
        let error = send(&client).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unavailable, Disposition::NotAccepted)
        );
        assert!(
            matches!(error.source().unwrap().downcast_ref(), Some(SmtpError::Certificate(_))),
            "{error:?}"
        );
    }
    assert!(postbox.messages().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn clear_text_behind_the_reply_to_starttls_ends_the_session() {
    for injected in ["220 go\r\n250 INJECTED\r\n", "220 go\r\n2", "220-go\r\n220 on\r\n\r\n"] {
        for tls in [Tls::Required, Tls::Opportunistic] {
            let peer = Peer::start(vec![[&OFFER[..], &[Say(injected), Ignore]].concat()]).await;
            let error = send(&quick(peer.client().tls(tls).credentials("ada", "canary")))
                .await
                .unwrap_err();
            assert_eq!(error.disposition(), Disposition::NotAccepted);
            assert!(
                matches!(error.source().unwrap().downcast_ref(), Some(SmtpError::Injected)),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn required_tls_fails_closed() {
    let peer = Peer::start(vec![vec![
        Say("220 hi\r\n"),
        Read(1),
        Say("250-hi\r\n250 PIPELINING\r\n"),
        Ignore,
    ]])
    .await;
    let error = send(&quick(peer.client().tls(Tls::Required))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.source().unwrap().to_string().contains("PIPELINING"));
    assert_eq!(peer.lines().len(), 1);

    let peer = Peer::start(vec![[&OFFER[..], &[Say("454 4.7.0 not now\r\n"), Ignore]].concat()]).await;
    let error = send(&quick(peer.client().tls(Tls::Required))).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reply().unwrap().code()),
        (ErrorKind::Throttled, 454)
    );
    assert_eq!(peer.lines().len(), 2);
}

#[tokio::test]
async fn opportunistic_tls_goes_on_without_but_never_logs_in() {
    let refused: [&[Do]; 3] = [&OFFER, &[Say("454 4.7.0 not now\r\n")], &MESSAGE];
    let peer = Peer::start(vec![refused.concat()]).await;
    send(&quick(peer.client().tls(Tls::Opportunistic))).await.unwrap();

    let peer = Peer::start(vec![refused.concat()]).await;
    let error = send(&quick(
        peer.client().tls(Tls::Opportunistic).credentials("ada", "canary"),
    ))
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(peer.lines().len(), 2);
}

#[tokio::test]
async fn a_handshake_that_stalls_has_a_deadline() {
    for (tls, steps) in [
        (Tls::Implicit, vec![Ignore]),
        (Tls::Required, [&OFFER[..], &[Say("220 go\r\n"), Ignore]].concat()),
    ] {
        let peer = Peer::start(vec![steps]).await;
        let config = peer
            .client()
            .tls(tls)
            .timeouts(Timeouts::all(Duration::from_millis(100)))
            .platform_roots(false);
        let error = send(&config.build().unwrap()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Timeout, Disposition::NotAccepted),
            "{error}"
        );
    }
}

#[test]
fn certificates_that_are_none_are_refused() {
    let config = || SmtpTransport::builder("mx.example.net").platform_roots(false);
    assert!(matches!(config().add_root_pem("no"), Err(ConfigError::Certificate(_))));
    assert!(matches!(
        config().add_root_der(vec![1, 2, 3]).build(),
        Err(ConfigError::Tls(_))
    ));
    let (chain, key) = certificate();
    assert!(Postbox::default().server().tls("no", key.clone()).build().is_err());
    assert!(Postbox::default().server().tls(chain.clone(), "no").build().is_err());
    assert!(Postbox::default().server().tls(chain, certificate().1).build().is_err());
    assert!(Postbox::default().server().implicit_tls(true).build().is_err());
    assert!(Postbox::default().server().auth(true).build().is_err());
    assert!(Postbox::default().server().hostname("a b").build().is_err());
}
