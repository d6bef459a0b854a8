//! `HickoryResolver` over TLS and HTTPS.

use std::{num::NonZeroUsize, time::Duration};

use hickory_server::dnssec::NxProofKind;
use posthaste_dns::{
    HickoryBuilder, HickoryResolver, LookupError, RecordType, Resolver, ResolverExt, SetupErrorKind, Upstream,
};
use tokio::net::TcpListener;

use crate::server::{Running, Zones, start, zone};

const NAME: &str = "dns.example.test";

async fn server() -> Running {
    let text = "@ 3600 IN SOA ns.test. hostmaster.test. 1 7200 900 1209600 300\n\
                @ 3600 IN NS ns.test.\n\
                mail.test. 3600 IN A 192.0.2.1\n\
                mail.test. 3600 IN TXT \"secret\"\n";
    start(
        Zones::new("test.", zone("test.", text, NxProofKind::Nsec, None), Vec::new()),
        NAME,
    )
    .await
}

fn builder(server: &Running) -> HickoryBuilder {
    HickoryResolver::builder()
        .platform_roots(false)
        .add_root_pem(&server.root)
        .unwrap()
}

async fn check(resolver: &HickoryResolver) {
    assert_eq!(resolver.txt("mail.test").await.unwrap()[0].as_bytes(), b"secret");
    let error = resolver.lookup("nope.test", RecordType::A).await.unwrap_err();
    let ttl = error.negative().and_then(|negative| negative.ttl);
    assert!(
        error.is_nx_domain() && ttl == Some(Duration::from_secs(300)),
        "{error:?}"
    );
    let error = resolver.lookup("mail.test", RecordType::Mx).await.unwrap_err();
    let ttl = error.negative().and_then(|negative| negative.ttl);
    assert!(error.is_no_data() && ttl == Some(Duration::from_secs(300)), "{error:?}");
}

#[tokio::test]
async fn answers_come_over_every_protocol() {
    let server = server().await;
    for upstream in [
        Upstream::udp(server.plain),
        Upstream::tcp(server.plain),
        Upstream::tls(server.tls, NAME),
        Upstream::https(server.https, NAME),
        format!("tls://{}#{NAME}", server.tls).parse().unwrap(),
        format!("https://{}/dns-query#{NAME}", server.https).parse().unwrap(),
    ] {
        let resolver = builder(&server).upstream(upstream).build().unwrap();
        check(&resolver).await;
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = server().await;
    for upstream in [
        Upstream::tls(server.tls, "other.example.test"),
        Upstream::https(server.https, "other.example.test"),
        format!("tls://{}", server.tls).parse().unwrap(),
    ] {
        let resolver = builder(&server).upstream(upstream).build().unwrap();
        let error = resolver.a("mail.test").await.unwrap_err();
        assert!(matches!(error, LookupError::Network(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let (server, other) = (server().await, server().await);
    for upstream in [Upstream::tls(server.tls, NAME), Upstream::https(server.https, NAME)] {
        let resolver = builder(&other).upstream(upstream).build().unwrap();
        let error = resolver.a("mail.test").await.unwrap_err();
        assert!(matches!(error, LookupError::Network(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_encrypted_upstream_is_never_asked_in_clear() {
    let server = server().await;
    let resolver = builder(&server)
        .upstream(Upstream::tls(server.plain, NAME))
        .timeout(Duration::from_millis(50))
        .attempts(NonZeroUsize::MIN)
        .deadline(Duration::from_millis(300))
        .build()
        .unwrap();
    assert!(resolver.a("mail.test").await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let server = server().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    for upstream in [
        Upstream::tls(address, NAME),
        Upstream::https(address, NAME),
        Upstream::tcp(address),
    ] {
        let resolver = builder(&server)
            .upstream(upstream)
            .timeout(Duration::from_millis(50))
            .attempts(NonZeroUsize::MIN)
            .deadline(Duration::from_millis(300))
            .build()
            .unwrap();
        assert_eq!(resolver.a("mail.test").await, Err(LookupError::Timeout));
    }
}

#[tokio::test]
async fn one_server_stands_in_for_another() {
    let server = server().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let resolver = builder(&server)
        .upstream(Upstream::tls(closed, NAME))
        .upstream(Upstream::tls(server.tls, NAME))
        .build()
        .unwrap();
    check(&resolver).await;
}

#[test]
fn what_is_no_certificate_is_refused_at_once() {
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let error = HickoryResolver::builder().add_root_pem(pem).unwrap_err();
        assert_eq!(error.kind(), SetupErrorKind::Roots, "{pem}");
    }
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = HickoryResolver::builder()
        .platform_roots(false)
        .add_root_pem(pem)
        .unwrap()
        .upstream(Upstream::tls(([127, 0, 0, 1], 853).into(), NAME))
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), SetupErrorKind::Roots);
}
