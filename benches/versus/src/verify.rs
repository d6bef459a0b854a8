//! Verifying the DKIM signature of one message, the key record at hand: posthaste-auth, mail-auth.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, MessageAuthenticator, Parameters, ResolverCache, Txt};
use posthaste_auth::dkim::{DkimResult, verify};
use posthaste_dns::Zone;
use tokio::runtime::{Builder, Runtime};

use crate::race::{Race, Runner};
use crate::sign::{Key, Kind, message, now};

/// Answers every question of mail-auth with one key, parsed already.
struct OneKey(Arc<DomainKey>);

impl ResolverCache<Box<str>, Txt> for OneKey {
    fn get<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        Some(Txt::DomainKey(Arc::clone(&self.0)))
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

fn race(question: &'static str, kind: Kind) -> Race {
    let key = Key::generate(kind);
    let message = message(5_000);
    let signed = [
        key.signer()
            .sign([message.as_slice()], now())
            .expect("signs")
            .into_bytes(),
        message,
    ]
    .concat();
    let record = key.ours().dns_record();

    // A DNS string holds 255 octets at most; a record may have several.
    let mut strings = String::new();
    for (index, letter) in record.chars().enumerate() {
        strings.push_str(if index > 0 && index % 200 == 0 { "\" \"" } else { "" });
        strings.push(letter);
    }
    let zone = Zone::parse(&format!("s1._domainkey.example.org. TXT \"{strings}\"\n")).expect("a zone");
    let (our_runtime, our_message) = (runtime(), signed.clone());
    let ours = Runner::new("posthaste-auth, the record parsed each time", move || {
        let verdicts = our_runtime.block_on(verify(&our_message, &zone, now()));
        assert_eq!(verdicts[0].result(), DkimResult::Pass);
        verdicts.len()
    });

    let cache = OneKey(Arc::new(DomainKey::parse(record.as_bytes()).expect("a key")));
    let their_runtime = runtime();
    let authenticator = {
        let _guard = their_runtime.enter();
        MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).expect("a resolver")
    };
    let theirs = Runner::new("mail-auth 0.13, the record parsed before", move || {
        let message = AuthenticatedMessage::parse(&signed).expect("a message");
        let parameters = Parameters::new(&message).with_txt_cache(&cache);
        let verdicts = their_runtime.block_on(authenticator.verify_dkim(parameters));
        assert_eq!(*verdicts[0].result(), mail_auth::DkimResult::Pass);
        verdicts.len()
    });
    Race::new(question, vec![ours, theirs])
}

pub fn races() -> Vec<Race> {
    vec![
        race("verify 5 KB, RSA-2048", Kind::Rsa),
        race("verify 5 KB, Ed25519", Kind::Ed25519),
    ]
}
