//! Properties of messages that are read and edited: nothing changes that no edit names, whatever the octets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says plainly what it expects"
)]

use bytes::Bytes;
use posthaste_mime::{HeaderName, HeaderValue, JunkLines, RawField, RawMessage, RawOptions};
use proptest::prelude::*;

/// Octets that look like messages: lines of fields, folds, junk and delimiters, with all kinds of line ends.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[AB]{1,2}[ \t]{0,1}:[ a-c]{0,6}",
        1 => "[Xx]-[Cc]:[ a-c]{0,6}",
        2 => "[ \t]{1,2}[a-c:]{0,4}",
        1 => "[a-c ]{1,6}",
        1 => Just("From a@b Mon Jan  1 00:00:00 2024".to_owned()),
        1 => Just("Content-Type: multipart/mixed; boundary=b".to_owned()),
        1 => Just("Content-Type: message/rfc822".to_owned()),
        2 => "--b(--)?[ ]{0,1}[x]{0,1}",
        2 => Just(String::new()),
    ];
    let end = prop_oneof![6 => Just("\r\n"), 2 => Just("\n"), 1 => Just("\r"), 1 => Just("\0\r\n"), 1 => Just("")];
    prop::collection::vec((line, end), 0..24).prop_map(|lines| {
        lines
            .into_iter()
            .map(|(line, end)| line + end)
            .collect::<String>()
            .into_bytes()
    })
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => likely(), 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

fn any_options() -> impl Strategy<Value = RawOptions> {
    prop::bool::ANY
        .prop_map(|keep| RawOptions::new().junk_lines(if keep { JunkLines::Keep } else { JunkLines::StartBody }))
}

#[derive(Clone, Debug)]
enum Edit {
    Prepend(String, String),
    Append(String, String),
    Replace(String, String),
    Set(String, String),
    Remove(String),
    RemoveSecond,
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let name = "[ABC]{1,2}|[Xx]-[Cc]";
    let value = "[ -~]{0,100}|[a-z\u{e9} ]{0,20}";
    prop_oneof![
        (name, value).prop_map(|(name, value)| Edit::Prepend(name, value)),
        (name, value).prop_map(|(name, value)| Edit::Append(name, value)),
        (name, value).prop_map(|(name, value)| Edit::Replace(name, value)),
        (name, value).prop_map(|(name, value)| Edit::Set(name, value)),
        name.prop_map(Edit::Remove),
        Just(Edit::RemoveSecond),
    ]
}

fn apply(message: &mut RawMessage, edit: &Edit) {
    let header = |name: &str, value: &str| (HeaderName::new(name).unwrap(), HeaderValue::new(value).unwrap());
    match edit {
        Edit::Prepend(name, value) => {
            let (name, value) = header(name, value);
            message.prepend(&name, &value);
        }
        Edit::Append(name, value) => {
            let (name, value) = header(name, value);
            message.append(&name, &value);
        }
        Edit::Replace(name, value) => {
            let (name, value) = header(name, value);
            message.replace(&name, &value);
        }
        Edit::Set(name, value) => {
            let (name, value) = header(name, value);
            message.set(&name, &value);
            assert_eq!(message.count(name.as_str()), 1);
        }
        Edit::Remove(name) => {
            message.remove(name);
            assert_eq!(message.count(name), 0);
        }
        Edit::RemoveSecond => {
            let mut seen = 0;
            message.remove_where(|_| {
                seen += 1;
                seen == 2
            });
        }
    }
}

