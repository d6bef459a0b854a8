//! Chains: sealed and validated again, broken at every place, continued and not continued.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says by panicking that it failed"
)]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use posthaste_auth::arc::{
    self, Chain, ChainResult, FieldKind, Limits, Payload, Reason, SealError, Sealer, SealerError,
};
use posthaste_auth::authres::{AuthenticationResults, MethodResult};
use posthaste_auth::dkim::{
    self, Algorithm, KeyServiceError, PublicKey, RemoteKey, RemoteSignature, SignError, SignatureError, SignerError,
    SigningInput, SigningKey,
};
use posthaste_dns::{LookupError, Record, RecordType, Zone};
use proptest::prelude::*;

const MESSAGE: &str = "From: ada@example.org\r\nTo: list@lists.example\r\nSubject: Hello\r\n\r\nFirst  line\r\n\r\n";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn rsa() -> SigningKey {
    SigningKey::from_pem(include_str!("data/rsa2048.pem")).unwrap()
}

fn ed25519() -> SigningKey {
    SigningKey::from_ed25519_seed(&[7; 32]).unwrap()
}

fn sealer(selector: &str, key: SigningKey) -> Sealer {
    let builder = Sealer::builder("lists.example".parse().unwrap());
    builder.key(selector.parse().unwrap(), key).build().unwrap()
}

static SEALERS: LazyLock<[Sealer; 2]> = LazyLock::new(|| [sealer("r", rsa()), sealer("e", ed25519())]);

fn zone() -> Zone {
    let mut zone = Zone::new();
    for sealer in &*SEALERS {
        let record = sealer.dns_record().unwrap();
        zone.insert(record.name(), Record::txt(record.text())).unwrap();
    }
    zone
}

static ZONE: LazyLock<Zone> = LazyLock::new(zone);

fn validate(message: &str) -> Chain {
    block_on(arc::validate(message.as_bytes(), &*ZONE, now()))
}

fn results(chain: &Chain) -> AuthenticationResults {
    AuthenticationResults::new("lists.example")
        .with(MethodResult::new("dkim", "pass").property("header", "d", "example.org"))
        .with(chain.method_result(Some([192, 0, 2, 1].into())))
}

/// Validates and seals, by the sealer of this number.
fn hop(message: &str, by: usize) -> String {
    let chain = validate(message);
    let set = SEALERS[by]
        .seal(message.as_bytes(), results(&chain), &chain, now())
        .unwrap();
    set + message
}

fn hops(count: usize) -> String {
    (0..count).fold(MESSAGE.to_owned(), |message, by| hop(&message, by % 2))
}

fn broken(chain: &Chain) -> (ChainResult, Option<Reason>, Option<u8>, Option<FieldKind>) {
    (
        chain.result(),
        chain.reason().cloned(),
        chain.broken_at(),
        chain.broken_field(),
    )
}

/// The message has this chain once `from` is `to`.
fn check(message: &str, from: &str, to: &str, reason: impl Into<Reason>, at: Option<u8>, field: Option<FieldKind>) {
    assert!(message.contains(from), "{from:?} is not in {message}");
    let chain = validate(&message.replacen(from, to, 1));
    assert_eq!(
        broken(&chain),
        (ChainResult::Fail, Some(reason.into()), at, field),
        "{from:?} -> {to:?}"
    );
}

const AAR: Option<FieldKind> = Some(FieldKind::AuthenticationResults);
const AMS: Option<FieldKind> = Some(FieldKind::MessageSignature);
const AS: Option<FieldKind> = Some(FieldKind::Seal);

#[test]
fn a_chain_tells_its_hops() {
    assert_eq!(broken(&validate(MESSAGE)), (ChainResult::None, None, None, None));
    assert_eq!(validate("").result(), ChainResult::None);

    let chain = validate(&hops(3));
    assert_eq!(broken(&chain), (ChainResult::Pass, None, None, None));
    assert_eq!(chain.oldest_pass(), Some(0));
    let instances: Vec<u8> = chain.sets().iter().map(arc::Set::instance).collect();
    assert_eq!(instances, [1, 2, 3]);
    let set = &chain.sets()[1];
    assert_eq!((set.domain().as_str(), set.selector().as_str()), ("lists.example", "e"));
    assert_eq!(set.time(), Some(1_700_000_000));
    let sealed = set.results().unwrap();
    assert_eq!(sealed.authserv_id(), "lists.example");
    let arc = &sealed.results()[1];
    assert_eq!((arc.method(), arc.result()), ("arc", "pass"));
    let properties: Vec<_> = arc
        .properties()
        .iter()
        .map(|p| (p.kind(), p.name(), p.value()))
        .collect();
    assert_eq!(
        properties,
        [("smtp", "remote-ip", "192.0.2.1"), ("header", "oldest-pass", "0")]
    );
}

