//! Fixed keys, a fixed time: the signature fields, octet by octet. Both algorithms give the same signature every time.
//!
//! The RSA keys in `data` were made for these tests and sign nothing else; the Ed25519 key is the one that RFC 8463 §A.2
//! publishes. `tests/interop` has signatures of the same kinds verified by other programs.

#![allow(clippy::unwrap_used, reason = "a test says by panicking that it failed")]

use std::time::{Duration, UNIX_EPOCH};

use posthaste_auth::dkim::{Canonicalization, KeyError, Signer, SignerBuilder, SigningKey};
use posthaste_auth::dkim::{DkimResult, verify};
use posthaste_dns::Zone;

use Canonicalization::{Relaxed, Simple};

/// White space wherever canonicalisation has something to say about it.
const ODD: &str = "From: Ada Lovelace <ada@example.org>\r\nTo : Charles <charles@example.net>\r\nSubject: The\r\n  Engine \r\n\
    DATE:\tFri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1@example.org>\r\n\r\nIt weaves  algebraic\t patterns. \r\n \r\n\
    .dot\r\n\r\n\tAda\r\n \t\r\n\r\n\r\n";

/// Fields that are signed once more than they are, and fields that there are several of.
const LIST: &str = "Received: from a.example.org\r\nReceived: from b.example.org\r\nFrom: News <news@example.org>\r\n\
    To: zoe@example.net\r\nCc: bob@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nSubject: again\r\n\
    Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <2@example.org>\r\nList-Id: News <news.example.org>\r\n\
    List-Unsubscribe: <https://example.org/u?token=0123456789abcdef0123456789abcdef>\r\n\
    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: 1:2:3:example\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u{fc}\u{df}e\r\n";

const EMPTY: &str = "From: ada@example.org\r\n\r\n";

fn rsa_2048() -> SigningKey {
    SigningKey::from_pem(include_str!("data/rsa2048.pem")).unwrap()
}

fn rsa_4096() -> SigningKey {
    SigningKey::from_pem(include_str!("data/rsa4096.pem")).unwrap()
}

fn ed25519() -> SigningKey {
    let seed = b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
    SigningKey::from_ed25519_seed(seed).unwrap()
}

fn builder() -> SignerBuilder {
    Signer::builder("example.org".parse().unwrap())
}

/// A signer with both common keys.
fn both() -> SignerBuilder {
    builder()
        .key("r1".parse().unwrap(), rsa_2048())
        .key("e1".parse().unwrap(), ed25519())
}

/// The fields are what the file has, with CRLF for LF, and they verify.
fn check(file: &str, signer: SignerBuilder, message: &str) {
    let signer = signer.build().unwrap();
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let fields = signer.sign([message.as_bytes()], now).unwrap();
    let path = format!("{}/tests/data/golden/{file}.txt", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(path).unwrap().replace('\n', "\r\n");
    assert_eq!(fields, expected, "{file}");

    let zone: String = signer
        .dns_records()
        .iter()
        .map(|record| format!("{record}\n"))
        .collect();
    let zone = Zone::parse(&zone).unwrap();
    let signed = fields + message;
    let verdicts = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(verify(signed.as_bytes(), &zone, now));
    assert_eq!(verdicts.len(), signer.dns_records().len());
    assert!(
        verdicts.iter().all(|verdict| verdict.result() == DkimResult::Pass),
        "{verdicts:?}"
    );
}

#[test]
fn every_canonicalization() {
    check("simple-simple", both().canonicalization(Simple, Simple), ODD);
    check("simple-relaxed", both().canonicalization(Simple, Relaxed), ODD);
    check("relaxed-simple", both().canonicalization(Relaxed, Simple), ODD);
    check("relaxed-relaxed", both(), ODD);
}

#[test]
fn empty_bodies() {
    check("empty-simple", both().canonicalization(Simple, Simple), EMPTY);
    check("empty-relaxed", both(), EMPTY);
    // Empty lines are no body.
    check("empty-relaxed", both(), &format!("{EMPTY}\r\n\r\n"));
}

#[test]
fn a_newsletter_with_an_expiry_and_an_identity() {
    let week = Duration::from_secs(604_800);
    check(
        "list",
        both().expire_after(week).identity("news;1@mail.example.org"),
        LIST,
    );
}

#[test]
fn the_fields_that_are_asked_for() {
    let names = [
        "from", "Subject", "Subject", "Subject", "Received", "X-None", "Received", "From",
    ];
    check("listed", both().headers(names), LIST);
}

#[test]
fn a_long_key_and_another_domain() {
    let signer = builder().key("r4".parse().unwrap(), rsa_4096()).key_for(
        "provider.example".parse().unwrap(),
        "mail.2026".parse().unwrap(),
        ed25519(),
    );
    check("rsa-4096", signer, ODD);
}

#[test]
fn short_rsa_keys_are_refused_by_their_length() {
    let error = SigningKey::from_pem(include_str!("data/rsa1024.pem")).unwrap_err();
    assert_eq!(error, KeyError::Size { bits: 1024 });
}
