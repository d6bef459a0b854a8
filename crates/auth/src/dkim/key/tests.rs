use super::super::public_key::{KeyRecordError, PublicKey};
use super::*;

const RSA: &str = include_str!("../../../tests/data/rsa2048.pem");

fn der_of(pem: &str) -> Vec<u8> {
    pem::private_key(pem).unwrap().to_vec()
}

fn pem_of(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// RFC 8410 §7, without and with the public key.
fn ed25519(with_public: Option<&[u8]>) -> Vec<u8> {
    let inner = [
        &[2, 1, u8::from(with_public.is_some()), 0x30, 5, 6, 3][..],
        der::ED25519,
        &[4, 0x22, 4, 0x20],
        &[7; 32],
    ]
    .concat();
    let public = with_public.map_or_else(Vec::new, |key| [&[0x81, 0x21, 0][..], key].concat());
    [&[0x30, (inner.len() + public.len()) as u8][..], &inner, &public].concat()
}

fn check(pem: &str, expected: &SigningKey) {
    assert_eq!(
        SigningKey::from_pem(pem).unwrap().dns_record(),
        expected.dns_record(),
        "{pem}"
    );
}

fn refuse(pem: &str, expected: &KeyError) {
    assert_eq!(&SigningKey::from_pem(pem).unwrap_err(), expected, "{pem}");
}

#[test]
fn keys_survive_pem() {
    for (key, bits) in [
        (SigningKey::generate_rsa_2048().unwrap(), 2048),
        (SigningKey::generate_rsa_3072().unwrap(), 3072),
        (SigningKey::generate_ed25519().unwrap(), 256),
    ] {
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.dns_record(), key.dns_record());
        assert_eq!(again.algorithm(), key.algorithm());
        assert_eq!(PublicKey::parse(&key.dns_record()).unwrap().bits(), bits);
    }
}

#[test]
fn both_forms_of_rsa_keys_are_read() {
    let key = SigningKey::from_pem(RSA).unwrap();
    let pkcs8 = der_of(RSA);
    // RFC 5208 §5: what PKCS#8 wraps is PKCS#1.
    let (content, _) = der::value(&pkcs8, der::SEQUENCE).unwrap();
    let (_, rest) = der::value(content, der::INTEGER).unwrap();
    let (_, rest) = der::algorithm(rest).unwrap();
    let (pkcs1, _) = der::value(rest, der::OCTET_STRING).unwrap();
    for der in [pkcs8.as_slice(), pkcs1] {
        assert_eq!(SigningKey::from_der(der).unwrap().dns_record(), key.dns_record());
    }
    check(&pem_of("RSA PRIVATE KEY", pkcs1), &key);
    // The label says one form and the key is in the other: what it is counts.
    check(&pem_of("PRIVATE KEY", pkcs1), &key);

    assert_eq!(
        SigningKey::from_der(&pkcs8[..pkcs8.len() - 1]).unwrap_err(),
        KeyError::Unknown
    );
    let mut broken = pkcs8.clone();
    broken[400] ^= 1;
    assert_eq!(SigningKey::from_der(&broken).unwrap_err(), KeyError::Unknown);
}

#[test]
fn both_versions_of_ed25519_keys_are_read() {
    let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    let public = STANDARD.decode(key.dns_record().rsplit_once("p=").unwrap().1).unwrap();
    check(&pem_of("PRIVATE KEY", &ed25519(None)), &key);
    check(&pem_of("PRIVATE KEY", &ed25519(Some(&public))), &key);
    let other = SigningKey::from_der(&ed25519(Some(&[9; 32]))).unwrap_err();
    assert_eq!(other, KeyError::Unknown);
    assert_eq!(SigningKey::from_ed25519_seed(&[7; 31]).unwrap_err(), KeyError::Unknown);
}

#[test]
fn pem_files_as_people_have_them() {
    let key = SigningKey::from_pem(RSA).unwrap();
    check(&RSA.replace('\n', "\r\n"), &key);
    check(&format!("\u{feff}{}", RSA.trim_end()), &key);
    check(
        &format!("Bag Attributes\n    friendlyName: mail\n{RSA}and more\n"),
        &key,
    );
    check(
        &RSA.lines().map(|line| format!("  {line} \n")).collect::<String>(),
        &key,
    );
    let certificate = pem_of("CERTIFICATE", b"not looked at");
    check(&format!("{certificate}{RSA}{certificate}"), &key);
    let headers = RSA.replacen("-----\n", "-----\nComment: mail key\n of 2026\n\n", 1);
    check(&headers, &key);
}