#[test]
fn sealing_is_the_same_every_time() {
    let sealed = hops(1);
    assert_eq!(sealed, hops(1));
    let lines: Vec<&str> = sealed.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
    assert_eq!(
        lines[..3],
        [
            "ARC-Seal: a=rsa-sha256;",
            "ARC-Message-Signature: a=rsa-sha256;",
            "ARC-Authentication-Results: i=1; lists.example;"
        ]
    );
    let is_short = |line: &str| line.len() <= 78 || line.starts_with("\tb=");
    assert!(sealed.lines().all(is_short), "{sealed}");
}

#[test]
fn what_is_sealed_may_be_changed_before_it_is_sealed_again() {
    let received = hops(2);
    let chain = validate(&received);
    let changed = received.replace("Subject: Hello", "Subject: [list] Hello") + "A footer\r\n";
    assert_eq!(validate(&changed).result(), ChainResult::Fail);
    let sealed = SEALERS[0]
        .seal(changed.as_bytes(), results(&chain), &chain, now())
        .unwrap()
        + &changed;
    let chain = validate(&sealed);
    assert_eq!((chain.result(), chain.oldest_pass()), (ChainResult::Pass, Some(3)));
    let chain = validate(&hop(&sealed, 1));
    assert_eq!((chain.result(), chain.oldest_pass()), (ChainResult::Pass, Some(3)));
}

#[test]
fn structure_is_checked() {
    let message = hops(2);
    for (field, kind) in [
        ("ARC-Authentication-Results: ", AAR),
        ("ARC-Message-Signature: ", AMS),
        ("ARC-Seal: ", AS),
    ] {
        check(&message, field, "X: ", Reason::Missing, Some(2), kind);
        let (start, end) = {
            let start = message.find(field).unwrap();
            let end = message[start..]
                .find("\r\nARC-")
                .map_or(message.len(), |end| start + end + 2);
            (start, end)
        };
        let twice = format!("{}{message}", &message[start..end]);
        assert_eq!(
            broken(&validate(&twice)),
            (ChainResult::Fail, Some(Reason::Duplicate), Some(2), kind)
        );
        let invalid = message.replacen(field, &format!("{field}\u{1}=;"), 1);
        assert_eq!(validate(&invalid).broken_field(), kind);
    }
    for wrong in ["i=0;", "i=51;", "i=;", "i=x;", "j=2;", "i=+2;", "i=002;"] {
        check(
            &message,
            "i=2; lists",
            &format!("{wrong} lists"),
            Reason::Instance,
            None,
            AAR,
        );
        check(&message, "i=2; s=", &format!("{wrong} s="), Reason::Instance, None, AS);
    }
    check(&message, "i=2; lists", "i=3; lists", Reason::Missing, Some(2), AAR);
    check(
        &message,
        "i=2; s=e",
        "i=2; i=2; s=e",
        dkim::TagError::Duplicate("i".to_owned()),
        None,
        AS,
    );
    let gap = message.replace("i=1;", "i=3;");
    assert_eq!(
        broken(&validate(&gap)),
        (ChainResult::Fail, Some(Reason::Missing), Some(1), AAR)
    );
    let mut bytes = message.clone().into_bytes();
    let at = message.find("lists.example;").unwrap();
    bytes[at] = 0xff;
    let chain = block_on(arc::validate(&bytes, &*ZONE, now()));
    assert!(matches!(chain.reason(), Some(Reason::NotText)), "{chain:?}");
}

