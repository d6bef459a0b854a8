//! Verifying one message with all records at hand: posthaste-auth, mail-auth, and the cryptography with its hashes, which is the floor.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::ParsedPublicKey;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::Spf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DnsError, Error, MessageAuthenticator, Parameters, ResolverCache, Txt};
use posthaste_auth::dkim::{DkimResult, KeyCache, Limits, verify_cached};
use posthaste_auth::dmarc::{self, DmarcResult};
use posthaste_auth::spf;
use posthaste_auth::{Authenticator, Connection};
use posthaste_dns::Zone;
use tokio::runtime::{Builder, Runtime};

use crate::race::{Race, Runner};
use crate::sign::{Key, Kind, message, now};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SPF: &str = "v=spf1 include:_spf.example.org -all";
const INCLUDED: &str = "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 ip4:192.0.2.0/24 -all";
const DMARC: &str = "v=DMARC1; p=reject; rua=mailto:dmarc@example.org";

/// What mail-auth has parsed before, under the names that it asks for.
#[derive(Clone)]
struct Known(Arc<HashMap<Box<str>, Txt>>);

impl ResolverCache<Box<str>, Txt> for Known {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A message of 5 KB with its signature, and what the DNS has to say of it.
struct Case {
    signed: Vec<u8>,
    key: Key,
    record: String,
}

impl Case {
    fn new(kind: Kind) -> Self {
        let key = Key::generate(kind);
        let message = message(5_000);
        let field = key.signer().sign([message.as_slice()], now()).expect("signs");
        let record = key.ours().dns_record();
        Self {
            signed: [field.into_bytes(), message].concat(),
            key,
            record,
        }
    }

    fn zone(&self) -> Zone {
        // A DNS string holds 255 octets at most; a record may have several.
        let mut strings = String::new();
        for (index, letter) in self.record.chars().enumerate() {
            strings.push_str(if index > 0 && index % 200 == 0 { "\" \"" } else { "" });
            strings.push(letter);
        }
        let text = format!(
            "s1._domainkey.example.org. TXT \"{strings}\"\nexample.org. TXT \"{SPF}\"\n\
             _spf.example.org. TXT \"{INCLUDED}\"\n_dmarc.example.org. TXT \"{DMARC}\"\n"
        );
        Zone::parse(&text).expect("a zone")
    }

    fn known(&self) -> Known {
        let spf = |record: &str| Txt::Spf(Arc::new(Spf::parse(record.as_bytes()).expect("a record")));
        let key = DomainKey::parse(self.record.as_bytes()).expect("a key");
        let dmarc = Dmarc::parse(DMARC.as_bytes()).expect("a record");
        let records = [
            ("s1._domainkey.example.org.", Txt::DomainKey(Arc::new(key))),
            ("example.org.", spf(SPF)),
            ("_spf.example.org.", spf(INCLUDED)),
            ("_dmarc.example.org.", Txt::Dmarc(Arc::new(dmarc))),
            // Its walk goes on to the top.
            (
                "_dmarc.org.",
                Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain))),
            ),
        ];
        Known(Arc::new(
            records
                .into_iter()
                .map(|(name, record)| (name.into(), record))
                .collect(),
        ))
    }

    /// The key parsed before; the hash of the body, and the verification of a header.
    fn floor(&self) -> Runner {
        let body = message(5_000).split_off(200);
        let header = self.signed.get(..700).expect("long enough").to_vec();
        let (public, signature) = self.key.sign_bare(&header);
        let key: ParsedPublicKey = public;
        let hashes_header = matches!(self.key.kind(), Kind::Ed25519);
        Runner::new(
            "floor: SHA-256 of body and header, the public-key operation",
            move || {
                let hash = digest(&SHA256, &body);
                let verified = if hashes_header {
                    key.verify_sig(digest(&SHA256, &header).as_ref(), &signature)
                } else {
                    key.verify_sig(&header, &signature)
                };
                assert!(verified.is_ok());
                hash.as_ref().len()
            },
        )
    }
}

/// mail-auth with the runtime that it wants around it.
fn mail_auth() -> (Runtime, MessageAuthenticator) {
    let runtime = runtime();
    let authenticator = {
        let _guard = runtime.enter();
        MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).expect("a resolver")
    };
    (runtime, authenticator)
}

