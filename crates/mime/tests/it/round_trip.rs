//! Whatever goes in comes out of an independent parser.

use mail_parser::{Address, MessageParser, MimeHeaders as _};
use posthaste_address::Mailbox;
use posthaste_mime::{Attachment, ContentType, FileName, HeaderName, HeaderValue};
use proptest::prelude::*;

use crate::wire;

/// Text as people write it, with what is hard to carry mixed in.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9]{1,12}",
        2 => Just(" ".to_owned()),
        1 => Just("  ".to_owned()),
        1 => Just("=?utf-8?Q?x=0D=0ABcc:_v?=".to_owned()),
        1 => Just("=?".to_owned()),
        1 => "[!-~]{1,8}",
        1 => "[äöüßéñ日本語🎉🏳️]{1,9}",
        1 => "[a-z]{60,120}",
        1 => "\\PC{1,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn wild() -> impl Strategy<Value = String> {
    prop_oneof![3 => text(), 1 => "[ -~\t]{0,80}", 1 => "\\PC{0,40}", 1 => any::<String>()]
}

fn is_refused(text: &str) -> bool {
    text.chars()
        .any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn subjects(subject in wild()) {
        match wire::builder().subject(subject.clone()).text("body").build() {
            Ok(message) => {
                let bytes = wire::bytes(&message);
                prop_assert_eq!(wire::text_of(&bytes, "Subject"), subject);
                let parsed = MessageParser::default().parse(&bytes).unwrap();
                prop_assert_eq!(parsed.body_text(0).unwrap(), "body");
            }
            Err(error) => {
                prop_assert!(is_refused(&subject), "{}", error);
                prop_assert_eq!(error.problems()[0].field(), "Subject");
            }
        }
    }

    #[test]
    fn header_values(value in wild()) {
        let Ok(header) = HeaderValue::new(value.clone()) else {
            prop_assert!(is_refused(&value));
            return Ok(());
        };
        let message = wire::builder().header(HeaderName::new("X-Free").unwrap(), header).build().unwrap();
        prop_assert_eq!(wire::text_of(&wire::bytes(&message), "X-Free"), value);
    }

    #[test]
    fn display_names(name in wild()) {
        let Ok(mailbox) = Mailbox::with_name(name.clone(), "a@example.org".parse().unwrap()) else { return Ok(()) };
        let name = mailbox.name().unwrap_or_default().to_owned();
        let Ok(message) = wire::builder().cc(mailbox).build() else {
            prop_assert!(is_refused(&name));
            return Ok(());
        };
        let bytes = wire::bytes(&message);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let Some(Address::List(list)) = parsed.cc() else { panic!("no list") };
        prop_assert_eq!(list.len(), 1);
        prop_assert_eq!(list[0].name.as_deref().unwrap_or_default(), name);
        prop_assert_eq!(list[0].address.as_deref(), Some("a@example.org"));
    }

    #[test]
    fn file_names(name in wild()) {
        let kind = ContentType::parse("application/octet-stream").unwrap();
        let safe = FileName::safe_basename(&name);
        prop_assert!(!safe.is_empty() && safe.len() <= 255 && !safe.contains(['/', '\\', '\0']));
        prop_assert!(safe != "." && safe != "..");
        let Ok(attachment) = Attachment::new(name.clone(), kind, vec![1, 2, 3]) else {
            prop_assert!(name.is_empty() || is_refused(&name) || name.contains('\t') || name.len() > 1024);
            return Ok(());
        };
        let bytes = wire::bytes(&wire::builder().attach(attachment).build().unwrap());
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        prop_assert_eq!(parsed.attachment(0).unwrap().attachment_name(), Some(name.as_str()));
    }

    #[test]
    fn bodies(body in prop_oneof![any::<String>(), text(), "([ -~]{0,100}[\r\n]{0,3}){0,8}", "[ \t\r\n.=-]{0,40}"]) {
        let expected = body.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        let data = body.clone().into_bytes();
        let attachment = Attachment::new("x", ContentType::parse("text/plain").unwrap(), data.clone()).unwrap();
        for with_html in [false, true] {
            let mut builder = wire::builder().text(body.clone());
            if with_html {
                builder = builder.html(body.clone()).attach(attachment.clone());
            }
            let bytes = wire::bytes(&builder.build().unwrap());
            let parsed = MessageParser::default().parse(&bytes).unwrap();
            prop_assert_eq!(parsed.body_text(0).unwrap(), expected.as_str());
            if with_html {
                prop_assert_eq!(parsed.body_html(0).unwrap(), expected.as_str());
                prop_assert_eq!(parsed.attachment(0).unwrap().contents(), data.as_slice());
            }
        }
    }

    #[test]
    fn binary_attachments(data in prop::collection::vec(any::<u8>(), 0..4000)) {
        let kind = ContentType::parse("application/octet-stream").unwrap();
        let attachment = Attachment::new("x.bin", kind, data.clone()).unwrap();
        let bytes = wire::bytes(&wire::builder().text("t").attach(attachment).build().unwrap());
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        prop_assert_eq!(parsed.attachment(0).unwrap().contents(), data.as_slice());
    }

    #[test]
    fn content_types(text in wild()) {
        if let Ok(kind) = ContentType::parse(&text) {
            prop_assert_eq!(ContentType::parse(&kind.to_string()), Ok(kind));
        }
    }
}
