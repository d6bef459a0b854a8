//! What goes wrong elsewhere: DNS that does not answer, keys that are gone, senders that are hostile.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking that it failed"
)]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use posthaste_address::Domain;
use posthaste_auth::dkim::{
    BodyHash, Canonicalization, DkimResult, KeyRecordError, Reason, SignError, Signer, SignerBuilder, SignerError,
    SigningKey, verify,
};
use posthaste_auth::dmarc::{self, DmarcResult, Input, Method, Policy};
use posthaste_auth::{Authenticator, Connection};
use posthaste_dns::{LookupError, Negative, Record, RecordType, Zone};

const NAME: &str = "s._domainkey.example.org";
const MESSAGE: &str = "From: ada@example.org\r\nSubject: hello\r\n\r\nFirst line\r\n";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn key() -> SigningKey {
    SigningKey::from_ed25519_seed(&[7; 32]).unwrap()
}

fn signer() -> Signer {
    Signer::builder("example.org".parse().unwrap())
        .key("s".parse().unwrap(), key())
        .expire_after(Duration::from_secs(60))
        .build()
        .unwrap()
}

fn signed() -> String {
    signer().sign([MESSAGE.as_bytes()], now()).unwrap() + MESSAGE
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.insert(name, Record::txt(record)).unwrap();
    }
    zone
}

async fn verdict(message: &str, zone: &Zone, time: SystemTime) -> (DkimResult, Option<Reason>) {
    let verdicts = verify(message.as_bytes(), zone, time).await;
    (verdicts[0].result(), verdicts[0].reason().cloned())
}

#[tokio::test]
async fn a_key_that_dns_does_not_give_now_is_temporary_and_one_that_is_not_there_is_not() {
    for (failure, result) in [
        (LookupError::ServFail, DkimResult::TempError),
        (LookupError::Timeout, DkimResult::TempError),
        (LookupError::NxDomain(Negative::default()), DkimResult::PermError),
        (LookupError::NoData(Negative::default()), DkimResult::PermError),
    ] {
        let mut zone = Zone::new();
        zone.fail(NAME, RecordType::Txt, failure.clone()).unwrap();
        let found = verdict(&signed(), &zone, now()).await;
        assert_eq!(found, (result, Some(Reason::Dns(failure))));
    }
}

#[tokio::test]
async fn key_records_that_do_not_let_a_signature_pass() {
    let good = key().dns_record();
    let public = good.rsplit_once("p=").unwrap().1.to_owned();
    let cases = [
        (
            "v=DKIM1; k=ed25519; p=".to_owned(),
            Reason::Key(KeyRecordError::Revoked),
        ),
        (
            format!("v=DKIM2; k=ed25519; p={public}"),
            Reason::Key(KeyRecordError::Version),
        ),
        (
            format!("k=ed25519; v=DKIM1; p={public}"),
            Reason::Key(KeyRecordError::Version),
        ),
        (
            format!("v=DKIM1; k=ed25519; s=tlsrpt; p={public}"),
            Reason::Key(KeyRecordError::NotForEmail),
        ),
        (
            format!("v=DKIM1; k=ed25519; h=sha1; p={public}"),
            Reason::Key(KeyRecordError::HashNotAllowed),
        ),
        (
            format!("v=DKIM1; k=ed25519; p={public}; p={public}"),
            Reason::Key(KeyRecordError::Syntax),
        ),
        (
            format!("v=DKIM1; k=other; p={public}"),
            Reason::Key(KeyRecordError::KeyType),
        ),
        (
            "v=DKIM1; k=ed25519; p=AAAA".to_owned(),
            Reason::Key(KeyRecordError::Malformed),
        ),
        ("v=DKIM1; k=ed25519".to_owned(), Reason::Key(KeyRecordError::NoKey)),
    ];
    for (record, reason) in cases {
        let found = verdict(&signed(), &zone(&[(NAME, &record)]), now()).await;
        assert_eq!(found, (DkimResult::PermError, Some(reason)), "{record}");
    }
    // One key that fits among records that do not is enough.
    let two = zone(&[(NAME, "v=spf1 -all"), (NAME, &good)]);
    assert_eq!(verdict(&signed(), &two, now()).await.0, DkimResult::Pass);
}

