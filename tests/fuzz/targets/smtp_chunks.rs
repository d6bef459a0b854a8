//! A message that comes by BDAT: however it is cut into chunks and reads, the same comes out, and no bare line end passes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_smtp::protocol::{ChunkDecoder, ContentFault};

const MAX_SIZE: usize = 4096;
const MAX_LINE: usize = 100;

/// Reads `message` in chunks and pieces of so many octets.
fn read(message: &[u8], chunk: usize, piece: usize) -> Result<Vec<u8>, ContentFault> {
    let mut decoder = ChunkDecoder::new(MAX_SIZE, MAX_LINE);
    let mut content = Vec::new();
    for chunk in message.chunks(chunk) {
        decoder.begin(chunk.len() as u64);
        // What follows a chunk is not its own.
        let wire = [chunk, b"BDAT 1 LAST\r\n"].concat();
        let mut rest = wire.as_slice();
        while decoder.left() > 0 {
            let input = &rest[..piece.min(rest.len())];
            let used = decoder.advance(input, |kept| content.extend_from_slice(kept));
            assert!(used > 0 && used <= input.len());
            rest = &rest[used..];
        }
        assert_eq!(rest, b"BDAT 1 LAST\r\n");
    }
    decoder.finish().map(|()| content)
}

fn is_clean(message: &[u8]) -> bool {
    let text = message.to_vec();
    let text = String::from_utf8_lossy(&text).replace("\r\n", "");
    message.len() <= MAX_SIZE && !text.contains(['\r', '\n'])
}

fuzz_target!(|input: &[u8]| {
    let [chunk, piece, message @ ..] = input else { return };
    let whole = read(message, message.len().max(1), usize::MAX);
    let pieces = read(message, usize::from(*chunk).max(1), usize::from(*piece).max(1));
    assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok());
    match &whole {
        Ok(content) => assert!(content == message && is_clean(message)),
        Err(ContentFault::LongLine) => assert!(message.len() >= MAX_LINE - 1),
        Err(_) => assert!(!is_clean(message)),
    }
});
