//! Command lines, read with a bound.

use bytes::BytesMut;
use memchr::memchr;

/// The most octets of an over-long line that are thrown away before the reader gives up.
const MAX_DISCARD: usize = 64 * 1024;

/// Why a line is not a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// The line is longer than the limit; it was thrown away up to its end.
    #[error("line too long")]
    TooLong,
    /// The line ends with LF alone, or holds a CR that no LF follows (RFC 5321 §2.3.8).
    #[error("line does not end with CR LF")]
    BareLineEnd,
    /// More than 64 KiB came without a line end.
    #[error("no line end in sight")]
    Endless,
}

/// Takes CR LF lines off the front of a buffer.
///
/// # Examples
///
/// ```
/// use bytes::BytesMut;
/// use posthaste_smtp::protocol::LineReader;
///
/// let mut buffer = BytesMut::from("NOOP\r\nQUI");
/// let mut reader = LineReader::new();
/// assert_eq!(reader.next_line(&mut buffer, 512), Some(Ok(BytesMut::from("NOOP"))));
/// assert_eq!(reader.next_line(&mut buffer, 512), None);
/// ```
#[derive(Debug, Default)]
pub struct LineReader {
    scanned: usize,
    discarded: usize,
}

impl LineReader {
    /// Makes a reader that stands at the start of a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next line, without its CR LF, off the front of `buffer`; `None` asks for more input.
    ///
    /// A line of more than `limit` octets, CR LF included, is thrown away and reported once its end came. The buffer
    /// never needs to hold more than `limit` octets for this to make progress.
    pub fn next_line(&mut self, buffer: &mut BytesMut, limit: usize) -> Option<Result<BytesMut, LineFault>> {
        let (used, line) = self.advance(buffer, limit);
        let line = line.map(|line| line.map(<[u8]>::len));
        let mut taken = buffer.split_to(used);
        Some(line?.map(|length| {
            taken.truncate(length);
            taken
        }))
    }

    /// Finds the next line, without its CR LF, at the front of `input`, and says how many octets to drop: those of the
    /// line, or of one that is too long. As [`next_line`](Self::next_line), and copies nothing.
    ///
    /// The next call's input begins behind what was dropped.
    pub fn advance<'i>(&mut self, input: &'i [u8], limit: usize) -> (usize, Option<Result<&'i [u8], LineFault>>) {
        let fresh = input.get(self.scanned..).unwrap_or_default();
        let Some(end) = memchr(b'\n', fresh).map(|at| at + self.scanned + 1) else {
            self.scanned = input.len();
            let mut used = 0;
            if self.discarded > 0 || input.len() >= limit {
                self.discarded += input.len();
                self.scanned = 0;
                used = input.len();
            }
            let endless = self.discarded > MAX_DISCARD;
            return (used, endless.then_some(Err(LineFault::Endless)));
        };
        self.scanned = 0;
        let line = if std::mem::take(&mut self.discarded) > 0 || end > limit {
            Err(LineFault::TooLong)
        } else {
            let text = input.get(..end).and_then(|line| line.strip_suffix(b"\r\n"));
            text.filter(|text| memchr(b'\r', text).is_none())
                .ok_or(LineFault::BareLineEnd)
        };
        (end, Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], limit: usize) -> Vec<Result<String, LineFault>> {
        let mut buffer = BytesMut::from(input);
        let mut reader = LineReader::new();
        std::iter::from_fn(|| reader.next_line(&mut buffer, limit))
            .map(|line| line.map(|line| String::from_utf8_lossy(&line).into_owned()))
            .collect()
    }

    #[test]
    fn takes_lines() {
        assert_eq!(
            lines(b"a\r\n\r\nb\r\nrest", 10),
            [Ok("a".into()), Ok(String::new()), Ok("b".into())]
        );
    }

    #[test]
    fn refuses_bare_line_ends_and_resumes() {
        let bare = Err(LineFault::BareLineEnd);
        assert_eq!(
            lines(b"a\nb\r\n\nc\rd\r\ne\r\r\nf\r\n", 10),
            [
                bare.clone(),
                Ok("b".into()),
                bare.clone(),
                bare.clone(),
                bare,
                Ok("f".into())
            ]
        );
    }

    #[test]
    fn throws_long_lines_away_up_to_their_end() {
        let mut input = vec![b'x'; 5000];
        input.extend_from_slice(b"\r\nNOOP\r\n");
        assert_eq!(lines(&input, 512), [Err(LineFault::TooLong), Ok("NOOP".into())]);

        let mut reader = LineReader::new();
        let mut buffer = BytesMut::new();
        for _ in 0..10 {
            buffer.extend_from_slice(&[b'x'; 500]);
            assert_eq!(reader.next_line(&mut buffer, 512), None);
            assert!(buffer.len() < 512);
        }
        buffer.extend_from_slice(b"\r\nQUIT\r\n");
        assert_eq!(reader.next_line(&mut buffer, 512), Some(Err(LineFault::TooLong)));
        assert_eq!(reader.next_line(&mut buffer, 512), Some(Ok(BytesMut::from("QUIT"))));
    }

    #[test]
    fn gives_up_on_an_endless_line() {
        let mut reader = LineReader::new();
        let mut buffer = BytesMut::new();
        let fault = (0..1000).find_map(|_| {
            buffer.extend_from_slice(&[b'x'; 500]);
            reader.next_line(&mut buffer, 512)
        });
        assert_eq!(fault, Some(Err(LineFault::Endless)));
    }
}
