//! DNSSEC from a trust anchor of our own: proven, provably unsigned, and forged.

use std::net::SocketAddr;

use hickory_server::dnssec::NxProofKind;
use posthaste_dns::{Dnssec, HickoryResolver, LookupError, RecordType, Resolver, SetupErrorKind};

use crate::server::{Running, Zones, signer, start, zone};

const TOP: &str = "@ 3600 IN SOA ns.test. hostmaster.test. 1 7200 900 1209600 300\n\
    @ 3600 IN NS ns.test.\n\
    ns.test. 3600 IN A 192.0.2.53\n\
    mail.test. 3600 IN A 192.0.2.1\n\
    _25._tcp.mail.test. 3600 IN TLSA 3 1 1 ABCD\n\
    alias.test. 3600 IN CNAME mail.test.\n\
    *.wild.test. 3600 IN A 192.0.2.3\n\
    astray.test. 3600 IN CNAME mail.plain.test.\n\
    plain.test. 3600 IN NS ns.test.\n\
    forged.test. 3600 IN NS ns.test.\n\
    forged.test. 3600 IN DS 12345 15 2 0000000000000000000000000000000000000000000000000000000000000000\n";

const BELOW: &str = "@ 3600 IN SOA ns.test. hostmaster.test. 1 7200 900 1209600 300\n\
    @ 3600 IN NS ns.test.\n\
    mail 3600 IN A 192.0.2.2\n";

async fn server(proof: NxProofKind) -> (Running, HickoryResolver) {
    let (server, anchor) = serve(proof).await;
    let resolver = validating(server.plain, &anchor);
    (server, resolver)
}

fn validating(server: SocketAddr, anchor: &str) -> HickoryResolver {
    let builder = HickoryResolver::builder().nameserver(server);
    builder.trust_anchors(anchor).unwrap().build().unwrap()
}

async fn serve(proof: NxProofKind) -> (Running, String) {
    let (key, anchor) = signer("test.");
    let top = zone("test.", TOP, proof.clone(), Some(key));
    let below = vec![
        ("plain.test.", zone("plain.test.", BELOW, proof.clone(), None)),
        (
            "forged.test.",
            zone("forged.test.", BELOW, proof.clone(), Some(signer("forged.test.").0)),
        ),
    ];
    let server = start(Zones::new("test.", top, below), "dns.test").await;
    (server, anchor)
}

fn nsec3() -> NxProofKind {
    NxProofKind::Nsec3 {
        algorithm: Default::default(),
        salt: [].into(),
        iterations: 0,
        opt_out: false,
    }
}

async fn status(resolver: &HickoryResolver, name: &str, kind: RecordType) -> Result<Dnssec, LookupError> {
    resolver.lookup(name, kind).await.map(|answer| answer.dnssec())
}

#[tokio::test]
async fn what_is_signed_is_secure() {
    let (_server, resolver) = server(NxProofKind::Nsec).await;
    for _ in 0..2 {
        let status = |name, kind| status(&resolver, name, kind);
        assert_eq!(status("mail.test", RecordType::A).await, Ok(Dnssec::Secure));
        assert_eq!(status("_25._tcp.mail.test", RecordType::Tlsa).await, Ok(Dnssec::Secure));
        assert_eq!(status("alias.test", RecordType::A).await, Ok(Dnssec::Secure));
    }
}

