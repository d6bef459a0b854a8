//! ARC: chains that are too long, have gaps, or say of themselves that they pass.

use std::time::{Duration, Instant};

use posthaste_auth::arc::{self, Chain, ChainResult, SealError, Sealer};
use posthaste_auth::authres::{AuthenticationResults, MethodResult};
use posthaste_auth::dkim::SigningKey;
use posthaste_dns::Zone;

use crate::forge::{BODY, FIELDS, key_record, now, text, zone};

/// Where the keys of the hops stand: each its own.
const HOPS: [&str; 3] = ["one.example", "two.example", "three.example"];

pub(crate) fn zone_of_hops() -> Zone {
    let record = key_record();
    let names = HOPS.map(|hop| format!("s._domainkey.{hop}"));
    zone(&names.each_ref().map(|name| (name.as_str(), record.as_str())))
}

pub(crate) fn sealer(domain: &str) -> Sealer {
    let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    Sealer::builder(domain.parse().unwrap())
        .key("s".parse().unwrap(), key)
        .build()
        .unwrap()
}

async fn validate(message: &str) -> Chain {
    arc::validate(message.as_bytes(), &zone_of_hops(), now()).await
}

/// A message that went through so many hops, each of which seals.
pub(crate) async fn sealed(hops: usize) -> String {
    let mut message = text(FIELDS, BODY);
    for hop in 0..hops {
        let domain = HOPS[hop % HOPS.len()];
        let chain = validate(&message).await;
        let results = AuthenticationResults::new(domain)
            .with(MethodResult::new("dkim", "pass").property("header", "d", "example.org"))
            .with(chain.method_result(None));
        let fields = sealer(domain)
            .seal(message.as_bytes(), &results, &chain, now())
            .unwrap();
        message = fields + &message;
    }
    message
}

#[tokio::test]
async fn fifty_sets_pass_and_are_not_sealed_again() {
    let message = sealed(50).await;
    let chain = validate(&message).await;
    assert_eq!(chain.result(), ChainResult::Pass, "{:?}", chain.reason());
    let results = AuthenticationResults::new("one.example");
    let more = sealer("one.example").seal(message.as_bytes(), &results, &chain, now());
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn more_than_fifty_sets_fail_without_a_question() {
    for count in [51, 1000, 10_000] {
        let mut message = String::new();
        for instance in (1..=count).rev() {
            message += &format!(
                "ARC-Seal: i={instance}; a=ed25519-sha256; d=one.example; s=s; cv=pass; b=AAAA\r\n\
                 ARC-Message-Signature: i={instance}; a=ed25519-sha256; d=one.example; s=s; h=from; bh=AAAA; b=AAAA\r\n\
                 ARC-Authentication-Results: i={instance}; one.example; none\r\n"
            );
        }
        message += &text(FIELDS, BODY);
        let zone = zone_of_hops();
        let begun = Instant::now();
        let chain = arc::validate(message.as_bytes(), &zone, now()).await;
        assert_eq!(chain.result(), ChainResult::Fail, "{count}");
        assert_eq!(zone.queries(), 0, "{count}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{count}");
    }
}

/// Every field of the chain is taken out, put in twice, or has its instance changed: no such chain passes.
#[tokio::test]
async fn gaps_and_duplicates_fail() {
    let message = sealed(3).await;
    assert_eq!(validate(&message).await.result(), ChainResult::Pass);
    let (header, body) = message.split_once("\r\n\r\n").unwrap();
    let unfolded = |fields: &[String]| fields.concat() + "\r\n" + body;
    let mut fields: Vec<String> = Vec::new();
    for line in header.split("\r\n") {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(&format!("{line}\r\n")),
            _ => fields.push(format!("{line}\r\n")),
        }
    }
    assert_eq!(unfolded(&fields), message);
    let own: Vec<usize> = (0..fields.len())
        .filter(|&index| fields[index].starts_with("ARC-"))
        .collect();
    assert_eq!(own.len(), 9);
    for &index in &own {
        let mut without = fields.clone();
        without.remove(index);
        let chain = validate(&unfolded(&without)).await;
        assert_eq!(chain.result(), ChainResult::Fail, "without {}", fields[index]);

        let mut twice = fields.clone();
        twice.insert(index, fields[index].clone());
        let chain = validate(&unfolded(&twice)).await;
        assert_eq!(chain.result(), ChainResult::Fail, "twice {}", fields[index]);

        for (from, to) in [
            ("i=1", "i=4"),
            ("i=2", "i=0"),
            ("i=3", "i=51"),
            ("i=1", "i=01"),
            ("i=2", "i="),
        ] {
            let changed = fields[index].replacen(from, to, 1);
            if changed != fields[index] {
                let mut other = fields.clone();
                other[index] = changed;
                let chain = validate(&unfolded(&other)).await;
                assert_eq!(chain.result(), ChainResult::Fail, "{}", other[index]);
            }
        }
    }
}

#[tokio::test]
async fn what_a_seal_says_of_the_chain_below_must_fit_its_place() {
    let message = sealed(2).await;
    for (from, to) in [
        ("cv=none", "cv=pass"),
        ("cv=pass", "cv=none"),
        ("cv=pass", "cv=fail"),
        ("cv=pass", "cv="),
        ("cv=pass", "cv=pass; cv=pass"),
        ("cv=pass", "x=pass"),
        ("cv=pass", "cv=PASSED"),
        ("ed25519-sha256", "rsa-sha1"),
    ] {
        let changed = message.replacen(from, to, 1);
        assert_ne!(changed, message, "{from}");
        assert_eq!(validate(&changed).await.result(), ChainResult::Fail, "{to}");
    }
}

#[tokio::test]
async fn a_chain_that_failed_is_sealed_as_failed_once_and_never_passes_again() {
    let broken = sealed(2).await.replace(BODY, "Another line\r\n");
    let chain = validate(&broken).await;
    assert_eq!(chain.result(), ChainResult::Fail);
    let results = AuthenticationResults::new("three.example");
    let fields = sealer("three.example")
        .seal(broken.as_bytes(), &results, &chain, now())
        .unwrap();
    assert!(fields.contains("cv=fail"), "{fields}");
    let sealed_again = fields + &broken;
    let chain = validate(&sealed_again).await;
    assert_eq!(chain.result(), ChainResult::Fail);
    let more = sealer("one.example").seal(sealed_again.as_bytes(), &results, &chain, now());
    assert!(matches!(more, Err(SealError::AlreadyFailed)), "{more:?}");
}
