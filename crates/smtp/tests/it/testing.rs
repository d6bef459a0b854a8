//! The server that people test their programs with.

use std::time::Duration;

use posthaste_mime::{Attachment, Message};
use posthaste_smtp::server::Verdict;
use posthaste_smtp::testing::{Fault, Stage, TestServer};
use posthaste_smtp::{SmtpConfig, SmtpTransport, Timeouts};
use posthaste_transport::{Disposition, Outcome, Retry, SendError, SendOptions, Transport, TransportExt};

use crate::postbox::{address, certificate, mail, soon};

async fn send(client: &SmtpTransport, recipients: &[&str]) -> Result<Outcome, SendError> {
    soon(client.send(&mail(recipients, "text\r\n"), &SendOptions::new())).await
}

fn client(server: &TestServer) -> SmtpTransport {
    SmtpTransport::from_url(&server.url()).unwrap()
}

#[tokio::test]
async fn what_was_sent_can_be_looked_at() {
    let server = soon(TestServer::start()).await.unwrap();
    let message = Message::builder()
        .from("Zoë <zoe@example.org>".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Grüße")
        .text(".first line\n")
        .html("<p>Hällo</p>")
        .attach(Attachment::new("a.csv", "text/csv".parse().unwrap(), "a,b\n").unwrap())
        .build()
        .unwrap();
    let outcome = soon(client(&server).send_message(message)).await.unwrap();
    assert_eq!(outcome.provider_id(), Some("1"));
    let mails = soon(server.wait_for(1)).await;
    let mail = &mails[0];
    assert_eq!(mail.subject().as_deref(), Some("Grüße"));
    assert_eq!(mail.header("from").as_deref(), Some("Zoë <zoe@example.org>"));
    assert_eq!(mail.text().unwrap().trim_end(), ".first line");
    assert_eq!(mail.html().unwrap().trim_end(), "<p>Hällo</p>");
    assert_eq!(mail.attachments().len(), 1);
    assert_eq!(mail.attachments()[0].file_name(), Some("a.csv"));
    assert_eq!(mail.envelope().recipients()[0].address(), &address("bob@example.net"));
    assert!(!mail.session().is_secure() && !format!("{mail:?}").contains("first line"));
    server.clear();
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn what_is_no_message_is_kept_too() {
    let server = soon(TestServer::start()).await.unwrap();
    let _ = send(&client(&server), &["bob@example.net"]).await.unwrap();
    let mail = &server.received()[0];
    assert_eq!(
        (mail.text().as_deref(), mail.html(), mail.attachments().len()),
        (Some("text\r\n"), None, 0)
    );
}

#[tokio::test]
async fn a_login_and_tls_are_asked_for() {
    let (chain, key) = certificate();
    for implicit in [false, true] {
        let server = TestServer::builder()
            .tls(chain.clone(), key.clone())
            .implicit_tls(implicit);
        let server = soon(server.credentials("a:d/a", "s@cr%t").start()).await.unwrap();
        let trusting = || {
            SmtpConfig::from_url(&server.url())
                .unwrap()
                .add_root_pem(&chain)
                .unwrap()
        };
        let _ = send(&trusting().build().unwrap(), &["bob@example.net"]).await.unwrap();
        let wrong = trusting().credentials("a:d/a", "other").build().unwrap();
        let error = send(&wrong, &["bob@example.net"]).await.unwrap_err();
        assert_eq!(error.reply().unwrap().code(), 535);
        let mails = server.received();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].session().identity().unwrap().name(), "a:d/a");
        assert!(mails[0].session().is_secure());
    }
    let server = soon(TestServer::builder().credentials("ada", "secret").start())
        .await
        .unwrap();
    let _ = send(&client(&server), &["bob@example.net"]).await.unwrap();
}

#[tokio::test]
async fn replies_can_be_ordered_for_a_time_and_for_a_recipient() {
    let server = soon(TestServer::start()).await.unwrap();
    let client = client(&server);
    server.fail(Fault::reply(Stage::Rcpt, Verdict::defer(450, (7, 1), "greylisted")).times(1));
    let error = send(&client, &["bob@example.net"]).await.unwrap_err();
    assert_eq!(error.reply().unwrap().code(), 450);
    let _ = send(&client, &["bob@example.net"]).await.unwrap();

    let full = Verdict::refuse(552, (2, 2), "mailbox full");
    server.fail(Fault::reply(Stage::Rcpt, full).to(address("bob@example.net")));
    let outcome = send(&client, &["ada@example.net", "bob@example.net"]).await.unwrap();
    assert_eq!(outcome.refused().count(), 1);
    server.fail(Fault::reply(Stage::Data, Verdict::refuse(554, (7, 1), "spam")).to(address("eve@example.net")));
    let _ = send(&client, &["ada@example.net"]).await.unwrap();
    assert!(send(&client, &["ada@example.net", "eve@example.net"]).await.is_err());
    server.mend();
    assert!(
        send(&client, &["bob@example.net", "eve@example.net"])
            .await
            .unwrap()
            .is_complete()
    );
}

