//! The DNS fails at each question in turn. What passed before may then be a temporary error, or pass all the same; it is never a
//! fail, never "there is nothing", never a permanent error.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use posthaste_auth::arc::{self, ChainResult};
use posthaste_auth::dkim::{DkimResult, Signer, SigningKey, verify};
use posthaste_auth::dmarc::{self, DmarcResult, Input, Method};
use posthaste_auth::iprev::IprevResult;
use posthaste_auth::spf::{self, Limits, Query, Result as SpfResult};
use posthaste_auth::{Authenticator, Connection};
use posthaste_dns::{LookupError, LookupFuture, NetworkError, RecordType, Resolver, Zone};

use crate::arc::{sealed, zone_of_hops};
use crate::forge::{BODY, FIELDS, Forged, key_record, now, text, zone};

/// Which questions fail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fails {
    /// This one, and when it is asked again it does not.
    Once(u64),
    /// This one and all after it.
    From(u64),
    /// Whenever this is asked.
    Always(String, RecordType),
}

/// A zone whose server has bad moments.
#[derive(Debug)]
struct Unreliable {
    zone: Zone,
    fails: Option<(Fails, LookupError)>,
    asked: AtomicU64,
    questions: Mutex<BTreeSet<(String, RecordType)>>,
}

impl Unreliable {
    fn new(zone: &Zone, fails: Option<(Fails, LookupError)>) -> Self {
        Self {
            zone: zone.clone(),
            fails,
            asked: AtomicU64::new(0),
            questions: Mutex::default(),
        }
    }
}

impl Resolver for Unreliable {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        self.questions.lock().unwrap().insert((name.to_ascii_lowercase(), kind));
        if let Some((fails, error)) = &self.fails {
            let now = match fails {
                Fails::Once(at) => number == *at,
                Fails::From(at) => number >= *at,
                Fails::Always(asked, of) => name.eq_ignore_ascii_case(asked) && kind == *of,
            };
            if now {
                let error = error.clone();
                return Box::pin(async move { Err(error) });
            }
        }
        self.zone.lookup(name, kind)
    }
}

/// Every way in which a failure can stand for "ask again".
fn errors() -> Vec<LookupError> {
    vec![
        LookupError::ServFail,
        LookupError::Timeout,
        LookupError::Refused,
        LookupError::Truncated,
        LookupError::Bogus,
        LookupError::Network(NetworkError::new("unplugged")),
    ]
}

/// Runs `evaluate` undisturbed, then with each failure at each question, and hands both results to `compare`.
async fn each_failure<T, F>(zone: &Zone, evaluate: impl Fn(Arc<Unreliable>) -> F, compare: impl Fn(&T, &T, &str))
where
    F: Future<Output = T>,
{
    let undisturbed = Arc::new(Unreliable::new(zone, None));
    let before = evaluate(Arc::clone(&undisturbed)).await;
    let count = undisturbed.asked.load(Ordering::SeqCst);
    assert!(count > 0, "nothing is asked");
    let questions = undisturbed.questions.lock().unwrap().clone();
    let ways: Vec<Fails> = (0..count)
        .map(Fails::Once)
        .chain((0..count).map(Fails::From))
        .chain(questions.into_iter().map(|(name, kind)| Fails::Always(name, kind)))
        .collect();
    for error in errors() {
        for fails in &ways {
            let unreliable = Arc::new(Unreliable::new(zone, Some((fails.clone(), error.clone()))));
            let after = evaluate(Arc::clone(&unreliable)).await;
            compare(&before, &after, &format!("{fails:?}, {error}"));
        }
    }
}

#[tokio::test]
async fn spf() {
    // Each way to a pass, and each mechanism before it that does not match.
    let cases = [
        "v=spf1 ip4:192.0.2.1 -all",
        "v=spf1 a -all",
        "v=spf1 a:other.example a -all",
        "v=spf1 mx -all",
        "v=spf1 mx:other.example mx -all",
        "v=spf1 exists:%{ir}.list.example -all",
        "v=spf1 exists:none.example a:none.example mx -all",
        "v=spf1 include:_spf.example -all",
        "v=spf1 -include:other-spf.example include:_spf.example -all",
        "v=spf1 redirect=_spf.example",
        "v=spf1 include:nested.example -all",
        "v=spf1 exp=why.example a -all",
        "v=spf1 exists:%{p}.list.example a -all",
    ];
    for record in cases {
        let mut zone = Zone::parse(
            "example.org.         A   192.0.2.1\n\
             example.org.         MX  10 far.example\n\
             example.org.         MX  20 mail.example.org\n\
             mail.example.org.    A   192.0.2.1\n\
             far.example.         A   198.51.100.1\n\
             other.example.       A   198.51.100.1\n\
             other.example.       MX  10 far.example\n\
             1.2.0.192.list.example. A 127.0.0.2\n\
             _spf.example.        TXT \"v=spf1 a:far.example a:mail.example.org -all\"\n\
             other-spf.example.   TXT \"v=spf1 a:far.example -all\"\n\
             nested.example.      TXT \"v=spf1 include:_spf.example -all\"\n\
             why.example.         TXT \"because\"\n\
             1.2.0.192.in-addr.arpa. PTR mail.example.org\n",
        )
        .unwrap();
        zone.insert("example.org", posthaste_dns::Record::txt(record)).unwrap();
        let evaluate = |resolver: Arc<Unreliable>| async move {
            let query = Query::new([192, 0, 2, 1].into(), "mail.example.org", "ada@example.org");
            spf::check_host(&query, &*resolver, &Limits::default()).await.result()
        };
        each_failure(&zone, evaluate, |before, after, how| {
            assert_eq!(*before, SpfResult::Pass, "{record}");
            assert!(
                matches!(after, SpfResult::Pass | SpfResult::TempError),
                "{record}, {how}: {after}"
            );
        })
        .await;
    }
}

