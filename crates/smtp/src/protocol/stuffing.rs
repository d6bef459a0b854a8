//! A message made ready for DATA: dots doubled, and nothing in it that a lenient receiver could take for its end.

use bytes::Bytes;
use memchr::memmem;

/// The longest line of a message without its CR LF (RFC 5322 §2.1.1).
const MAX_LINE: usize = 998;

/// Why a message cannot be sent over SMTP as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// A CR that no LF follows. Receivers disagree about what it means, so it never leaves.
    #[error("bare CR in line {line} of the message")]
    BareCr {
        /// Number of the line, from 1.
        line: u64,
    },
    /// An LF that follows no CR.
    #[error("bare LF in line {line} of the message")]
    BareLf {
        /// Number of the line, from 1.
        line: u64,
    },
    /// A NUL octet.
    #[error("NUL in line {line} of the message")]
    Nul {
        /// Number of the line, from 1.
        line: u64,
    },
    /// A line of more than 998 octets.
    #[error("line {line} of the message is longer than {MAX_LINE} octets")]
    LongLine {
        /// Number of the line, from 1.
        line: u64,
    },
}

/// Doubles the dots of a message that comes in chunks, in one pass and without copying it.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use posthaste_smtp::protocol::DotStuffer;
///
/// let mut stuffer = DotStuffer::new();
/// stuffer.push(&Bytes::from_static(b"one\r\n."))?;
/// stuffer.push(&Bytes::from_static(b"two\r\n"))?;
/// let content = stuffer.finish()?;
/// assert_eq!(content.to_vec(), b"one\r\n..two\r\n.\r\n");
/// # Ok::<(), posthaste_smtp::protocol::ContentError>(())
/// ```
#[derive(Debug)]
pub struct DotStuffer {
    segments: Vec<Bytes>,
    /// Octets of the current line so far, a CR at the end of the last chunk not counted.
    line_length: usize,
    /// How many lines ended in what was taken.
    lines_taken: u64,
    pending_cr: bool,
    eight_bit: bool,
}

/// A message as it goes over the wire after DATA, its terminator included.
///
/// `Debug` shows sizes only.
#[derive(Clone)]
pub struct StuffedContent {
    segments: Vec<Bytes>,
    length: usize,
    terminator: usize,
    eight_bit: bool,
}

impl Default for DotStuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl DotStuffer {
    /// Makes a stuffer that stands before a message.
    pub fn new() -> Self {
        Self {
            segments: Vec::new(),
            line_length: 0,
            lines_taken: 0,
            pending_cr: false,
            eight_bit: false,
        }
    }

