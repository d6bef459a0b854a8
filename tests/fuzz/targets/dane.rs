//! Certificates and TLSA records of strangers: never a panic, and nobody is taken for an authority by accident.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_smtp::{Dane, DaneVerifier, TlsaAnswer, TlsaRecord};

fuzz_target!(|octets: &[u8]| {
    // Four octets for the record and how long its data is, two before each certificate.
    let Some((&[usage, selector, matching, length], rest)) = octets.split_first_chunk() else {
        return;
    };
    let (data, mut rest) = rest.split_at(usize::from(length).min(rest.len()));
    let mut chain = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (certificate, behind) = behind.split_at(usize::from(u16::from_be_bytes(*length)).min(behind.len()));
        chain.push(certificate);
        rest = behind;
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let record = TlsaRecord::new(usage, selector, matching, data);
    let usable = record.is_usable();
    assert!(!usable || matches!((usage, selector, matching), (2 | 3, 0 | 1, 0..=2)));
    match Dane::from_answer(TlsaAnswer::Secure(vec![record])) {
        Ok(Dane::Authenticate(verifier)) => {
            assert!(usable);
            let _ = verifier.with_name("example.net").verify(&chain, "mx.example.net", now);
        }
        Ok(Dane::Encrypt) => assert!(!usable),
        other => panic!("{other:?}"),
    }
    // Whatever a server sends, as an authority and as the server itself.
    for certificate in &chain {
        let records = [2, 3].map(|usage| TlsaRecord::new(usage, 0, 0, *certificate));
        if let Some(verifier) = DaneVerifier::new(records) {
            assert!(verifier.verify(&[certificate], "mx.example.net", now).is_ok());
            let _ = verifier.verify(&chain, "mx.example.net", now);
        }
    }
});
