//! Octets as hexadecimal digits.

/// Writes octets with two digits each, in lower case.
pub(crate) fn hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    octets
        .iter()
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn every_octet_has_two_digits() {
        assert_eq!(hex(&[0, 9, 0x1a, 0xf0, 0xff]), "00091af0ff");
        assert_eq!(hex(&[]), "");
    }
}
