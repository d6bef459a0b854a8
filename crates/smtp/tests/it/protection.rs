//! What the server lets nobody do too much of, and who may do what.

use std::net::SocketAddr;
use std::time::Duration;

use posthaste_limit::{Limit, ManualClock};
use posthaste_smtp::ConfigError;
use posthaste_smtp::server::{Limits, Rates, Server, ServerBuilder};
use tokio::io::AsyncWriteExt;

use crate::postbox::{Postbox, certificate};
use crate::talker::Client;

const MAIL: (&str, u16) = ("MAIL FROM:<a@b.example>", 250);

fn from(server: ServerBuilder, peer: &str) -> Client {
    Client::connect_from(server.build().unwrap(), Some(peer.parse().unwrap()))
}

/// A client of a server that several clients share.
async fn visit(server: &Server, peer: &str) -> (Client, u16) {
    let mut client = Client::connect_from(server.clone(), Some(peer.parse().unwrap()));
    let code = client.code().await;
    (client, code)
}

#[tokio::test(start_paused = true)]
async fn who_talks_before_the_greeting_is_turned_away() {
    let limits = Limits::default().greet_pause(Duration::from_secs(5));
    let mut early = Client::connect(Postbox::default().server().limits(limits.clone()));
    early.write(b"EHLO bot.example\r\n").await;
    assert_eq!((early.code().await, early.code().await), (554, 0));

    let start = tokio::time::Instant::now();
    let mut patient = Client::connect(Postbox::default().server().limits(limits));
    assert_eq!(patient.code().await, 220);
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn who_does_not_wait_for_the_answer_to_ehlo_is_known() {
    let mut early = Client::connect(Postbox::default().server());
    early.write(b"EHLO bot.example\r\nMAIL FROM:<a@b.example>\r\n").await;
    assert_eq!((early.code().await, early.code().await), (220, 554));

    let mut patient = Client::greeted(Postbox::default().server()).await;
    patient.check(&[MAIL, ("EHLO bot.example", 250), MAIL]).await;
}

#[tokio::test(start_paused = true)]
async fn errors_cost_more_and_more_time() {
    let limits = Limits::default().tarpit(2, Duration::from_secs(1)).errors(40);
    let mut client = Client::greeted(Postbox::default().server().limits(limits)).await;
    for delay in [0, 0, 1, 2, 3] {
        let start = tokio::time::Instant::now();
        assert_eq!(client.say("XYZZY").await, 500);
        assert_eq!(start.elapsed().as_secs(), delay);
        assert_eq!(client.say("NOOP").await, 250, "what is right is answered at once");
        assert_eq!(start.elapsed().as_secs(), delay);
    }
    // More than half a minute would look like a broken server.
    for _ in 5..40 {
        let start = tokio::time::Instant::now();
        assert_eq!(client.say("XYZZY").await, 500);
        assert!(start.elapsed().as_secs() <= 30);
    }
}

#[tokio::test]
async fn a_connection_has_so_many_messages() {
    let mut client = Client::greeted(Postbox::default().server().limits(Limits::default().messages(2))).await;
    let announced = {
        client.write(b"EHLO client.example\r\n").await;
        client.reply().await.unwrap()
    };
    assert!(announced.lines().any(|line| line == "LIMITS RCPTMAX=100 MAILMAX=2"));
    client.check(&[MAIL, ("RSET", 250), MAIL, ("RSET", 250)]).await;
    assert_eq!((client.say(MAIL.0).await, client.code().await), (421, 0));
}

#[tokio::test]
async fn clients_have_their_rates() {
    let clock = ManualClock::new();
    let second = |count: u32| Limit::per_second(1).unwrap().burst(count).unwrap();
    let rates = Rates::default()
        .connections(second(3))
        .messages(second(2))
        .recipients(second(3))
        .clock(clock.clone());
    let server = Postbox::default().server().rates(rates).build().unwrap();

    let (mut first, _) = visit(&server, "[2001:db8::1]:1").await;
    first
        .check(&[
            ("EHLO c.example", 250),
            MAIL,
            ("RCPT TO:<a@d.example>", 250),
            ("RCPT TO:<b@d.example>", 250),
            ("RCPT TO:<c@d.example>", 250),
            ("RCPT TO:<d@d.example>", 450),
            ("RSET", 250),
            MAIL,
            ("RSET", 250),
            (MAIL.0, 450),
        ])
        .await;
    // The same /64 is the same client, another is not.
    let (mut same, code) = visit(&server, "[2001:db8::2]:1").await;
    assert_eq!(code, 220);
    same.check(&[("EHLO c.example", 250), (MAIL.0, 450)]).await;
    assert_eq!(visit(&server, "[2001:db8::3]:1").await.1, 220);
    assert_eq!(visit(&server, "[2001:db8::4]:1").await.1, 421);
    let (mut other, code) = visit(&server, "192.0.2.1:1").await;
    assert_eq!(code, 220);
    other.check(&[("EHLO c.example", 250), MAIL]).await;

    clock.advance(Duration::from_secs(1));
    first.check(&[MAIL, ("RCPT TO:<a@d.example>", 250)]).await;
    assert_eq!(visit(&server, "[2001:db8::4]:1").await.1, 220);
}

#[tokio::test(start_paused = true)]
async fn too_many_octets_are_read_more_slowly() {
    let rates = Rates::default()
        .octets(Limit::per_second(1000).unwrap().burst(1000).unwrap())
        .clock(Paused(tokio::time::Instant::now()));
    let server = Postbox::default().server().rates(rates).build().unwrap();
    let (mut client, _) = visit(&server, "192.0.2.1:1").await;
    client
        .check(&[
            ("EHLO c.example", 250),
            MAIL,
            ("RCPT TO:<a@d.example>", 250),
            ("DATA", 354),
        ])
        .await;
    let start = tokio::time::Instant::now();
    client.write(&b"12345678\r\n".repeat(1000)).await;
    client.write(b".\r\n").await;
    assert_eq!(client.code().await, 250);
    assert!((8..11).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

/// The clock of tokio's paused time.
#[derive(Debug)]
struct Paused(tokio::time::Instant);

impl posthaste_limit::Clock for Paused {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[tokio::test]
async fn failed_logins_count_over_connections() {
    let clock = ManualClock::new();
    let rates = Rates::default()
        .failed_logins(Limit::per_second(1).unwrap().burst(2).unwrap())
        .clock(clock.clone());
    let server = Postbox::default().server().auth(true).danger_allow_plaintext_auth(true);
    let server = server.rates(rates).build().unwrap();
    // ada:guess and ada:secret
    let (wrong, right) = ("AUTH PLAIN AGFkYQBndWVzcw==", "AUTH PLAIN AGFkYQBzZWNyZXQ=");
    for code in [535, 535, 454] {
        let (mut client, _) = visit(&server, "192.0.2.1:1").await;
        client.check(&[("EHLO c.example", 250), (wrong, code)]).await;
    }
    let (mut client, _) = visit(&server, "192.0.2.1:1").await;
    client.check(&[("EHLO c.example", 250), (right, 454)]).await;
    let (mut other, _) = visit(&server, "192.0.2.2:1").await;
    other.check(&[("EHLO c.example", 250), (right, 235)]).await;
    clock.advance(Duration::from_secs(1));
    client.check(&[(right, 235)]).await;
}

#[tokio::test]
async fn a_submission_server_wants_tls_and_a_login() {
    let build = |server: ServerBuilder| server.hostname("mail.example.net").build();
    assert!(matches!(
        build(Server::submission(Postbox::default())),
        Err(ConfigError::Missing(_))
    ));
    let (chain, key) = certificate();
    let server = build(Server::submission(Postbox::default()).tls(chain, key)).unwrap();
    let mut client = Client::connect_from(server, None);
    assert_eq!(client.code().await, 220);
    client
        .check(&[
            ("EHLO c.example", 250),
            (MAIL.0, 530),
            ("AUTH PLAIN AGFkYQBzZWNyZXQ=", 538),
        ])
        .await;
}

#[tokio::test]
async fn a_relay_relays_for_its_networks() {
    let server = || {
        let networks = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        Server::relay(Postbox::default(), networks).hostname("relay.example.net")
    };
    for (peer, code) in [
        ("10.1.2.3:1", 250),
        ("[::ffff:10.1.2.3]:1", 250),
        ("[2001:db8::1]:1", 250),
        ("192.0.2.1:1", 550),
    ] {
        let mut client = from(server(), peer);
        assert_eq!(client.code().await, 220);
        client
            .check(&[
                ("EHLO c.example", 250),
                MAIL,
                ("RCPT TO:<a@d.example>", code),
                ("RCPT TO:<a@relay.example.net>", 250),
                ("RCPT TO:<Postmaster>", 250),
            ])
            .await;
    }
}

#[tokio::test]
async fn an_mx_takes_mail_for_its_domains() {
    let mx = Server::mx(Postbox::default(), ["d.example".parse().unwrap()]).hostname("mx.d.example");
    let mut client = from(mx, "192.0.2.1:1");
    assert_eq!(client.code().await, 220);
    client
        .check(&[
            ("EHLO c.example", 250),
            ("AUTH PLAIN", 502),
            MAIL,
            ("RCPT TO:<a@d.example>", 250),
            ("RCPT TO:<a@sub.d.example>", 550),
            ("RCPT TO:<a%other.example@d.example>", 250),
            ("RCPT TO:<@d.example:a@other.example>", 550),
            ("RCPT TO:<a@other.example>", 550),
        ])
        .await;
}

#[tokio::test]
async fn a_proxy_says_for_whom_it_speaks() {
    let peer: SocketAddr = "10.0.0.1:9".parse().unwrap();
    let server = |postbox: &Postbox| {
        let server = postbox.server().proxy_protocol(["10.0.0.0/24".parse().unwrap()]);
        let limits = Limits::default()
            .connections_per_ip(1)
            .handshake(Duration::from_secs(5));
        server.limits(limits).build().unwrap()
    };
    let postbox = Postbox::default();
    let shared = server(&postbox);
    let mut client = Client::connect_from(shared.clone(), Some(peer));
    client
        .write(b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\nEHLO c.example\r\n")
        .await;
    assert_eq!((client.code().await, client.code().await), (220, 250));
    client
        .check(&[MAIL, ("RCPT TO:<a@d.example>", 250), ("DATA", 354)])
        .await;
    client.write(b"From: a@b.example\r\n\r\n.\r\n").await;
    assert_eq!(client.code().await, 250);
    let messages = postbox.messages();
    let session = messages[0].session();
    assert_eq!(session.peer(), Some("192.0.2.7:40000".parse().unwrap()));
    assert_eq!(session.proxy(), Some(peer));
    assert!(!session.is_secure());

    // The limits hold for the client, not for the balancer.
    let mut again = Client::connect_from(shared.clone(), Some(peer));
    again.write(b"PROXY TCP4 192.0.2.7 198.51.100.1 40001 25\r\n").await;
    assert_eq!((again.code().await, again.code().await), (421, 0));
    let mut other = Client::connect_from(shared, Some(peer));
    other.write(b"PROXY TCP4 192.0.2.8 198.51.100.1 40001 25\r\n").await;
    assert_eq!(other.code().await, 220);
}

/// The header of a client whose TLS ended at the proxy.
fn proxied_tls() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1e".to_vec();
    header.extend_from_slice(&[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 25]);
    header.extend_from_slice(b"\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3");
    header
}

#[tokio::test]
async fn a_proxy_may_have_ended_tls() {
    let postbox = Postbox::default();
    let server = postbox.server().proxy_protocol(["10.0.0.0/24".parse().unwrap()]);
    let mut client = from(server.require_tls_extension(true), "10.0.0.1:9");
    client.write(&proxied_tls()).await;
    assert_eq!(client.code().await, 220);
    client
        .check(&[
            ("EHLO c.example", 250),
            ("MAIL FROM:<a@b.example> REQUIRETLS", 250),
            ("RCPT TO:<a@d.example>", 250),
            ("DATA", 354),
        ])
        .await;
    client.write(b"From: a@b.example\r\n\r\n.\r\n").await;
    assert_eq!(client.code().await, 250);
    let messages = postbox.messages();
    let encryption = messages[0].session().encryption().unwrap();
    assert_eq!(
        (encryption.version(), encryption.is_by_proxy()),
        (Some("TLSv1.3"), true)
    );
}

#[tokio::test]
async fn requiretls_is_offered_by_who_honours_it_only() {
    for (offers, code) in [(true, 250), (false, 555)] {
        let server = Postbox::default()
            .server()
            .proxy_protocol(["10.0.0.0/24".parse().unwrap()]);
        let mut client = from(server.require_tls_extension(offers), "10.0.0.1:9");
        client.write(&proxied_tls()).await;
        assert_eq!(client.code().await, 220);
        client
            .check(&[("EHLO c.example", 250), ("MAIL FROM:<a@b.example> REQUIRETLS", code)])
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_trusted_proxy_is_believed() {
    let server = || {
        Postbox::default()
            .server()
            .proxy_protocol(["10.0.0.0/24".parse().unwrap()])
    };
    // Trusted, but without a header: nothing is said at all.
    for start in [
        &b"EHLO c.example and more\r\n"[..],
        b"PROXY TCP4 nonsense\r\n",
        b"PROXY TCP4 192.0",
    ] {
        let mut client = from(server(), "10.0.0.1:9");
        client.write(start).await;
        assert_eq!(client.code().await, 0);
    }
    // A balancer that only asks whether the server lives.
    let mut health = from(server(), "10.0.0.1:9");
    health.write(b"PROXY UNKNOWN\r\n").await;
    assert_eq!(health.code().await, 220);
    // Not trusted: the header is a command that nobody knows.
    let mut stranger = from(server(), "192.0.2.1:9");
    assert_eq!(stranger.code().await, 220);
    assert_eq!(stranger.say("PROXY TCP4 127.0.0.1 198.51.100.1 40000 25").await, 500);
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    let postbox = Postbox::default();
    let mut client = Client::connect(Server::lmtp(postbox.clone()).hostname("lmtp.example.net"));
    assert_eq!(client.code().await, 220);
    client
        .check(&[
            ("EHLO c.example", 500),
            ("HELO c.example", 500),
            ("LHLO c.example", 250),
            MAIL,
            ("DATA", 503),
            ("RCPT TO:<a@d.example>", 250),
            ("RCPT TO:<nobody@d.example>", 550),
            ("RCPT TO:<full@d.example>", 250),
            ("DATA", 354),
        ])
        .await;
    client.write(b"From: a@b.example\r\n\r\n.\r\nNOOP\r\n").await;
    assert_eq!(
        (client.code().await, client.code().await, client.code().await),
        (250, 452, 250)
    );
    assert_eq!(postbox.messages()[0].session().protocol(), "LMTP");
    // What is wrong with the message is said to each, too.
    client
        .check(&[
            MAIL,
            ("RCPT TO:<a@d.example>", 250),
            ("RCPT TO:<b@d.example>", 250),
            ("DATA", 354),
        ])
        .await;
    client.write(b"bare\nLF\r\n.\r\n").await;
    assert_eq!(
        (client.code().await, client.code().await, client.code().await),
        (554, 554, 0)
    );

    let mut client = Client::greeted(postbox.server()).await;
    assert_eq!(client.say("LHLO c.example").await, 500);
}

#[tokio::test]
async fn the_handler_may_refuse_a_name() {
    let mut client = Client::connect(Postbox::default().server());
    assert_eq!(client.code().await, 220);
    client
        .check(&[
            ("EHLO mx.example.net", 550),
            (MAIL.0, 503),
            ("HELO mx.example.net", 550),
            ("EHLO c.example", 250),
            MAIL,
        ])
        .await;
    client.stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn lmtp_answers_for_everybody_whatever_becomes_of_some() {
    let postbox = Postbox::default();
    let limits = Limits::default().errors(3);
    let server = Server::lmtp(postbox.clone())
        .hostname("lmtp.example.net")
        .limits(limits);
    let mut client = Client::connect(server);
    assert_eq!(client.code().await, 220);
    client.check(&[("LHLO c.example", 250), MAIL]).await;
    for _ in 0..9 {
        assert_eq!(client.say("RCPT TO:<over@d.example>").await, 250);
    }
    client.check(&[("RCPT TO:<a@d.example>", 250), ("DATA", 354)]).await;
    client.write(b"From: a@b.example\r\n\r\n.\r\n").await;
    for _ in 0..9 {
        assert_eq!(client.code().await, 552);
    }
    assert_eq!((client.code().await, client.say("NOOP").await), (250, 250));
}

#[tokio::test]
async fn a_client_that_a_proxy_does_not_know_has_not_its_rights() {
    let network = || ["10.0.0.0/24".parse().unwrap()];
    let server = || {
        Postbox::default()
            .server()
            .proxy_protocol(network())
            .relay_for(network())
            .local_domains(["here.example".parse().unwrap()])
    };
    let elsewhere = "RCPT TO:<c@elsewhere.example>";
    let mut client = from(server(), "10.0.0.1:9");
    client.write(b"PROXY UNKNOWN\r\n").await;
    assert_eq!(client.code().await, 220);
    client.check(&[("EHLO c.example", 250), MAIL, (elsewhere, 550)]).await;

    // What the balancer says for itself has them.
    let mut own = from(server(), "10.0.0.1:9");
    own.write(b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0").await;
    assert_eq!(own.code().await, 220);
    own.check(&[("EHLO c.example", 250), MAIL, (elsewhere, 250)]).await;
}

#[tokio::test]
async fn what_may_be_a_message_is_never_taken_for_commands() {
    let mut client = Client::greeted(Postbox::default().server()).await;
    client.check(&[MAIL, ("RCPT TO:<c@d.example>", 250)]).await;
    client.write(b"BDAT 6 LASTX\r\nNOOP\r\n").await;
    assert_eq!((client.code().await, client.code().await), (501, 0));

    let mut client = Client::greeted(Postbox::default().server()).await;
    client.write(b"DATA\r\nNOOP\r\n.\r\n").await;
    assert_eq!((client.code().await, client.code().await), (503, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_does_not_wait_for_what_comes_after_it() {
    // A refusal that is held back holds back nothing that was said before.
    let limits = Limits::default().tarpit(0, Duration::from_secs(20)).errors(40);
    let mut client = Client::greeted(Postbox::default().server().limits(limits)).await;
    let start = tokio::time::Instant::now();
    client.write(b"NOOP\r\nXYZZY\r\n").await;
    assert_eq!(client.code().await, 250);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(client.code().await, 500);
    assert_eq!(start.elapsed().as_secs(), 20);
}
