//! What the client makes of servers that behave badly, and of its own connection.

use std::time::Duration;

use posthaste_address::{Envelope, EnvelopeId, Notify, Recipient};
use posthaste_smtp::protocol::ContentError;
use posthaste_smtp::{SmtpError, Timeouts};
use posthaste_transport::{
    Disposition, ErrorKind, Fate, OnUnsupported, Outbound, Outcome, Retry, SendError, SendOptions, Transport,
};
use std::error::Error as _;

use crate::peer::Do::{Ignore, Read, ReadMessage, Say, Stall};
use crate::peer::{Do, Peer};
use crate::postbox::{Postbox, Running, address, mail, raw, soon};

const HELLO: [Do; 3] = [
    Say("220 hi\r\n"),
    Read(1),
    Say("250-hi\r\n250-SIZE 1000\r\n250 ENHANCEDSTATUSCODES\r\n"),
];
const MAIL: [Do; 4] = [Read(1), Say("250 2.1.0 ok\r\n"), Read(1), Say("250 2.1.5 ok\r\n")];
const DATA: [Do; 2] = [Read(1), Say("354 go\r\n")];

fn script(parts: &[&[Do]]) -> Vec<Do> {
    parts.concat()
}

async fn send(client: &dyn Transport, mail: &Outbound) -> Result<Outcome, SendError> {
    soon(client.send(mail, &SendOptions::new())).await
}

/// Sends to a peer whose only connection has this script, and expects an error.
async fn fail(steps: Vec<Do>) -> SendError {
    let peer = Peer::start(vec![steps]).await;
    let client = peer
        .client()
        .timeouts(Timeouts::all(Duration::from_millis(80)))
        .build()
        .unwrap();
    let error = send(&client, &mail(&["bob@example.net"], "text\r\n"))
        .await
        .unwrap_err();
    assert_eq!(error.transport(), "smtp");
    error
}

fn cause(error: &SendError) -> &SmtpError {
    error.source().unwrap().downcast_ref().unwrap()
}

#[tokio::test]
async fn a_peer_that_stalls_runs_into_the_deadline_of_each_phase() {
    for (steps, during) in [
        (vec![Stall], "greeting"),
        (vec![Say("220 hi\r\n"), Ignore], "EHLO"),
        (script(&[&HELLO, &[Ignore]]), "sender"),
        (script(&[&HELLO, &MAIL[..2], &[Ignore]]), "recipient"),
        (script(&[&HELLO, &MAIL, &[Ignore]]), "DATA"),
    ] {
        let error = fail(steps).await;
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Timeout, Disposition::NotAccepted),
            "{error}"
        );
        assert_eq!(error.retry(), Retry::Safe);
        assert!(error.to_string().contains(during), "{error}");
    }
    let error = fail(script(&[&HELLO, &MAIL, &DATA, &[Ignore]])).await;
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::Ambiguous),
        "{error}"
    );
    assert_eq!(error.retry(), Retry::MayDuplicate);
}

#[tokio::test]
async fn a_peer_that_takes_no_more_of_the_message_is_no_ambiguity() {
    let peer = Peer::start(vec![script(&[
        &[HELLO[0], HELLO[1], Say("250 hi\r\n")],
        &MAIL,
        &DATA,
        &[Stall],
    ])])
    .await;
    let client = peer
        .client()
        .timeouts(Timeouts::all(Duration::from_millis(300)))
        .build()
        .unwrap();
    let body = "0123456789abcdef\r\n".repeat(1_000_000);
    let error = send(&client, &mail(&["bob@example.net"], &body)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::NotAccepted),
        "{error}"
    );
}

#[tokio::test]
async fn a_hang_up_before_the_final_dot_is_safe_to_retry() {
    let large = "0123456789abcdef\r\n".repeat(1_000_000);
    for last_words in [None, Some(Say("552 5.3.4 too big\r\n"))] {
        let end: Vec<Do> = [Read(3)].into_iter().chain(last_words).collect();
        let steps = script(&[&[HELLO[0], HELLO[1], Say("250 hi\r\n")], &MAIL, &DATA, &end]);
        let peer = Peer::start(vec![steps]).await;
        let client = peer.client().build().unwrap();
        let error = send(&client, &mail(&["bob@example.net"], &large)).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::NotAccepted, "{error}");
    }
}