#[test]
fn what_seals_say_of_the_chain_is_checked() {
    let message = hops(2);
    for (from, to) in [
        ("cv=pass", "cv=none"),
        ("cv=pass", "cv=Pass"),
        ("cv=pass", "cv="),
        ("cv=pass;", ""),
    ] {
        check(&message, from, to, Reason::ChainValidation, Some(2), AS);
    }
    for to in ["cv=pass", "cv=fail", "cv=x"] {
        check(&message, "cv=none", to, Reason::ChainValidation, Some(1), AS);
    }
    check(&message, "cv=pass", "cv=fail", Reason::MarkedFailed, Some(2), AS);
    check(
        &message,
        " cv=pass",
        " h=from; cv=pass",
        Reason::SealNamesFields,
        Some(2),
        AS,
    );
}

#[test]
fn signatures_are_checked() {
    let message = hops(2);
    let signature = |reason: dkim::Reason| Reason::Signature(reason);
    check(
        &message,
        "First  line",
        "First line!",
        signature(dkim::Reason::BodyHash),
        Some(2),
        AMS,
    );
    check(
        &message,
        "Hello",
        "Hullo",
        signature(dkim::Reason::Mismatch),
        Some(2),
        AMS,
    );
    check(
        &message,
        "lists.example;\r\n\tdkim=pass",
        "lists.example;\r\n\tdkim=fail",
        signature(dkim::Reason::Mismatch),
        Some(2),
        AS,
    );
    check(
        &message,
        "s=e; t=",
        "s=gone; t=",
        signature(dkim::Reason::Dns(gone())),
        Some(2),
        AS,
    );
    check(&message, "h=From", "h=ARC-Seal:From", Reason::SignsSeal, Some(2), AMS);
    check(
        &message,
        "bh=",
        "l=3; bh=",
        signature(dkim::Reason::PartlySigned),
        Some(2),
        AMS,
    );
    check(
        &message,
        "bh=",
        "l=99; bh=",
        signature(dkim::Reason::LengthTooLong),
        Some(2),
        AMS,
    );
    let expired = message.replacen("bh=", "x=1700000001; bh=", 1);
    let later = now() + Duration::from_secs(2);
    let chain = block_on(arc::validate(expired.as_bytes(), &*ZONE, later));
    let reason = Some(signature(dkim::Reason::Expired));
    assert_eq!(broken(&chain), (ChainResult::Fail, reason, Some(2), AMS));
    check(&message, "bh=", "bh2=", SignatureError::Missing("bh"), Some(2), AMS);
    check(
        &message,
        "h=From",
        "hh=From",
        SignatureError::Missing("h"),
        Some(2),
        AMS,
    );
    check(
        &message,
        "c=relaxed",
        "c=loose",
        SignatureError::Invalid("c"),
        Some(2),
        AMS,
    );
    check(
        &message,
        "bh=",
        "x=1; bh=",
        SignatureError::ExpiryBeforeTime,
        Some(2),
        AMS,
    );
    for field in ["ARC-Seal: ", "ARC-Message-Signature: "] {
        let kind = if field.starts_with("ARC-S") { AS } else { AMS };
        let a = |algorithm: &str| format!("{field}a={algorithm};");
        let e = a("ed25519-sha256");
        check(&message, &e, &a("rsa-sha1"), SignatureError::Sha1, Some(2), kind);
        check(&message, &e, &a("rsa-sha512"), SignatureError::Algorithm, Some(2), kind);
        check(&message, &e, field, SignatureError::Missing("a"), Some(2), kind);
        check(
            &message,
            &e,
            &a("rsa-sha256"),
            signature(dkim::Reason::KeyAlgorithm),
            Some(2),
            kind,
        );
    }
    check(
        &message,
        "t=1700000000",
        "t=1800000000",
        signature(dkim::Reason::Future),
        Some(2),
        AS,
    );
    check(
        &message,
        "d=lists.example",
        "d=example",
        SignatureError::Invalid("d"),
        Some(2),
        AS,
    );
}

fn gone() -> LookupError {
    match block_on(posthaste_dns::ResolverExt::txt(&*ZONE, "gone._domainkey.lists.example")) {
        Err(error) => error,
        Ok(records) => unreachable!("{records:?}"),
    }
}

#[test]
fn a_broken_seal_below_is_found_at_its_hop() {
    let message = hops(3);
    let at = message.rfind("dkim=pass").unwrap();
    let changed = format!("{}dkim=fail{}", &message[..at], &message[at + 9..]);
    // Every seal covers the first set; the newest is looked at first.
    assert_eq!(validate(&changed).broken_at(), Some(3));
    let last_seal = message.rfind("ARC-Seal: a=rsa-sha256;\r\n\tb=").unwrap() + "ARC-Seal: a=rsa-sha256;\r\n\tb=".len();
    let changed = format!("{}AAAA{}", &message[..last_seal], &message[last_seal + 4..]);
    assert_eq!(validate(&changed).result(), ChainResult::Fail);
}