/// RFC 7208 §5.5 is the one exception, in its own words: a DNS error makes `ptr` not match, and skips the name.
#[tokio::test]
async fn spf_by_ptr_does_not_match_where_the_names_cannot_be_had() {
    let zone = Zone::parse(
        "example.org.            TXT \"v=spf1 ptr -all\"\n\
         1.2.0.192.in-addr.arpa. PTR mail.example.org\n\
         mail.example.org.       A   192.0.2.1\n",
    )
    .unwrap();
    let fails = Fails::Always("mail.example.org".to_owned(), RecordType::A);
    let resolver = Unreliable::new(&zone, Some((fails, LookupError::ServFail)));
    let query = Query::new([192, 0, 2, 1].into(), "mail.example.org", "ada@example.org");
    let report = spf::check_host(&query, &resolver, &Limits::default()).await;
    assert_eq!(report.result(), SpfResult::Fail);
}

/// A record that ends in fail stays a fail or becomes a temporary error; it never begins to pass.
#[tokio::test]
async fn spf_never_passes_because_the_dns_failed() {
    let zone = Zone::parse(
        "example.org.       TXT \"v=spf1 -a:client.example -include:deny.example a exists:none.example redirect=last.example\"\n\
         client.example.    A   192.0.2.7\n\
         deny.example.      TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
         last.example.      TXT \"v=spf1 +all\"\n\
         example.org.       A   192.0.2.1\n",
    )
    .unwrap();
    let evaluate = |resolver: Arc<Unreliable>| async move {
        let query = Query::new([192, 0, 2, 1].into(), "mail.example.org", "ada@example.org");
        spf::check_host(&query, &*resolver, &Limits::default()).await.result()
    };
    each_failure(&zone, evaluate, |before, after, how| {
        assert_eq!(*before, SpfResult::Fail);
        assert!(
            matches!(after, SpfResult::Fail | SpfResult::TempError),
            "{how}: {after}"
        );
    })
    .await;
}

#[tokio::test]
async fn dkim() {
    let second = Forged {
        tags: "d=example.net; s=s",
        ..Forged::default()
    };
    let message = second.field(FIELDS) + &Forged::default().message();
    let record = key_record();
    let zone = zone(&[
        ("s._domainkey.example.org", &record),
        ("s._domainkey.example.net", &record),
    ]);
    let evaluate = |resolver: Arc<Unreliable>| {
        let message = message.clone();
        async move {
            let verdicts = verify(message.as_bytes(), &*resolver, now()).await;
            verdicts.iter().map(|verdict| verdict.result()).collect::<Vec<_>>()
        }
    };
    each_failure(&zone, evaluate, |before, after, how| {
        assert_eq!(*before, [DkimResult::Pass; 2]);
        assert_eq!(after.len(), 2);
        assert!(
            after
                .iter()
                .all(|result| matches!(result, DkimResult::Pass | DkimResult::TempError)),
            "{how}: {after:?}"
        );
        assert_ne!(*after, *before, "{how}: a failure that nobody noticed");
    })
    .await;
}

