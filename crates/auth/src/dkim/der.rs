//! The little of DER (X.690) that keys are looked into for.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The object identifier of RSA keys: 1.2.840.113549.1.1.1 (RFC 3279 §2.3.1).
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The object identifier of Ed25519 keys: 1.3.101.112 (RFC 8410 §3).
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Splits the value of one element of type `tag` from what follows it.
pub(super) fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first().filter(|_| first == tag)?;
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let (octets, rest) = rest
        .split_at_checked(usize::from(length & 0x7f))
        .filter(|(octets, _)| octets.len() <= 4)?;
    let length = octets
        .iter()
        .fold(0_usize, |length, &octet| length << 8 | usize::from(octet));
    rest.split_at_checked(length)
}

/// The octets of an INTEGER that begins `der`, without leading zeros, and what follows it.
pub(super) fn unsigned(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = value(der, INTEGER)?;
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    Some((number.get(zeros..)?, rest))
}

/// How many bits the unsigned number has.
pub(super) fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros() as usize);
    number.len() * 8 - unused
}

/// The identifier in an AlgorithmIdentifier that begins `der`, and what follows it (RFC 5280 §4.1.1.2).
pub(super) fn algorithm(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (algorithm, rest) = value(der, SEQUENCE)?;
    let (identifier, _) = value(algorithm, OBJECT_IDENTIFIER)?;
    Some((identifier, rest))
}