#[tokio::test]
async fn signatures_expire_and_are_not_made_in_the_future() {
    let zone = zone(&[(NAME, &key().dns_record())]);
    let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
    assert_eq!(verdict(&signed(), &zone, at(60)).await.0, DkimResult::Pass);
    assert_eq!(verdict(&signed(), &zone, at(61)).await.1, Some(Reason::Expired));
    let long_ago = now() - Duration::from_secs(11 * 3600);
    assert_eq!(verdict(&signed(), &zone, long_ago).await.1, Some(Reason::Future));
}

#[tokio::test]
async fn messages_that_cannot_be_signed_or_have_no_author() {
    let without_from = "To: ada@example.org\r\n\r\nHello\r\n";
    assert_eq!(
        signer().sign([without_from.as_bytes()], now()).unwrap_err(),
        SignError::NoFrom
    );
    for broken in [
        MESSAGE.replace("\r\n", "\n"),
        MESSAGE.replacen("\r\n", "\n", 1),
        MESSAGE.replacen("hello", "a\rb", 1),
    ] {
        assert_eq!(
            signer().sign([broken.as_bytes()], now()).unwrap_err(),
            SignError::LineEnds
        );
    }
    for space in [" ", "\t"] {
        let folded = format!("{space}x: y\r\n{MESSAGE}");
        assert_eq!(
            signer().sign([folded.as_bytes()], now()).unwrap_err(),
            SignError::FirstLine
        );
    }
    let stray = format!("Subject: x\r\nDear Bob\r\n{MESSAGE}");
    assert_eq!(
        signer().sign([stray.as_bytes()], now()).unwrap_err(),
        SignError::StrayLine
    );
    let other = BodyHash::new(Canonicalization::Simple);
    assert_eq!(
        signer()
            .sign_body(b"From: ada@example.org\r\n", other, now())
            .unwrap_err(),
        SignError::Canonicalization
    );
    assert_eq!(
        signer()
            .sign_body(MESSAGE.as_bytes(), signer().body(), now())
            .unwrap_err(),
        SignError::HeaderEnd
    );
    let before = UNIX_EPOCH - Duration::from_secs(1);
    assert_eq!(
        signer().sign([MESSAGE.as_bytes()], before).unwrap_err(),
        SignError::Time
    );
    let far = UNIX_EPOCH + Duration::from_secs(1_000_000_000_000);
    assert_eq!(signer().sign([MESSAGE.as_bytes()], far).unwrap_err(), SignError::Time);

    let stripped = signed().replace("From: ada@example.org\r\nSubject", "Subject");
    let zone = zone(&[(NAME, &key().dns_record())]);
    assert_eq!(verdict(&stripped, &zone, now()).await.1, Some(Reason::NoFrom));
}

#[tokio::test]
async fn dmarc_needs_one_author_domain() {
    let zone = zone(&[("_dmarc.example.org", "v=DMARC1; p=reject")]);
    let authenticator = Authenticator::new(Arc::new(zone));
    let connection = Connection::new([192, 0, 2, 1].into(), "mail.example.org", None);
    for (from, result) in [
        ("From: ada@example.org\r\n", DmarcResult::Fail),
        ("From: ada@example.org, bob@example.org\r\n", DmarcResult::Fail),
        ("From: ada@example.org, eve@example.com\r\n", DmarcResult::PermError),
        (
            "From: ada@example.org\r\nFrom: ada@example.org\r\n",
            DmarcResult::PermError,
        ),
        ("From: ada@[192.0.2.1]\r\n", DmarcResult::PermError),
        ("From: <<<ada@example.org\r\n", DmarcResult::PermError),
        ("From: \u{0}\r\n", DmarcResult::PermError),
        ("Subject: no author\r\n", DmarcResult::PermError),
    ] {
        let message = format!("{from}\r\nHello\r\n");
        let report = authenticator.authenticate(&connection, message.as_bytes(), now()).await;
        assert_eq!(report.dmarc().result(), result, "{from:?}");
        assert!(report.authentication_results("mx.example").ends_with("\r\n"));
    }
}

