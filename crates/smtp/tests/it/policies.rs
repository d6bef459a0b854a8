//! DANE, MTA-STS and rules of one's own, over connections.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use posthaste_smtp::{
    CertificateCheck, CertificateError, Dane, DaneError, MtaSts, MtaStsError, Presented, SmtpError, SmtpTransport, Tls,
    TlsPolicy, TlsPolicyFuture, TlsRequirement, TlsaAnswer, TlsaRecord,
};
use posthaste_transport::{Disposition, ErrorKind, Outcome, PeerAuthentication, Retry, SendError};
use rcgen::date_time_ymd;

use crate::authority::{Authority, Issued, named, self_signed};
use crate::certificates::{HOST, MODES, check_refused, client, send, serve};
use crate::peer::Do::{Ignore, Read, Say};
use crate::peer::Peer;
use crate::postbox::Postbox;

const NO_MATCH: &str = "the certificate is not what the TLSA records ask for";

fn answer(usage: u8, der: &[u8]) -> TlsaAnswer {
    TlsaAnswer::Secure(vec![TlsaRecord::new(usage, 0, 0, der)])
}

fn dane(answer: TlsaAnswer) -> TlsRequirement {
    Dane::from_answer(answer).unwrap().requirement()
}

/// Sends to a server that shows `issued`, by a client that trusts `roots` and asks `policy`.
async fn try_policy(
    tls: Tls,
    issued: &Issued,
    roots: Option<&Authority>,
    policy: impl TlsPolicy,
) -> Result<Outcome, SendError> {
    let postbox = Postbox::default();
    let running = serve(&postbox, issued, tls).await;
    let mut config = client(HOST, &running, tls).tls_policy(policy);
    if let Some(roots) = roots {
        config = config.add_root_pem(roots.pem()).unwrap();
    }
    let sent = send(&config.build().unwrap()).await;
    assert_eq!(postbox.messages().len(), usize::from(sent.is_ok()), "{sent:?}");
    sent
}

fn authentication(sent: Result<Outcome, SendError>) -> PeerAuthentication {
    sent.unwrap().tls().unwrap().authentication()
}

#[tokio::test]
async fn a_dane_ee_record_is_all_that_a_server_needs() {
    let mut params = named("server", &["other.example"]);
    params.not_after = date_time_ymd(2020, 1, 1);
    let (issued, another) = (self_signed(&params), self_signed(&params));
    for tls in MODES {
        let sent = try_policy(tls, &issued, None, dane(answer(3, &issued.der))).await;
        assert_eq!(authentication(sent), PeerAuthentication::DaneEe, "{tls:?}");
        let error = try_policy(tls, &issued, None, dane(answer(3, &another.der)))
            .await
            .unwrap_err();
        check_refused(&error, NO_MATCH, "another key");
        let reason = error.source().unwrap().source().unwrap().source().unwrap();
        assert_eq!(reason.downcast_ref(), Some(&DaneError::NoMatch));
    }
}

#[tokio::test]
async fn a_dane_ta_record_takes_the_place_of_the_authorities() {
    let authority = Authority::new("authority");
    let of_next_hop = authority.issue(&named("server", &["example.net"]));
    let rule = || Dane::from_answer(answer(2, &authority.der())).unwrap();
    for tls in MODES {
        let issued = authority.issue(&named("server", &[HOST]));
        let sent = try_policy(tls, &issued, None, rule().requirement()).await;
        assert_eq!(authentication(sent), PeerAuthentication::DaneTa, "{tls:?}");
        let next_hop = rule().with_name("example.net").requirement();
        let sent = try_policy(tls, &of_next_hop, None, next_hop).await;
        assert_eq!(authentication(sent), PeerAuthentication::DaneTa, "{tls:?}");
        let error = try_policy(tls, &of_next_hop, None, rule().requirement())
            .await
            .unwrap_err();
        check_refused(&error, NO_MATCH, "the name of the domain, not asked for");
    }
}

#[tokio::test]
async fn an_authority_that_is_trusted_is_not_enough_against_dane() {
    let trusted = Authority::new("trusted");
    let issued = trusted.issue(&named("server", &[HOST]));
    let other = self_signed(&named("server", &[HOST]));
    let mta_sts = MtaSts::enforce(|host| host == HOST);
    let policy = dane(answer(3, &other.der)).or_stronger(mta_sts.requirement_of(HOST).unwrap());
    let error = try_policy(Tls::Opportunistic, &issued, Some(&trusted), policy)
        .await
        .unwrap_err();
    check_refused(&error, NO_MATCH, "RFC 8461 §2");
}