#[tokio::test]
async fn the_whole_send_has_a_deadline() {
    let peer = Peer::start(vec![vec![Ignore]]).await;
    let client = peer.client().build().unwrap();
    let options = SendOptions::new().with_deadline(Duration::from_millis(50));
    let error = soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &options))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::NotAccepted)
    );
}

#[tokio::test]
async fn a_connection_lost_before_the_message_reached_nobody() {
    for steps in [
        vec![],
        vec![Say("220 hi\r\n"), Read(1)],
        script(&[&HELLO, &[Read(1)]]),
        script(&[&HELLO, &MAIL, &[Read(1)]]),
    ] {
        let error = fail(steps).await;
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unavailable, Disposition::NotAccepted),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_connection_lost_after_the_message_is_ambiguous() {
    let error = fail(script(&[&HELLO, &MAIL, &DATA, &[ReadMessage]])).await;
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unavailable, Disposition::Ambiguous),
        "{error}"
    );
    let fate = error.outcome().unwrap().recipients()[0].fate().clone();
    assert_eq!(fate, Fate::Unknown);
}

#[tokio::test]
async fn garbage_after_the_message_is_ambiguous_and_before_it_is_not() {
    for garbage in [
        "hello\r\n",
        "999 x\r\n",
        "250-a\r\n550 b\r\n",
        "354 again\r\n",
        "\0\0\0\r\n",
    ] {
        let error = fail(script(&[&HELLO, &MAIL, &DATA, &[ReadMessage, Say(garbage), Stall]])).await;
        assert_eq!(error.disposition(), Disposition::Ambiguous, "{garbage:?}: {error}");
        let error = fail(script(&[&HELLO, &[Read(1), Say(garbage), Stall]])).await;
        assert_eq!(error.disposition(), Disposition::NotAccepted, "{garbage:?}: {error}");
    }
    let error = fail(vec![Say("HTTP/1.1 400 Bad Request\r\n"), Stall]).await;
    assert!(matches!(cause(&error), SmtpError::Reply(_)), "{error:?}");
}

#[tokio::test]
async fn a_reply_that_comes_before_the_message_is_none_to_it() {
    for early in ["354 go\r\n250 accepted\r\n", "354 go\r\n452 4.3.1 no room\r\n"] {
        let error = fail(script(&[&HELLO, &MAIL, &[Read(1), Say(early), ReadMessage, Ignore]])).await;
        assert_eq!(error.disposition(), Disposition::NotAccepted, "{error}");
    }
    // By BDAT, and with messages one behind the other, it would be easy to believe.
    for early in ["250 a\r\n250 b\r\n250 c\r\n", "452 4.3.1 no room\r\n"] {
        let hello = "250-hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
        let steps = vec![
            Say("220 hi\r\n"),
            Read(1),
            Say(Box::leak(format!("{hello}{early}").into_boxed_str())),
            Ignore,
        ];
        let error = fail(steps).await;
        assert_eq!(error.disposition(), Disposition::NotAccepted, "{error}");
    }
}

#[tokio::test]
async fn recipients_have_their_own_fates() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server()).await;
    for pipelining in [true, false] {
        let client = running.client().pipelining(pipelining).build().unwrap();
        let three = ["bob@example.net", "nobody@example.net", "later@example.net"];
        let outbound = mail(&three, "text\r\n");
        let outcome = send(&client, &outbound).await.unwrap();
        assert!(!outcome.is_complete() && outcome.message_id().is_some());
        assert_eq!(outcome.message_id(), outbound.message_id());
        assert_eq!(outcome.accepted().collect::<Vec<_>>(), [&address("bob@example.net")]);
        let refused: Vec<_> = outcome
            .refused()
            .map(|(to, why)| (to.local_part(), why.is_permanent()))
            .collect();
        assert_eq!(refused, [("nobody", true), ("later", false)]);
        let reply = outcome.refused().next().unwrap().1.reply().unwrap();
        assert_eq!(reply.to_string(), "550 5.1.1 no such mailbox");
        assert!(outcome.provider_id().is_some());

        let error = send(&client, &mail(&["nobody@example.net"], "text\r\n"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Rejected, Disposition::NotAccepted)
        );
        let error = send(&client, &mail(&["nobody@example.net", "later@example.net"], "text\r\n"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.retry(), error.outcome().unwrap().refused().count()),
            (Retry::Safe, 2)
        );
        assert!(send(&client, &mail(&["bob@example.net"], "text\r\n")).await.is_ok());
    }
    assert_eq!(postbox.messages().len(), 4);
    running.stop().await;
}

