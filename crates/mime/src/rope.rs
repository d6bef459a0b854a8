//! Message bytes in shared pieces.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use crate::Source;
use crate::streamed::{Form, Reading, Streamed};

/// Holds bytes as a row of shared chunks, so that what many messages have in common exists once.
///
/// Cloning and prepending copy no bytes. A socket writes the chunks with one vectored write.
///
/// Some of the bytes may not be in memory: a streamed attachment is read, and encoded, when its chunks are asked for (see
/// [`Source`](crate::Source)). So whatever gives the bytes can fail, and may block while it reads;
/// [`Rope::in_memory`] is the way around where there is nothing to read. The length is known without reading.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Rope;
///
/// let mut rope = Rope::from(b"Subject: hello\r\n\r\n".to_vec());
/// rope.prepend(bytes::Bytes::from_static(b"From: ada@example.org\r\n"));
/// assert_eq!((rope.len(), rope.chunks().count()), (41, 2));
/// assert!(rope.to_bytes()?.starts_with(b"From: "));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Rope {
    pieces: Vec<Piece>,
    len: u64,
}

/// A part of a rope.
#[derive(Clone)]
pub(crate) enum Piece {
    /// Bytes that are there; at least one.
    Held(Bytes),
    /// Bytes that are read when they are needed; at least one.
    Streamed(Arc<Streamed>),
}

impl Rope {
    /// Makes an empty rope.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a rope of what `source` gives, as it is: read when its chunks are asked for, and never held.
    pub fn from_source(source: impl Source) -> Self {
        let mut rope = Self::new();
        rope.push_piece(Piece::Streamed(Arc::new(Streamed::new(Arc::new(source), Form::Plain))));
        rope
    }

    /// Returns the bytes as base64 without line breaks and with padding (RFC 4648 §4 and §5), as JSON carries them.
    ///
    /// What is in memory is encoded now; what is streamed is read and encoded when the chunks are asked for.
    pub fn to_base64(&self, alphabet: Base64Alphabet) -> Self {
        if let Some(Ok(bytes)) = self.in_memory().is_some().then(|| self.to_bytes()) {
            return Self::from(alphabet.encode(&bytes));
        }
        let mut rope = Self::new();
        let whole: Arc<dyn Source> = Arc::new(self.clone());
        rope.push_piece(Piece::Streamed(Arc::new(Streamed::new(
            whole,
            Form::Unbroken(alphabet),
        ))));
        rope
    }

    /// Appends `chunk`; an empty one is left out.
    pub fn push(&mut self, chunk: Bytes) {
        self.push_piece(Piece::Held(chunk));
    }

    /// Appends all of `other`.
    pub fn append(&mut self, other: &Self) {
        self.pieces.extend_from_slice(&other.pieces);
        self.len = self.len.saturating_add(other.len);
    }

    /// Puts `chunk` before everything else; an empty one is left out.
    pub fn prepend(&mut self, chunk: Bytes) {
        let piece = Piece::Held(chunk);
        if piece.len() > 0 {
            self.len = self.len.saturating_add(piece.len());
            self.pieces.insert(0, piece);
        }
    }

    pub(crate) fn push_piece(&mut self, piece: Piece) {
        if piece.len() > 0 {
            self.len = self.len.saturating_add(piece.len());
            self.pieces.push(piece);
        }
    }

    /// Returns the number of bytes, those included that are yet to be read.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Tells whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tells whether every byte is below 128, without reading: what is streamed as base64 is, and what is streamed as it is
    /// counts as if it were not.
    pub fn is_ascii(&self) -> bool {
        self.pieces.iter().all(|piece| match piece {
            Piece::Held(chunk) => chunk.is_ascii(),
            Piece::Streamed(part) => part.is_ascii(),
        })
    }

    /// Returns the chunks in order, if all of them are in memory; `None` if some have to be read. None of them is empty.
    pub fn in_memory(&self) -> Option<impl ExactSizeIterator<Item = &Bytes> + DoubleEndedIterator + Clone> {
        // Never seen: there is no streamed piece when the iterator is made.
        static NONE: Bytes = Bytes::new();
        let held = |piece| matches!(piece, &Piece::Held(_));
        self.pieces.iter().all(held).then(|| {
            self.pieces.iter().map(|piece| match piece {
                Piece::Held(chunk) => chunk,
                Piece::Streamed(_) => &NONE,
            })
        })
    }