#[tokio::test]
async fn records_that_cannot_be_used_ask_for_encryption_only() {
    let trusted = Authority::new("trusted");
    let issued = self_signed(&named("server", &["other.example"]));
    let unusable = || dane(answer(1, &issued.der));
    let sent = try_policy(Tls::Opportunistic, &issued, None, unusable()).await;
    assert_eq!(authentication(sent), PeerAuthentication::Unverified);
    // Where more was asked for, more is.
    for tls in [Tls::Required, Tls::Implicit] {
        let error = try_policy(tls, &issued, None, unusable()).await.unwrap_err();
        check_refused(&error, "the certificate is self-signed and not trusted", "configured");
    }
    // What would hold is seen.
    let good = trusted.issue(&named("server", &[HOST]));
    let sent = try_policy(Tls::Opportunistic, &good, Some(&trusted), unusable()).await;
    assert_eq!(authentication(sent), PeerAuthentication::OwnRoots);

    let sent = try_policy(Tls::Opportunistic, &issued, None, dane(TlsaAnswer::Insecure)).await;
    assert_eq!(authentication(sent), PeerAuthentication::Unverified);
    let error = try_policy(Tls::Opportunistic, &issued, None, TlsRequirement::as_configured()).await;
    check_refused(
        &error.unwrap_err(),
        "the certificate is self-signed and not trusted",
        "no wish",
    );
}

#[tokio::test]
async fn without_starttls_a_policy_ends_the_session() {
    let plain = [Say("220 hi\r\n"), Read(1), Say("250-hi\r\n250 SIZE\r\n"), Ignore];
    let policies = [
        TlsRequirement::encrypted(),
        TlsRequirement::verified(),
        dane(TlsaAnswer::Secure(vec![TlsaRecord::new(3, 1, 1, [7; 32])])),
        dane(TlsaAnswer::Secure(vec![TlsaRecord::new(1, 1, 1, [7; 32])])),
    ];
    for policy in policies {
        for tls in [Tls::None, Tls::Opportunistic] {
            let peer = Peer::start(vec![plain.to_vec()]).await;
            let client = peer.client().tls(tls).tls_policy(policy.clone()).build().unwrap();
            let error = send(&client).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.disposition()),
                (ErrorKind::Unsupported, Disposition::NotAccepted)
            );
            assert_eq!(peer.lines().len(), 1, "nothing behind EHLO");
        }
    }
}

/// Cannot look up what it needs.
#[derive(Debug)]
struct LookupFails(Arc<AtomicUsize>);

impl TlsPolicy for LookupFails {
    fn requirement<'a>(&'a self, _: &'a str, _: u16) -> TlsPolicyFuture<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Dane::from_answer(TlsaAnswer::Failed)?.requirement()) })
    }
}

/// Never knows.
#[derive(Debug)]
struct Undecided;

impl TlsPolicy for Undecided {
    fn requirement<'a>(&'a self, _: &'a str, _: u16) -> TlsPolicyFuture<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_policy_that_fails_keeps_the_client_from_connecting() {
    let peer = Peer::start(vec![vec![Say("220 hi\r\n"), Ignore]]).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let client = peer
        .client()
        .tls_policy(LookupFails(Arc::clone(&asked)))
        .build()
        .unwrap();
    let error = send(&client).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Unavailable, Disposition::NotAccepted, Retry::Safe)
    );
    let cause = error.source().unwrap();
    assert!(matches!(cause.downcast_ref(), Some(SmtpError::Policy(_))), "{error:?}");
    assert_eq!(cause.source().unwrap().downcast_ref(), Some(&DaneError::Lookup));
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    let mta_sts = MtaSts::enforce(|host| host != "127.0.0.1");
    let error = send(&peer.client().tls_policy(mta_sts).build().unwrap())
        .await
        .unwrap_err();
    let reason = error.source().unwrap().source().unwrap();
    assert_eq!(
        reason.downcast_ref::<MtaStsError>().map(|error| error.host.as_str()),
        Some("127.0.0.1")
    );
    assert_eq!(error.disposition(), Disposition::NotAccepted);

    let hurried = posthaste_smtp::Timeouts::all(std::time::Duration::from_millis(50));
    let client = peer.client().tls_policy(Undecided).timeouts(hurried).build().unwrap();
    assert_eq!(send(&client).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(peer.lines().is_empty(), "nobody came");
}