#[tokio::test]
async fn nobody_left_means_no_data() {
    let refuse = script(&[
        &HELLO,
        &MAIL[..3],
        &[Say("550 5.7.606 banned\r\n"), Read(1), Say("250 ok\r\n"), Ignore],
    ]);
    let peer = Peer::start(vec![refuse]).await;
    let client = peer.client().build().unwrap();
    let error = send(&client, &mail(&["bob@example.net"], "text\r\n"))
        .await
        .unwrap_err();
    assert_eq!(error.reply().unwrap().enhanced().unwrap().to_string(), "5.7.606");
    assert_eq!(peer.count("DATA"), 0);

    // The same in one flight, to a server that says 354 all the same: it gets no message.
    let pipelined = [HELLO[0], HELLO[1], Say("250-hi\r\n250 PIPELINING\r\n"), Read(3)];
    let peer = Peer::start(vec![script(&[
        &pipelined,
        &[Say("250 ok\r\n550 no\r\n354 go\r\n"), Ignore],
    ])])
    .await;
    let client = peer.client().build().unwrap();
    let error = send(&client, &mail(&["bob@example.net"], "text\r\n"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Rejected, Disposition::NotAccepted)
    );
    assert_eq!(peer.lines().len(), 4, "{:?}", peer.lines());
}

#[tokio::test]
async fn a_refused_sender_or_message_is_refused_for_everybody() {
    for (steps, kind) in [
        (
            script(&[&HELLO, &[Read(1), Say("550 5.7.1 no\r\n"), Stall]]),
            ErrorKind::Rejected,
        ),
        (
            script(&[&HELLO, &[Read(1), Say("530 5.7.0 log in\r\n"), Stall]]),
            ErrorKind::Unauthorized,
        ),
        (
            script(&[&HELLO, &MAIL, &[Read(1), Say("451 4.3.0 no\r\n"), Stall]]),
            ErrorKind::Unavailable,
        ),
        (
            script(&[&HELLO, &MAIL, &DATA, &[ReadMessage, Say("554 5.6.0 spam\r\n"), Stall]]),
            ErrorKind::Rejected,
        ),
        (
            script(&[
                &HELLO,
                &MAIL,
                &DATA,
                &[ReadMessage, Say("452 4.7.1 slow down\r\n"), Stall],
            ]),
            ErrorKind::Throttled,
        ),
        (vec![Say("554 5.7.1 go away\r\n")], ErrorKind::Rejected),
        (vec![Say("421 4.3.2 busy\r\n")], ErrorKind::Unavailable),
    ] {
        let error = fail(steps).await;
        assert_eq!(
            (error.kind(), error.disposition()),
            (kind, Disposition::NotAccepted),
            "{error}"
        );
        assert!(error.reply().is_some());
    }
}

#[tokio::test]
async fn what_a_message_needs_and_the_server_lacks_is_said_before_data() {
    let peer = Peer::start(vec![script(&[&HELLO, &[Ignore]])]).await;
    let client = peer.client().build().unwrap();
    let one = || [Recipient::from(address("bob@example.net"))];
    let sender = || Some(address("ada@example.org"));
    let wide = Envelope::new(sender(), [address("b\u{f6}b@example.net")]).unwrap();
    let dsn = Envelope::new(sender(), one())
        .unwrap()
        .with_envelope_id(EnvelopeId::new("1").unwrap());
    let notify = Envelope::new(sender(), one().map(|to| to.with_notify(Notify::Never))).unwrap();
    let secret = Envelope::new(sender(), one()).unwrap().with_require_tls(true);
    let plain = Envelope::new(sender(), one()).unwrap();
    for (envelope, body, kind, needs) in [
        (wide, "text\r\n", ErrorKind::Unsupported, "SMTPUTF8"),
        (dsn.clone(), "text\r\n", ErrorKind::Unsupported, "DSN"),
        (notify, "text\r\n", ErrorKind::Unsupported, "DSN"),
        (secret, "text\r\n", ErrorKind::Unsupported, "REQUIRETLS"),
        (plain.clone(), "t\u{e9}xt\r\n", ErrorKind::Unsupported, "8BITMIME"),
        (
            plain.clone(),
            &"0123456789abcdef\r\n".repeat(60),
            ErrorKind::Rejected,
            "the server takes 1000",
        ),
    ] {
        let error = send(&client, &raw(envelope, body)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (kind, Disposition::NotAccepted),
            "{error}"
        );
        assert!(cause(&error).to_string().contains(needs), "{}", cause(&error));
    }
    assert_eq!(peer.lines().len(), 1, "{:?}", peer.lines());

    let peer = Peer::start(vec![script(&[&HELLO, &MAIL, &DATA, &[ReadMessage, Say("250 ok\r\n")]])]).await;
    let client = peer.client().build().unwrap();
    let degrade = SendOptions::new().with_on_unsupported(OnUnsupported::Degrade);
    assert!(soon(client.send(&raw(dsn, "text\r\n"), &degrade)).await.is_ok());
    assert!(peer.lines().iter().all(|line| !line.contains("ENVID")));
}

