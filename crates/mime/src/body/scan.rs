//! Finds the octets that are not written as they are, many at a time.

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the octets of `word` that are not printable ASCII, and `=` if it is `EQUALS` that are looked for too, by their
/// highest bit. Only the lowest mark is certain to be one: a borrow runs upwards.
#[inline]
pub(super) fn special<const EQUALS: bool>(word: u64) -> u64 {
    let control = word.wrapping_sub(each(b' ')) & !word;
    let delete = word ^ each(0x7F);
    let delete = delete.wrapping_sub(each(1)) & !delete;
    let equals = word ^ each(b'=');
    let equals = if EQUALS {
        equals.wrapping_sub(each(1)) & !equals
    } else {
        0
    };
    (word | control | delete | equals) & each(0x80)
}

/// How many octets of printable ASCII, `=` not among them if `EQUALS`, `text` begins with.
pub(super) fn printable_len<const EQUALS: bool>(text: &[u8]) -> usize {
    let is_special = |byte: u8| byte.wrapping_sub(b' ') >= 0x5F || (EQUALS && byte == b'=');
    let mut count = 0;
    for block in text.as_chunks::<32>().0 {
        // Without a branch, so that the compiler looks at many at once.
        let special = block.iter().fold(0, |special, &byte| {
            special | u8::from(byte.wrapping_sub(b' ') >= 0x5F) | u8::from(EQUALS & (byte == b'='))
        });
        if special != 0 {
            break;
        }
        count += 32;
    }
    for word in text.get(count..).unwrap_or_default().as_chunks::<8>().0 {
        let special = special::<EQUALS>(u64::from_le_bytes(*word));
        if special != 0 {
            return count + (special.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    let last = text.get(count..).unwrap_or_default();
    count + last.iter().take_while(|byte| !is_special(**byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn octets_are_found_where_they_stand(
            text in prop::collection::vec(prop_oneof![20 => b' '..=b'~', 1 => any::<u8>()], 0..200),
        ) {
            let equals = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
            prop_assert_eq!(printable_len::<true>(&text), text.iter().take_while(|byte| equals(byte)).count());
            let printable = |byte: &u8| matches!(byte, b' '..=b'~');
            prop_assert_eq!(printable_len::<false>(&text), text.iter().take_while(|byte| printable(byte)).count());
        }
    }
}
