//! One entry, one message.

use posthaste_campaign::{Campaign, CampaignError, Entry, EntryError};
use posthaste_mime::{HeaderName, HeaderValue, ListUnsubscribe, Message};
use posthaste_transport::{Outbound, SendOptions};
use serde_json::json;

use crate::{campaign, constant, entry, pdf, template};

fn text(mail: &Outbound) -> String {
    String::from_utf8(mail.rope().to_bytes().unwrap().to_vec()).unwrap()
}

#[test]
fn what_is_common_and_what_is_own_stand_in_one_message() {
    let campaign = campaign().prepare().unwrap();
    let own = entry(1)
        .cc("Carol <carol@example.net>".parse().unwrap())
        .bcc("eve@example.net".parse().unwrap())
        .header(HeaderName::new("X-Customer").unwrap(), HeaderValue::new("1").unwrap())
        .list_unsubscribe(
            ListUnsubscribe::new(["https://example.org/u/1"])
                .unwrap()
                .one_click()
                .unwrap(),
        )
        .message_id("one@example.org".parse().unwrap())
        .attach(pdf("bill.pdf", 10));
    let mail = campaign.render(&own).unwrap();
    let bytes = text(&mail);
    let parsed = mail_parser::MessageParser::new().parse(bytes.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some("Hello Customer 1"));
    assert_eq!(parsed.message_id(), Some("one@example.org"));
    assert_eq!(
        parsed.body_text(0).unwrap().trim_end(),
        "Example & Co says hello to Customer 1."
    );
    assert!(parsed.body_html(0).unwrap().contains("Example &amp; Co"));
    assert_eq!(parsed.attachment_count(), 2);
    assert_eq!(mail.envelope().recipients().len(), 3);
    for expected in [
        "X-Customer: 1\r\n",
        "List-Unsubscribe: <https://example.org/u/1>\r\n",
        "Carol",
    ] {
        assert!(bytes.contains(expected), "{expected}");
    }
    assert!(!bytes.contains("eve@"));
}

#[test]
fn an_entry_overrides_the_defaults_and_leaves_them_alone() {
    let campaign = campaign().prepare().unwrap();
    let other = entry(1).data(json!({"name": "Bob", "company": "Other"}));
    assert!(text(&campaign.render(&other).unwrap()).contains("Other says hello to Bob."));
    assert!(text(&campaign.render(&entry(2)).unwrap()).contains("Example & Co says hello to Customer 2."));
}

#[test]
fn bounces_go_where_the_entry_or_the_campaign_says() {
    let mail_from = |mail: Outbound| mail.envelope().mail_from().unwrap().to_string();
    let plain = campaign().prepare().unwrap();
    assert_eq!(mail_from(plain.render(&entry(1)).unwrap()), "ada@example.org");
    let own = campaign()
        .mail_from("bounces@example.org".parse().unwrap())
        .prepare()
        .unwrap();
    assert_eq!(mail_from(own.render(&entry(1)).unwrap()), "bounces@example.org");
    let verp = entry(1).mail_from("bounces+1@example.org".parse().unwrap());
    assert_eq!(mail_from(own.render(&verp).unwrap()), "bounces+1@example.org");
}

#[test]
fn what_is_wrong_with_an_entry_is_named() {
    let campaign = campaign().prepare().unwrap();
    let error = campaign.render(&entry(1).data(json!({}))).unwrap_err();
    let EntryError::Render(missing) = &error else {
        panic!("{error}");
    };
    assert_eq!(missing.missing().len(), 3);
    let error = campaign.render(&entry(1).data(json!(["name"]))).unwrap_err();
    assert!(matches!(error, EntryError::Data));
    // The template makes one line of a subject.
    let hostile = campaign.render(&entry(1).data(json!({"name": "x\r\nBcc: y"}))).unwrap();
    let header = text(&hostile).split_once("\r\n\r\n").unwrap().0.to_owned();
    assert!(header.contains("Subject: Hello x Bcc: y\r\n"), "{header}");
    let reserved = entry(1).header(HeaderName::new("Bcc").unwrap(), HeaderValue::new("x").unwrap());
    assert!(matches!(campaign.render(&reserved).unwrap_err(), EntryError::Build(_)));
}

#[test]
fn a_campaign_that_cannot_be_is_refused_at_once() {
    let error = campaign().defaults(json!([])).prepare().unwrap_err();
    assert!(matches!(error, CampaignError::Data));
    let error = campaign().message(constant().subject("a\nb")).prepare().unwrap_err();
    assert!(error.to_string().contains("Subject"), "{error}");
}

#[test]
fn a_campaign_without_an_author_fails_entry_by_entry() {
    let campaign = Campaign::builder(template())
        .message(Message::builder())
        .prepare()
        .unwrap();
    let error = campaign
        .render(&entry(1).data(json!({"name": "x", "company": "y"})))
        .unwrap_err();
    assert!(error.to_string().contains("From is missing"), "{error}");
}

#[test]
fn attachments_are_shared_by_all_messages() {
    let campaign = campaign().prepare().unwrap();
    let shared: Vec<_> = campaign
        .prototype()
        .shared_chunks()
        .map(|chunk| chunk.as_ptr())
        .collect();
    for number in 0..3 {
        let rope = campaign.render(&entry(number)).unwrap().rope();
        let chunks: Vec<_> = rope.in_memory().unwrap().map(|chunk| chunk.as_ptr()).collect();
        assert!(shared.iter().all(|pointer| chunks.contains(pointer)));
    }
}

#[test]
fn debug_shows_no_data() {
    let entry = Entry::new("bob@example.net".parse().unwrap())
        .data(json!({"password": "sesame"}))
        .options(SendOptions::new());
    assert!(!format!("{entry:?}").contains("sesame"), "{entry:?}");
    let campaign = campaign().defaults(json!({"password": "sesame"})).prepare().unwrap();
    assert!(!format!("{campaign:?}").contains("sesame"), "{campaign:?}");
}
