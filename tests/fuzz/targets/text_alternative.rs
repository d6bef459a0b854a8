//! HTML and plain text of strangers, on its way into a message: text made of HTML, text that flows, calendar objects, charsets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_mime::{Calendar, Charset, Flowed, Message, text_from_html};

fuzz_target!(|input: &str| {
    let text = text_from_html(input);
    assert!(text.len() <= 32 * input.len() + 64);
    assert!(!text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
    for flowed in [Flowed::new(), Flowed::new().delete_spaces()] {
        assert!(flowed.encode(input).len() <= 8 * input.len() + 64);
    }
    if let Ok(calendar) = Calendar::new(input) {
        assert_eq!(Calendar::new(calendar.as_str()).as_ref(), Ok(&calendar));
    }
    for label in ["utf-8", "iso-2022-jp", "gb18030", "iso-8859-1"] {
        let charset = Charset::from_label(label).expect("it is known");
        let message = Message::builder()
            .from("ada@example.org".parse().expect("it is an address"))
            .subject(input)
            .text(input)
            .html(input)
            .flowed(Flowed::new())
            .charset(charset);
        let Ok(message) = message.build() else { continue };
        let bytes = message.to_bytes().expect("nothing is read");
        assert_eq!(bytes.len() as u64, message.encoded_len());
        assert!(bytes.is_ascii());
        for line in bytes.split(|byte| *byte == b'\n') {
            assert!(
                line.len() <= 999 && (line.ends_with(b"\r") || line.is_empty()),
                "{line:?}"
            );
        }
    }
});
