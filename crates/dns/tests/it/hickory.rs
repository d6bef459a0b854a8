//! `HickoryResolver` against a name server on loopback.

use std::{num::NonZeroUsize, time::Duration};

use posthaste_dns::{
    Dnssec, HickoryResolver, LookupError, Negative, Record, RecordType, Resolver, ResolverExt, Srv, Tlsa, Zone,
};

use crate::responder::Responder;

fn zone() -> Zone {
    let mut zone = Zone::parse(
        "$ORIGIN example.test.\n\
         @ MX 20 b\n\
         @ MX 10 A\n\
         @ TXT \"v=spf1 \" \"-all\"\n\
         @ NS ns\n\
         a A 192.0.2.1\n\
         a A 192.0.2.2\n\
         a AAAA 2001:db8::1\n\
         www CNAME a\n\
         null MX 0 .\n\
         foo:bar/baz A 192.0.2.3\n\
         _submissions._tcp SRV 20 0 465 b\n\
         _submissions._tcp SRV 10 5 2465 A\n\
         _submission._tcp SRV 0 0 0 .\n\
         _25._tcp.a TLSA 3 1 1 00ff\n\
         1.2.0.192.in-addr.arpa. PTR a\n",
    )
    .unwrap();
    zone.insert("big.example.test", Record::txt("k".repeat(2000))).unwrap();
    zone.fail("broken.example.test", None, LookupError::ServFail).unwrap();
    zone.fail("secret.example.test", None, LookupError::Refused).unwrap();
    zone.fail("silent.example.test", None, LookupError::Timeout).unwrap();
    zone
}

async fn start() -> (Responder, HickoryResolver) {
    let responder = Responder::start(zone()).await;
    let resolver = HickoryResolver::with_nameservers([responder.address]).unwrap();
    (responder, resolver)
}