fn shown(message: &RawMessage) -> Vec<(String, Vec<u8>)> {
    message
        .fields()
        .map(|field| (field.name().to_owned(), field.value().into_owned()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_not_edited_comes_out_as_it_went_in(bytes in any_message(), options in any_options()) {
        let message = RawMessage::parse_with(bytes.clone(), &options).unwrap();
        prop_assert_eq!(message.to_rope().len(), bytes.len() as u64);
        prop_assert_eq!(message.to_bytes(), bytes);
    }

    #[test]
    fn what_was_edited_reads_back_as_it_was_edited(
        bytes in any_message(),
        options in any_options(),
        edits in prop::collection::vec(any_edit(), 1..5),
    ) {
        let mut message = RawMessage::parse_with(bytes, &options).unwrap();
        let body = message.body();
        for edit in &edits {
            apply(&mut message, edit);
        }
        let again = RawMessage::parse_with(message.to_bytes(), &options).unwrap();
        prop_assert_eq!(shown(&again), shown(&message));
        prop_assert_eq!(again.body(), body);
        prop_assert_eq!(message.len(), message.to_bytes().len());
    }

    #[test]
    fn every_other_field_keeps_its_octets(bytes in any_message(), options in any_options()) {
        let before = RawMessage::parse_with(bytes, &options).unwrap();
        let mut message = before.clone();
        let removed = message.remove("X-C");
        let kept: Vec<RawField> = before.fields().filter(|field| !field.is("x-c")).collect();
        prop_assert_eq!(before.count("X-C"), removed);
        prop_assert_eq!(message.fields().collect::<Vec<_>>(), kept);
        // Taking away is all that happened.
        let mut rest = before.to_bytes();
        for field in before.fields().filter(|field| field.is("x-c")) {
            let at = rest.windows(field.raw().len()).position(|window| window == field.raw()).unwrap();
            rest = [rest.slice(..at), rest.slice(at + field.raw().len()..)].concat().into();
        }
        let bytes = message.to_bytes();
        if before.defects().is_empty() {
            prop_assert_eq!(bytes, rest);
        }
    }

    #[test]
    fn parts_lie_inside_one_another(bytes in any_message(), options in any_options()) {
        let bytes = Bytes::from(bytes);
        let message = RawMessage::parse_with(bytes.clone(), &options).unwrap();
        let Ok(parts) = message.parts() else {
            return Ok(());
        };
        prop_assert_eq!(parts[0].parent(), None);
        prop_assert_eq!(parts[0].encoded(), &message.body());
        for (index, part) in parts.iter().enumerate() {
            if let Some(range) = part.range() {
                prop_assert_eq!(&bytes[range], &part.encoded()[..]);
            }
            prop_assert_eq!(part.decoded().len(), part.decoded_len());
            let _ = (part.defects(), part.text(), part.safe_file_name(), part.extension(), part.is_attachment());
            let Some(parent) = part.parent() else {
                prop_assert_eq!(index, 0);
                continue;
            };
            prop_assert!(parent < index);
            prop_assert_eq!(parts[parent].depth() + 1, part.depth());
            if let (Some(outer), Some(inner)) = (parts[parent].range(), part.range()) {
                prop_assert!(outer.start <= inner.start && inner.end <= outer.end.max(inner.start));
            }
        }
    }

    #[test]
    fn values_that_are_put_in_come_out(value in "[ -~\u{e9}\u{1f600}]{0,200}") {
        let mut message = RawMessage::parse("A: 1\r\n\r\n").unwrap();
        message.set(&HeaderName::new("Subject").unwrap(), &HeaderValue::new(value.clone()).unwrap());
        let read = RawMessage::parse(message.to_bytes()).unwrap();
        prop_assert_eq!(read.field("Subject").unwrap().decoded(), value);
    }

    #[test]
    fn headers_of_any_octets_can_be_shown(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let message = RawMessage::parse([b"Subject: ".as_slice(), &bytes].concat()).unwrap();
        for field in message.fields() {
            prop_assert!(!field.decoded().contains(['\r', '\n', '\0']));
            let _ = (field.parameters(), field.date(), field.decoded_with("iso-8859-1"));
        }
        let _ = (message.from(), message.sender(), message.recipients(), message.message_id(), message.defects());
    }
}
