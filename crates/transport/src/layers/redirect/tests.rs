use super::*;
use crate::testing::mail;
use crate::{Capabilities, MemoryTransport, Refusal, Scripted, TransportExt};

fn redirect() -> Redirect {
    Redirect::to(["tester@example.org".parse().unwrap()]).with_allowed_domain("example.com".parse().unwrap())
}

fn sent_to(memory: &MemoryTransport) -> Vec<String> {
    let recipients = |mail: &crate::Captured| mail.accepted().iter().map(ToString::to_string).collect::<Vec<_>>();
    memory.sent().iter().flat_map(recipients).collect()
}

#[tokio::test]
async fn real_recipients_are_replaced_and_told_of() {
    let memory = MemoryTransport::new();
    let transport = memory.clone().layer(redirect());
    let mail = mail(&["bob@example.net", "ann@example.com", "zoe@example.net"]);
    let outcome = transport.send(&mail, &SendOptions::new()).await.unwrap();
    assert_eq!(sent_to(&memory), ["ann@example.com", "tester@example.org"]);
    let told: Vec<String> = outcome
        .recipients()
        .iter()
        .map(|one| one.address().to_string())
        .collect();
    assert_eq!(told, ["bob@example.net", "ann@example.com", "zoe@example.net"]);
    assert!(outcome.is_complete());
    assert_eq!(outcome.message_id(), mail.message_id());
    let bytes = memory.sent()[0].rope().to_bytes().unwrap();
    let fields = b"X-Original-Recipient: bob@example.net\r\nX-Original-Recipient: zoe@example.net\r\n";
    assert!(bytes.starts_with(fields));
    assert!(bytes.ends_with(&mail.rope().to_bytes().unwrap()));
}

#[tokio::test]
async fn those_who_may_pass_are_left_alone() {
    let memory = MemoryTransport::new();
    let transport = memory.clone().layer(redirect());
    assert!(
        transport
            .send(&mail(&["ann@example.com"]), &SendOptions::new())
            .await
            .is_ok()
    );
    assert!(memory.sent()[0].mail().message().is_some());
    // A subdomain is another domain.
    assert!(
        transport
            .send(&mail(&["ann@sub.example.com"]), &SendOptions::new())
            .await
            .is_ok()
    );
    assert_eq!(sent_to(&memory), ["ann@example.com", "tester@example.org"]);
}

#[tokio::test]
async fn what_the_tester_meets_is_told_of_the_real_recipient() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::Refuse(vec![(
        "tester@example.org".parse().unwrap(),
        Refusal::permanent(),
    )]));
    memory.answer(Scripted::RefuseAll(Refusal::transient()));
    let transport = memory.clone().layer(redirect());
    let both = mail(&["bob@example.net", "ann@example.com"]);
    let outcome = transport.send(&both, &SendOptions::new()).await.unwrap();
    let refused: Vec<_> = outcome.refused().map(|(address, _)| address.to_string()).collect();
    assert_eq!(refused, ["bob@example.net"]);
    let error = transport.send(&both, &SendOptions::new()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
    let told = error.outcome().unwrap();
    assert_eq!(told.recipients()[0].address().to_string(), "bob@example.net");
    assert_eq!(told.refused().count(), 2);
}

#[tokio::test]
async fn nothing_goes_where_it_could_reach_real_people() {
    let fields = TransportInfo::new("fields", Capabilities::none());
    let memory = MemoryTransport::new().with_info(fields);
    let bob = mail(&["bob@example.net"]);
    let error = memory
        .clone()
        .layer(redirect())
        .send(&bob, &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let nobody = Redirect::to([]);
    let error = memory
        .clone()
        .layer(nobody)
        .send(&bob, &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(memory.attempts(), 0);
}

#[tokio::test]
async fn a_header_section_stays_ascii_and_whole() {
    let memory = MemoryTransport::new();
    let transport = memory.clone().layer(redirect());
    let mail = mail(&["j\u{f6}rg@example.net"]);
    assert!(transport.send(&mail, &SendOptions::new()).await.is_ok());
    let bytes = memory.sent()[0].rope().to_bytes().unwrap();
    assert!(bytes.starts_with(b"X-Original-Recipient: j\\u{f6}rg@example.net\r\n"));
}
