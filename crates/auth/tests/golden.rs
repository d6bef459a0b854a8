//! Fixed keys, a fixed time: the signature fields, octet by octet. Both algorithms give the same signature every time.
//!
//! The key in `data/rsa2048.pem` was made for this test and signs nothing else.

use std::time::{Duration, UNIX_EPOCH};

use posthaste_auth::dkim::{KeyError, Signer, SigningKey};

const MESSAGE: &str = "From: Ada Lovelace <ada@example.org>\r\nTo: Charles <charles@example.net>\r\nSubject: The\r\n  Engine \r\n\
    Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1@example.org>\r\n\r\nIt weaves  algebraic patterns. \r\n\r\n\r\n";

#[test]
fn signature_fields_are_the_same_to_the_octet() {
    let rsa = SigningKey::from_pem(include_str!("data/rsa2048.pem")).unwrap();
    let ed25519 = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("r1".parse().unwrap(), rsa)
        .key("e1".parse().unwrap(), ed25519)
        .expire_after(Duration::from_secs(604_800))
        .build()
        .unwrap();
    let fields = signer
        .sign([MESSAGE.as_bytes()], UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .unwrap();
    let expected = include_str!("data/golden.txt").replace('\n', "\r\n");
    assert_eq!(fields, expected);
}

#[test]
fn short_rsa_keys_are_refused_by_their_length() {
    let error = SigningKey::from_pem(include_str!("data/rsa1024.pem")).unwrap_err();
    assert_eq!(error, KeyError::Size { bits: 1024 });
}
