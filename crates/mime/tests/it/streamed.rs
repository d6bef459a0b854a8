//! Attachments that are read when the message is written.

use bytes::Bytes;
use posthaste_mime::{Attachment, ContentId, ContentType, Message, MessageBuilder};

use crate::wire;

fn kind() -> ContentType {
    ContentType::parse("application/x").unwrap()
}

fn held(data: &[u8]) -> Attachment {
    Attachment::new("large.bin", kind(), data.to_vec()).unwrap()
}

fn streamed(data: &[u8]) -> Attachment {
    Attachment::from_source("large.bin", kind(), Bytes::copy_from_slice(data)).unwrap()
}

fn message(builder: MessageBuilder, attach: fn(&[u8]) -> Attachment, data: &[u8]) -> Message {
    let logo = attach(b"logo").identified(ContentId::new("logo").unwrap());
    let builder = builder.subject("Large").text("text").html("<img src=\"cid:logo\">");
    builder
        .inline(logo)
        .attach(attach(data))
        .attach(attach(b"next"))
        .build()
        .unwrap()
}

#[test]
fn a_message_is_the_same_whether_its_attachments_are_held_or_read() {
    for len in [0, 1, 2, 3, 56, 57, 58, 47_879, 47_880, 47_881, 200_000] {
        let data: Vec<u8> = (0..len).map(|at: u32| at.to_le_bytes()[0] ^ 0x5a).collect();
        let expected = wire::bytes(&message(wire::builder(), held, &data));
        let streaming = message(wire::builder(), streamed, &data);
        assert_eq!(streaming.to_rope().len(), expected.len() as u64, "{len}");
        assert!(streaming.to_rope().in_memory().is_none());
        assert_eq!(wire::bytes(&streaming), expected, "{len}");
        assert_eq!(wire::bytes(&streaming), expected, "{len}, again");
    }
}

#[test]
fn what_a_prototype_streams_is_read_for_each_message() {
    let data = vec![7; 100_000];
    let prototype = wire::builder().attach(streamed(&data)).prepare().unwrap();
    assert_eq!(prototype.shared_chunks().count(), 0);
    for name in ["bob", "carol"] {
        let build = |builder: MessageBuilder| builder.text(name).build().unwrap();
        let made = wire::bytes(&build(prototype.message()));
        let plain = wire::bytes(&build(wire::builder().attach(held(&data))));
        assert_eq!(made.len(), plain.len());
        let mark = "Content-Disposition: attachment";
        let attached = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let (_, part) = text.split_once(mark).unwrap();
            part.split("\r\n--").next().unwrap().to_owned()
        };
        assert_eq!(attached(&made), attached(&plain));
    }
}