async fn dmarc_of(zone: &Zone, input: &Input) -> (DmarcResult, Policy) {
    let report = dmarc::evaluate(input, zone).await;
    (report.result(), report.disposition())
}

fn from(domain: &str) -> Input {
    Input::new(domain.parse().unwrap())
}

#[tokio::test]
async fn dmarc_is_temporary_when_dns_is_and_only_where_it_matters() {
    let mut zone = zone(&[("_dmarc.example.org", "v=DMARC1; p=reject; sp=quarantine; np=reject")]);
    zone.fail("_dmarc.a.example.org", RecordType::Txt, LookupError::ServFail)
        .unwrap();
    zone.fail("_dmarc.stranger.example", RecordType::Txt, LookupError::ServFail)
        .unwrap();
    zone.fail("c.example.org", RecordType::A, LookupError::Timeout).unwrap();
    // The author's own record cannot be had.
    assert_eq!(dmarc_of(&zone, &from("a.example.org")).await.0, DmarcResult::TempError);
    // A stranger's DNS decides nothing.
    let stranger = from("example.org").dkim_pass("stranger.example".parse().unwrap());
    assert_eq!(dmarc_of(&zone, &stranger).await, (DmarcResult::Fail, Policy::Reject));
    // One aligned domain that DNS does not tell about, and one that it does.
    let unknown = from("b.example.org").spf_pass("a.example.org".parse().unwrap());
    assert_eq!(dmarc_of(&zone, &unknown).await.0, DmarcResult::TempError);
    let known = unknown.dkim_pass("example.org".parse().unwrap());
    assert_eq!(dmarc_of(&zone, &known).await.0, DmarcResult::Pass);
    // Whether the author's domain exists is not known, and it matters for a fail alone.
    assert_eq!(dmarc_of(&zone, &from("c.example.org")).await.0, DmarcResult::TempError);
    let aligned = from("c.example.org").dkim_pass("example.org".parse().unwrap());
    assert_eq!(dmarc_of(&zone, &aligned).await.0, DmarcResult::Pass);
    // What is undecided may have been a pass.
    let undecided = from("example.org").undecided("mail.example.org".parse().unwrap());
    assert_eq!(dmarc_of(&zone, &undecided).await.0, DmarcResult::TempError);
}

#[tokio::test]
async fn a_record_of_its_own_that_asks_for_nothing_ends_the_search() {
    let zone = zone(&[
        ("_dmarc.example.org", "v=DMARC1; p=reject"),
        ("_dmarc.bad.example.org", "v=DMARC1; p=bogus"),
        ("_dmarc.two.example.org", "v=DMARC1; p=none"),
        ("_dmarc.two.example.org", "v=DMARC1; p=reject"),
    ]);
    assert_eq!(dmarc_of(&zone, &from("bad.example.org")).await.0, DmarcResult::None);
    // RFC 9989 discards several records and goes on; RFC 7489 stops.
    assert_eq!(dmarc_of(&zone, &from("two.example.org")).await.0, DmarcResult::Fail);
    let old = from("two.example.org").method(Method::PublicSuffixList);
    assert_eq!(dmarc_of(&zone, &old).await.0, DmarcResult::None);
}