    /// Takes the next chunk of the message.
    ///
    /// # Errors
    ///
    /// [`ContentError`] when the message holds a bare CR or LF, a NUL or a line that is too long. What was pushed is
    /// then of no use.
    pub fn push(&mut self, chunk: &Bytes) -> Result<(), ContentError> {
        let kept = self.segments.len();
        if self.push_good(chunk).is_some() {
            return Ok(());
        }
        // Something is wrong with it, or it begins between a CR and its LF: line by line, to say where.
        self.segments.truncate(kept);
        let mut start = 0;
        let mut at = 0;
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            if self.line_length == 0 && !self.pending_cr && piece.first() == Some(&b'.') {
                self.keep(chunk.slice(start..at));
                self.keep(Bytes::from_static(b"."));
                start = at;
            }
            if let Err(fault) = self.check(piece) {
                self.keep(chunk.slice(start..at));
                return Err(fault(self.line()));
            }
            at += piece.len();
        }
        self.keep(chunk.slice(start..at));
        Ok(())
    }

    /// Takes a chunk with which nothing is wrong, many octets at a time. Of any other nothing but segments is taken.
    fn push_good(&mut self, chunk: &Bytes) -> Option<()> {
        let [first, .., last] = **chunk else {
            return chunk.is_empty().then_some(());
        };
        let marks = Marks::of(chunk);
        if self.pending_cr || first == b'\n' || marks.odd || marks.least == 0 || last == 0 {
            return None;
        }
        let pending_cr = last == b'\r';
        let text = chunk.get(..chunk.len() - usize::from(pending_cr))?;
        let line_length = last_line_length(text, self.line_length)?;

        let mut start = 0;
        if self.line_length == 0 && first == b'.' {
            self.keep(Bytes::from_static(b"."));
        }
        if marks.dots {
            for lf in memmem::find_iter(chunk, b"\n.") {
                self.keep(chunk.slice(start..=lf));
                self.keep(Bytes::from_static(b"."));
                start = lf + 1;
            }
        }
        self.keep(chunk.slice(start..));
        self.eight_bit |= (marks.bits | last) >= 0x80;
        self.line_length = line_length;
        self.pending_cr = pending_cr;
        Some(())
    }

    /// Returns how many octets wait to be taken.
    pub fn ready_length(&self) -> usize {
        self.segments.iter().map(Bytes::len).sum()
    }

    /// Takes what is ready to go over the wire, so that a long message need not be held; none of it can end the message.
    ///
    /// What is taken is not in the [`StuffedContent`] that [`DotStuffer::finish`] returns.
    pub fn take_ready(&mut self) -> Vec<Bytes> {
        self.lines_taken += self.lines_kept();
        std::mem::take(&mut self.segments)
    }

    /// Ends the message: completes its last line and appends the final dot.
    ///
    /// # Errors
    ///
    /// [`ContentError::BareCr`] when the message ends with a CR.
    pub fn finish(mut self) -> Result<StuffedContent, ContentError> {
        if self.pending_cr {
            return Err(ContentError::BareCr { line: self.line() });
        }
        let end: &'static [u8] = if self.line_length == 0 { b".\r\n" } else { b"\r\n.\r\n" };
        self.keep(Bytes::from_static(end));
        let length = self.segments.iter().map(Bytes::len).sum();
        Ok(StuffedContent {
            segments: self.segments,
            length,
            terminator: end.len(),
            eight_bit: self.eight_bit,
        })
    }

    fn keep(&mut self, segment: Bytes) {
        if !segment.is_empty() {
            self.segments.push(segment);
        }
    }

    /// The number of the current line. It is only counted when something is wrong with it.
    fn line(&self) -> u64 {
        self.lines_taken + self.lines_kept() + 1
    }

    /// How many lines end in the segments: the dots put in have no ends.
    fn lines_kept(&self) -> u64 {
        let ends = |segment: &Bytes| memchr::memchr_iter(b'\n', segment).count();
        u64::try_from(self.segments.iter().map(ends).sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// Checks `piece`, which ends with the only LF it can hold or with the chunk.
    fn check(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let (text, ended) = match piece.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (piece, false),
        };
        if self.pending_cr && !(ended && text.is_empty()) {
            return Err(|line| ContentError::BareCr { line });
        }
        let (text, cr) = match text.strip_suffix(b"\r") {
            Some(text) => (text, true),
            None => (text, self.pending_cr),
        };
        if ended && !cr {
            return Err(|line| ContentError::BareLf { line });
        }
        // Three flags in one pass over the line, without branches, so that it is done many octets at a time.
        let (mut bare_cr, mut nul, mut bits) = (false, false, 0);
        for &byte in text {
            bare_cr |= byte == b'\r';
            nul |= byte == 0;
            bits |= byte;
        }
        if bare_cr {
            return Err(|line| ContentError::BareCr { line });
        }
        if nul {
            return Err(|line| ContentError::Nul { line });
        }
        self.eight_bit |= bits >= 0x80;
        self.line_length += text.len();
        if self.line_length > MAX_LINE {
            return Err(|line| ContentError::LongLine { line });
        }
        self.pending_cr = cr && !ended;
        if ended {
            self.line_length = 0;
        }
        Ok(())
    }
}

/// Says what is wrong, given in which line.
type Fault = fn(u64) -> ContentError;

/// What is between the octets of a chunk.
struct Marks {
    /// A CR without its LF, or an LF without its CR.
    odd: bool,
    /// A dot at the start of a line that is not the first.
    dots: bool,
    /// The least octet before the last,
    least: u8,
    /// and the bits of all of those.
    bits: u8,
}

impl Marks {
    /// Looks at each octet with the one behind it, without branches, so that many are looked at together.
    fn of(chunk: &[u8]) -> Self {
        let behind = chunk.get(1..).unwrap_or_default();
        let (mut odd, mut dots, mut least, mut bits) = (false, false, u8::MAX, 0);
        for (&octet, &next) in chunk.iter().zip(behind) {
            odd |= (octet == b'\r') != (next == b'\n');
            dots |= (octet == b'\n') & (next == b'.');
            least = least.min(octet);
            bits |= octet;
        }
        Self { odd, dots, least, bits }
    }
}