    /// Returns the chunks in order; none of them is empty. Chunks in memory are shared, others are read as they are asked
    /// for, in pieces of at most 64 KiB.
    ///
    /// The first error ends it. What was returned before is then not the message, and must not be taken for it.
    pub fn chunks(&self) -> Chunks {
        Chunks {
            pieces: self.pieces.clone().into_iter(),
            reading: None,
        }
    }

    /// Returns all bytes in one piece; copies them unless there is only one chunk.
    ///
    /// # Errors
    ///
    /// What went wrong while reading, if something had to be read; it cannot fail if [`Rope::in_memory`] is `Some`.
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        if let [Piece::Held(chunk)] = self.pieces.as_slice() {
            return Ok(chunk.clone());
        }
        let len = usize::try_from(self.len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut whole = BytesMut::new();
        if let Some(chunks) = self.in_memory() {
            whole.reserve(len);
            chunks.for_each(|chunk| whole.extend_from_slice(chunk));
        } else {
            // What a source says of its length is believed when the bytes come.
            for chunk in self.chunks() {
                whole.extend_from_slice(&chunk?);
            }
        }
        Ok(whole.freeze())
    }

    /// Opens everything that has to be read, and reads none of it: so that a file which is gone, or is not as long as it
    /// was, is known before anything is begun. May block.
    ///
    /// # Errors
    ///
    /// The first that opening gives.
    pub fn probe(&self) -> io::Result<()> {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Held(_) => Ok(()),
            Piece::Streamed(part) => part.source().open().map(drop),
        })
    }

    /// Writes all bytes to `writer`, chunk by chunk.
    ///
    /// # Errors
    ///
    /// The writer's, or what went wrong while reading. To tell them apart, write the [`chunks`](Rope::chunks) one by one.
    pub fn write_to(&self, writer: &mut impl io::Write) -> io::Result<()> {
        self.chunks().try_for_each(|chunk| writer.write_all(&chunk?))
    }
}

/// A whole message can be attached to, or sent inside, another one without being held.
impl Source for Rope {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        self.probe()?;
        Ok(Box::new(RopeReader {
            chunks: self.chunks(),
            chunk: Bytes::new(),
        }))
    }
}

/// Reads a rope from its first byte.
struct RopeReader {
    chunks: Chunks,
    chunk: Bytes,
}

impl io::Read for RopeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.next() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(out.len());
        (&mut self.chunk)
            .reader()
            .read(out.get_mut(..count).unwrap_or_default())
    }
}

/// The alphabets of base64 in RFC 4648.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Base64Alphabet {
    /// With `+` and `/` (§4).
    #[default]
    Standard,
    /// With `-` and `_` (§5).
    UrlSafe,
}

impl Base64Alphabet {
    pub(crate) fn encode(self, data: &[u8]) -> Bytes {
        let base64 = match self {
            Self::Standard => encodify::base64::STANDARD,
            Self::UrlSafe => encodify::base64::URL_SAFE,
        };
        Bytes::from(base64.encode(data))
    }
}

impl Piece {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Held(chunk) => u64::try_from(chunk.len()).unwrap_or(u64::MAX),
            Self::Streamed(part) => part.encoded_len(),
        }
    }
}

/// Gives the chunks of a [`Rope`], made by [`Rope::chunks`]. It shares what it needs, so it may outlive the rope and move
/// to another thread.
pub struct Chunks {
    pieces: std::vec::IntoIter<Piece>,
    reading: Option<Reading>,
}

impl Chunks {
    /// Returns the next chunk if it is in memory already; `None` if it has to be read, or if there is none.
    ///
    /// So a caller that must not block knows when it has to go elsewhere for [`next`](Iterator::next).
    pub fn next_in_memory(&mut self) -> Option<Bytes> {
        if self.must_read() {
            return None;
        }
        match self.pieces.next() {
            Some(Piece::Held(chunk)) => Some(chunk),
            _ => None,
        }
    }

    /// Tells whether the next chunk has to be read, which may block.
    pub fn must_read(&self) -> bool {
        self.reading.is_some() || matches!(self.pieces.as_slice(), [Piece::Streamed(_), ..])
    }

    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => match self.pieces.next() {
                Some(Piece::Held(chunk)) => return Ok(Some(chunk)),
                Some(Piece::Streamed(part)) => Reading::open(part)?,
                None => return Ok(None),
            },
        };
        let chunk = reading.next_chunk()?;
        if !reading.is_done() {
            self.reading = Some(reading);
        }
        Ok(Some(chunk))
    }
}

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.read();
        if chunk.is_err() {
            self.pieces = Vec::new().into_iter();
        }
        chunk.transpose()
    }
}

impl std::iter::FusedIterator for Chunks {}

