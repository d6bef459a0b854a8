use std::time::Duration;

use super::*;
use crate::testing::mail;
use crate::{MemoryTransport, Scripted, TransportExt};

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_waits_until_the_deadline_and_reaches_nobody() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::Hang(Disposition::NotAccepted));
    let transport = Arc::new(memory.clone().layer(ConcurrencyLimit::new(NonZeroU32::MIN)));
    let first = tokio::spawn({
        let transport = Arc::clone(&transport);
        async move {
            let options = SendOptions::new().with_deadline(Duration::from_secs(60));
            transport.send(&mail(&["bob@example.net"]), &options).await.map(|_| ())
        }
    });
    tokio::task::yield_now().await;
    let options = SendOptions::new().with_deadline(Duration::from_secs(10));
    let error = transport.send(&mail(&["zoe@example.net"]), &options).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition(), memory.attempts()),
        (ErrorKind::Timeout, Disposition::NotAccepted, 1)
    );
    let options = SendOptions::new().with_deadline(Duration::from_secs(100));
    assert!(transport.send(&mail(&["zoe@example.net"]), &options).await.is_ok());
    assert!(first.await.unwrap().is_err());
    assert_eq!(memory.sent()[0].options().deadline(), Some(Duration::from_secs(50)));
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_gives_its_place_back() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::Hang(Disposition::NotAccepted));
    let transport = memory.clone().layer(ConcurrencyLimit::new(NonZeroU32::MIN));
    let (mail, options) = (mail(&["bob@example.net"]), SendOptions::new());
    assert!(
        tokio::time::timeout(Duration::from_secs(1), transport.send(&mail, &options))
            .await
            .is_err()
    );
    assert!(transport.send(&mail, &options).await.is_ok());
    assert_eq!(transport.into_inner().sent().len(), 1);
}