#[tokio::test]
async fn extensions_are_used_when_offered() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server().dsn(true)).await;
    let client = running.client().build().unwrap();
    let to = Recipient::from(address("b\u{f6}b@example.net")).with_notify(Notify::on(true, false, true));
    let envelope = Envelope::new(None, [to])
        .unwrap()
        .with_envelope_id(EnvelopeId::new("a+b").unwrap());
    assert!(
        send(&client, &raw(envelope.clone(), "t\u{e9}xt\r\n.\r\n..dots\r\n"))
            .await
            .unwrap()
            .is_complete()
    );
    let message = postbox.messages().pop().unwrap();
    assert_eq!(message.envelope(), &envelope);
    assert!(message.is_smtputf8());
    assert!(message.content().ends_with("t\u{e9}xt\r\n.\r\n..dots\r\n".as_bytes()));
    running.stop().await;
}

#[tokio::test]
async fn what_could_smuggle_is_refused_before_connecting() {
    let peer = Peer::start(vec![]).await;
    let client = peer.client().build().unwrap();
    for body in ["a\n.\r\nb\r\n", "a\r.\r\n", "a\0\r\n"] {
        let error = send(&client, &mail(&["bob@example.net"], body)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Invalid, Disposition::NotAccepted)
        );
        assert!(matches!(cause(&error), SmtpError::Content(_)), "{error:?}");
    }
    let error = send(&client, &mail(&["bob@example.net"], &"x".repeat(999)))
        .await
        .unwrap_err();
    assert!(
        matches!(cause(&error), SmtpError::Content(ContentError::LongLine { line: 5 })),
        "{error:?}"
    );
}

#[tokio::test]
async fn one_connection_serves_many_messages_without_a_reset() {
    let message = [
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("354 go\r\n"),
        ReadMessage,
        Say("250 ok\r\n"),
    ];
    let peer = Peer::start(vec![script(&[&HELLO, &message, &message, &message, &[Ignore]])]).await;
    let client = peer.client().build().unwrap();
    for _ in 0..3 {
        assert!(
            send(&client, &mail(&["bob@example.net"], "text\r\n"))
                .await
                .unwrap()
                .is_complete()
        );
    }
    assert_eq!((peer.count("EHLO"), peer.count("RSET")), (1, 0));
}

