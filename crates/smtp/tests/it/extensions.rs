//! LMTP, limits, and wishes that only some servers can fulfil.

use std::error::Error as _;
use std::time::{Duration, UNIX_EPOCH};

use posthaste_address::Envelope;
use posthaste_smtp::server::{Limits, Server};
use posthaste_smtp::{ConfigError, DeliverBy, SmtpConfig, SmtpError, Tls};
use posthaste_transport::{Disposition, ErrorKind, Fate, Outcome, Retry, SendError, SendOptions, Transport};

use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
use crate::peer::Peer;
use crate::postbox::{Postbox, Running, address, raw, soon};
use crate::sink::Sink;

async fn send(config: SmtpConfig, to: &[&str], options: &SendOptions) -> Result<Outcome, SendError> {
    let client = config.build().unwrap();
    let envelope = Envelope::new(Some(address("ada@example.org")), to.iter().map(|to| address(to))).unwrap();
    soon(client.send(&raw(envelope, "text\r\n"), options)).await
}

fn fates(outcome: &Outcome) -> Vec<&'static str> {
    let fates = outcome.recipients().iter().map(|recipient| match recipient.fate() {
        Fate::Accepted => "yes",
        Fate::Refused(refusal) if refusal.is_transient() => "later",
        Fate::Refused(_) => "no",
        _ => "unknown",
    });
    fates.collect()
}

#[tokio::test]
async fn lmtp_tells_of_each_recipient() {
    let to = ["bob@x.example", "nobody@x.example", "full@x.example", "zoe@x.example"];
    for extensions in ["", "\r\n250-PIPELINING", "\r\n250-PIPELINING\r\n250-CHUNKING"] {
        let sink = Sink::start(extensions, None).await;
        let outcome = send(sink.client().lmtp(true), &to, &SendOptions::new()).await.unwrap();
        assert_eq!(fates(&outcome), ["yes", "no", "later", "yes"]);
        let taken = sink.book.recipients.lock().unwrap().clone();
        assert_eq!(taken, [["RCPT TO:<bob@x.example>", "RCPT TO:<zoe@x.example>"]]);

        // The next message is not confused by the replies to this one.
        let client = sink.client().lmtp(true).connections(1).build().unwrap();
        let envelope = |to: &[&str]| Envelope::new(Some(address("ada@example.org")), to.iter().map(|to| address(to)));
        let first = raw(envelope(&to).unwrap(), "1\r\n");
        let second = raw(envelope(&["full@x.example"]).unwrap(), "2\r\n");
        let third = raw(envelope(&["zoe@x.example", "bob@x.example"]).unwrap(), "3\r\n");
        let options = SendOptions::new();
        let sends = async {
            tokio::join!(
                client.send(&first, &options),
                client.send(&second, &options),
                client.send(&third, &options)
            )
        };
        let (first, second, third) = soon(sends).await;
        assert_eq!(fates(&first.unwrap()), ["yes", "no", "later", "yes"]);
        let second = second.unwrap_err();
        assert_eq!(
            (second.disposition(), second.retry()),
            (Disposition::NotAccepted, Retry::Safe)
        );
        assert_eq!(fates(&third.unwrap()), ["yes", "yes"]);
    }
}

#[tokio::test]
async fn an_lmtp_server_that_dies_between_its_replies_leaves_the_others_in_doubt() {
    let peer = Peer::start(vec![vec![
        Say("220 hi\r\n"),
        Read(1),
        Say("250-hi\r\n250 PIPELINING\r\n"),
        Read(5),
        Say("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n"),
        ReadMessage,
        Say("250 2.1.5 ok\r\n"),
    ]])
    .await;
    let to = ["bob@x.example", "nobody@x.example", "zoe@x.example"];
    let error = send(peer.client().lmtp(true), &to, &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::Partial);
    assert_eq!(fates(error.outcome().unwrap()), ["yes", "no", "unknown"]);
    assert_eq!(peer.count("LHLO"), 1);
}

