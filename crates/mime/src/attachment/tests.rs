use super::*;

fn kind(text: &str) -> ContentType {
    ContentType::parse(text).unwrap()
}

fn chunk(attachment: &Attachment) -> &Bytes {
    attachment.encoded_in_memory().unwrap().1
}

#[test]
fn clones_share_what_was_encoded() {
    let first = Attachment::new("a", kind("image/png"), vec![1; 1000]).unwrap();
    let second = first.clone();
    assert_eq!(chunk(&first).as_ptr(), chunk(&second).as_ptr());
}

#[test]
fn messages_are_not_encoded() {
    let inner = Bytes::from_static(b"Subject: x\r\n\r\nhello\r\n");
    let attached = Attachment::new("a.eml", kind("message/rfc822"), inner.clone()).unwrap();
    assert_eq!(attached.encoded_in_memory(), Some((Transfer::SevenBit, &inner)));
    assert_eq!(chunk(&attached).as_ptr(), inner.as_ptr());
    let unix = Attachment::new("a.eml", kind("message/rfc822"), "Subject: x\n\nhello\n").unwrap();
    assert_eq!(chunk(&unix), &inner);
}

#[test]
fn messages_that_would_need_encoding_are_refused() {
    for data in ["Subject: é\r\n\r\n".to_owned(), "a\0".to_owned(), "x".repeat(999)] {
        assert!(Attachment::new("a.eml", kind("message/rfc822"), data.clone()).is_err());
        assert!(Attachment::new("a.eml", kind("message/global"), data).is_ok());
    }
    assert!(Attachment::new("a", kind("multipart/mixed"), "x").is_err());
}

#[test]
fn messages_are_attached_as_what_they_are() {
    let essence =
        |message: &'static str| Attachment::message("m.eml", message).map(|m| m.content_type().essence().to_owned());
    assert_eq!(essence("Subject: x\r\n\r\nhello").unwrap(), "message/rfc822");
    assert_eq!(essence("To: jörg@example.org\r\n\r\nhello").unwrap(), "message/global");
    assert_eq!(
        essence("Subject: x\r\n\r\nhéllo").unwrap_err().field(),
        "attachment content"
    );
    for message in [
        "A: b\r\nC: d\r\n\r\nbody\r\n\r\n",
        "A: b\nC: d\n\nbody",
        "A: b\r\nC: d\r\n",
    ] {
        let (header, body) = message.split_at(header_end(message.as_bytes()));
        assert!(header.lines().count() == 2 && !body.contains("C:"), "{header:?}");
    }
    assert_eq!(
        (header_end(b"\r\nbody"), header_end(b""), header_end(b"A: b")),
        (0, 0, 4)
    );
}

#[test]
fn the_length_is_known_before_it_is_encoded() {
    for len in [0, 1, 2, 3, 56, 57, 58, 114, 115, 1000] {
        let attachment = Attachment::new("a", kind("image/png"), vec![7; len]).unwrap();
        let before = attachment.encoded_len();
        assert_eq!(before, chunk(&attachment).len() as u64);
        assert_eq!(before, attachment.encoded_len());
    }
}

#[test]
fn data_is_there_or_can_be_read() {
    let read = |attachment: &Attachment| {
        let mut bytes = Vec::new();
        attachment.open().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let held = Attachment::new("a", kind("text/plain"), "hello").unwrap();
    let streamed = Attachment::from_source("a", kind("text/plain"), Bytes::from("hello")).unwrap();
    assert_eq!((held.len(), streamed.len()), (5, 5));
    assert_eq!((read(&held), read(&streamed)), (b"hello".to_vec(), b"hello".to_vec()));
    assert!(held.data().is_some() && streamed.data().is_none());
}

#[test]
fn what_cannot_be_streamed_is_refused() {
    let source = || Bytes::from_static(b"Subject: x\r\n\r\n");
    for refused in ["message/rfc822", "message/delivery-status", "multipart/mixed"] {
        let error = Attachment::from_source("a", kind(refused), source()).unwrap_err();
        assert_eq!(error.field(), TYPE);
    }
    assert!(Attachment::from_source("a", kind("message/global"), source()).is_ok());
    assert!(Attachment::from_source("a\n", kind("text/plain"), source()).is_err());
}

#[test]
fn a_file_is_attached_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r\u{e9}sum\u{e9}.pdf");
    std::fs::write(&path, "%PDF").unwrap();
    let attachment = Attachment::from_file(&path, kind("application/pdf")).unwrap();
    assert_eq!(attachment.file_name().unwrap().as_str(), "r\u{e9}sum\u{e9}.pdf");
    assert_eq!(attachment.len(), 4);
    let missing = Attachment::from_file(folder.path().join("none"), kind("application/pdf")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let refused = Attachment::from_file(&path, kind("multipart/mixed")).unwrap_err();
    assert!(refused.get_ref().is_some_and(|inner| inner.is::<HeaderError>()));
}

#[test]
fn debug_shows_no_data() {
    let attachment = Attachment::new("a.txt", kind("text/plain"), "secret").unwrap();
    assert!(!format!("{attachment:?}").contains("secret"));
    let streamed = Attachment::from_source("a.txt", kind("text/plain"), Bytes::from("secret")).unwrap();
    assert!(!format!("{streamed:?}").contains("secret"));
}

#[test]
fn the_length_of_a_message_encodes_nothing() {
    let attachment = Attachment::new("a", kind("image/png"), vec![1; 1000]).unwrap();
    let message = crate::Message::builder()
        .from("ada@example.org".parse().unwrap())
        .attach(attachment.clone());
    let message = message.build().unwrap();
    let length = message.encoded_len();
    let Content::Held(held) = &attachment.content else {
        panic!("it is held")
    };
    assert!(held.encoded.get().is_none());
    assert_eq!(length, message.to_rope().len());
    assert!(held.encoded.get().is_some());
}
