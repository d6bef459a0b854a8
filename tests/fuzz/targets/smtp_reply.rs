//! Replies of a server, in pieces: the first octet says how large. However they are cut, the same replies come out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_smtp::protocol::{Extensions, ReplyParser};

/// The replies in a stream, as codes and lines, and whether it ends in an error.
fn replies(stream: &[u8], piece: usize) -> (Vec<(u16, Vec<String>)>, bool) {
    let mut parser = ReplyParser::new();
    let mut found = Vec::new();
    for mut rest in stream.chunks(piece) {
        while !rest.is_empty() {
            match parser.advance(rest) {
                Ok((used, reply)) => {
                    rest = &rest[used..];
                    if let Some(reply) = reply {
                        let _ = (reply.enhanced(), Extensions::from_reply(&reply).size_limit());
                        found.push((reply.code(), reply.lines().map(|line| line.into_owned()).collect()));
                    }
                }
                Err(_) => return (found, true),
            }
        }
    }
    (found, false)
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, stream)) = input.split_first() else {
        return;
    };
    let whole = replies(stream, stream.len().max(1));
    assert_eq!(replies(stream, usize::from(size).max(1)).0, whole.0);
});
