//! What must hold for any message, however it is cut, and for any octets at all.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking that it failed"
)]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_auth::authres::{AuthenticationResults, MethodResult, strip};
use posthaste_auth::dkim::{Canonicalization, DkimResult, PublicKey, Signer, SigningKey, Verdict, verify};
use posthaste_auth::dmarc;
use posthaste_dns::{Record, Zone};
use proptest::prelude::*;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn rsa() -> SigningKey {
    SigningKey::from_pem(include_str!("data/rsa2048.pem")).unwrap()
}

fn ed25519() -> SigningKey {
    SigningKey::from_ed25519_seed(&[7; 32]).unwrap()
}

const WAYS: [Canonicalization; 2] = [Canonicalization::Simple, Canonicalization::Relaxed];

/// A signer with both keys, for each pair of canonicalisations.
static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    WAYS.iter()
        .flat_map(|header| WAYS.iter().map(move |body| (*header, *body)))
        .map(|(header, body)| {
            Signer::builder("example.org".parse().unwrap())
                .key("r".parse().unwrap(), rsa())
                .key("e".parse().unwrap(), ed25519())
                .canonicalization(header, body)
                .build()
                .unwrap()
        })
        .collect()
});

static ZONE: LazyLock<Zone> = LazyLock::new(|| {
    let mut zone = Zone::new();
    for (name, key) in [("r", rsa()), ("e", ed25519())] {
        zone.insert(&format!("{name}._domainkey.example.org"), Record::txt(key.dns_record()))
            .unwrap();
    }
    zone
});

fn verified(message: &[u8]) -> Vec<Verdict> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(verify(message, &*ZONE, now()))
}

/// Header fields that a reader may come across, From among them.
fn header() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["Subject", "To", "cc", "X-Any", "Date", "REPLY-TO", "List-Id"]);
    let field = (name, "[ -~]{0,60}", prop::option::of("[!-~][ -~]{0,30}")).prop_map(|(name, value, folded)| {
        let folded = folded.map_or_else(String::new, |more| format!("\r\n \t{more}"));
        format!("{name}: {value}{folded}\r\n")
    });
    prop::collection::vec(field, 0..8).prop_map(|fields| format!("{}From: ada@example.org\r\n", fields.concat()))
}

/// Bodies that are full of what canonicalisation is about.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\t".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        "[a-z]{1,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However a message is cut into chunks: the same fields, and they verify.
    #[test]
    fn what_is_signed_verifies(header in header(), body in body(), way in 0..4_usize, cut in 1..50_usize) {
        let message = [header.as_bytes(), b"\r\n", &body].concat();
        let signer = &SIGNERS[way];
        let whole = signer.sign([message.as_slice()], now()).unwrap();
        let cut = signer.sign(message.chunks(cut), now()).unwrap();
        prop_assert_eq!(&whole, &cut);
        let mut hash = signer.body();
        hash.update(&body);
        for end in ["", "\r\n"] {
            let header = format!("{header}{end}");
            prop_assert_eq!(&whole, &signer.sign_body(header.as_bytes(), hash.clone(), now()).unwrap());
        }
        prop_assert!(whole.lines().all(|line| line.len() <= 78), "{}", whole);

        let verdicts = verified(&[whole.as_bytes(), &message].concat());
        let results: Vec<DkimResult> = verdicts.iter().map(Verdict::result).collect();
        prop_assert_eq!(results, vec![DkimResult::Pass; 2]);
    }

    /// A visible octet changed, or a field added that is signed: no signature holds.
    #[test]
    fn what_was_changed_does_not(body in "[a-z]{4,40}", way in 0..4_usize, at in 0..4_usize) {
        let message = format!("From: ada@example.org\r\nSubject: hello\r\n\r\n{body}\r\n");
        let fields = SIGNERS[way].sign([message.as_bytes()], now()).unwrap();
        let mut changed = body.into_bytes();
        changed[at] = b'A';
        let changed = String::from_utf8(changed).unwrap();
        for forged in [
            format!("{fields}From: ada@example.org\r\nSubject: hello\r\n\r\n{changed}\r\n"),
            format!("{fields}{message}more\r\n"),
            format!("Subject: other\r\n{fields}{message}"),
            format!("{fields}From: eve@example.com\r\n{message}"),
            format!("{fields}{}", message.replacen("hello", "hullo", 1)),
        ] {
            let verdicts = verified(forged.as_bytes());
            prop_assert!(verdicts.iter().all(|verdict| verdict.result() == DkimResult::Fail), "{:?}", verdicts);
        }
    }

    #[test]
    fn no_octets_make_the_verifier_panic(octets in prop::collection::vec(any::<u8>(), 0..300), tags in "[ -~\t\r\n]{0,120}") {
        verified(&octets);
        verified(&[b"From: a@b.example\r\nDKIM-Signature: ", octets.as_slice()].concat());
        verified(format!("From: a@b.example\r\nDKIM-Signature: v=1; {tags}\r\n\r\n").as_bytes());
        let text = String::from_utf8_lossy(&octets);
        drop(PublicKey::parse(&text));
        drop(PublicKey::parse(&format!("p={tags}")));
        drop(format!("v=DMARC1; p=none; {tags}").parse::<dmarc::Record>());
        drop(AuthenticationResults::parse(&text));
        drop(AuthenticationResults::parse(&format!("mx; {tags}")));
        drop(SigningKey::from_der(&octets));
        drop(SigningKey::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{tags}\n-----END PRIVATE KEY-----")));
    }

    /// What we write, we read back as what it was.
    #[test]
    fn results_are_read_back(
        id in "\\PC{1,20}", method in "[a-z]{1,8}", result in "[a-z]{1,8}", reason in prop::option::of("\\PC{0,300}"),
        values in prop::collection::vec(("[a-z]{1,6}", "[a-z-]{0,8}[a-z]", "\\PC{0,90}"), 0..5),
    ) {
        let mut outcome = MethodResult::new(&method, &result);
        if let Some(reason) = reason {
            outcome = outcome.reason(reason);
        }
        for (kind, name, value) in values {
            outcome = outcome.property(&kind, &name, value);
        }
        let written = AuthenticationResults::new(id).with(outcome);
        let field = written.to_string();
        prop_assert!(field.lines().all(|line| line.len() < 998));
        let value = field.strip_prefix("Authentication-Results:").unwrap();
        prop_assert_eq!(AuthenticationResults::parse(value).unwrap(), written);
    }

    /// Stripping takes away our fields and not an octet more.
    #[test]
    fn only_ours_is_stripped(fields in prop::collection::vec(0..4_usize, 0..8), body in body()) {
        let field = |kind: &usize| match kind {
            0 => "Subject: hello\r\n there\r\n",
            1 => "Authentication-Results: other.example; spf=pass\r\n",
            2 => "authentication-results: (us) MX.example 1; spf=pass\r\n\tsmtp.mailfrom=a@b.example\r\n",
            _ => "not a field\r\n",
        };
        let make = |keep_ours: bool| {
            let kept: String = fields.iter().filter(|kind| keep_ours || **kind != 2).map(field).collect();
            [kept.as_bytes(), b"\r\n", &body].concat()
        };
        prop_assert_eq!(strip(&make(true), "mx.example"), make(false));
    }
}