#[test]
fn short_keys_do_not_count() {
    let message = hops(1);
    let mut zone = Zone::new();
    // A modulus of 512 bits.
    let short = "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAIWmlgix/84GJ+dfgjm7LTc9EPdfk\
        ftlgiPpCq4/kbDAZmU0VvYKDljjleJ1dfvS+CGy9U/kk1tG3EeEvb82xAcCAwEAAQ==";
    zone.insert("r._domainkey.lists.example", Record::txt(short)).unwrap();
    let chain = block_on(arc::validate(message.as_bytes(), &zone, now()));
    let short = Reason::Signature(dkim::Reason::Key(dkim::KeyRecordError::TooShort));
    assert_eq!(broken(&chain), (ChainResult::Fail, Some(short), Some(1), AMS));
}

#[test]
fn a_failure_of_dns_is_temporary_unless_the_chain_is_broken_anyway() {
    let message = hops(2);
    let mut zone = zone();
    zone.fail("e._domainkey.lists.example", RecordType::Txt, LookupError::ServFail)
        .unwrap();
    let chain = block_on(arc::validate(message.as_bytes(), &zone, now()));
    let dns = Reason::Signature(dkim::Reason::Dns(LookupError::ServFail));
    assert_eq!(broken(&chain), (ChainResult::TempError, Some(dns), Some(2), AMS));
    assert_eq!(zone.queries(), 2, "each key is looked up once");
    let error = SEALERS[0]
        .seal(message.as_bytes(), results(&chain), &chain, now())
        .unwrap_err();
    assert_eq!(error, SealError::Undecided);
    assert!(error.is_temporary());

    let at = message.rfind("cv=none").unwrap();
    let changed = format!("{}cv=none; z={}", &message[..at], &message[at + 7..]);
    let chain = block_on(arc::validate(changed.as_bytes(), &zone, now()));
    let mismatch = Reason::Signature(dkim::Reason::Mismatch);
    assert_eq!(broken(&chain), (ChainResult::Fail, Some(mismatch), Some(1), AS));
}

#[test]
fn a_broken_chain_is_sealed_once_over_the_new_set_alone() {
    let message = hops(2).replace("cv=none", "cv=pass");
    let chain = validate(&message);
    assert_eq!(chain.result(), ChainResult::Fail);
    let set = SEALERS[0]
        .seal(message.as_bytes(), results(&chain), &chain, now())
        .unwrap();
    assert!(set.contains(" cv=fail;\r\n") && set.contains("\ti=3; "), "{set}");
    assert!(set.contains("arc=fail"), "{set}");
    // Over the new set alone, the seal is the same whatever the chain before it is (§5.1.2).
    let other = message.replace("ARC-Authentication-Results: i=1;", "ARC-Authentication-Results: i=1 ;");
    let other_chain = validate(&other);
    let again = SEALERS[0]
        .seal(other.as_bytes(), results(&chain), &other_chain, now())
        .unwrap();
    assert_eq!(set, again);

    let sealed = set + &message;
    let chain = validate(&sealed);
    assert_eq!(
        broken(&chain),
        (ChainResult::Fail, Some(Reason::MarkedFailed), Some(3), AS)
    );
    let error = SEALERS[0]
        .seal(sealed.as_bytes(), results(&chain), &chain, now())
        .unwrap_err();
    assert_eq!(error, SealError::AlreadyFailed);
}

#[test]
fn results_that_call_the_chain_broken_break_it() {
    let message = hops(1);
    let chain = validate(&message);
    let results = Payload::parse("lists.example; arc=fail").unwrap();
    let set = SEALERS[0].seal(message.as_bytes(), results, &chain, now()).unwrap();
    assert!(set.contains("cv=fail"), "{set}");
}

#[test]
fn results_of_another_chain_are_not_sealed() {
    for (message, word) in [(MESSAGE.to_owned(), "pass"), (hops(1), "none")] {
        let chain = validate(&message);
        let results = Payload::parse(&format!("lists.example; arc={word}")).unwrap();
        let error = SEALERS[0].seal(message.as_bytes(), results, &chain, now()).unwrap_err();
        assert_eq!(error, SealError::Contradiction);
    }
}

