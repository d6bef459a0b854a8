//! Chains against TLSA records, without a connection.

use std::time::SystemTime;

use posthaste_smtp::{Dane, DaneError, DaneVerifier, TlsaAnswer, TlsaRecord};
use posthaste_transport::PeerAuthentication;
use rcgen::{CertificateParams, date_time_ymd};

use crate::authority::{Authority, named, self_signed};

const HOST: &str = "mx.example.net";

fn verify(records: &[TlsaRecord], chain: &[&[u8]]) -> Result<PeerAuthentication, DaneError> {
    let verifier = DaneVerifier::new(records.to_vec()).unwrap();
    verifier.verify(chain, HOST, SystemTime::now())
}

fn digest(algorithm: &'static aws_lc_rs::digest::Algorithm, data: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(algorithm, data).as_ref().to_vec()
}

/// Every form of a record for a certificate with this key.
fn forms(usage: u8, der: &[u8], public_key: &[u8]) -> Vec<TlsaRecord> {
    use aws_lc_rs::digest::{SHA256, SHA512};
    let mut forms = Vec::new();
    for (selector, selected) in [(0, der), (1, public_key)] {
        forms.push(TlsaRecord::new(usage, selector, 0, selected));
        forms.push(TlsaRecord::new(usage, selector, 1, digest(&SHA256, selected)));
        forms.push(TlsaRecord::new(usage, selector, 2, digest(&SHA512, selected)));
    }
    forms
}

#[test]
fn every_form_of_a_record_finds_its_authority() {
    let root = Authority::new("root");
    let between = root.below("between");
    let leaf = between.issue(&named("server", &[HOST])).der;
    let (between_der, root_der) = (between.der(), root.der());
    let whole: [&[u8]; 3] = [&leaf, &between_der, &root_der];
    for (authority, sent) in [(&root, &whole[..]), (&between, &whole[..]), (&between, &whole[..2])] {
        for record in forms(2, &authority.der(), &authority.public_key()) {
            assert_eq!(
                verify(std::slice::from_ref(&record), sent),
                Ok(PeerAuthentication::DaneTa),
                "{record}"
            );
        }
    }
    // Out of order, and with something else among it.
    let other = Authority::new("other").der();
    let shuffled: [&[u8]; 4] = [&leaf, &other, &root_der, &between_der];
    for record in forms(2, &root_der, &root.public_key()) {
        assert_eq!(verify(&[record], &shuffled), Ok(PeerAuthentication::DaneTa));
    }
}

#[test]
fn an_authority_that_is_not_sent_must_stand_in_the_record() {
    let root = Authority::new("root");
    let leaf = root.issue(&named("server", &[HOST])).der;
    for record in forms(2, &root.der(), &root.public_key()) {
        let expected = match record.matching_type() {
            0 => Ok(PeerAuthentication::DaneTa),
            _ => Err(DaneError::NoMatch),
        };
        assert_eq!(verify(std::slice::from_ref(&record), &[&leaf]), expected, "{record}");
    }
}

#[test]
fn who_did_not_sign_vouches_for_nothing() {
    let (root, other) = (Authority::new("root"), Authority::new("root"));
    let leaf = root.issue(&named("server", &[HOST])).der;
    let other_der = other.der();
    for record in forms(2, &other_der, &other.public_key()) {
        let found = verify(std::slice::from_ref(&record), &[&leaf, &other_der]);
        assert_eq!(found, Err(DaneError::Chain), "{record}");
    }
    // Nor does a certificate for itself, nor one that may not issue.
    let alone = self_signed(&named("server", &[HOST])).der;
    assert_eq!(
        verify(&[TlsaRecord::new(2, 0, 0, alone.clone())], &[&alone, &alone]),
        Err(DaneError::NoMatch)
    );
    let servant = Authority::with("servant", |params| params.is_ca = rcgen::IsCa::ExplicitNoCa);
    let leaf = servant.issue(&named("server", &[HOST])).der;
    let servant = servant.der();
    assert_eq!(
        verify(&[TlsaRecord::new(2, 0, 0, servant.clone())], &[&leaf, &servant]),
        Err(DaneError::NoMatch)
    );
}