#[tokio::test]
async fn dmarc() {
    let zone = zone(&[
        ("_dmarc.example.org", "v=DMARC1; p=reject; sp=quarantine; np=none"),
        ("_dmarc.org", "v=DMARC1; p=none; psd=y"),
    ]);
    let input = |from: &str| Input::new(from.parse().unwrap());
    let org = || "example.org".parse().unwrap();
    let news = || "news.example.org".parse().unwrap();
    for (input, expected) in [
        (input("example.org").dkim_pass(org()), DmarcResult::Pass),
        (input("news.example.org").dkim_pass(org()), DmarcResult::Pass),
        (input("example.org").spf_pass(news()), DmarcResult::Pass),
        (
            input("a.b.example.org").spf_pass(news()).dkim_pass(org()),
            DmarcResult::Pass,
        ),
        (input("example.org"), DmarcResult::Fail),
        (
            input("news.example.org").dkim_pass("example.net".parse().unwrap()),
            DmarcResult::Fail,
        ),
        (
            input("news.example.org").spf_pass("badexample.org".parse().unwrap()),
            DmarcResult::Fail,
        ),
    ] {
        for method in [Method::TreeWalk, Method::PublicSuffixList] {
            let input = input.clone().method(method);
            let evaluate = |resolver: Arc<Unreliable>| {
                let input = input.clone();
                async move {
                    let report = dmarc::evaluate(&input, &*resolver).await;
                    (report.result(), report.disposition())
                }
            };
            each_failure(&zone, evaluate, |before, after, how| {
                assert_eq!(before.0, expected, "{input:?}");
                assert!(
                    after == before || after.0 == DmarcResult::TempError,
                    "{input:?}, {how}: {after:?} after {before:?}"
                );
            })
            .await;
        }
    }
}

#[tokio::test]
async fn arc() {
    let message = sealed(3).await;
    let evaluate = |resolver: Arc<Unreliable>| {
        let message = message.clone();
        async move { arc::validate(message.as_bytes(), &*resolver, now()).await.result() }
    };
    each_failure(&zone_of_hops(), evaluate, |before, after, how| {
        assert_eq!(*before, ChainResult::Pass);
        assert!(
            matches!(after, ChainResult::Pass | ChainResult::TempError),
            "{how}: {after:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn all_of_it_at_once() {
    let mut zone = Zone::parse(
        "example.org.            TXT \"v=spf1 include:_spf.example.net a -all\"\n\
         _spf.example.net.       TXT \"v=spf1 mx:example.net -all\"\n\
         example.net.            MX  10 mail.example.net\n\
         mail.example.net.       A   192.0.2.1\n\
         mail.example.net.       TXT \"v=spf1 a -all\"\n\
         1.2.0.192.in-addr.arpa. PTR mail.example.net\n\
         _dmarc.example.org.     TXT \"v=DMARC1; p=reject; sp=reject; np=reject\"\n",
    )
    .unwrap();
    let key = || SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("s".parse().unwrap(), key())
        .build()
        .unwrap();
    let record = posthaste_dns::Record::txt(key_record());
    zone.insert("s._domainkey.example.org", record.clone()).unwrap();
    for hop in ["one.example", "two.example", "three.example"] {
        zone.insert(&format!("s._domainkey.{hop}"), record.clone()).unwrap();
    }
    let plain = text(FIELDS, BODY);
    let signed = signer.sign([plain.as_bytes()], now()).unwrap() + &sealed(2).await;
    let sender = Some("bounces@example.org".parse().unwrap());
    let connection = Connection::new([192, 0, 2, 1].into(), "mail.example.net", sender);
    for message in [signed, plain] {
        let evaluate = |resolver: Arc<Unreliable>| {
            let (message, connection) = (message.clone(), connection.clone());
            async move {
                let authenticator = Authenticator::new(resolver);
                authenticator.authenticate(&connection, message.as_bytes(), now()).await
            }
        };
        each_failure(&zone, evaluate, |before, after, how| {
            assert_eq!(before.spf().result(), SpfResult::Pass);
            assert_eq!(before.dmarc().result(), DmarcResult::Pass);
            assert!(before.dkim().iter().all(|verdict| verdict.result() == DkimResult::Pass));
            assert!(
                matches!(after.spf().result(), SpfResult::Pass | SpfResult::TempError),
                "{how}"
            );
            let helo = |report: &posthaste_auth::AuthReport| report.spf_helo().map(spf::Report::result);
            assert_eq!(helo(before), Some(SpfResult::Pass));
            assert!(
                matches!(helo(after), Some(SpfResult::Pass | SpfResult::TempError)),
                "{how}"
            );
            assert_eq!(before.dkim().len(), after.dkim().len());
            for verdict in after.dkim() {
                assert!(
                    matches!(verdict.result(), DkimResult::Pass | DkimResult::TempError),
                    "{how}"
                );
            }
            let iprev = |report: &posthaste_auth::AuthReport| report.iprev().unwrap().result();
            assert_eq!(iprev(before), IprevResult::Pass);
            assert!(
                matches!(iprev(after), IprevResult::Pass | IprevResult::TempError),
                "{how}"
            );
            assert!(
                matches!(after.dmarc().result(), DmarcResult::Pass | DmarcResult::TempError),
                "{how}"
            );
            let fields = after.authentication_results("mx.example.com");
            for word in ["=fail", "=none", "=permerror", "=softfail", "=neutral"] {
                let was_there = before.authentication_results("mx.example.com").contains(word);
                assert!(was_there || !fields.contains(word), "{how}: {fields}");
            }
        })
        .await;
    }
}
