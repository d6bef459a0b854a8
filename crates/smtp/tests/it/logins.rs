//! Every way to log in to the server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Recipient;
use posthaste_smtp::server::{
    BearerToken, Handler, HandlerFuture, Identity, Incoming, Login, ScramKeys, Server, ServerBuilder, Session,
    StoredLogin, Verdict,
};
use posthaste_smtp::{ConfigError, Mechanism, Secret, SmtpConfig, Tls};
use posthaste_transport::{SendOptions, Transport};

use crate::postbox::{Running, certificate, mail, soon};
use crate::talker::Client;

/// Knows the token `t0ken` and the keys of `ada`, whose password is `secret`.
struct Keyring(ScramKeys);

impl Keyring {
    fn server(mechanisms: &[Mechanism]) -> ServerBuilder {
        let keys = ScramKeys::derive("secret", b"salt and pepper", 4096).unwrap();
        Server::builder(Self(keys))
            .hostname("mx.example.net")
            .mechanisms(mechanisms.iter().copied())
            .require_auth(true)
    }
}

impl Handler for Keyring {
    fn token<'a>(&'a self, _: &'a Session, token: &'a BearerToken) -> HandlerFuture<'a, Login> {
        let login = match token.username() {
            Some("busy") => Login::Unavailable,
            Some("ada") if token.token().matches("t0ken") => Login::Accepted(Identity::new("ada")),
            _ => Login::Refused,
        };
        Box::pin(std::future::ready(login))
    }

    fn stored_login<'a>(&'a self, _: &'a Session, username: &'a str) -> HandlerFuture<'a, StoredLogin> {
        let stored = match username {
            "busy" => StoredLogin::Unavailable,
            "ada" => StoredLogin::Known(self.0.clone(), Identity::new("ada")),
            _ => StoredLogin::Unknown,
        };
        Box::pin(std::future::ready(stored))
    }

    fn rcpt<'a>(&'a self, session: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        assert_eq!(session.identity().unwrap().name(), "ada");
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }
}

async fn send(server: ServerBuilder, configure: impl Fn(SmtpConfig) -> SmtpConfig) -> Result<(), u16> {
    let (chain, key) = certificate();
    let running = Running::start(server.tls(chain.clone(), key)).await;
    let client = running.client().tls(Tls::Required).platform_roots(false);
    let client = configure(client.add_root_pem(&chain).unwrap()).build().unwrap();
    let sent = soon(client.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())).await;
    drop(client);
    running.stop().await;
    sent.map(|_| ())
        .map_err(|error| error.reply().map_or(0, |reply| reply.code()))
}

#[tokio::test]
async fn scram_logs_in_bound_and_unbound() {
    for mechanism in [Mechanism::ScramSha256, Mechanism::ScramSha256Plus] {
        let both = [Mechanism::ScramSha256, Mechanism::ScramSha256Plus];
        for (username, password, result) in [
            ("ada", "secret", Ok(())),
            ("ada", "guess", Err(535)),
            ("nobody", "secret", Err(535)),
            ("busy", "secret", Err(454)),
        ] {
            let sent = send(Keyring::server(&[mechanism]), |config| {
                config.credentials(username, password)
            })
            .await;
            assert_eq!(sent, result, "{mechanism} {username} {password}");
        }
        let sent = send(Keyring::server(&both), |config| {
            config.credentials("ada", "secret").mechanisms([mechanism])
        });
        assert_eq!(sent.await, Ok(()), "{mechanism} where both are offered");
    }
}

#[tokio::test]
async fn tokens_log_in() {
    for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
        for (username, token, result) in [
            ("ada", "t0ken", Ok(())),
            ("ada", "old", Err(535)),
            ("bob", "t0ken", Err(535)),
            ("busy", "t0ken", Err(454)),
        ] {
            let sent = send(Keyring::server(&[mechanism]), |config| {
                config.token_source(username, Secret::new(token))
            });
            assert_eq!(sent.await, result, "{mechanism} {username} {token}");
        }
    }
}

#[tokio::test]
async fn mechanisms_are_announced_in_order_and_only_where_they_can_be_used() {
    let all = [
        Mechanism::ScramSha256Plus,
        Mechanism::XOAuth2,
        Mechanism::ScramSha256,
        Mechanism::Login,
    ];
    let mut client = Client::connect(Keyring::server(&all).danger_allow_plaintext_auth(true));
    assert_eq!(client.code().await, 220);
    client.write(b"EHLO client.example\r\n").await;
    let reply = client.reply().await.unwrap();
    assert!(
        reply.lines().any(|line| line == "AUTH XOAUTH2 SCRAM-SHA-256 LOGIN"),
        "{reply:?}"
    );
    for (line, code) in [
        ("AUTH PLAIN", 504),
        ("AUTH SCRAM-SHA-256-PLUS", 504),
        ("AUTH CRAM-MD5", 504),
    ] {
        assert_eq!(client.say(line).await, code, "{line}");
    }
    let (chain, key) = certificate();
    let mut client = Client::greeted(Keyring::server(&all).tls(chain, key)).await;
    assert_eq!(client.say("AUTH SCRAM-SHA-256").await, 538);
    let refused = Keyring::server(&[Mechanism::CramMd5])
        .danger_allow_plaintext_auth(true)
        .build();
    assert!(matches!(refused, Err(ConfigError::Invalid { .. })));
}

#[tokio::test]
async fn exchanges_may_break_off_anywhere() {
    let all = [Mechanism::ScramSha256, Mechanism::OAuthBearer];
    let server = || Keyring::server(&all).danger_allow_plaintext_auth(true);
    let first = STANDARD.encode("n,,n=ada,r=abc");
    let token = STANDARD.encode("n,a=ada,\x01auth=Bearer old\x01\x01");
    for (talk, code) in [
        (vec!["AUTH SCRAM-SHA-256", "*"], 501),
        (vec!["AUTH SCRAM-SHA-256", ""], 501),
        (vec!["AUTH SCRAM-SHA-256 !"], 501),
        (vec!["AUTH SCRAM-SHA-256", &first, "*"], 501),
        (vec!["AUTH SCRAM-SHA-256", &first, "YWJj"], 501),
        (vec!["AUTH OAUTHBEARER", "YWJj"], 501),
        (vec!["AUTH OAUTHBEARER", &token, "AQ=="], 535),
    ] {
        let mut client = Client::greeted(server()).await;
        let (last, before) = talk.split_last().unwrap();
        for line in before {
            assert_eq!(client.say(line).await, 334, "{talk:?}");
        }
        assert_eq!(client.say(last).await, code, "{talk:?}");
        assert_eq!(client.say("NOOP").await, 250);
        assert_eq!(client.say("MAIL FROM:<a@b.example>").await, 530);
    }
}
