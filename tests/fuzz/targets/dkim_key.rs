//! Keys to sign with: PEM if it is text, and DER. A key that is read can be published, kept, and read again as the same.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::dkim::{KeyError, PublicKey, Signer, SigningKey};

fn check(read: Result<SigningKey, KeyError>) {
    let key = match read {
        Ok(key) => key,
        Err(error) => {
            assert!(error.to_string().len() < 512);
            return;
        }
    };
    let record = key.dns_record();
    let public = PublicKey::parse(&record).expect("a record that can be read");
    assert_eq!(
        (public.algorithm(), public.dns_record()),
        (key.algorithm(), record.clone())
    );
    let again = SigningKey::from_pem(&key.to_pem().expect("a file")).expect("a key");
    assert_eq!(again.dns_record(), record);
    let builder = Signer::builder("example.org".parse().expect("valid"));
    let signer = builder.key("s".parse().expect("valid"), key).build().expect("valid");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    signer
        .sign([b"From: a@example.org\r\n\r\n".as_slice()], now)
        .expect("signs");
}

fuzz_target!(|input: &[u8]| {
    check(SigningKey::from_der(input));
    drop(PublicKey::from_der(input));
    if let Ok(text) = std::str::from_utf8(input) {
        check(SigningKey::from_pem(text));
    }
});