#[tokio::test]
async fn a_lost_reply_is_ambiguous_whether_or_not_the_message_was_kept() {
    for (fault, kept) in [(Fault::lose_reply(), 1), (Fault::hang_up(Stage::Data), 0)] {
        let server = soon(TestServer::start()).await.unwrap();
        server.fail(fault.times(1));
        let error = send(&client(&server), &["bob@example.net"]).await.unwrap_err();
        assert_eq!(
            (error.disposition(), error.retry()),
            (Disposition::Ambiguous, Retry::MayDuplicate)
        );
        assert_eq!(server.received().len(), kept);
    }
}

#[tokio::test]
async fn connections_end_or_stall_where_they_are_told_to() {
    for stage in [Stage::Connect, Stage::Ehlo, Stage::Mail, Stage::Rcpt] {
        let server = soon(TestServer::start()).await.unwrap();
        let client = SmtpConfig::from_url(&server.url())
            .unwrap()
            .timeouts(Timeouts::all(Duration::from_millis(80)))
            // By BDAT the message goes out together with its commands.
            .chunking(false)
            .build()
            .unwrap();
        for fault in [Fault::hang_up(stage), Fault::stall(stage)] {
            server.fail(fault);
            let error = send(&client, &["bob@example.net"]).await.unwrap_err();
            assert_eq!(error.disposition(), Disposition::NotAccepted, "{stage:?}: {error}");
            server.mend();
        }
        let _ = send(&client, &["bob@example.net"]).await.unwrap();
        assert_eq!((server.received().len(), server.connections()), (1, 3));
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_is_gone() {
    let server = soon(TestServer::start()).await.unwrap();
    let client = client(&server);
    let _ = send(&client, &["bob@example.net"]).await.unwrap();
    drop(server);
    assert!(send(&client, &["bob@example.net"]).await.is_err());
}

#[tokio::test]
async fn logins_fail_as_they_are_told_to() {
    let server = soon(TestServer::builder().credentials("ada", "secret").start())
        .await
        .unwrap();
    for (verdict, code) in [
        (Verdict::defer(454, (7, 0), "later"), 454),
        (Verdict::refuse(535, (7, 8), "no"), 535),
    ] {
        server.fail(Fault::reply(Stage::Login, verdict).times(1));
        let error = send(&client(&server), &["bob@example.net"]).await.unwrap_err();
        assert_eq!(error.reply().unwrap().code(), code);
    }
    let _ = send(&client(&server), &["bob@example.net"]).await.unwrap();
}

#[tokio::test]
async fn assertions_say_what_they_found() {
    let server = soon(TestServer::start()).await.unwrap();
    let message = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Hello")
        .text("First line")
        .attach(Attachment::new("a.csv", "text/csv".parse().unwrap(), "a,b\n").unwrap())
        .build()
        .unwrap();
    let _ = soon(client(&server).send_message(message)).await.unwrap();
    let mail = server.assert_count(1).only_mail();
    mail.assert_mail_from("ada@example.org")
        .assert_recipients(["bob@example.net"])
        .assert_subject("Hello")
        .assert_header("from", "ada@example.org")
        .assert_text_contains("First")
        .assert_attachment("a.csv");
    let fails = |check: &dyn Fn()| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    for (check, words) in [
        (
            &(|| {
                mail.assert_subject("Bye");
            }) as &dyn Fn(),
            "Hello",
        ),
        (
            &|| {
                mail.assert_mail_from("bob@example.net");
            },
            "ada@example.org",
        ),
        (
            &|| {
                mail.assert_recipients([]);
            },
            "bob@example.net",
        ),
        (
            &|| {
                mail.assert_header("X-None", "x");
            },
            "None",
        ),
        (
            &|| {
                mail.assert_text_contains("Second");
            },
            "First line",
        ),
        (
            &|| {
                mail.assert_html_contains("<p>");
            },
            "None",
        ),
        (
            &|| {
                mail.assert_attachment("b.csv");
            },
            "a.csv",
        ),
        (
            &|| {
                server.assert_count(2);
            },
            "1 messages",
        ),
    ] {
        assert!(fails(check).contains(words), "{words}");
    }
    server.clear();
    assert!(fails(&|| drop(server.only_mail())).contains("0 messages"));
}