/// Returns the length of the last line of `text`, whose first line has `before` octets already and whose lines end with CR LF;
/// `None` if a line is too long.
fn last_line_length(text: &[u8], before: usize) -> Option<usize> {
    // As far as the line that is begun may reach with its end, there must be the end of a line, be it that of another.
    let (mut rest, mut reach) = (text, (MAX_LINE + 2).checked_sub(before)?);
    while let Some(window) = rest.get(..reach) {
        let end = memchr::memrchr(b'\n', window)? + 1;
        (rest, reach) = (rest.get(end..)?, MAX_LINE + 2);
    }
    let length = match memchr::memrchr(b'\n', rest) {
        Some(end) => rest.len() - end - 1,
        None => rest.len() + (MAX_LINE + 2 - reach),
    };
    (length <= MAX_LINE).then_some(length)
}

impl StuffedContent {
    /// Returns the octets in order, as slices of what was pushed.
    pub fn segments(&self) -> &[Bytes] {
        &self.segments
    }

    /// Returns how many octets go over the wire, the terminator included.
    pub fn wire_length(&self) -> usize {
        self.length
    }

    /// Returns how many of the last octets make the end of the message: until the first of these is sent, no receiver
    /// can take the message for complete.
    pub fn terminator_length(&self) -> usize {
        self.terminator
    }

    /// Whether an octet above 127 is in the message.
    pub fn is_eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// Copies the octets into one vector.
    pub fn to_vec(&self) -> Vec<u8> {
        self.segments.concat()
    }
}

