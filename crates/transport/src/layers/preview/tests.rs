use std::time::Duration;

use posthaste_mime::{Attachment, ContentType, Message};
use proptest::prelude::*;

use super::*;
use crate::testing::{Generated, mail, streaming};
use crate::{ErrorKind, MemoryTransport, Outbound, SendOptions, TransportExt};

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_secs(1)
    }
}

fn hostile() -> Outbound {
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let message = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("<script>alert(1)</script>")
        .text("</pre><script>alert(2)</script>")
        .html(
            "<p>Hi</p><script>alert(3)</script><img src=\"https://tracker.example/x.png\">\
             <LINK rel=preconnect href=https://tracker.example><iframe src=https://tracker.example/></IFRAME>",
        )
        .attach(Attachment::new("<b>.bin", kind, "12345").unwrap())
        .build()
        .unwrap();
    Outbound::new(message).unwrap()
}

#[tokio::test]
async fn a_page_shows_all_of_it_and_lets_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryTransport::new();
    let preview = Preview::new(folder.path().join("mails")).with_clock(Arc::new(Fixed));
    let transport = memory.clone().layer(preview);
    for _ in 0..2 {
        assert!(transport.send(&hostile(), &SendOptions::new()).await.is_ok());
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join("mails").join(name)).unwrap();
    let page = read("1000-0.html");
    for part in [
        "Content-Security-Policy",
        "default-src 'none'",
        "<iframe sandbox=\"\" srcdoc=\"&lt;meta http-equiv=&quot;x-dns-prefetch-control",
        "&gt;&lt;p&gt;Hi",
        "&lt;x-LINK rel=preconnect",
        "&lt;x-iframe src=https://tracker.example/&gt;&lt;/x-IFRAME",
        "&lt;script&gt;alert(1)",
        "&lt;/pre&gt;&lt;script&gt;alert(2)",
        "5 octets",
        "bob@example.net",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("<img"));
    let index = read("index.html");
    assert!(
        index.contains("href=\"1000-0.html\"") && index.contains("href=\"1000-1.html\""),
        "{index}"
    );
    assert!(!index.contains("<script"));
    assert_eq!(memory.sent().len(), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn pages_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let transport = MemoryTransport::new().layer(Preview::new(folder.path()));
    assert!(
        transport
            .send(&mail(&["bob@example.net"]), &SendOptions::new())
            .await
            .is_ok()
    );
    for file in std::fs::read_dir(folder.path()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}

#[tokio::test]
async fn what_cannot_be_written_or_read_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let memory = MemoryTransport::new();
    let error = memory
        .clone()
        .layer(Preview::new(&file))
        .send(&mail(&["bob@example.net"]), &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let gone = streaming(Generated::new(200_000).failing_at(100_000));
    let error = memory
        .clone()
        .layer(Preview::new(folder.path()))
        .send(&gone, &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), memory.attempts()), (ErrorKind::Unreadable, 0));
}

proptest! {
    #[test]
    fn what_is_escaped_holds_nothing_that_ends_text_or_attribute(text in any::<String>()) {
        let escaped = page::escape(&text);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'', '\0']));
    }
}