fn dkim(question: &'static str, kind: Kind) -> Race {
    let case = Case::new(kind);
    let (zone, known, floor) = (case.zone(), case.known(), case.floor());
    let (our_runtime, our_message, keys) = (runtime(), case.signed.clone(), KeyCache::new(100));
    let limits = Limits::default();
    let ours = Runner::new("posthaste-auth", move || {
        let verdicts = our_runtime.block_on(verify_cached(&our_message, &zone, now(), &limits, &keys));
        assert_eq!(verdicts[0].result(), DkimResult::Pass);
        verdicts.len()
    });
    let (their_runtime, authenticator) = mail_auth();
    let theirs = Runner::new("mail-auth 0.13", move || {
        let message = AuthenticatedMessage::parse(&case.signed).expect("a message");
        let parameters = Parameters::new(&message).with_txt_cache(&known);
        let verdicts = their_runtime.block_on(authenticator.verify_dkim(parameters));
        assert_eq!(*verdicts[0].result(), mail_auth::DkimResult::Pass);
        verdicts.len()
    });
    Race::new(question, vec![ours, theirs, floor])
}

fn spf_race() -> Race {
    let case = Case::new(Kind::Ed25519);
    let (zone, known) = (case.zone(), case.known());
    let (our_runtime, limits) = (runtime(), spf::Limits::default());
    let ours = Runner::new("posthaste-auth, records parsed each time", move || {
        let query = spf::Query::new(CLIENT, "mail.example.org", "ada@example.org").at(now());
        let report = our_runtime.block_on(spf::check_host(&query, &zone, &limits));
        assert_eq!(report.result(), spf::Result::Pass);
        1
    });
    let (their_runtime, authenticator) = mail_auth();
    let theirs = Runner::new("mail-auth 0.13, records parsed before", move || {
        let asked = SpfParameters::verify_mail_from(CLIENT, "mail.example.org", "mx.example.net", "ada@example.org");
        let parameters = Parameters::new(asked).with_txt_cache(&known);
        let output = their_runtime.block_on(authenticator.check_host(parameters));
        assert_eq!(output.result(), mail_auth::SpfResult::Pass);
        1
    });
    Race::new("check SPF: one include, four networks", vec![ours, theirs])
}

fn all_race(question: &'static str, kind: Kind) -> Race {
    let case = Case::new(kind);
    let (zone, known, floor) = (case.zone(), case.known(), case.floor());
    let (our_runtime, our_message) = (runtime(), case.signed.clone());
    // What mail-auth is asked below, and no more.
    let ours = {
        let authenticator = Authenticator::new(Arc::new(zone)).helo(false).iprev(false).arc(false);
        let connection = Connection::new(
            CLIENT,
            "mail.example.org",
            Some("ada@example.org".parse().expect("an address")),
        );
        Runner::new("posthaste-auth", move || {
            let report = our_runtime.block_on(authenticator.authenticate(&connection, &our_message, now()));
            assert_eq!(report.dmarc().result(), DmarcResult::Pass);
            report.dkim().len()
        })
    };
    let (their_runtime, authenticator) = mail_auth();
    let theirs = Runner::new("mail-auth 0.13", move || {
        let message = AuthenticatedMessage::parse(&case.signed).expect("a message");
        their_runtime.block_on(async {
            let asked =
                SpfParameters::verify_mail_from(CLIENT, "mail.example.org", "mx.example.net", "ada@example.org");
            let spf = authenticator
                .check_host(Parameters::new(asked).with_txt_cache(&known))
                .await;
            let dkim = authenticator
                .verify_dkim(Parameters::new(&message).with_txt_cache(&known))
                .await;
            let asked = DmarcParameters::new(&message, &dkim, "example.org", &spf);
            let dmarc = authenticator
                .verify_dmarc(Parameters::new(asked).with_txt_cache(&known))
                .await;
            assert_eq!(dmarc.result(), mail_auth::DmarcResult::Pass);
            dkim.len()
        })
    });
    Race::new(question, vec![ours, theirs, floor])
}

fn dmarc_race() -> Race {
    let case = Case::new(Kind::Ed25519);
    let zone = case.zone();
    let our_runtime = runtime();
    let ours = Runner::new("posthaste-auth, the record parsed each time", move || {
        let from = "example.org".parse().expect("a domain");
        let signer = "example.org".parse().expect("a domain");
        let input = dmarc::Input::new(from).dkim_pass(signer);
        let report = our_runtime.block_on(dmarc::evaluate(&input, &zone));
        assert_eq!(report.result(), DmarcResult::Pass);
        1
    });
    Race::new("evaluate DMARC: one aligned domain", vec![ours])
}

pub fn races() -> Vec<Race> {
    vec![
        dkim("verify DKIM of 5 KB, RSA-2048", Kind::Rsa),
        dkim("verify DKIM of 5 KB, Ed25519", Kind::Ed25519),
        spf_race(),
        dmarc_race(),
        all_race("authenticate 5 KB: SPF, DKIM by RSA-2048, DMARC", Kind::Rsa),
        all_race("authenticate 5 KB: SPF, DKIM by Ed25519, DMARC", Kind::Ed25519),
    ]
}
