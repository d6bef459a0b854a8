//! The PROXY header before a session: never a panic, never more asked for than is the header's, bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_smtp::protocol::{ProxyHeader, ProxyParse};

fuzz_target!(|stream: &[u8]| {
    let whole = ProxyHeader::parse(stream);
    let mut length = 0;
    loop {
        match ProxyHeader::parse(&stream[..length]) {
            Ok(ProxyParse::Complete(header, used)) => {
                assert_eq!(used, length);
                assert_eq!(header.source().is_some(), header.destination().is_some());
                assert_eq!(whole, Ok(ProxyParse::Complete(header, used)));
                break;
            }
            Ok(ProxyParse::Needs(count)) => {
                assert!(count > 0 && length + count <= 4096);
                length += count;
                if length > stream.len() {
                    assert!(!matches!(whole, Ok(ProxyParse::Complete(..))));
                    break;
                }
            }
            Ok(_) => unreachable!(),
            Err(_) => {
                assert!(whole.is_err());
                break;
            }
        }
    }
});