#[test]
fn another_messages_chain_is_not_sealed() {
    let (one, two) = (hops(1), hops(2));
    for (message, chain) in [
        (&one, validate(&two)),
        (&two, validate(&one)),
        (&one, validate(MESSAGE)),
    ] {
        let error = SEALERS[0]
            .seal(message.as_bytes(), results(&chain), &chain, now())
            .unwrap_err();
        assert_eq!(error, SealError::OtherChain);
    }
    // Refolded it is still the same.
    let chain = validate(&one);
    let refolded = one.replace("\r\n\t", "\r\n  ");
    assert!(
        SEALERS[0]
            .seal(refolded.as_bytes(), results(&chain), &chain, now())
            .is_ok()
    );
}

#[test]
fn fifty_sets_and_no_more() {
    let message = (0..50).fold(MESSAGE.to_owned(), |message, _| hop(&message, 1));
    let chain = validate(&message);
    assert_eq!((chain.result(), chain.sets().len()), (ChainResult::Pass, 50));
    let error = SEALERS[0]
        .seal(message.as_bytes(), results(&chain), &chain, now())
        .unwrap_err();
    assert_eq!(error, SealError::TooManySets);

    let start = message.find("ARC-Seal").unwrap();
    let more = format!(
        "{}{message}",
        &message[start..message[1..].find("\r\nARC-Seal").unwrap() + 3]
    );
    let chain = validate(&more);
    assert_eq!(
        broken(&chain),
        (ChainResult::Fail, Some(Reason::TooManySets), None, None)
    );
    let error = SEALERS[0]
        .seal(more.as_bytes(), results(&chain), &chain, now())
        .unwrap_err();
    assert_eq!(error, SealError::TooManySets);

    let with = |limits: Limits| block_on(arc::validate_with(message.as_bytes(), &*ZONE, now(), &limits));
    assert_eq!(with(Limits::default().sets(49)).reason(), Some(&Reason::TooManySets));
    assert_eq!(with(Limits::default().octets(10_000)).reason(), Some(&Reason::TooLong));
    let limits = Limits::default().leeway(Duration::from_secs(59));
    let early = now() - Duration::from_secs(60);
    let chain = block_on(arc::validate_with(message.as_bytes(), &*ZONE, early, &limits));
    assert_eq!(chain.reason(), Some(&Reason::Signature(dkim::Reason::Future)));
}

#[test]
fn messages_that_cannot_be_signed_are_not_sealed() {
    let chain = validate("");
    let seal = |message: &str, time| {
        SEALERS[0]
            .seal(message.as_bytes(), results(&chain), &chain, time)
            .unwrap_err()
    };
    for (message, time, error) in [
        ("Subject: x\r\n\r\n", now(), SignError::NoFrom),
        ("From: a@b.example\n\n", now(), SignError::LineEnds),
        (
            " From: a@b.example\r\nFrom: a@b.example\r\n\r\n",
            now(),
            SignError::FirstLine,
        ),
        (MESSAGE, UNIX_EPOCH - Duration::from_secs(1), SignError::Time),
        (
            MESSAGE,
            UNIX_EPOCH + Duration::from_secs(1_000_000_000_000),
            SignError::Time,
        ),
    ] {
        assert_eq!(seal(message, time), SealError::Sign(error));
    }
}

#[test]
fn sealers_are_checked() {
    let builder = || Sealer::builder("lists.example".parse().unwrap());
    let with_key = || builder().key("s".parse().unwrap(), ed25519());
    assert_eq!(builder().build().unwrap_err(), SealerError::Signer(SignerError::NoKey));
    assert_eq!(
        with_key().headers(["To"]).build().unwrap_err(),
        SealerError::Signer(SignerError::FromNotSigned)
    );
    for name in [
        "arc-seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
        "Authentication-Results",
    ] {
        let error = with_key().headers(["From", name]).build().unwrap_err();
        assert_eq!(error, SealerError::NeverSigned(name.to_owned()));
    }
    let top = Sealer::builder("example".parse().unwrap()).key("s".parse().unwrap(), ed25519());
    assert!(matches!(top.build(), Err(SealerError::Signer(SignerError::Domain(_)))));
}

