//! DER as certificates are written in (X.690 §8, §10): values one behind the other.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Reads values; `None` of a method means that the next is not what was asked for.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// A value with its tag.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// Tag and length included.
    pub(super) whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads whatever comes next.
    pub(super) fn any(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        if tag & 0x1f == 0x1f {
            // Certificates have no such tags.
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x84 => {
                let (digits, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = behind;
                let length = digits
                    .iter()
                    .fold(0_u64, |length, &digit| length << 8 | u64::from(digit));
                // The shortest form is the only one.
                if length < 0x80 || digits.first() == Some(&0) {
                    return None;
                }
                usize::try_from(length).ok()?
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Value { tag, content, whole })
    }

    /// Reads a value with this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Value<'a>> {
        let before = *self;
        let value = self.any().filter(|value| value.tag == tag);
        if value.is_none() {
            *self = before;
        }
        value
    }

    /// Reads what is in a value with this tag.
    pub(super) fn open(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(|value| Self(value.content))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_lengths_in_their_shortest_form_only() {
        let long = [&[SEQUENCE, 0x81, 0x80][..], &[7; 0x80]].concat();
        let mut reader = Reader::new(&long);
        let value = reader.any().unwrap();
        assert_eq!((value.content.len(), value.whole.len()), (0x80, 0x83));
        assert!(reader.is_empty());
        for wrong in [
            &[SEQUENCE][..],
            &[SEQUENCE, 1],
            &[SEQUENCE, 0x80],
            &[SEQUENCE, 0x81, 1, 7],
            &[SEQUENCE, 0x82, 0, 1, 7],
            &[SEQUENCE, 0x85, 0, 0, 0, 0, 1, 7],
            &[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x81, 0],
        ] {
            assert!(Reader::new(wrong).any().is_none(), "{wrong:?}");
        }
        let mut reader = Reader::new(&[INTEGER, 1, 5]);
        assert!(reader.expect(SEQUENCE).is_none());
        assert_eq!(reader.expect(INTEGER).map(|value| value.content), Some(&[5][..]));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_to_an_end(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&octets);
            let mut seen = 0;
            while let Some(value) = reader.any() {
                prop_assert!(value.whole.len() >= value.content.len() + 2);
                seen += value.whole.len();
            }
            prop_assert!(seen <= octets.len());
        }
    }
}
