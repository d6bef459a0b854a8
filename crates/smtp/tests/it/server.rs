//! What the server makes of clients that behave badly, and how it stops.

use std::time::Duration;

use posthaste_smtp::server::Limits;
use posthaste_transport::{SendOptions, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::postbox::{Postbox, Running, mail, soon};
use crate::talker::Client;

#[tokio::test(start_paused = true)]
async fn commands_have_their_order() {
    let postbox = Postbox::default();
    let mut client = Client::connect(postbox.server());
    assert_eq!(client.code().await, 220);
    client
        .check(&[
            ("MAIL FROM:<a@b.example>", 503),
            ("EHLO c.example", 250),
            ("RCPT TO:<c@d.example>", 503),
            ("DATA", 503),
            ("MAIL FROM:<a@b.example>", 250),
            ("MAIL FROM:<a@b.example>", 503),
            ("DATA", 554),
            ("RCPT TO:<nobody@d.example>", 550),
            ("DATA", 554),
            ("RCPT TO:<Postmaster>", 250),
            ("RSET", 250),
            ("RCPT TO:<c@d.example>", 503),
            ("MAIL FROM:<a@b.example> RET=HDRS", 555),
            ("MAIL FROM:<a@b.example> REQUIRETLS", 555),
            ("MAIL FROM:<a@b.example> BODY=BINARYMIME", 501),
            ("MAIL FROM:<>", 250),
            ("RCPT TO:<c\u{f6}c@d.example>", 553),
            ("STARTTLS", 502),
            ("AUTH PLAIN", 502),
            ("EXPN list", 502),
            ("VRFY c", 252),
            ("QUIT", 221),
        ])
        .await;
    assert_eq!(client.code().await, 0);
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let postbox = Postbox::default();
    let mut client = Client::greeted(postbox.server()).await;
    client
        .write(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@d.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        .await;
    for code in [250, 550, 250, 354] {
        assert_eq!(client.code().await, code);
    }
    client.write(b"From: a@b.example\r\n\r\ntext\r\n.\r\nNOOP\r\n").await;
    assert_eq!((client.code().await, client.code().await), (250, 250));
    assert_eq!(postbox.messages().len(), 1);
}

#[tokio::test]
async fn a_client_that_sends_its_message_before_it_may_is_hung_up_on() {
    let postbox = Postbox::default();
    let mut client = Client::greeted(postbox.server()).await;
    client
        .check(&[("MAIL FROM:<a@b.example>", 250), ("RCPT TO:<c@d.example>", 250)])
        .await;
    client.write(b"DATA\r\nFrom: a@b.example\r\n\r\ntext\r\n.\r\n").await;
    assert_eq!((client.code().await, client.code().await), (503, 0));
    assert!(postbox.messages().is_empty());
}

#[tokio::test]
async fn http_is_hung_up_on() {
    for request in [
        "GET / HTTP/1.1",
        "POST /x HTTP/1.1",
        "Host: mx.example.net",
        "CONNECT a:25 HTTP/1.1",
    ] {
        let mut client = Client::connect(Postbox::default().server());
        assert_eq!(client.code().await, 220);
        client
            .write(format!("{request}\r\nMAIL FROM:<a@b.example>\r\n").as_bytes())
            .await;
        assert_eq!((client.code().await, client.code().await), (500, 0), "{request}");
    }
}

#[tokio::test]
async fn messages_come_whole_or_not_at_all() {
    let postbox = Postbox::default();
    let mut client = Client::in_data(postbox.server().limits(Limits::default().message_size(1000))).await;
    for piece in ["From: a@b.example\r\n\r\n..dot\r", "\n.", ".\r\n", ".", "\r", "\n"] {
        client.write(piece.as_bytes()).await;
    }
    assert_eq!(client.code().await, 250);
    assert_eq!(
        &postbox.messages()[0].content()[..],
        b"From: a@b.example\r\n\r\n.dot\r\n.\r\n"
    );

    client
        .check(&[
            ("MAIL FROM:<a@b.example> SIZE=1001", 552),
            ("MAIL FROM:<a@b.example>", 250),
        ])
        .await;
    client.check(&[("RCPT TO:<c@d.example>", 250), ("DATA", 354)]).await;
    client.write(&b"0123456789\r\n".repeat(100)).await;
    client.write(b".\r\n").await;
    assert_eq!(client.code().await, 552);
    client
        .check(&[
            ("MAIL FROM:<a@b.example>", 250),
            ("RCPT TO:<c@d.example>", 250),
            ("DATA", 354),
        ])
        .await;
    client.write(b"text\nmore\r\n.\r\n").await;
    assert_eq!((client.code().await, client.code().await), (554, 0));
    assert_eq!(postbox.messages().len(), 1);
}

#[tokio::test]
async fn chunks_are_counted_not_searched() {
    let postbox = Postbox::default();
    let mut client = Client::greeted(postbox.server().limits(Limits::default().message_size(100))).await;
    client
        .check(&[("MAIL FROM:<a@b.example>", 250), ("RCPT TO:<c@d.example>", 250)])
        .await;
    client
        .write(b"BDAT 21\r\nFrom: a@b.example\r\n\r\nBDAT 12 LAST\r\nQUIT\r\n.\r\n.\r\nQUIT\r\n")
        .await;
    assert_eq!(
        (client.code().await, client.code().await, client.code().await),
        (250, 250, 221)
    );
    assert_eq!(
        &postbox.messages()[0].content()[..],
        b"From: a@b.example\r\n\r\nQUIT\r\n.\r\n.\r\n"
    );
}

#[tokio::test]
async fn chunks_have_their_limits() {
    let postbox = Postbox::default();
    let mut client = Client::greeted(postbox.server().limits(Limits::default().message_size(100))).await;
    client.write(b"BDAT 6\r\nQUIT\r\n").await;
    assert_eq!(client.code().await, 503);
    client
        .check(&[("MAIL FROM:<a@b.example>", 250), ("RCPT TO:<c@d.example>", 250)])
        .await;
    client.write(&[b"BDAT 80\r\n", &[b'x'; 80][..]].concat()).await;
    assert_eq!(client.code().await, 250);
    client.check(&[("DATA", 503), ("RCPT TO:<c@d.example>", 503)]).await;
    client.write(&[b"BDAT 80 LAST\r\n", &[b'x'; 80][..]].concat()).await;
    assert_eq!(client.code().await, 552);
    client
        .check(&[("MAIL FROM:<a@b.example>", 250), ("RCPT TO:<c@d.example>", 250)])
        .await;
    client.write(b"BDAT 5 LAST\r\na\nb\r\n").await;
    assert_eq!((client.code().await, client.code().await), (554, 0));
    let mut client = Client::greeted(postbox.server()).await;
    assert_eq!(client.say("BDAT 18446744073709551615").await, 552);
    assert_eq!(client.code().await, 0);
    assert!(postbox.messages().is_empty());
}

#[tokio::test]
async fn floods_end() {
    let limits = || Limits::default().idle_commands(10).errors(5).recipients(3);
    for command in ["NOOP", "RSET", "EHLO c.example", "HELP", "VRFY x"] {
        let mut client = Client::greeted(Postbox::default().server().limits(limits())).await;
        let mut replies = 0;
        while client.say(command).await < 400 {
            replies += 1;
            assert!(replies < 15, "{command}");
        }
    }
    for command in ["XYZZY", "RCPT TO:<nobody@d.example>", "MAIL FROM:<", "\n\n"] {
        let mut client = Client::greeted(Postbox::default().server().limits(limits())).await;
        let mut replies = 0;
        while client.say(command).await != 421 {
            replies += 1;
            assert!(replies < 15, "{command}");
        }
    }
    let mut client = Client::greeted(Postbox::default().server().limits(limits())).await;
    client
        .check(&[("MAIL FROM:<a@b.example>", 250), ("RCPT TO:<1@d.example>", 250)])
        .await;
    client
        .check(&[
            ("RCPT TO:<2@d.example>", 250),
            ("RCPT TO:<3@d.example>", 250),
            ("RCPT TO:<4@d.example>", 452),
        ])
        .await;
    let mut replies = 0;
    while client.say("BDAT 0").await != 421 {
        replies += 1;
        assert!(replies < 15);
    }
}

#[tokio::test]
async fn recipients_beyond_the_limit_do_not_cost_the_others_their_message() {
    let limits = Limits::default().errors(5).recipients(3);
    let mut client = Client::greeted(Postbox::default().server().limits(limits)).await;
    assert_eq!(client.say("MAIL FROM:<a@b.example>").await, 250);
    for (count, code) in [(3, 250), (50, 452)] {
        for _ in 0..count {
            assert_eq!(client.say("RCPT TO:<c@d.example>").await, code);
        }
    }
    assert_eq!(client.say("DATA").await, 354);
    assert_eq!(client.say("\r\n.").await, 250);
    assert_eq!(client.say("MAIL FROM:<a@b.example>").await, 250);
    let mut refused = 0;
    while client.say("RCPT TO:<c@d.example>").await != 421 {
        refused += 1;
        assert!(refused < 2000);
    }
}

#[tokio::test]
async fn a_line_without_end_is_hung_up_on() {
    let mut client = Client::greeted(Postbox::default().server()).await;
    let flood = tokio::spawn(async move {
        while client.stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        client.code().await
    });
    // The pipe breaks when the server hangs up; its last words may be lost with it.
    assert!(matches!(soon(flood).await.unwrap(), 0 | 500));
}

#[tokio::test(start_paused = true)]
async fn silent_clients_are_told_to_go() {
    let mut client = Client::greeted(
        Postbox::default()
            .server()
            .limits(Limits::default().idle(Duration::from_secs(9))),
    )
    .await;
    let start = tokio::time::Instant::now();
    assert_eq!((client.code().await, client.code().await), (421, 0));
    assert_eq!(start.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn slow_clients_have_an_end() {
    let limits = Limits::default().session(Duration::from_secs(600));
    let mut client = Client::in_data(Postbox::default().server().limits(limits)).await;
    let start = tokio::time::Instant::now();
    while client.stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    assert!((600..640).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn limits_may_be_endless() {
    let limits = Limits::default()
        .idle(Duration::MAX)
        .session(Duration::MAX)
        .handler(Duration::MAX);
    let mut client = Client::in_data(Postbox::default().server().limits(limits)).await;
    client.write(b"From: a@b.example\r\n\r\n.\r\n").await;
    assert_eq!(client.code().await, 250);
}

#[tokio::test]
async fn connections_are_counted() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server().limits(Limits::default().connections_per_ip(2))).await;
    let connect = || async {
        let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
        let mut line = [0; 3];
        soon(stream.read_exact(&mut line)).await.unwrap();
        (String::from_utf8_lossy(&line).into_owned(), stream)
    };
    let (first, second, third) = (connect().await, connect().await, connect().await);
    assert_eq!(
        (first.0.as_str(), second.0.as_str(), third.0.as_str()),
        ("220", "220", "421")
    );
    drop(first);
    // The place becomes free as soon as the server has seen the connection end.
    let mut again = connect().await;
    while again.0 != "220" {
        again = connect().await;
    }
    drop((second, again));
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_fails_hurts_only_its_connection() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server()).await;
    let client = running.client().build().unwrap();
    let send = |to: &'static str| {
        let client = &client;
        async move { soon(client.send(&mail(&[to], "text\r\n"), &SendOptions::new())).await }
    };
    send("shout@example.net").await.unwrap_err();
    assert!(send("bob@example.net").await.unwrap().is_complete());
    running.stop().await;
}

#[tokio::test]
async fn stopping_finishes_what_was_begun() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server()).await;
    let mut busy = tokio::net::TcpStream::connect(running.address).await.unwrap();
    let mut idle = tokio::net::TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        .await
        .unwrap();
    let mut said = Vec::new();
    while !said.windows(4).any(|window| window == b"354 ") {
        soon(busy.read_buf(&mut said)).await.unwrap();
    }
    let address = running.address;
    let stopping = tokio::spawn(running.stop());
    let mut words = String::new();
    soon(idle.read_to_string(&mut words)).await.unwrap();
    assert!(words.contains("\r\n421 "), "{words}");
    busy.write_all(b"From: a@b.example\r\n\r\ntext\r\n.\r\n").await.unwrap();
    let mut end = String::new();
    soon(busy.read_to_string(&mut end)).await.unwrap();
    assert!(end.contains("250 2.0.0") && end.contains("\r\n421 "), "{end}");
    soon(stopping).await.unwrap();
    assert_eq!(postbox.messages().len(), 1);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn who_does_not_finish_in_time_is_cut_off() {
    let postbox = Postbox::default();
    let limits = Limits::default().grace(Duration::from_millis(20));
    let running = Running::start(postbox.server().limits(limits)).await;
    let mut busy = tokio::net::TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        .await
        .unwrap();
    let mut said = Vec::new();
    while !said.windows(4).any(|window| window == b"354 ") {
        soon(busy.read_buf(&mut said)).await.unwrap();
    }
    soon(running.stop()).await;
    let mut end = Vec::new();
    let _ = soon(busy.read_to_end(&mut end)).await;
    assert!(end.is_empty() && postbox.messages().is_empty());
}
