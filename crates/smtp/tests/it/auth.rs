//! Logging in, and refusing to.

use std::error::Error as _;
use std::time::Duration;

use posthaste_smtp::{SmtpError, Timeouts};
use posthaste_transport::{Disposition, ErrorKind, SendError, SendOptions, Transport};

use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
use crate::peer::{Do, Peer};
use crate::postbox::{Postbox, Running, certificate, mail, soon};

const OFFER_NOTHING: [Do; 3] = [
    Say("220 hi\r\n"),
    Read(1),
    Say("250-hi\r\n250 AUTH CRAM-MD5 XOAUTH2\r\n"),
];
const OFFER_LOGIN: [Do; 3] = [Say("220 hi\r\n"), Read(1), Say("250-hi\r\n250 auth login\r\n")];
const OFFER_BOTH: [Do; 3] = [Say("220 hi\r\n"), Read(1), Say("250-hi\r\n250 AUTH LOGIN PLAIN\r\n")];

/// Sends to a peer with this script, with credentials, in clear text.
async fn fail(steps: &[&[Do]], allow: bool) -> (SendError, Peer) {
    let peer = Peer::start(vec![steps.concat()]).await;
    let client = peer
        .client()
        .credentials("ada", "canary")
        .danger_allow_plaintext_auth(allow);
    let client = client
        .timeouts(Timeouts::all(Duration::from_millis(200)))
        .build()
        .unwrap();
    let error = soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new()))
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
    assert!(!format!("{error:?} {error} {client:?}").contains("canary"));
    (error, peer)
}

#[tokio::test]
async fn credentials_never_go_out_in_clear_text_by_accident() {
    let (error, peer) = fail(&[&OFFER_BOTH, &[Ignore]], false).await;
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(matches!(
        error.source().unwrap().downcast_ref(),
        Some(SmtpError::ClearTextAuth)
    ));
    assert_eq!(peer.lines().len(), 1);
}

#[tokio::test]
async fn no_common_mechanism_says_what_both_sides_have() {
    let (error, peer) = fail(&[&OFFER_NOTHING, &[Ignore]], true).await;
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let cause = error.source().unwrap().to_string();
    for word in ["CRAM-MD5", "XOAUTH2", "PLAIN", "LOGIN"] {
        assert!(cause.contains(word), "{cause}");
    }
    assert_eq!(peer.count("AUTH"), 0);
}

#[tokio::test]
async fn a_server_that_repeats_the_password_is_not_quoted() {
    for (offer, reply) in [
        (
            &OFFER_BOTH,
            "535-5.7.8 wrong: canary\r\n535 5.7.8 ask the postmaster\r\n",
        ),
        (&OFFER_BOTH, "535 5.7.8 AUTH PLAIN AGFkYQBjYW5hcnk=\r\n"),
        (&OFFER_LOGIN, "535 5.7.8 Y2FuYXJ5\r\n"),
    ] {
        let answer = [Read(1), Say(reply), Ignore];
        let steps = [
            Read(1),
            Say("334 VXNlcm5hbWU6\r\n"),
            Read(1),
            Say("334 UGFzc3dvcmQ6\r\n"),
        ];
        let steps: &[Do] = if reply.contains("Y2FuYXJ5") { &steps } else { &[] };
        let (error, _) = fail(&[offer, steps, &answer], true).await;
        let shown = format!("{error:?} {error}");
        for secret in ["canary", "AGFkYQBjYW5hcnk=", "Y2FuYXJ5"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("535"), "{shown}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_not_retried() {
    let (error, _) = fail(&[&OFFER_BOTH, &[Read(1), Say("535 5.7.8 no\r\n"), Ignore]], true).await;
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unauthorized, posthaste_transport::Retry::Never)
    );
    let (error, _) = fail(&[&OFFER_BOTH, &[Read(1), Say("454 4.7.0 later\r\n"), Ignore]], true).await;
    assert_eq!(error.retry(), posthaste_transport::Retry::Safe);
    // A server that says yes before it saw the password is not believed.
    let (error, _) = fail(&[&OFFER_LOGIN, &[Read(1), Say("235 ok\r\n"), Ignore]], true).await;
    assert_eq!(error.kind(), ErrorKind::Unknown);
}

#[tokio::test]
async fn login_is_used_when_plain_is_not_offered() {
    let talk: [&[Do]; 3] = [
        &OFFER_LOGIN,
        &[
            Read(1),
            Say("334 VXNlcm5hbWU6\r\n"),
            Read(1),
            Say("334 UGFzc3dvcmQ6\r\n"),
            Read(1),
            Say("235 ok\r\n"),
        ],
        &[
            Read(1),
            Say("250 ok\r\n"),
            Read(1),
            Say("250 ok\r\n"),
            Read(1),
            Say("354 go\r\n"),
            ReadMessage,
            Say("250 ok\r\n"),
        ],
    ];
    let peer = Peer::start(vec![talk.concat()]).await;
    let client = peer
        .client()
        .credentials("ada", "secret")
        .danger_allow_plaintext_auth(true)
        .build()
        .unwrap();
    assert!(
        soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new()))
            .await
            .unwrap()
            .is_complete()
    );
    assert_eq!(peer.lines()[1..4], ["AUTH LOGIN", "YWRh", "c2VjcmV0"]);
}

#[tokio::test]
async fn our_server_lets_in_who_logs_in_over_tls() {
    let (chain, key) = certificate();
    let postbox = Postbox::default();
    let running = Running::start(postbox.server().tls(chain.clone(), key).auth(true).require_auth(true)).await;
    let client = || {
        let config = running
            .client()
            .tls(posthaste_smtp::Tls::Required)
            .platform_roots(false);
        config.add_root_pem(&chain).unwrap()
    };
    let message = mail(&["bob@example.net"], "text\r\n");
    let options = SendOptions::new();

    let right = client().credentials("ada", "secret").build().unwrap();
    assert!(soon(right.send(&message, &options)).await.unwrap().is_complete());
    let taken = postbox.messages().pop().unwrap();
    assert_eq!(
        (taken.user(), taken.is_secure(), taken.session().protocol()),
        (Some("ada"), true, "ESMTPSA")
    );

    let wrong = client().credentials("ada", "wrong").build().unwrap();
    let error = soon(wrong.send(&message, &options)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reply().unwrap().code()),
        (ErrorKind::Unauthorized, 535)
    );

    let without = client().build().unwrap();
    let error = soon(without.send(&message, &options)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reply().unwrap().code()),
        (ErrorKind::Unauthorized, 530)
    );
    assert_eq!(postbox.messages().len(), 1);
    running.stop().await;
}