impl std::fmt::Debug for StuffedContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StuffedContent")
            .field("wire_length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::DataReader;

    fn stuff(chunks: &[&[u8]]) -> Result<Vec<u8>, ContentError> {
        let mut stuffer = DotStuffer::new();
        for chunk in chunks {
            stuffer.push(&Bytes::copy_from_slice(chunk))?;
        }
        stuffer.finish().map(|content| content.to_vec())
    }

    fn check(message: &[u8], wire: &[u8]) {
        for at in 0..=message.len() {
            let (left, right) = message.split_at(at);
            assert_eq!(stuff(&[left, right]).unwrap(), wire, "split at {at}");
        }
        let octets: Vec<&[u8]> = message.chunks(1).collect();
        assert_eq!(stuff(&octets).unwrap(), wire);
    }

    #[test]
    fn doubles_dots_at_line_starts_only() {
        check(b"", b".\r\n");
        check(b".", b"..\r\n.\r\n");
        check(b"..", b"...\r\n.\r\n");
        check(b".\r\n", b"..\r\n.\r\n");
        check(b"a.b\r\n.c\r\n\r\n.\r\n..\r\n", b"a.b\r\n..c\r\n\r\n..\r\n...\r\n.\r\n");
        check(b"no end", b"no end\r\n.\r\n");
    }

    #[test]
    fn refuses_what_could_smuggle() {
        for message in [
            &b"a\n.\n"[..],
            b"a\r.\r",
            b"a\r\n.\r\r\n",
            b"a\r",
            b"\n",
            b"a\r\r\nb\r\n",
            b"a\0\r\n",
        ] {
            for at in 0..=message.len() {
                let (left, right) = message.split_at(at);
                assert!(stuff(&[left, right]).is_err(), "{message:?} split at {at}");
            }
        }
        assert_eq!(stuff(&[b"ok\r\na\rb"]), Err(ContentError::BareCr { line: 2 }));
        assert_eq!(stuff(&[b"ok\r\na\nb"]), Err(ContentError::BareLf { line: 2 }));
        let mut stuffer = DotStuffer::new();
        for chunk in ["one\r\ntwo\r", "\n", ".three\r\n"] {
            stuffer.push(&Bytes::from(chunk)).unwrap();
            stuffer.take_ready();
        }
        stuffer.push(&Bytes::from("four\r\n.five\r\n")).unwrap();
        let error = stuffer.push(&Bytes::from("six\r\nsev\0en\r\n"));
        assert_eq!(error, Err(ContentError::Nul { line: 7 }));
    }

    #[test]
    fn bounds_lines() {
        let line = [b'x'; 998];
        assert!(stuff(&[&line, b"\r\n"]).is_ok());
        assert_eq!(stuff(&[&line, b"x\r\n"]), Err(ContentError::LongLine { line: 1 }));
    }

    #[test]
    fn shares_what_needs_no_dot() {
        let chunk = Bytes::from_static(b"one\r\ntwo\r\n");
        let mut stuffer = DotStuffer::new();
        stuffer.push(&chunk).unwrap();
        let content = stuffer.finish().unwrap();
        assert_eq!(content.segments().len(), 2);
        assert_eq!(content.segments()[0].as_ptr(), chunk.as_ptr());
        assert_eq!((content.wire_length(), content.terminator_length()), (13, 3));
        assert!(!content.is_eight_bit());
    }

    #[test]
    fn what_was_taken_does_not_come_again() {
        let mut stuffer = DotStuffer::new();
        stuffer.push(&Bytes::from_static(b"one\r\n.")).unwrap();
        assert_eq!(stuffer.ready_length(), 7);
        assert_eq!(stuffer.take_ready().concat(), b"one\r\n..");
        assert_eq!(stuffer.ready_length(), 0);
        stuffer.push(&Bytes::from_static(b"\r\n.two")).unwrap();
        assert_eq!(stuffer.take_ready().concat(), b"\r\n..two");
        let rest = stuffer.finish().unwrap();
        assert_eq!((rest.to_vec(), rest.wire_length()), (b"\r\n.\r\n".to_vec(), 5));
    }

    proptest! {
        #[test]
        fn a_chunk_is_as_its_octets(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                &b"\r\n"[..], b"\r\n", b"\r\n.", b".", b"a", b"\xc3", b"\0", b"\r", b"\n", &[b'x'; 500],
            ]), 0..12),
        ) {
            let message = pieces.concat();
            let octets: Vec<&[u8]> = message.chunks(1).collect();
            // Of two faults in one line, it is not said which is named.
            prop_assert_eq!(stuff(&[&message]).ok(), stuff(&octets).ok());
            let thirds: Vec<&[u8]> = message.chunks(message.len() / 3 + 1).collect();
            prop_assert_eq!(stuff(&thirds).ok(), stuff(&octets).ok());
        }

        #[test]
        fn what_is_taken_piece_by_piece_is_the_whole(bytes in proptest::collection::vec(prop_oneof![Just("\r\n"), Just("."), Just("a")], 0..40), cut in 1usize..9) {
            let message = bytes.concat().into_bytes();
            let mut stuffer = DotStuffer::new();
            let mut wire = Vec::new();
            for chunk in message.chunks(cut) {
                stuffer.push(&Bytes::copy_from_slice(chunk)).unwrap();
                wire.extend(stuffer.take_ready().concat());
                prop_assert!(!wire.ends_with(b"\r\n.\r\n") && wire != b".\r\n");
            }
            wire.extend(stuffer.finish().unwrap().to_vec());
            prop_assert_eq!(wire, stuff(&[&message]).unwrap());
        }

        #[test]
        fn a_reader_gets_back_what_was_stuffed(lines in proptest::collection::vec("[.a\u{e9} ]{0,5}", 0..20), cut in 1usize..9) {
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let wire = stuff(&message.as_bytes().chunks(cut).collect::<Vec<_>>()).unwrap();
            let mut reader = DataReader::new(10_000, 1000);
            let mut used = 0;
            for piece in wire.chunks(cut + 1) {
                prop_assert!(!reader.is_done());
                used += reader.advance(piece);
            }
            prop_assert!(reader.is_done());
            prop_assert_eq!(used, wire.len());
            prop_assert_eq!(reader.finish().unwrap(), message.as_bytes());
        }

        #[test]
        fn what_leaves_cannot_end_early(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a')], 0..40)) {
            if let Ok(wire) = stuff(&[&bytes]) {
                prop_assert!(wire.ends_with(b".\r\n"));
                let full = [b"\r\n", &wire[..]].concat();
                let ends = full.windows(5).filter(|window| window == b"\r\n.\r\n").count();
                prop_assert_eq!(ends, 1);
                let text = String::from_utf8(wire).unwrap().replace("\r\n", "");
                prop_assert!(!text.contains(['\r', '\n']));
            }
        }
    }
}