#[tokio::test]
async fn a_transaction_that_was_given_up_is_reset_before_the_next() {
    let refused = [Read(1), Say("250 ok\r\n"), Read(1), Say("550 no\r\n")];
    let reset = [Read(1), Say("250 ok\r\n")];
    let peer = Peer::start(vec![script(&[
        &HELLO,
        &refused,
        &reset,
        &MAIL,
        &DATA,
        &[ReadMessage, Say("250 ok\r\n"), Ignore],
    ])])
    .await;
    let client = peer.client().build().unwrap();
    send(&client, &mail(&["bob@example.net"], "text\r\n"))
        .await
        .unwrap_err();
    assert!(
        send(&client, &mail(&["bob@example.net"], "text\r\n"))
            .await
            .unwrap()
            .is_complete()
    );
    assert_eq!((peer.count("EHLO"), peer.count("RSET")), (1, 1));
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_unseen() {
    let message = script(&[&MAIL, &DATA, &[ReadMessage, Say("250 ok\r\n")]]);
    for death in [
        vec![],                                            // closed while it waited
        vec![Say("421 4.4.2 idle too long\r\n")],          // closed with a goodbye
        vec![Read(1)],                                     // closed when it was used again
        vec![Read(1), Say("421 4.3.2 shutting down\r\n")], // the same, with a goodbye
        vec![Read(1), Say("250 ok\r\n"), Read(1)],         // closed in the middle of the recipients
    ] {
        let first = script(&[&HELLO, &message, &death]);
        let second = script(&[&HELLO, &message, &[Ignore]]);
        let peer = Peer::start(vec![first, second]).await;
        let client = peer.client().build().unwrap();
        assert!(
            send(&client, &mail(&["bob@example.net"], "text\r\n"))
                .await
                .unwrap()
                .is_complete()
        );
        let again = send(&client, &mail(&["bob@example.net"], "text\r\n")).await;
        assert!(again.is_ok(), "{death:?}: {again:?}");
        assert_eq!((peer.count("EHLO"), peer.count("text")), (2, 2), "{death:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_dies_after_the_dot_is_not_repeated() {
    let message = script(&[&MAIL, &DATA, &[ReadMessage, Say("250 ok\r\n")]]);
    let peer = Peer::start(vec![
        script(&[&HELLO, &message, &MAIL, &DATA, &[ReadMessage]]),
        script(&[&HELLO, &message]),
    ])
    .await;
    let client = peer.client().build().unwrap();
    assert!(
        send(&client, &mail(&["bob@example.net"], "text\r\n"))
            .await
            .unwrap()
            .is_complete()
    );
    let error = send(&client, &mail(&["bob@example.net"], "text\r\n"))
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::Ambiguous);
    assert_eq!(peer.count("EHLO"), 1);
}

#[tokio::test]
async fn a_dropped_send_leaves_the_transport_usable() {
    let message = script(&[&MAIL, &DATA, &[ReadMessage, Say("250 ok\r\n"), Ignore]]);
    for stall in [
        vec![Ignore],
        script(&[&HELLO, &[Ignore]]),
        script(&[&HELLO, &MAIL, &DATA, &[Ignore]]),
    ] {
        let peer = Peer::start(vec![stall, script(&[&HELLO, &message])]).await;
        let client = peer.client().build().unwrap();
        let outbound = mail(&["bob@example.net"], "text\r\n");
        let dropped =
            tokio::time::timeout(Duration::from_millis(50), client.send(&outbound, &SendOptions::new())).await;
        assert!(dropped.is_err());
        assert!(send(&client, &outbound).await.unwrap().is_complete());
    }
}

#[tokio::test]
async fn sends_at_once_take_turns() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server()).await;
    let client = std::sync::Arc::new(running.client().build().unwrap());
    let sends: Vec<_> = (0..20)
        .map(|n| {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move { send(&client, &mail(&["bob@example.net"], &format!("{n}\r\n"))).await })
        })
        .collect();
    for send in sends {
        assert!(soon(send).await.unwrap().unwrap().is_complete());
    }
    assert_eq!(postbox.messages().len(), 20);
    running.stop().await;
}

#[tokio::test]
async fn killing_the_server_never_reports_what_it_did_not_accept() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server()).await;
    let client = running.client().build().unwrap();
    let mut reported = 0;
    for _ in 0..10 {
        assert!(
            send(&client, &mail(&["bob@example.net"], "text\r\n"))
                .await
                .unwrap()
                .is_complete()
        );
        reported += 1;
    }
    running.kill().await;
    for _ in 0..3 {
        let error = send(&client, &mail(&["bob@example.net"], "text\r\n"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unavailable, Disposition::NotAccepted),
            "{error}"
        );
    }
    assert_eq!(postbox.messages().len(), reported);
}

#[tokio::test]
async fn names_and_addresses_cannot_carry_commands() {
    let peer = Peer::start(vec![script(&[
        &HELLO,
        &MAIL,
        &DATA,
        &[ReadMessage, Say("250 ok\r\n"), Ignore],
    ])])
    .await;
    let client = peer.client().build().unwrap();
    let odd = r#""a b>RCPT TO:<x@y.example>"@example.net"#;
    assert!(send(&client, &mail(&[odd], "text\r\n")).await.unwrap().is_complete());
    assert!(peer.lines().contains(&format!("RCPT TO:<{odd}>")), "{:?}", peer.lines());
    assert_eq!(peer.count("RCPT"), 1);
}

#[tokio::test]
async fn many_recipients_go_out_in_several_flights() {
    let postbox = Postbox::default();
    let limits = posthaste_smtp::server::Limits::default().recipients(500);
    let running = Running::start(postbox.server().limits(limits)).await;
    let client = running.client().build().unwrap();
    let names: Vec<String> = (0..300).map(|n| format!("r{n}@example.net")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(send(&client, &mail(&names, "text\r\n")).await.unwrap().is_complete());
    assert_eq!(postbox.messages()[0].envelope().recipients().len(), 300);
    running.stop().await;
}
