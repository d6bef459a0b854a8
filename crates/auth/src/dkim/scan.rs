//! Looking for octets, eight at a time.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// How many octets at the start of `text` are neither white space nor control characters.
pub(super) fn plain(text: &[u8]) -> usize {
    const LOW: u64 = u64::from_ne_bytes([0x21; 8]);
    count_until(text, |word| word.wrapping_sub(LOW) & !word, |byte| byte <= b' ')
}

/// Where `byte` first stands.
pub(super) fn find(text: &[u8], byte: u8) -> Option<usize> {
    let wanted = u64::from_ne_bytes([byte; 8]);
    let zero_where_equal = |word: u64| word ^ wanted;
    let found = count_until(
        text,
        |word| zero_where_equal(word).wrapping_sub(ONES) & !zero_where_equal(word),
        |other| other == byte,
    );
    (found < text.len()).then_some(found)
}

/// Where the first tab stands, or the first space that a space, a control character or the end follows.
pub(super) fn gap(text: &[u8]) -> usize {
    let mut index = 0;
    while let Some(nine) = text.get(index..).and_then(<[u8]>::first_chunk::<9>)
        && let (Some(&here), Some(&next)) = (nine.first_chunk(), nine.last_chunk())
    {
        let (here, next) = (u64::from_le_bytes(here), u64::from_le_bytes(next));
        let found = (equal(here, b' ') & !above(next, b' ') | equal(here, b'\t')) & HIGH;
        if found != 0 {
            return index + (found.trailing_zeros() / 8) as usize;
        }
        index += 8;
    }
    let rest = text.get(index..).unwrap_or_default();
    let is_gap = |(at, &byte): (usize, &u8)| match byte {
        b'\t' => true,
        b' ' => rest.get(at + 1).is_none_or(|&next| next <= b' '),
        _ => false,
    };
    index + rest.iter().enumerate().position(is_gap).unwrap_or(rest.len())
}

/// Sets the highest bit of each octet that is more than `limit`, which is less than 128.
fn above(word: u64, limit: u8) -> u64 {
    (word & !HIGH).wrapping_add(ONES * u64::from(127 - limit)) | word
}

/// Sets the highest bit of each octet that is `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    !above(word ^ (ONES * u64::from(byte)), 0)
}

/// How many octets stand before the first that `is_found`. `mark` sets the highest bit of the first such octet of a word, and of
/// none before it: a borrow only runs upwards.
fn count_until(text: &[u8], mark: impl Fn(u64) -> u64, is_found: impl Fn(u8) -> bool) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (index, eight) in words.iter().enumerate() {
        let marked = mark(u64::from_le_bytes(*eight)) & HIGH;
        if marked != 0 {
            return index * 8 + (marked.trailing_zeros() / 8) as usize;
        }
    }
    words.len() * 8 + rest.iter().take_while(|&&byte| !is_found(byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_octet_finds(text in prop::collection::vec(any::<u8>(), 0..40), byte: u8, low in "([!-~é]{0,20} ?){0,3}[ -~\t]{0,9}") {
            prop_assert_eq!(find(&text, byte), text.iter().position(|&other| other == byte));
            for text in [text.as_slice(), low.as_bytes()] {
                let is_gap = |at: &usize| match text[*at] {
                    b'\t' => true,
                    b' ' => text.get(at + 1).is_none_or(|&next| next <= b' '),
                    _ => false,
                };
                prop_assert_eq!(gap(text), (0..text.len()).find(is_gap).unwrap_or(text.len()));
                prop_assert_eq!(plain(text), text.iter().take_while(|&&other| other > b' ').count());
            }
        }
    }
}
