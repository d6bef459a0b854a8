//! A part that is read when it is needed, and encoded on the way.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use crate::{Base64Alphabet, Source, body};

/// Most bytes that are read at once: whole lines of base64, which make at most 64 KiB.
const AT_ONCE: u16 = 57 * 840;

/// Bytes of a line of base64, before and after the encoding, its CR LF included.
const LINE: (u64, u64) = (57, 78);

/// In which form the bytes of a source are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Base64 in lines of 76, without a last line break.
    Lines,
    /// Base64 without line breaks, in either alphabet of RFC 4648.
    Unbroken(Base64Alphabet),
    /// As they are.
    Plain,
}

impl Form {
    fn encode(self, data: &[u8]) -> Bytes {
        match self {
            Self::Lines => body::base64(data),
            Self::Unbroken(alphabet) => alphabet.encode(data),
            Self::Plain => Bytes::copy_from_slice(data),
        }
    }

    /// What stands between two pieces.
    fn glue(self) -> &'static [u8] {
        match self {
            Self::Lines => b"\r\n",
            Self::Unbroken(_) | Self::Plain => b"",
        }
    }
}

/// A source with what is known about it, and the form that its bytes are given in.
pub(crate) struct Streamed {
    source: Arc<dyn Source>,
    form: Form,
    /// What the source said when it was attached.
    len: u64,
    /// Of the bytes, as they were when they were first read to their end.
    checksum: OnceLock<u64>,
}

impl Streamed {
    pub(crate) fn new(source: Arc<dyn Source>, form: Form) -> Self {
        Self {
            len: source.len(),
            source,
            form,
            checksum: OnceLock::new(),
        }
    }

    pub(crate) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// How many bytes there are before they are encoded.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes there are when they are encoded.
    pub(crate) fn encoded_len(&self) -> u64 {
        match self.form {
            Form::Lines => base64_len(self.len),
            Form::Unbroken(_) => self.len.div_ceil(3).saturating_mul(4),
            Form::Plain => self.len,
        }
    }

    /// Tells whether what it gives is ASCII, whatever the source holds.
    pub(crate) fn is_ascii(&self) -> bool {
        self.form != Form::Plain
    }
}

/// How many octets `len` octets are in base64, in lines of 76 without a last line break.
pub(crate) fn base64_len(len: u64) -> u64 {
    let Some(last) = len.checked_sub(1) else { return 0 };
    let (whole_lines, rest) = (last / LINE.0, last % LINE.0 + 1);
    whole_lines
        .saturating_mul(LINE.1)
        .saturating_add(rest.div_ceil(3).saturating_mul(4))
}

/// A part that is being read.
pub(crate) struct Reading {
    part: Arc<Streamed>,
    reader: Box<dyn Read + Send>,
    left: u64,
    hasher: DefaultHasher,
    buffer: Vec<u8>,
}

