use super::*;
use crate::testing::mail;
use crate::{MemoryTransport, Scripted, TransportExt};

#[tokio::test]
async fn the_last_sends_are_kept_with_what_became_of_them() {
    let (memory, capture) = (MemoryTransport::new(), Capture::new(2));
    let transport = memory.clone().layer(capture.clone());
    memory.answer(Scripted::Accept);
    memory.answer(Scripted::LoseAnswer);
    for address in ["bob@example.net", "zoe@example.net", "mia@example.net"] {
        let _ = transport.send(&mail(&[address]), &SendOptions::new()).await;
    }
    let passed = capture.passed();
    let locals: Vec<_> = passed
        .iter()
        .map(|passed| {
            passed.mail().envelope().recipients()[0]
                .address()
                .local_part()
                .to_owned()
        })
        .collect();
    assert_eq!(locals, ["zoe", "mia"]);
    assert_eq!(
        passed[0].error(),
        Some((ErrorKind::Unavailable, Disposition::Ambiguous))
    );
    assert!(passed[1].outcome().is_some_and(Outcome::is_complete) && passed[1].error().is_none());
    capture.clear();
    assert!(capture.passed().is_empty());
    assert!(
        transport
            .send(&mail(&["bob@example.net"]), &SendOptions::new())
            .await
            .is_ok()
    );
    assert!(capture.passed()[0].is_over());
}

#[tokio::test]
async fn a_send_that_is_dropped_is_not_over() {
    let (memory, capture) = (MemoryTransport::new(), Capture::new(2));
    memory.answer(Scripted::Hang(Disposition::Ambiguous));
    let transport = memory.layer(capture.clone());
    let (mail, options) = (mail(&["bob@example.net"]), SendOptions::new());
    let mut send = transport.send(&mail, &options);
    std::future::poll_fn(|context| {
        assert!(send.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(send);
    assert!(!capture.passed()[0].is_over());
}