/// hickory-server sends NSEC3 records with every answer, where others do so only for what a wildcard stands for (RFC 5155
/// §7.2), and hickory-resolver takes those of a name that is there for a denial. Both are out of reach here. What is to
/// hold: as other servers answer, NSEC3 is as good as NSEC; and with the records too many nothing is trusted that should
/// not be.
#[tokio::test]
async fn what_is_there_is_secure_in_a_zone_with_nsec3_too() {
    let (server, anchor) = serve(nsec3()).await;
    let tidy = validating(crate::server::tidied(server.plain).await, &anchor);
    for _ in 0..2 {
        let status = |name, kind| status(&tidy, name, kind);
        assert_eq!(status("mail.test", RecordType::A).await, Ok(Dnssec::Secure));
        assert_eq!(status("_25._tcp.mail.test", RecordType::Tlsa).await, Ok(Dnssec::Secure));
        assert_eq!(status("alias.test", RecordType::A).await, Ok(Dnssec::Secure));
        assert_eq!(status("any.wild.test", RecordType::A).await, Ok(Dnssec::Secure));
        assert_eq!(status("mail.plain.test", RecordType::A).await, Ok(Dnssec::Insecure));
        assert_eq!(status("mail.forged.test", RecordType::A).await, Err(LookupError::Bogus));
    }
    let wordy = validating(server.plain, &anchor);
    assert_eq!(
        status(&wordy, "mail.test", RecordType::A).await,
        Err(LookupError::Bogus)
    );
    assert_eq!(
        status(&wordy, "mail.forged.test", RecordType::A).await,
        Err(LookupError::Bogus)
    );
}

#[tokio::test]
async fn that_there_is_none_is_proven_too() {
    for proof in [NxProofKind::Nsec, nsec3()] {
        let (_server, resolver) = server(proof).await;
        let error = resolver.lookup("nope.test", RecordType::A).await.unwrap_err();
        assert!(error.is_nx_domain(), "{error:?}");
        assert_eq!(error.negative().unwrap().dnssec, Dnssec::Secure);
        let error = resolver.lookup("mail.test", RecordType::Tlsa).await.unwrap_err();
        assert!(error.is_no_data(), "{error:?}");
        assert_eq!(error.negative().unwrap().dnssec, Dnssec::Secure);
    }
}

#[tokio::test]
async fn what_is_below_an_unsigned_delegation_is_insecure() {
    let (_server, resolver) = server(NxProofKind::Nsec).await;
    assert_eq!(
        status(&resolver, "mail.plain.test", RecordType::A).await,
        Ok(Dnssec::Insecure)
    );
    // An alias is as good as where it leads, whether or not the end is in the cache.
    for _ in 0..2 {
        let astray = resolver.lookup("astray.test", RecordType::A).await.unwrap();
        assert_eq!(
            (astray.dnssec(), astray.canonical_name()),
            (Dnssec::Insecure, Some("mail.plain.test"))
        );
        let (_server, fresh) = server(NxProofKind::Nsec).await;
        assert_eq!(status(&fresh, "astray.test", RecordType::A).await, Ok(Dnssec::Insecure));
    }
    let error = resolver.lookup("nope.plain.test", RecordType::A).await.unwrap_err();
    assert!(error.is_nx_domain(), "{error:?}");
    assert_eq!(error.negative().unwrap().dnssec, Dnssec::Insecure);
}

#[tokio::test]
async fn what_does_not_lead_to_the_anchor_is_bogus() {
    let (_server, resolver) = server(NxProofKind::Nsec).await;
    assert_eq!(
        status(&resolver, "mail.forged.test", RecordType::A).await,
        Err(LookupError::Bogus)
    );
    assert_eq!(
        status(&resolver, "nope.forged.test", RecordType::A).await,
        Err(LookupError::Bogus)
    );
}

#[tokio::test]
async fn another_anchor_vouches_for_nothing() {
    let (server, _) = server(NxProofKind::Nsec).await;
    let resolver = validating(server.plain, &signer("test.").1);
    assert_eq!(
        status(&resolver, "mail.test", RecordType::A).await,
        Err(LookupError::Bogus)
    );
}

#[tokio::test]
async fn without_validation_nothing_is_known() {
    let (server, _) = server(NxProofKind::Nsec).await;
    let resolver = HickoryResolver::with_nameservers([server.plain]).unwrap();
    for name in ["mail.test", "mail.plain.test", "mail.forged.test"] {
        assert_eq!(status(&resolver, name, RecordType::A).await, Ok(Dnssec::Indeterminate));
    }
}

#[test]
fn what_is_no_key_is_refused_at_once() {
    for text in ["", "; nothing\n", ". IN A 192.0.2.1", "nonsense"] {
        let error = HickoryResolver::builder().trust_anchors(text).unwrap_err();
        assert_eq!(error.kind(), SetupErrorKind::TrustAnchor, "{text}");
    }
}
