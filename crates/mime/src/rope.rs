//! Message bytes in shared pieces.

use bytes::{Bytes, BytesMut};

/// Holds bytes as a row of shared chunks, so that what many messages have in common exists once.
///
/// Cloning and prepending copy no bytes. A socket writes the chunks with one vectored write.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Rope;
///
/// let mut rope = Rope::from(b"Subject: hello\r\n\r\n".to_vec());
/// rope.prepend(bytes::Bytes::from_static(b"From: ada@example.org\r\n"));
/// assert_eq!(rope.chunks().count(), 2);
/// assert!(rope.to_bytes().starts_with(b"From: "));
/// ```
#[derive(Clone, Default)]
pub struct Rope {
    chunks: Vec<Bytes>,
    len: usize,
}

impl Rope {
    /// Makes an empty rope.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `chunk`; an empty one is left out.
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push(chunk);
        }
    }

    /// Appends all of `other`.
    pub fn append(&mut self, other: &Self) {
        self.chunks.extend_from_slice(&other.chunks);
        self.len += other.len;
    }

    /// Puts `chunk` before everything else; an empty one is left out.
    pub fn prepend(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.insert(0, chunk);
        }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the chunks in order; none of them is empty.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = &Bytes> + DoubleEndedIterator + Clone {
        self.chunks.iter()
    }

    /// Returns all bytes in one piece; copies them only if there are several chunks.
    pub fn to_bytes(&self) -> Bytes {
        match self.chunks.as_slice() {
            [] => Bytes::new(),
            [chunk] => chunk.clone(),
            chunks => {
                let mut whole = BytesMut::with_capacity(self.len);
                for chunk in chunks {
                    whole.extend_from_slice(chunk);
                }
                whole.freeze()
            }
        }
    }
}

/// Shows the length and the number of chunks, never the bytes.
impl std::fmt::Debug for Rope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rope")
            .field("len", &self.len)
            .field("chunks", &self.chunks.len())
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
        assert_eq!(rope.to_bytes().as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn chunks_keep_their_order_and_empty_ones_vanish() {
        let mut rope: Rope = [Bytes::from_static(b"b"), Bytes::new(), Bytes::from_static(b"c")]
            .into_iter()
            .collect();
        rope.prepend(Bytes::from_static(b"a"));
        rope.prepend(Bytes::new());
        assert_eq!(rope.chunks().count(), 3);
        assert_eq!(rope.len(), 3);
        assert_eq!(rope.to_bytes(), "abc");
        assert!(Rope::new().is_empty());
    }

    #[test]
    fn debug_shows_no_bytes() {
        let rope = Rope::from(b"secret".to_vec());
        assert_eq!(format!("{rope:?}"), "Rope { len: 6, chunks: 1 }");
    }
}