#[tokio::test]
async fn hundred_thousand_fields_and_names_take_no_longer_than_they_must() {
    const MANY: usize = 100_000;
    let fields = "To: bob@example.net\r\n".repeat(MANY);
    let message = format!("{fields}{MESSAGE}");
    let begun = Instant::now();
    let signed = signer().sign([message.as_bytes()], now()).unwrap() + &message;
    let zone = zone(&[(NAME, &key().dns_record())]);
    assert_eq!(verdict(&signed, &zone, now()).await.0, DkimResult::Pass);

    let signatures = "DKIM-Signature: v=1\r\n".repeat(MANY);
    let verdicts = verify(format!("{signatures}{MESSAGE}").as_bytes(), &zone, now()).await;
    assert_eq!(verdicts.len(), 11);
    assert_eq!(verdicts[10].reason(), Some(&Reason::TooManySignatures(MANY - 10)));
    let tags: String = (0..MANY).map(|number| format!("t{number}=1;")).collect();
    let verdicts = verify(
        format!("DKIM-Signature: v=1;{tags}\r\n{MESSAGE}").as_bytes(),
        &zone,
        now(),
    )
    .await;
    assert_eq!(verdicts[0].result(), DkimResult::PermError);
    // Quadratic work would be ten thousand million steps: minutes.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn signers_that_nobody_could_verify_are_not_made() {
    let builder = || Signer::builder("example.org".parse().unwrap());
    let with_key = || builder().key("s".parse().unwrap(), key());
    let error = |builder: SignerBuilder| builder.build().unwrap_err();
    assert_eq!(error(builder()), SignerError::NoKey);
    for domain in ["org", "[192.0.2.1]"] {
        let domain: Domain = match domain.parse() {
            Ok(domain) => domain,
            Err(_) => continue,
        };
        assert_eq!(
            error(Signer::builder(domain.clone()).key("s".parse().unwrap(), key())),
            SignerError::Domain(domain.clone())
        );
        assert_eq!(
            error(with_key().key_for(domain.clone(), "t".parse().unwrap(), key())),
            SignerError::Domain(domain)
        );
    }
    let long = [["a"; 60].concat(), ["b"; 60].concat(), ["c"; 60].concat()].join(".");
    let domain = format!("{long}.example.org");
    assert!(matches!(
        error(Signer::builder(domain.parse().unwrap()).key(long.parse().unwrap(), key())),
        SignerError::RecordName(_)
    ));
    assert_eq!(
        error(with_key().key("s".parse().unwrap(), key())),
        SignerError::SameRecord(NAME.to_owned())
    );
    for name in [
        "",
        "Sub ject",
        "Subject:",
        "Subject;",
        "Sübject",
        "a\r\nb",
        &"x".repeat(256),
    ] {
        assert_eq!(
            error(with_key().headers(["From", name])),
            SignerError::HeaderName(name.to_owned())
        );
    }
    assert_eq!(error(with_key().headers(["Subject"])), SignerError::FromNotSigned);
    assert_eq!(
        error(with_key().headers(Vec::<String>::new())),
        SignerError::FromNotSigned
    );
    assert_eq!(
        error(with_key().identity("ada@example.com")),
        SignerError::Identity("ada@example.com".to_owned())
    );
    assert_eq!(
        error(with_key().expire_after(Duration::from_millis(999))),
        SignerError::Expiry
    );
}

#[test]
fn lines_stay_short_whatever_the_names_are() {
    let domain = format!("{}.{}.example.org", "d".repeat(63), "e".repeat(63));
    let names: Vec<String> = (1..200)
        .map(|length| "x".repeat(length))
        .chain(["from".to_owned()])
        .collect();
    let signer = Signer::builder(domain.parse().unwrap())
        .key("s".repeat(63).parse().unwrap(), key())
        .headers(names)
        .identity(format!("{}@{domain}", "\u{e9}".repeat(32)))
        .expire_after(Duration::from_secs(u64::MAX))
        .build()
        .unwrap();
    let fields = signer.sign([MESSAGE.as_bytes()], now()).unwrap();
    assert!(fields.lines().all(|line| line.len() <= 998), "{fields}");
    assert!(fields.contains("x=999999999999;"), "{fields}");
}