#[test]
fn time_counts_below_an_authority_only() {
    let old = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let root = Authority::new("root");
    let mut params = named("server", &[HOST]);
    old(&mut params);
    let leaf = root.issue(&params).der;
    let root_der = root.der();
    let ta = TlsaRecord::new(2, 0, 0, root_der.clone());
    assert_eq!(
        verify(std::slice::from_ref(&ta), &[&leaf, &root_der]),
        Err(DaneError::Expired)
    );
    let ee = TlsaRecord::new(3, 0, 0, leaf.clone());
    assert_eq!(verify(&[ta, ee], &[&leaf, &root_der]), Ok(PeerAuthentication::DaneEe));

    let root = Authority::with("root", old);
    let (leaf, root_der) = (root.issue(&named("server", &[HOST])).der, root.der());
    let ta = TlsaRecord::new(2, 0, 0, root_der.clone());
    assert_eq!(verify(&[ta], &[&leaf, &root_der]), Err(DaneError::Expired));
}

#[test]
fn names_count_below_an_authority_only() {
    let root = Authority::new("root");
    let ta = TlsaRecord::new(2, 0, 0, root.der());
    let check = |common_name: &str, names: &[&str], right: bool| {
        let leaf = root.issue(&named(common_name, names)).der;
        let verifier = DaneVerifier::new([ta.clone()]).unwrap().with_name("bücher.example");
        let found = verifier.verify(&[&leaf], HOST, SystemTime::now());
        let expected = match right {
            true => Ok(PeerAuthentication::DaneTa),
            false => Err(DaneError::WrongName { name: HOST.into() }),
        };
        assert_eq!(found, expected, "{common_name} {names:?}");
    };
    check("server", &[HOST], true);
    check("server", &["MX.EXAMPLE.NET"], true);
    check("server", &["*.example.net"], true);
    check("server", &["a.example", HOST], true);
    check("server", &["xn--bcher-kva.example"], true);
    check(HOST, &[], true);
    check("*.example.net", &[], true);
    check("*.example.net", &["127.0.0.1"], true);
    check(HOST, &["other.example"], false);
    check("server", &["*.net"], false);
    check("server", &["*.mx.example.net"], false);
    check("server", &["example.net"], false);
    check("server", &[], false);
}

#[test]
fn a_digest_that_is_weaker_does_not_count_beside_a_stronger() {
    use aws_lc_rs::digest::SHA256;
    let leaf = self_signed(&named("server", &[HOST])).der;
    let right = TlsaRecord::new(3, 0, 1, digest(&SHA256, &leaf));
    let wrong = TlsaRecord::new(3, 0, 2, [7; 64]);
    assert_eq!(
        verify(std::slice::from_ref(&right), &[&leaf]),
        Ok(PeerAuthentication::DaneEe)
    );
    assert_eq!(verify(&[right.clone(), wrong], &[&leaf]), Err(DaneError::NoMatch));
    // For another selector it says nothing.
    let elsewhere = TlsaRecord::new(3, 1, 2, [7; 64]);
    assert_eq!(verify(&[right, elsewhere], &[&leaf]), Ok(PeerAuthentication::DaneEe));
}

#[test]
fn answers_mean_what_the_standard_says() {
    let rule = |answer| Dane::from_answer(answer);
    let usable = TlsaRecord::new(3, 1, 1, [7; 32]);
    let unusable = TlsaRecord::new(0, 1, 1, [7; 32]);
    assert!(matches!(rule(TlsaAnswer::Failed), Err(DaneError::Lookup)));
    assert!(matches!(rule(TlsaAnswer::Insecure), Ok(Dane::Absent)));
    assert!(matches!(rule(TlsaAnswer::Secure(Vec::new())), Ok(Dane::Absent)));
    assert!(matches!(
        rule(TlsaAnswer::Secure(vec![unusable.clone()])),
        Ok(Dane::Encrypt)
    ));
    let Ok(Dane::Authenticate(verifier)) = rule(TlsaAnswer::Secure(vec![unusable, usable.clone()])) else {
        panic!("one is usable");
    };
    assert_eq!(verifier.records(), [usable]);
    assert!(DaneVerifier::new([]).is_none());
}

#[test]
fn what_is_no_certificate_matches_nothing() {
    let record = TlsaRecord::new(3, 0, 1, digest(&aws_lc_rs::digest::SHA256, b"garbage"));
    assert_eq!(
        verify(std::slice::from_ref(&record), &[b"garbage"]),
        Err(DaneError::Malformed)
    );
    assert_eq!(verify(&[record], &[]), Err(DaneError::Malformed));
}
