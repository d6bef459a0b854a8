//! Text that many bodies have word for word, encoded once.

use memchr::memmem::Finder;

use super::quoted_printable::{self, Stop};

/// Shortest text that is worth looking for.
const SHORTEST: usize = 256;

/// How much of it is looked for before all of it is compared.
const BEGINNING: usize = 48;

/// How often a beginning is followed by something else before the search for it is given up.
const ATTEMPTS: usize = 8;

/// How many times its own length a text is searched, in all: with thousands of pieces that are not there, the search would
/// cost more than the encoding.
const SEARCHES: usize = 16;

/// Whole lines, and how they are written in quoted-printable. Each line is encoded by itself, so they are written like
/// that wherever they stand.
#[derive(Debug)]
pub(crate) struct CommonLines {
    lines: String,
    beginning: Finder<'static>,
    encoded: Vec<u8>,
}

impl CommonLines {
    /// Takes the whole lines of `text`: what follows its first line break, up to the last one. `None` if that is little, or
    /// cannot be written in quoted-printable.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once('\n')?;
        let lines = rest.get(..=rest.rfind('\n')?)?;
        if lines.len() < SHORTEST {
            return None;
        }
        let mut encoded = Vec::new();
        quoted_printable::encode(lines.as_bytes(), usize::MAX, &mut encoded).ok()?;
        Some(Self {
            lines: lines.to_owned(),
            beginning: Finder::new(lines.as_bytes().get(..BEGINNING)?).into_owned(),
            encoded,
        })
    }

    /// Takes what can be taken of each text.
    pub(crate) fn of_all(texts: &[String]) -> Vec<Self> {
        texts.iter().filter_map(|text| Self::of(text)).collect()
    }

    /// Finds where they stand in `text`, at the beginning of a line.
    fn position(&self, text: &[u8]) -> Option<usize> {
        let mut from = 0;
        for _ in 0..ATTEMPTS {
            let at = from + self.beginning.find(text.get(from..)?)?;
            let (before, here) = text.split_at_checked(at)?;
            if matches!(before.last(), None | Some(b'\n')) && here.starts_with(self.lines.as_bytes()) {
                return Some(at);
            }
            from = at + 1;
        }
        None
    }
}

/// Appends `text` as [`quoted_printable::encode`], faster where it has the common lines in their order.
pub(super) fn encode(text: &[u8], common: &[CommonLines], limit: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    let end = out.len().saturating_add(limit);
    let mut rest = text;
    let mut searched = 0_usize;
    for lines in common {
        if searched > text.len().saturating_mul(SEARCHES) {
            break;
        }
        let Some((own, found)) = lines.position(rest).and_then(|at| rest.split_at_checked(at)) else {
            searched = searched.saturating_add(rest.len());
            continue;
        };
        // What stands before ends with a line break, or there is nothing.
        quoted_printable::encode(own, end.saturating_sub(out.len()), out)?;
        out.extend_from_slice(&lines.encoded);
        // They end with a line break, behind which the encoder would look at its limit.
        if out.len() > end {
            return Err(Stop::TooLong);
        }
        rest = found.get(lines.lines.len()..).unwrap_or_default();
    }
    quoted_printable::encode(rest, end.saturating_sub(out.len()), out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(word: &str, count: usize) -> String {
        format!("{word} = ä line that is said to everybody \n").repeat(count)
    }

    fn both(text: &str, common: &[CommonLines]) -> [Result<Vec<u8>, Stop>; 2] {
        both_within(100_000, text, common)
    }

    fn both_within(limit: usize, text: &str, common: &[CommonLines]) -> [Result<Vec<u8>, Stop>; 2] {
        let (mut plain, mut faster) = (b"x".to_vec(), b"x".to_vec());
        [
            quoted_printable::encode(text.as_bytes(), limit, &mut plain).map(|()| plain),
            encode(text.as_bytes(), common, limit, &mut faster).map(|()| faster),
        ]
    }

    #[test]
    fn little_and_control_characters_are_not_common() {
        assert!(CommonLines::of(&lines("a", 2)).is_none());
        assert!(CommonLines::of(&"no line break ".repeat(100)).is_none());
        assert!(CommonLines::of(&format!("{}\u{7}\n", lines("a", 20))).is_none());
        assert!(CommonLines::of(&format!("<p>{}</p>", lines("a", 20))).is_some());
    }

    #[test]
    fn a_beginning_that_goes_on_otherwise_is_not_it() {
        let common = [CommonLines::of(&format!("\n{}", lines("a", 20))).unwrap()];
        for text in [
            lines("a", 20),
            lines("a", 19) + "end",
            "before ".to_owned() + &lines("a", 20),
            "before\n".to_owned() + &lines("a", 20) + " after",
            lines("a", 39),
        ] {
            let [plain, faster] = both(&text, &common);
            assert_eq!(plain, faster);
        }
    }

    #[test]
    fn many_pieces_that_are_not_there_change_nothing() {
        let mut common: Vec<_> = (0..100)
            .filter_map(|number| CommonLines::of(&format!("\n{}", lines(&format!("absent {number}"), 8))))
            .collect();
        assert_eq!(common.len(), 100);
        common.extend(CommonLines::of(&format!("\n{}", lines("a", 20))));
        let [plain, faster] = both(&lines("a", 40), &common);
        assert_eq!(plain, faster);
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_same(
            pieces in prop::collection::vec(
                prop_oneof![Just(lines("a", 12)), Just(lines("b", 12)), Just("\r\n".to_owned()), "[a-zä=\n ]{0,90}".prop_map(String::from)],
                0..8,
            ),
            limit in prop_oneof![Just(100_000_usize), 0_usize..3000],
        ) {
            let common: Vec<_> = ["a", "b"].iter().filter_map(|word| CommonLines::of(&format!("\n{}", lines(word, 12)))).collect();
            let [plain, faster] = both_within(limit, &pieces.concat(), &common);
            prop_assert_eq!(plain, faster);
        }
    }
}