impl Reading {
    pub(crate) fn open(part: Arc<Streamed>) -> io::Result<Self> {
        Ok(Self {
            reader: part.source.open()?,
            left: part.len,
            hasher: DefaultHasher::new(),
            buffer: Vec::new(),
            part,
        })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Reads and encodes the next piece. The last one is only given if the source ended with it, and gave what it gave the
    /// first time: so whatever takes the pieces never has all of a message that is not the one that was signed.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Bytes> {
        let count = u16::try_from(self.left).unwrap_or(AT_ONCE).min(AT_ONCE);
        self.buffer.resize(usize::from(count), 0);
        self.reader
            .read_exact(&mut self.buffer)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.changed("ended before", io::ErrorKind::UnexpectedEof),
                _ => error,
            })?;
        self.hasher.write(&self.buffer);
        self.left -= u64::from(count);
        let encoded = self.part.form.encode(&self.buffer);
        if self.left > 0 {
            let glue = self.part.form.glue();
            if glue.is_empty() {
                return Ok(encoded);
            }
            let mut line = BytesMut::from(encoded);
            line.extend_from_slice(glue);
            return Ok(line.freeze());
        }
        self.check_end()?;
        Ok(encoded)
    }

    fn check_end(&mut self) -> io::Result<()> {
        let more = loop {
            match self.reader.read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                more => break more?,
            }
        };
        if more > 0 {
            return Err(self.changed("goes on after", io::ErrorKind::InvalidData));
        }
        let checksum = self.hasher.finish();
        if *self.part.checksum.get_or_init(|| checksum) == checksum {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the source of an attachment gives other bytes than when it was first read",
        ))
    }

    fn changed(&self, how: &str, kind: io::ErrorKind) -> io::Error {
        let len = self.part.len;
        io::Error::new(
            kind,
            format!("the source of an attachment {how} the {len} bytes that it announced"),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::rope::{Piece, Rope};

    /// Gives other bytes each time, in small reads.
    #[derive(Debug)]
    struct Varying {
        len: u64,
        contents: Mutex<Vec<Vec<u8>>>,
    }

    impl Source for Varying {
        fn len(&self) -> u64 {
            self.len
        }

        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            let content = self.contents.lock().unwrap().pop().ok_or(io::ErrorKind::NotFound)?;
            Ok(Box::new(Halting(io::Cursor::new(content), false)))
        }
    }

    /// Is interrupted before each byte.
    struct Halting(io::Cursor<Vec<u8>>, bool);

    impl Read for Halting {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let room = out.len().min(1000);
            self.0.read(&mut out[..room])
        }
    }

    /// Makes a rope of a part that gives those contents, one after the other.
    fn rope(len: u64, contents: &[&[u8]]) -> Rope {
        let contents = contents.iter().rev().map(|content| content.to_vec()).collect();
        let mut rope = Rope::new();
        let source = Arc::new(Varying {
            len,
            contents: Mutex::new(contents),
        });
        rope.push_piece(Piece::Streamed(Arc::new(Streamed::new(source, Form::Lines))));
        rope
    }

    #[test]
    fn pieces_are_bounded() {
        let content = vec![7; 200_000];
        let chunks: Vec<Bytes> = rope(200_000, &[&content]).chunks().map(Result::unwrap).collect();
        assert_eq!(chunks.len(), 5);
        assert!(chunks.iter().all(|chunk| chunk.len() <= 64 << 10));
        assert!(chunks[..4].iter().all(|chunk| chunk.ends_with(b"\r\n")));
    }

    #[test]
    fn a_source_that_ends_early_or_late_never_gives_all_pieces() {
        let content = vec![7; 100_000];
        for wrong in [
            &content[..99_999],
            &[&content[..], b"7"].concat(),
            &content[..50_000],
            b"",
        ] {
            let rope = rope(100_000, &[wrong]);
            let mut chunks = rope.chunks();
            let given: u64 = chunks
                .by_ref()
                .map_while(Result::ok)
                .map(|chunk| chunk.len() as u64)
                .sum();
            assert!(given < rope.len());
            assert!(chunks.next().is_none(), "it ends with the error");
        }
    }

    #[test]
    fn a_source_that_gives_other_bytes_later_never_gives_all_pieces() {
        let (first, mut other) = (vec![7; 100_000], vec![7; 100_000]);
        other[3] = 8;
        let rope = rope(100_000, &[&first, &first, &other, &first]);
        let clone = rope.clone();
        assert!(rope.to_bytes().is_ok());
        assert!(clone.to_bytes().is_ok(), "it may be read as often as wished");
        let error = clone.to_bytes().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(rope.to_bytes().is_ok(), "the first content counts");
        assert_eq!(rope.to_bytes().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_was_not_read_to_its_end_is_not_remembered() {
        let (first, second) = (vec![7; 100_000], vec![8; 100_000]);
        let rope = rope(100_000, &[&first, &second]);
        assert!(rope.chunks().next().unwrap().is_ok());
        assert!(rope.to_bytes().is_ok());
    }

    proptest! {
        #[test]
        fn it_is_what_the_whole_encoder_makes(
            content in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                (47_700_usize..48_000).prop_map(|len| vec![b'x'; len]),
                (95_700_usize..96_000).prop_map(|len| vec![b'y'; len]),
            ]
        ) {
            let rope = rope(content.len() as u64, &[&content]);
            let whole = body::base64(&content);
            prop_assert_eq!(rope.len(), whole.len() as u64);
            prop_assert_eq!(rope.to_bytes().unwrap(), whole);

            let plain = Rope::from_source(Bytes::from(content.clone()));
            prop_assert_eq!(plain.len(), content.len() as u64);
            prop_assert_eq!(&plain.to_bytes().unwrap(), &content);
            for alphabet in [Base64Alphabet::Standard, Base64Alphabet::UrlSafe] {
                let held = Rope::from(content.clone()).to_base64(alphabet);
                let streamed = plain.to_base64(alphabet);
                prop_assert_eq!(held.len(), streamed.len());
                prop_assert_eq!(streamed.len(), streamed.to_bytes().unwrap().len() as u64);
                prop_assert_eq!(held.to_bytes().unwrap(), streamed.to_bytes().unwrap());
                prop_assert_eq!(held.to_bytes().unwrap(), alphabet.encode(&content));
            }
        }
    }
}