/// Shows the length and the number of parts, never the bytes.
impl std::fmt::Debug for Rope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rope")
            .field("len", &self.len)
            .field("parts", &self.pieces.len())
            .finish()
    }
}

/// Shows the length, never the bytes.
impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Self::Held(_) => "Held",
            Self::Streamed(_) => "Streamed",
        };
        f.debug_tuple(name).field(&self.len()).finish()
    }
}

/// Shows how much is left, never the bytes.
impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks")
            .field("parts", &self.pieces.as_slice().len())
            .field("reading", &self.reading.is_some())
            .finish()
    }
}

impl From<Bytes> for Rope {
    fn from(chunk: Bytes) -> Self {
        let mut rope = Self::new();
        rope.push(chunk);
        rope
    }
}

impl From<Vec<u8>> for Rope {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl FromIterator<Bytes> for Rope {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        let mut rope = Self::new();
        for chunk in chunks {
            rope.push(chunk);
        }
        rope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_chunk_is_not_copied() {
        let chunk = Bytes::from(vec![7; 100]);
        let rope = Rope::from(chunk.clone());
        assert_eq!(rope.to_bytes().unwrap().as_ptr(), chunk.as_ptr());
        assert_eq!(rope.chunks().next().unwrap().unwrap().as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn chunks_keep_their_order_and_empty_ones_vanish() {
        let mut rope: Rope = [Bytes::from_static(b"b"), Bytes::new(), Bytes::from_static(b"c")]
            .into_iter()
            .collect();
        rope.prepend(Bytes::from_static(b"a"));
        rope.prepend(Bytes::new());
        rope.append(&Rope::from(Bytes::from_static(b"d")));
        assert_eq!(rope.chunks().count(), 4);
        assert_eq!(rope.in_memory().map(|chunks| chunks.len()), Some(4));
        assert_eq!(rope.len(), 4);
        assert_eq!(rope.to_bytes().unwrap(), "abcd");
        let mut written = Vec::new();
        rope.write_to(&mut written).unwrap();
        assert_eq!(written, b"abcd");
        assert!(Rope::new().is_empty());
        assert_eq!(Rope::new().to_bytes().unwrap(), "");
    }

    #[test]
    fn a_streamed_piece_is_read_between_those_in_memory() {
        let mut rope = Rope::from(Bytes::from_static(b"<"));
        let part = Streamed::new(Arc::new(Bytes::from_static(b"hello")), Form::Lines);
        rope.push_piece(Piece::Streamed(Arc::new(part)));
        rope.push_piece(Piece::Streamed(Arc::new(Streamed::new(
            Arc::new(Bytes::new()),
            Form::Lines,
        ))));
        rope.push(Bytes::from_static(b">"));
        assert_eq!(rope.len(), 10);
        assert!(rope.in_memory().is_none());
        assert_eq!(rope.to_bytes().unwrap(), "<aGVsbG8=>");

        let mut chunks = rope.chunks();
        assert_eq!(chunks.next_in_memory().unwrap(), "<");
        assert!(chunks.next_in_memory().is_none() && chunks.must_read());
        assert_eq!(chunks.next().unwrap().unwrap(), "aGVsbG8=");
        assert_eq!(chunks.next_in_memory().unwrap(), ">");
        assert!(chunks.next_in_memory().is_none() && !chunks.must_read());
        assert!(chunks.next().is_none());
    }

    #[test]
    fn what_cannot_be_opened_is_known_without_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "hello").unwrap();
        let mut rope = Rope::from(Bytes::from_static(b"<"));
        let part = Streamed::new(Arc::new(crate::FileSource::new(&path).unwrap()), Form::Lines);
        rope.push_piece(Piece::Streamed(Arc::new(part)));
        assert!(rope.probe().is_ok());
        std::fs::write(&path, "hello!").unwrap();
        assert_eq!(rope.probe().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn debug_shows_no_bytes() {
        let mut rope = Rope::from(b"secret".to_vec());
        assert_eq!(format!("{rope:?}"), "Rope { len: 6, parts: 1 }");
        let part = Streamed::new(Arc::new(Bytes::from_static(b"secret")), Form::Lines);
        rope.push_piece(Piece::Streamed(Arc::new(part)));
        let mut chunks = rope.chunks();
        assert_eq!(format!("{chunks:?}"), "Chunks { parts: 2, reading: false }");
        let last = chunks.by_ref().last().unwrap().unwrap();
        assert_eq!((last, chunks.must_read()), (Bytes::from_static(b"c2VjcmV0"), false));
    }
}
