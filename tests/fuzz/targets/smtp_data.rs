//! Message data in both directions. Coming in, only CR LF . CR LF ends it, however it is cut; going out, what is
//! stuffed is read back whole.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use posthaste_smtp::protocol::{DataDecoder, DataReader, DotStuffer};

const MAX: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((&size, stream)) = input.split_first() else {
        return;
    };

    let mut whole = DataReader::new(MAX, 1000);
    let used = whole.advance(stream);
    let mut pieces = DataReader::new(MAX, 1000);
    let mut used_in_pieces = 0;
    for piece in stream.chunks(usize::from(size).max(1)) {
        let taken = pieces.advance(piece);
        used_in_pieces += taken;
        if taken < piece.len() {
            break;
        }
    }
    assert_eq!((used, whole.is_done()), (used_in_pieces, pieces.is_done()));
    if whole.is_done() {
        let ended = &stream[..used];
        assert!(ended == b".\r\n" || ended.ends_with(b"\r\n.\r\n"));
    }
    let mut streamed = Vec::new();
    let mut decoder = DataDecoder::new(MAX, 1000);
    for piece in stream[..used].chunks(usize::from(size).max(1)) {
        decoder.advance(piece, |content| streamed.extend_from_slice(content));
    }
    let read = whole.finish();
    assert_eq!(read, pieces.finish());
    match &read {
        Ok(content) => assert_eq!(content[..], streamed),
        Err(fault) => assert_eq!(decoder.fault(), Some(*fault)),
    }

    let mut stuffer = DotStuffer::new();
    let pushed = stream
        .chunks(usize::from(size).max(1))
        .try_for_each(|piece| stuffer.push(&Bytes::copy_from_slice(piece)));
    if let (Ok(()), Ok(stuffed)) = (pushed, stuffer.finish()) {
        let wire = stuffed.to_vec();
        let mut reader = DataReader::new(MAX, 1000);
        assert_eq!((reader.advance(&wire), reader.is_done()), (wire.len(), true));
        let read = reader.finish();
        let read = read.as_deref().unwrap_or_else(|fault| panic!("{fault:?}"));
        assert!(read == stream || read.strip_suffix(b"\r\n") == Some(stream));
    }
});
