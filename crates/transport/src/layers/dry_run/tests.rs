use super::*;
use crate::testing::{Generated, mail, streaming};
use crate::{Capabilities, MemoryTransport, TransportExt};

#[tokio::test]
async fn nothing_is_sent_and_what_would_fail_fails() {
    let memory = MemoryTransport::new().with_info(TransportInfo::new("small", Capabilities::wire()));
    let transport = memory.clone().layer(DryRun::new());
    let bob = mail(&["bob@example.net"]);
    assert!(transport.send(&bob, &SendOptions::new()).await.unwrap().is_complete());

    let tagged = SendOptions::new().with_tag("welcome").unwrap();
    let error = transport.send(&bob, &tagged).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);

    let gone = streaming(Generated::new(200_000).failing_at(100_000));
    let error = transport.send(&gone, &SendOptions::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unreadable, Disposition::NotAccepted)
    );
    assert_eq!((memory.attempts(), transport.into_inner().sent().len()), (0, 0));
}
