//! Command lines of a client: never a panic, and what is read can be written and read again.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use posthaste_smtp::protocol::{Command, LineReader, xtext};

fuzz_target!(|stream: &[u8]| {
    let mut buffer = BytesMut::from(stream);
    let mut reader = LineReader::new();
    while let Some(line) = reader.next_line(&mut buffer, 512) {
        let Ok(line) = line else { continue };
        assert!(line.len() <= 510 && !line.ends_with(b"\n"));
        match Command::parse(&line) {
            Ok(Command::Mail(mail)) => {
                let mut wire = Vec::new();
                if mail.encode(&mut wire).is_ok() {
                    assert!(wire.ends_with(b"\r\n") && wire.iter().filter(|octet| **octet == b'\n').count() == 1);
                    assert!(
                        matches!(Command::parse(&wire[..wire.len() - 2]), Ok(Command::Mail(again)) if again == mail)
                    );
                }
            }
            Ok(Command::Rcpt(rcpt)) => {
                let mut wire = Vec::new();
                if rcpt.encode(&mut wire).is_ok() {
                    assert!(wire.ends_with(b"\r\n") && wire.iter().filter(|octet| **octet == b'\n').count() == 1);
                    let Ok(Command::Rcpt(again)) = Command::parse(&wire[..wire.len() - 2]) else {
                        panic!("{wire:?}")
                    };
                    // A domain is written as A-labels, however it was read: whether it was ASCII before is not kept.
                    assert_eq!((&again.path, &again.notify), (&rcpt.path, &rcpt.notify));
                    assert_eq!(again.original_recipient, rcpt.original_recipient);
                }
            }
            Ok(_) => {}
            Err(error) => assert!((500..600).contains(&error.code()), "{error}"),
        }
    }
    if let Ok(text) = std::str::from_utf8(stream) {
        let _ = xtext::decode(text);
    }
});