#[test]
fn pem_files_without_a_key_that_can_be_read() {
    let label = |label: &str| KeyError::Label(label.into());
    refuse("", &KeyError::Pem);
    refuse("no", &KeyError::Pem);
    refuse(RSA.split_once("-----END").unwrap().0, &KeyError::Pem);
    refuse(&RSA.replacen("END PRIVATE", "END RSA PRIVATE", 1), &KeyError::Pem);
    refuse(&format!("-----BEGIN PRIVATE KEY-----\n{RSA}"), &KeyError::Pem);
    refuse(
        "-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----",
        &KeyError::Pem,
    );
    refuse(
        "-----BEGIN PRIVATE KEY-----\na: b\n-----END PRIVATE KEY-----",
        &KeyError::Pem,
    );
    refuse(&pem_of("PRIVATE KEY", &[0, 0, 0]), &KeyError::Unknown);
    refuse(&pem_of("PRIVATE KEY", &[]), &KeyError::Unknown);
    refuse(&format!("{RSA}{RSA}"), &KeyError::Several);
    refuse(&pem_of("ENCRYPTED PRIVATE KEY", &[0]), &KeyError::Encrypted);
    let old = RSA.replacen(
        "-----\n",
        "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
        1,
    );
    refuse(&old, &KeyError::Encrypted);
    for other in [
        "CERTIFICATE",
        "PUBLIC KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
    ] {
        refuse(&pem_of(other, &[0]), &label(other));
    }
    let both = pem_of("EC PARAMETERS", &[0]) + &pem_of("EC PRIVATE KEY", &[0]);
    refuse(&both, &label("EC PRIVATE KEY"));
    let long = "X".repeat(1000);
    refuse(&pem_of(&long, &[0]), &label(&"X".repeat(64)));
    assert_eq!(
        label("CERTIFICATE").to_string(),
        "PEM block is `CERTIFICATE`; a `PRIVATE KEY` (PKCS#8) or an `RSA PRIVATE KEY` (PKCS#1) is needed"
    );
}

#[test]
fn der_that_is_no_private_key_says_what_it_is() {
    let refuse =
        |der: &[u8], expected: KeyError| assert_eq!(SigningKey::from_der(der).unwrap_err(), expected, "{der:02x?}");
    let sequence = |parts: &[&[u8]]| {
        let content = parts.concat();
        [&[0x30, content.len() as u8][..], &content].concat()
    };
    let oid = |oid: &[u8]| sequence(&[&[6, oid.len() as u8], oid]);
    let ec = oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
    refuse(&sequence(&[&[2, 1, 0], &ec, &[4, 1, 0]]), KeyError::KeyType);
    // RFC 8410 §3: Ed448 is beside Ed25519.
    refuse(
        &sequence(&[&[2, 1, 0], &oid(&[0x2b, 0x65, 0x71]), &[4, 1, 0]]),
        KeyError::KeyType,
    );
    // RFC 5915 §3.
    refuse(&sequence(&[&[2, 1, 1], &[4, 1, 9]]), KeyError::KeyType);
    refuse(&sequence(&[&ec, &[4, 1, 0]]), KeyError::Encrypted);
    refuse(&sequence(&[&ec, &[3, 2, 0, 0]]), KeyError::Public);
    refuse(&sequence(&[&[2, 2, 9, 9], &[2, 1, 3]]), KeyError::Public);
    for broken in [
        &[][..],
        &[0x30],
        &[0x30, 0],
        &[0x30, 3, 2, 1, 0],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x31, 0],
    ] {
        refuse(broken, KeyError::Unknown);
    }
    refuse(
        &sequence(&[&[2, 1, 0], &[2, 2, 0x1f, 0xff]]),
        KeyError::Size { bits: 13 },
    );
}

#[test]
fn public_keys_are_read_from_der() {
    for key in [
        SigningKey::from_pem(RSA).unwrap(),
        SigningKey::from_ed25519_seed(&[7; 32]).unwrap(),
    ] {
        let record = key.dns_record();
        let mut spki = STANDARD.decode(record.rsplit_once("p=").unwrap().1).unwrap();
        if key.algorithm() == Algorithm::Ed25519Sha256 {
            spki = [&[0x30, 0x2a, 0x30, 5, 6, 3][..], der::ED25519, &[3, 0x21, 0], &spki].concat();
        }
        let public = PublicKey::from_der(&spki).unwrap();
        assert_eq!((public.dns_record(), public.algorithm()), (record, key.algorithm()));
        assert_eq!(PublicKey::from_der(&spki[..40]).unwrap_err(), KeyRecordError::Malformed);
        spki[8] ^= 0x40;
        assert!(PublicKey::from_der(&spki).is_err());
    }
    assert_eq!(PublicKey::from_der(b"").unwrap_err(), KeyRecordError::Malformed);
}

#[test]
fn errors_and_debug_keep_the_key() {
    let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey(ed25519-sha256, redacted)");
}