/// A key service that has the Ed25519 key of the tests, or another one.
#[derive(Debug)]
struct Service {
    pair: Ed25519KeyPair,
    public: PublicKey,
    fails: bool,
}

impl Service {
    fn new(seed: u8, fails: bool) -> Arc<Self> {
        let right = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let der = [
            b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            right.public_key().as_ref(),
        ]
        .concat();
        Arc::new(Self {
            pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            public: PublicKey::from_der(&der).unwrap(),
            fails,
        })
    }
}

impl RemoteKey for Service {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519Sha256
    }

    fn public_key(&self) -> Option<&PublicKey> {
        Some(&self.public)
    }

    fn sign<'a>(&'a self, input: &'a SigningInput) -> RemoteSignature<'a> {
        let answer = if self.fails {
            Err(KeyServiceError::temporary("down"))
        } else {
            Ok(self.pair.sign(input.hash()).as_ref().to_vec())
        };
        Box::pin(async { answer })
    }
}

#[test]
fn key_services_seal() {
    let with = |service| {
        let builder = Sealer::builder("lists.example".parse().unwrap());
        builder.remote_key("e".parse().unwrap(), service).build().unwrap()
    };
    let message = hops(1);
    let chain = validate(&message);
    let remote = with(Service::new(7, false));
    let set = block_on(remote.seal_async(message.as_bytes(), results(&chain), &chain, now())).unwrap();
    assert_eq!(set.clone() + &message, hop(&message, 1));
    assert_eq!(
        Ok(set),
        block_on(SEALERS[1].seal_async(message.as_bytes(), results(&chain), &chain, now()))
    );
    let here = remote.seal(message.as_bytes(), results(&chain), &chain, now());
    assert!(matches!(here, Err(SealError::Sign(SignError::RemoteKey(_)))));
    let wrong = with(Service::new(8, false));
    let wrong = block_on(wrong.seal_async(message.as_bytes(), results(&chain), &chain, now()));
    assert!(matches!(wrong, Err(SealError::Sign(SignError::WrongSignature(_)))));
    let down = with(Service::new(7, true));
    let down = block_on(down.seal_async(message.as_bytes(), results(&chain), &chain, now()));
    assert!(down.unwrap_err().is_temporary());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_sealed_validates_and_what_is_changed_does_not(
        subject in "[ -~]{0,40}",
        body in "([ -~\t]{0,20}\r\n){0,5}[ -~]{0,9}",
        by in prop::collection::vec(0..2_usize, 1..6),
        place: prop::sample::Index,
    ) {
        let message = format!("From: ada@example.org\r\nSubject: {subject}\r\n\r\n{body}");
        let sealed = by.iter().fold(message, |message, by| hop(&message, *by));
        let chain = validate(&sealed);
        prop_assert_eq!(chain.result(), ChainResult::Pass, "{:?}", chain);
        prop_assert_eq!((chain.sets().len(), chain.oldest_pass()), (by.len(), Some(0)));

        let letters: Vec<usize> = (0..sealed.len()).filter(|at| sealed.as_bytes()[*at].is_ascii_alphanumeric()).collect();
        let at = letters[place.index(letters.len())];
        let mut changed = sealed.into_bytes();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        let chain = block_on(arc::validate(&changed, &*ZONE, now()));
        prop_assert_eq!(chain.result(), ChainResult::Fail, "{}: {:?}", at, String::from_utf8_lossy(&changed));
    }

    #[test]
    fn any_octets_have_a_result(
        fields in prop::collection::vec(("(ARC-Seal|ARC-Message-Signature|ARC-Authentication-Results|From)", "[ -~\r\n\t]{0,60}"), 0..9),
        octets in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        let mut message: Vec<u8> = fields.iter().flat_map(|(name, value)| format!("{name}: i=1; {value}\r\n").into_bytes()).collect();
        message.extend(octets);
        let chain = block_on(arc::validate(&message, &*ZONE, now()));
        prop_assert!(chain.result() != ChainResult::Pass);
        if let Ok(set) = SEALERS[1].seal(&message, results(&chain), &chain, now()) {
            let sealed = [set.as_bytes(), &message].concat();
            let again = block_on(arc::validate(&sealed, &*ZONE, now()));
            let is_first = chain.result() == ChainResult::None;
            prop_assert_eq!(again.result(), if is_first { ChainResult::Pass } else { ChainResult::Fail });
        }
    }
}
