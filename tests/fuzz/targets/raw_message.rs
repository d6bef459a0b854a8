//! Messages that strangers wrote: looked into, edited, written again. What no edit names stays, octet for octet, and what
//! was put in is one field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_mime::{HeaderName, HeaderValue, JunkLines, RawMessage, RawOptions};

fuzz_target!(|input: &[u8]| {
    for junk_lines in [JunkLines::Keep, JunkLines::StartBody] {
        let options = RawOptions::new().junk_lines(junk_lines);
        let Ok(message) = RawMessage::parse_with(input.to_vec(), &options) else {
            continue;
        };
        assert_eq!(message.to_bytes(), input);
        look_into(&message);
        edit(message, &options);
    }
});

fn look_into(message: &RawMessage) {
    for field in message.fields() {
        assert!(!field.decoded().contains(['\r', '\n', '\0']));
        assert!(
            field
                .parameters()
                .iter()
                .all(|(_, value)| !value.contains(['\r', '\n', '\0']))
        );
        let _ = (field.date(), field.message_ids(), field.addresses_leniently());
    }
    let _ = (
        message.defects(),
        message.recipients(),
        message.resent_recipients(),
        message.sender(),
    );
    let Ok(parts) = message.parts() else {
        return;
    };
    assert!(parts.len() <= 500);
    for part in &parts {
        assert!(part.depth() <= 64);
        assert_eq!(part.decoded().len(), part.decoded_len());
        assert!(part.range().is_none_or(|range| range.len() == part.encoded().len()));
        assert!(part.safe_file_name().is_none_or(|name| !name.contains(['/', '\\'])));
        let _ = (part.defects(), part.text(), part.extension(), part.is_attachment());
    }
}

fn edit(mut message: RawMessage, options: &RawOptions) {
    let name = HeaderName::new("X-Fuzz").expect("it is a name");
    let values = ["1", "zwei \u{fc}"].map(|text| HeaderValue::new(text).expect("it is text"));
    let before: Vec<_> = message.fields().filter(|field| !field.is("x-fuzz")).collect();
    let body = message.body();
    message.remove("X-Fuzz");
    message.append(&name, &values[0]);
    message.prepend(&name, &values[1]);
    message.set(&name, &values[0]);
    let more = options.max_header(2 << 20).max_fields(20_000);
    let again = RawMessage::parse_with(message.to_bytes(), &more).expect("it was read before");
    assert_eq!(again.count("X-Fuzz"), 1);
    assert_eq!(again.field("X-Fuzz").map(|field| field.decoded()).as_deref(), Some("1"));
    assert_eq!(again.body(), body);
    let after: Vec<_> = again.fields().filter(|field| !field.is("x-fuzz")).collect();
    assert_eq!(after.len(), before.len());
    for (after, before) in after.iter().zip(&before) {
        assert_eq!(after.value(), before.value());
        // The last line of a message without a body may have gained a line break.
        assert!(after.raw().starts_with(before.raw()));
    }
}