#[tokio::test]
async fn records_of_every_type_arrive() {
    let (_responder, resolver) = start().await;
    assert_eq!(resolver.a("A.example.test.").await.unwrap().len(), 2);
    assert_eq!(
        resolver.aaaa("a.example.test").await.unwrap(),
        ["2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap()]
    );
    let exchanges = resolver.mx("example.test").await.unwrap();
    assert_eq!(
        exchanges,
        [(10, "a.example.test".to_owned()), (20, "b.example.test".to_owned())]
    );
    assert_eq!(resolver.mx("null.example.test").await.unwrap(), [(0, ".".to_owned())]);
    let texts = resolver.txt("example.test").await.unwrap();
    assert_eq!(texts[0].segments().collect::<Vec<_>>(), [&b"v=spf1 "[..], b"-all"]);
    assert_eq!(resolver.ptr([192, 0, 2, 1].into()).await.unwrap(), ["a.example.test"]);
    assert_eq!(
        resolver.tlsa("_25._tcp.a.example.test").await.unwrap(),
        [Tlsa::new(3, 1, 1, [0, 255])]
    );
    let places = resolver.srv("_submissions._tcp.example.test", |_| 0).await.unwrap();
    assert_eq!(
        places,
        [
            Srv::new(10, 5, 2465, "a.example.test"),
            Srv::new(20, 0, 465, "b.example.test")
        ]
    );
    let none = resolver.srv("_submission._tcp.example.test", |_| 0).await.unwrap();
    assert!(none.iter().all(Srv::is_none) && none.len() == 1);
    let servers = resolver.lookup("example.test", RecordType::Ns).await.unwrap();
    assert_eq!(servers.records(), [Record::Ns("ns.example.test".into())]);
    assert_eq!(resolver.a("foo:bar/baz.example.test").await.unwrap().len(), 1);
}

#[tokio::test]
async fn aliases_are_followed_and_named() {
    let (_responder, resolver) = start().await;
    let answer = resolver.lookup("www.example.test", RecordType::A).await.unwrap();
    assert!(answer.is_of(RecordType::A));
    assert_eq!(
        (answer.records().len(), answer.canonical_name()),
        (2, Some("a.example.test"))
    );
    assert_eq!(
        (answer.ttl(), answer.dnssec()),
        (Duration::from_secs(60), Dnssec::Indeterminate)
    );
    let alias = resolver.lookup("www.example.test", RecordType::Cname).await.unwrap();
    assert_eq!(alias.records(), [Record::Cname("a.example.test".into())]);
}

#[tokio::test]
async fn nothing_is_told_apart_from_failure() {
    let (_responder, resolver) = start().await;
    assert_eq!(
        resolver.a("nope.example.test").await,
        Err(LookupError::NxDomain(Negative::default()))
    );
    assert_eq!(
        resolver.txt("a.example.test").await,
        Err(LookupError::NoData(Negative::default()))
    );
    assert_eq!(resolver.a("broken.example.test").await, Err(LookupError::ServFail));
    assert_eq!(resolver.a("secret.example.test").await, Err(LookupError::Refused));
}

#[tokio::test]
async fn what_is_too_big_for_udp_comes_over_tcp() {
    let (_responder, resolver) = start().await;
    assert_eq!(
        resolver.txt("big.example.test").await.unwrap()[0].as_bytes().len(),
        2000
    );
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let responder = Responder::start(zone()).await;
    let resolver = HickoryResolver::builder()
        .nameserver(responder.address)
        .timeout(Duration::from_millis(20))
        .attempts(NonZeroUsize::MIN)
        .deadline(Duration::from_millis(500))
        .build()
        .unwrap();
    assert_eq!(resolver.a("silent.example.test").await, Err(LookupError::Timeout));
    assert!(responder.zone.queries() > 0);
}

#[tokio::test]
async fn answers_are_kept() {
    let (responder, resolver) = start().await;
    resolver.a("a.example.test").await.unwrap();
    let asked = responder.zone.queries();
    resolver.clone().a("a.example.test").await.unwrap();
    assert_eq!(responder.zone.queries(), asked);
}

#[tokio::test]
async fn an_unsigned_answer_under_validation_is_never_secure() {
    let responder = Responder::start(zone()).await;
    let resolver = HickoryResolver::builder()
        .nameserver(responder.address)
        .validate(true)
        .build()
        .unwrap();
    // The responder knows neither keys nor delegations, so that nothing below the root can be vouched for.
    match resolver.lookup("a.example.test", RecordType::A).await {
        Ok(answer) => assert_ne!(answer.dnssec(), Dnssec::Secure),
        Err(error) => assert!(error.is_temporary(), "{error}"),
    }
}

#[tokio::test]
async fn what_is_cut_off_is_never_taken_for_all_there_is() {
    let responder = Responder::start_without_tcp(zone()).await;
    let resolver = HickoryResolver::builder()
        .nameserver(responder.address)
        .timeout(Duration::from_millis(200))
        .attempts(NonZeroUsize::MIN)
        .build()
        .unwrap();
    assert_eq!(resolver.a("a.example.test").await.unwrap().len(), 2);
    let error = resolver.txt("big.example.test").await.unwrap_err();
    assert!(error.is_temporary() && !error.is_void(), "{error:?}");
}

#[tokio::test]
async fn there_is_none_is_kept_as_long_as_the_cache_says() {
    let (responder, resolver) = start().await;
    // The responder sends no SOA record, so that "there is none" is not kept; a failure is, briefly.
    for _ in 0..2 {
        assert!(resolver.a("nope.example.test").await.unwrap_err().is_nx_domain());
    }
    assert_eq!((responder.zone.queries(), resolver.stats().entries), (2, 0));
    resolver.a("a.example.test").await.unwrap();
    assert_eq!(resolver.stats().entries, 1);
    resolver.clear();
    assert_eq!(resolver.stats().entries, 0);
    assert!(format!("{resolver:?}").contains("misses: 3"), "{resolver:?}");
}
