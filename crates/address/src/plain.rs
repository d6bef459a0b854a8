//! Reads in one pass what nearly everyone has: an address of ASCII atoms and labels, a name of plain words.
//!
//! **Invariant:** what is read here is read to the same value by the full grammar; what is not is left to it, and so are
//! all errors.

/// May stand in an atom (RFC 5322 §3.2.3).
const ATEXT: u8 = 1;
/// A letter or a digit.
const ALPHANUMERIC: u8 = 2;
/// May stand in a display name outside quotes, or begins a character that may.
const NAME: u8 = 4;
/// May stand in quotes without a backslash, or begins a character that may.
const QUOTED: u8 = 8;

static CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "the index is below the length")]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let byte = index as u8;
        let mut class = 0;
        if byte.is_ascii_alphanumeric() {
            class |= ATEXT | ALPHANUMERIC | NAME;
        }
        if matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^' | b'_' | b'`' | b'{'..=b'~'
        ) {
            class |= ATEXT | NAME;
        }
        // U+0080 to U+009F begin with C2, U+2028 and U+2029 with E2: what begins so is looked at more closely elsewhere.
        if byte == b'.' || (byte >= 0x80 && byte != 0xc2 && byte != 0xe2) {
            class |= NAME;
        }
        if (class & NAME != 0 || matches!(byte, b' '..=b'~')) && byte != b'"' && byte != b'\\' {
            class |= QUOTED;
        }
        table[index] = class;
        index += 1;
    }
    table
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES
        .get(usize::from(byte))
        .is_some_and(|classes| classes & class != 0)
}

/// Says whether a character of ASCII may stand in an atom.
pub(crate) fn is_ascii_atext(byte: u8) -> bool {
    is(byte, ATEXT)
}

/// An address that needs no second look.
#[derive(Debug)]
pub(crate) struct PlainAddress<'a> {
    pub(crate) local: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) has_upper_case: bool,
}

impl PlainAddress<'_> {
    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.local.len() + 1 + self.domain.len()
    }
}

/// Reads the address that `text` begins with, if it is a plain one within all limits.
pub(crate) fn address(text: &str) -> Option<PlainAddress<'_>> {
    let at = dot_atom(text.as_bytes())?;
    let (local, rest) = text.split_at_checked(at)?;
    let rest = rest.strip_prefix('@')?;
    let (length, has_upper_case) = host_name(rest.as_bytes())?;
    let (domain, _) = rest.split_at_checked(length)?;
    (at + 1 + length <= 254).then_some(PlainAddress {
        local,
        domain,
        has_upper_case,
    })
}

/// Length of the dot-atom in front of an `@`, if it has at most 64 octets.
fn dot_atom(bytes: &[u8]) -> Option<usize> {
    let mut last = b'.';
    for (index, &byte) in bytes.iter().take(65).enumerate() {
        let is_in_place = if byte == b'.' { last != b'.' } else { is(byte, ATEXT) };
        if !is_in_place {
            return (byte == b'@' && last != b'.').then_some(index);
        }
        last = byte;
    }
    None
}

/// Length of the name at the start of `bytes`, and whether it has upper case; A-labels are left to the full grammar.
fn host_name(bytes: &[u8]) -> Option<(usize, bool)> {
    let (mut length, mut label, mut last, mut has_upper_case) = (0, 0, b'.', false);
    for &byte in bytes {
        if is(byte, ALPHANUMERIC) {
            has_upper_case |= byte.is_ascii_uppercase();
            label += 1;
        } else if byte == b'-' {
            if label == 0 || (label == 3 && last == b'-') {
                return None;
            }
            label += 1;
        } else if byte == b'.' {
            if label == 0 || label > 63 || last == b'-' {
                return None;
            }
            label = 0;
        } else {
            break;
        }
        last = byte;
        length += 1;
    }
    (label > 0 && label <= 63 && last != b'-' && length <= 253).then_some((length, has_upper_case))
}

/// Reads words joined by single spaces, if what stands behind them ends a name: how long they are.
pub(crate) fn words(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut last = b' ';
    for (index, &byte) in bytes.iter().enumerate() {
        if byte == b' ' {
            if last == b' ' {
                return None;
            }
        } else if !is(byte, NAME) {
            let length = if last == b' ' { index.saturating_sub(1) } else { index };
            return is_name_end(byte).then_some(length);
        }
        last = byte;
    }
    Some(if last == b' ' {
        bytes.len().saturating_sub(1)
    } else {
        bytes.len()
    })
}

/// Reads a quoted string that holds no backslash: what is inside.
pub(crate) fn quoted(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('"')?;
    let length = inside.bytes().take_while(|&byte| is(byte, QUOTED)).count();
    let (inside, rest) = inside.split_at_checked(length)?;
    rest.starts_with('"').then_some(inside)
}

/// Says whether a byte of ASCII ends a name and belongs to none.
pub(crate) fn is_name_end(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'@' | b':' | b',' | b';')
}
