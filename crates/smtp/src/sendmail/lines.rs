//! A message with the line ends that programs on this system expect.

use bytes::Bytes;

use crate::protocol::{ContentError, DotStuffer};

/// Turns CR LF into LF, in chunks, and lets nothing pass that has no meaning in a message.
pub(super) struct UnixLines {
    /// Only looks.
    checker: DotStuffer,
    ended: bool,
}

impl UnixLines {
    pub(super) fn new() -> Self {
        Self {
            checker: DotStuffer::new(),
            ended: true,
        }
    }

    /// Looks at the next chunk, and makes nothing of it.
    pub(super) fn check(&mut self, chunk: &Bytes) -> Result<(), ContentError> {
        self.checker.push(chunk)?;
        self.checker.take_ready();
        if let Some(last) = chunk.last() {
            self.ended = *last == b'\n';
        }
        Ok(())
    }

    /// Turns the next chunk.
    pub(super) fn turn(&mut self, chunk: &Bytes) -> Result<Vec<u8>, ContentError> {
        self.check(chunk)?;
        // Each CR is before an LF: the checker has seen to it, or will when that LF does not come.
        let mut turned = Vec::with_capacity(chunk.len());
        let mut rest = chunk.as_ref();
        while let Some((text, after)) = memchr::memchr(b'\r', rest).and_then(|at| rest.split_at_checked(at)) {
            turned.extend_from_slice(text);
            rest = after.get(1..).unwrap_or_default();
        }
        turned.extend_from_slice(rest);
        Ok(turned)
    }

    /// Ends the message, and returns what its last line lacks.
    pub(super) fn finish(self) -> Result<&'static [u8], ContentError> {
        self.checker.finish()?;
        Ok(if self.ended { b"" } else { b"\n" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turn(chunks: &[&[u8]]) -> Result<Vec<u8>, ContentError> {
        let mut lines = UnixLines::new();
        let mut turned = Vec::new();
        for chunk in chunks {
            turned.extend(lines.turn(&Bytes::copy_from_slice(chunk))?);
        }
        turned.extend_from_slice(lines.finish()?);
        Ok(turned)
    }

    #[test]
    fn line_ends_are_turned_wherever_chunks_end() {
        assert_eq!(turn(&[b"a\r\n.\r\n\r\nb\r\n"]).unwrap(), b"a\n.\n\nb\n");
        assert_eq!(turn(&[b"a\r", b"\nb", b"", b"\r\n"]).unwrap(), b"a\nb\n");
        assert_eq!(turn(&[b"a\r\nb"]).unwrap(), b"a\nb\n");
        assert_eq!(turn(&[]).unwrap(), b"");
    }

    #[test]
    fn what_is_no_line_end_does_not_pass() {
        assert!(matches!(turn(&[b"a\nb\r\n"]), Err(ContentError::BareLf { line: 1 })));
        assert!(matches!(turn(&[b"a\r\nb\rc"]), Err(ContentError::BareCr { line: 2 })));
        assert!(matches!(turn(&[b"a\r"]), Err(ContentError::BareCr { .. })));
        assert!(matches!(turn(&[b"a\r", b"b"]), Err(ContentError::BareCr { .. })));
        assert!(matches!(turn(&[b"a\0"]), Err(ContentError::Nul { .. })));
        assert!(matches!(turn(&[&[b'x'; 999]]), Err(ContentError::LongLine { .. })));
    }

    proptest! {
        #[test]
        fn lines_stay_as_they_are(lines in prop::collection::vec("[ -~\u{80}-\u{ff}]{0,40}", 0..20), size in 1_usize..30) {
            let text = lines.iter().map(|line| format!("{line}\r\n")).collect::<String>();
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let expected = text.replace("\r\n", "\n");
            prop_assert_eq!(turn(&chunks).unwrap(), expected.as_bytes());
        }

        #[test]
        fn no_cr_passes(bytes in prop::collection::vec(prop::sample::select(b"\r\n.a\0".to_vec()), 0..40), size in 1_usize..5) {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            if let Ok(turned) = turn(&chunks) {
                prop_assert!(!turned.contains(&b'\r'));
            }
        }
    }
}