#[tokio::test]
async fn our_own_server_speaks_it_too() {
    let postbox = Postbox::default();
    let server = Server::lmtp(postbox.clone())
        .hostname("mx.example.net")
        .limits(Limits::default());
    let running = Running::start(server).await;
    let to = ["bob@x.example", "nobody@x.example", "later@x.example", "zoe@x.example"];
    let outcome = send(running.client().lmtp(true), &to, &SendOptions::new())
        .await
        .unwrap();
    assert_eq!(fates(&outcome), ["yes", "no", "later", "yes"]);
    assert_eq!(postbox.messages().len(), 1);
    let error = send(running.client(), &to, &SendOptions::new()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
    running.stop().await;
}

#[tokio::test]
async fn an_smtp_server_is_no_lmtp_server() {
    let peer = Peer::start(vec![vec![Say("220 hi\r\n"), Read(1), Say("500 what\r\n"), Ignore]]).await;
    let error = send(peer.client().lmtp(true), &["bob@x.example"], &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!((error.disposition(), peer.count("HELO")), (Disposition::NotAccepted, 0));
    let wrong = SmtpConfig::new("h.example").lmtp(true).tls(Tls::None).port(25).build();
    assert!(matches!(wrong, Err(ConfigError::Invalid { setting: "port", .. })));
    let config = SmtpConfig::from_url("lmtp://h.example?tls=none").unwrap();
    assert!(format!("{:?}", config.build().unwrap()).contains("port: 24"));
}

#[tokio::test]
async fn more_recipients_than_a_server_takes_at_once_go_in_several_transactions() {
    let to: Vec<String> = (0..7)
        .map(|number| {
            format!(
                "{}{number}@{}.example",
                if number == 4 { "nobody" } else { "r" },
                number / 3
            )
        })
        .collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    for (limit, sizes) in [
        ("RCPTMAX=3", vec![3, 2, 1]),
        ("RCPTDOMAINMAX=1", vec![3, 2, 1]),
        ("RCPTDOMAINMAX=2 RCPTMAX=100", vec![5, 1]),
        ("RCPTMAX=1", vec![1; 6]),
        ("RCPTMAX=7", vec![6]),
    ] {
        for overlap in [true, false] {
            let extensions = format!("\r\n250-PIPELINING\r\n250-LIMITS {limit}");
            let sink = Sink::start(Box::leak(extensions.into_boxed_str()), None).await;
            let config = sink.client().connections(1).overlap(overlap);
            let outcome = send(config, &to, &SendOptions::new()).await.unwrap();
            assert_eq!(fates(&outcome), ["yes", "yes", "yes", "yes", "no", "yes", "yes"]);
            let addresses = outcome.recipients().iter().map(|to| to.address().to_string());
            assert_eq!(addresses.collect::<Vec<_>>(), to);
            let taken = sink.book.recipients.lock().unwrap().clone();
            assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{limit}");
            assert_eq!(sink.connections(), 1);
        }
    }
}

#[tokio::test]
async fn a_part_that_is_not_sent_is_told_from_those_that_were() {
    // The second transaction meets a connection that dies after its end.
    let hello = "250-hi\r\n250 LIMITS RCPTMAX=1\r\n";
    let take = [
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("354 go\r\n"),
        ReadMessage,
    ];
    let steps = [
        [Say("220 hi\r\n"), Read(1), Say(hello)].as_slice(),
        &take,
        &[Say("250 ok\r\n")],
        &take,
    ]
    .concat();
    let peer = Peer::start(vec![steps]).await;
    let to = ["a@x.example", "b@x.example", "c@x.example"];
    let error = send(peer.client(), &to, &SendOptions::new()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Partial);
    assert_eq!(fates(error.outcome().unwrap()), ["yes", "unknown", "later"]);
}

#[tokio::test]
async fn a_time_to_send_at_and_a_time_to_deliver_by_are_said_where_they_are_understood() {
    let later = SendOptions::new().with_schedule(UNIX_EPOCH + Duration::from_secs(1_795_446_851));
    let by = DeliverBy::or_notify(Duration::from_secs(600)).trace(true);
    let sink = Sink::start(
        "\r\n250-FUTURERELEASE 86400 2030-01-01T00:00:00Z\r\n250-DELIVERBY",
        None,
    )
    .await;
    let config = || sink.client().deliver_by(by);
    assert!(send(config(), &["bob@x.example"], &later).await.unwrap().is_complete());
    assert_eq!(
        *sink.book.lines.lock().unwrap(),
        ["MAIL FROM:<ada@example.org> HOLDUNTIL=2026-11-23T15:14:11Z BY=600;NT"]
    );

    let plain = Sink::start("", None).await;
    for (config, options, missing) in [
        (plain.client(), &later, "FUTURERELEASE"),
        (plain.client().deliver_by(by), &SendOptions::new(), "DELIVERBY"),
    ] {
        let error = send(config, &["bob@x.example"], options).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unsupported, Disposition::NotAccepted)
        );
        let cause = error.source().unwrap().downcast_ref();
        assert!(matches!(cause, Some(SmtpError::MissingExtension { extension }) if *extension == missing));
    }
    assert!(plain.book.lines.lock().unwrap().is_empty());

    let never = SendOptions::new().with_schedule(UNIX_EPOCH - Duration::from_secs(1));
    let error = send(sink.client(), &["bob@x.example"], &never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(SmtpConfig::from_url("smtp://h?deliver_by=120;R").is_ok());
    assert!(SmtpConfig::from_url("smtp://h?deliver_by=120").is_err());
}

#[tokio::test]
async fn a_message_of_8_bits_goes_in_7_where_it_must_and_may() {
    let content = |declared: bool| {
        let encoding = if declared {
            "Content-Transfer-Encoding: 8bit\r\n"
        } else {
            ""
        };
        let text = format!("Content-Type: text/plain; charset=utf-8\r\n{encoding}\r\nf\u{fc}r\r\n");
        posthaste_mime::Rope::from(bytes::Bytes::from(text))
    };
    let envelope = || Envelope::new(Some(address("ada@example.org")), [address("bob@x.example")]).unwrap();
    let options = SendOptions::new();
    for (extensions, body) in [
        ("\r\n250-8BITMIME", "f\u{fc}r"),
        ("", "f=C3=BCr"),
        ("\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SIZE 1000", "f=C3=BCr"),
    ] {
        let sink = Sink::start(extensions, None).await;
        let client = sink.client().build().unwrap();
        let mail = posthaste_transport::Outbound::raw(envelope(), content(true));
        assert!(soon(client.send(&mail, &options)).await.unwrap().is_complete());
        assert_eq!(sink.taken(), [body]);
        let line = sink.book.lines.lock().unwrap()[0].clone();
        assert_eq!(
            line.contains("BODY=8BITMIME"),
            extensions.contains("8BITMIME"),
            "{line}"
        );
    }
    let sink = Sink::start("", None).await;
    let client = sink.client().build().unwrap();
    let mail = posthaste_transport::Outbound::raw(envelope(), content(false));
    let error = soon(client.send(&mail, &options)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_server_is_told_of_somebody_else_only_when_asked_to() {
    let offer = "\r\n250-XCLIENT NAME ADDR HELO";
    let sink = Sink::start(offer, None).await;
    assert!(
        send(sink.client(), &["bob@x.example"], &SendOptions::new())
            .await
            .is_ok()
    );
    assert_eq!(sink.book.lines.lock().unwrap().len(), 1);

    let told = sink.client().xclient([("addr", "192.0.2.1"), ("HELO", "a b+c")]);
    assert!(send(told, &["bob@x.example"], &SendOptions::new()).await.is_ok());
    assert_eq!(
        sink.book.lines.lock().unwrap()[1],
        "XCLIENT ADDR=192.0.2.1 HELO=a+20b+2Bc"
    );

    let error = send(
        sink.client().xclient([("LOGIN", "ada")]),
        &["bob@x.example"],
        &SendOptions::new(),
    )
    .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    for (name, value) in [("ADDR", ""), ("A B", "x"), ("", "x")] {
        assert!(sink.client().xclient([(name, value)]).build().is_err());
    }
}