#[tokio::test]
async fn mta_sts_asks_for_a_certificate_of_the_host() {
    let trusted = Authority::new("trusted");
    let enforce = || MtaSts::enforce(|host| host == HOST);
    let good = trusted.issue(&named("server", &[HOST]));
    let sent = try_policy(Tls::Opportunistic, &good, Some(&trusted), enforce()).await;
    assert_eq!(authentication(sent), PeerAuthentication::OwnRoots);
    let bad = trusted.issue(&named("server", &["example.net"]));
    let error = try_policy(Tls::Opportunistic, &bad, Some(&trusted), enforce())
        .await
        .unwrap_err();
    let reason = "the certificate is not for mx.example.net, but for example.net";
    check_refused(&error, reason, "the domain's certificate");
}

/// Takes one certificate, or what the ordinary check takes.
#[derive(Debug)]
struct Pinned(Vec<u8>);

impl CertificateCheck for Pinned {
    fn check(&self, presented: &Presented<'_>) -> Result<PeerAuthentication, CertificateError> {
        assert_eq!(presented.host(), HOST);
        assert_eq!(presented.chain().first(), Some(&presented.leaf()));
        match presented.leaf() == self.0 {
            true => Ok(PeerAuthentication::Custom),
            false => presented.ordinary().map_err(CertificateError::refused),
        }
    }
}

#[tokio::test]
async fn a_check_of_ones_own_decides() {
    let trusted = Authority::new("trusted");
    let pinned = self_signed(&named("server", &["other.example"]));
    let check = || TlsRequirement::checked_by(Pinned(pinned.der.clone()));
    for tls in MODES {
        let sent = try_policy(tls, &pinned, None, check()).await;
        assert_eq!(authentication(sent), PeerAuthentication::Custom);
        let good = trusted.issue(&named("server", &[HOST]));
        let sent = try_policy(tls, &good, Some(&trusted), check()).await;
        assert_eq!(authentication(sent), PeerAuthentication::OwnRoots);
        let other = self_signed(&named("server", &[HOST]));
        let error = try_policy(tls, &other, None, check()).await.unwrap_err();
        check_refused(&error, "the certificate was refused", "neither");
        let reason = error.source().unwrap().source().unwrap().source().unwrap();
        assert_eq!(reason.to_string(), "the certificate is self-signed and not trusted");
    }
}

#[tokio::test]
async fn who_was_not_verified_gets_no_credentials() {
    let issued = self_signed(&named("server", &["other.example"]));
    let postbox = Postbox::default();
    let running = crate::postbox::Running::start(
        postbox
            .server()
            .tls(issued.chain.clone(), issued.key.clone())
            .auth(true),
    )
    .await;
    let config = || client(HOST, &running, Tls::Opportunistic).credentials("ada", "secret");
    let error = send(&config().tls_policy(TlsRequirement::encrypted()).build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let cause = error.source().unwrap().downcast_ref();
    assert!(matches!(cause, Some(SmtpError::UnverifiedAuth)), "{error:?}");
    let verified = config().tls_policy(dane(answer(3, &issued.der))).build().unwrap();
    assert_eq!(authentication(send(&verified).await), PeerAuthentication::DaneEe);
    assert_eq!(postbox.messages().len(), 1);
}

/// Is of another opinion each time.
#[derive(Debug)]
struct Fickle(Arc<AtomicUsize>, Vec<u8>);

impl TlsPolicy for Fickle {
    fn requirement<'a>(&'a self, host: &'a str, port: u16) -> TlsPolicyFuture<'a> {
        assert_eq!((host, port), (HOST, 25));
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let data = if first { self.1.clone() } else { vec![7; 32] };
        let matching = u8::from(!first);
        let answer = TlsaAnswer::Secure(vec![TlsaRecord::new(3, 0, matching, data)]);
        Box::pin(std::future::ready(Ok(dane(answer))))
    }
}

#[tokio::test]
async fn each_connection_is_judged_anew() {
    let issued = self_signed(&named("server", &[HOST]));
    let postbox = Postbox::default();
    let running = serve(&postbox, &issued, Tls::Required).await;
    let client: SmtpTransport = client(HOST, &running, Tls::Required)
        .idle_timeout(std::time::Duration::ZERO)
        .tls_policy(Fickle(Arc::default(), issued.der.clone()))
        .build()
        .unwrap();
    assert_eq!(authentication(send(&client).await), PeerAuthentication::DaneEe);
    client.close().await;
    // A session that was resumed would not show its certificate again.
    check_refused(&send(&client).await.unwrap_err(), NO_MATCH, "the second");
}
