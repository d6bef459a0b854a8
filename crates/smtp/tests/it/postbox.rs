//! A server that keeps what it accepts, and mail to send to it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use posthaste_address::{EmailAddress, Envelope, Recipient};
use posthaste_mime::Rope;
use posthaste_smtp::server::{
    Content, Credentials, Handler, HandlerFuture, Identity, Incoming, Login, Server, ServerBuilder, Session, Verdict,
};
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::Outbound;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Accepts every recipient but `nobody`, `later` and `shout`, and user `ada` with password `secret`.
#[derive(Clone, Default)]
pub(crate) struct Postbox(Arc<Mutex<Vec<Incoming>>>);

impl Postbox {
    pub(crate) fn messages(&self) -> Vec<Incoming> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn server(&self) -> ServerBuilder {
        Server::builder(self.clone()).hostname("mx.example.net")
    }
}

impl Handler for Postbox {
    fn ehlo<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, Verdict> {
        let verdict = match session.helo() {
            Some("mx.example.net") => Verdict::refuse(550, (7, 1), "that is my name"),
            Some("bot.example") if session.spoke_early() => Verdict::refuse(554, (5, 0), "you talk before your turn"),
            _ => Verdict::accept(),
        };
        Box::pin(std::future::ready(verdict))
    }

    fn deliver<'a>(
        &'a self,
        session: &'a Session,
        envelope: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Vec<Verdict>> {
        Box::pin(async move {
            let verdict = self.content(session, envelope, content).await;
            let verdict = |recipient: &Recipient| match recipient.address().local_part() {
                "full" => Verdict::defer(452, (2, 2), "mailbox full"),
                "over" => Verdict::refuse(552, (2, 2), "over quota"),
                _ => verdict.clone(),
            };
            envelope.recipients().iter().map(verdict).collect()
        })
    }

    fn authenticate<'a>(&'a self, _: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        let right = credentials.username() == "ada" && credentials.password().matches("secret");
        let login = if right {
            Login::Accepted(Identity::new("ada"))
        } else {
            Login::Refused
        };
        Box::pin(std::future::ready(login))
    }

    fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(match recipient.address().local_part() {
            "nobody" => Verdict::refuse(550, (1, 1), "no such mailbox"),
            "later" => Verdict::defer(450, (2, 0), "mailbox busy"),
            "shout" => panic!("a handler that fails"),
            _ => Verdict::accept(),
        }))
    }

    fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        let mut messages = self.0.lock().unwrap();
        messages.push(incoming);
        let verdict = Verdict::accept_with(format!("queued as {}", messages.len()));
        Box::pin(std::future::ready(verdict))
    }
}

/// A server on loopback.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(server: ServerBuilder) -> Self {
        let bound = server.bind("127.0.0.1:0").await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let address = bound.local_addr();
        let shutdown = async { stopped.await.unwrap_or_default() };
        Self {
            address,
            stop,
            task: tokio::spawn(bound.serve_until(shutdown)),
        }
    }

    /// Asks the server to stop and waits until it has.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }

    /// Ends the server in the middle of whatever it does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) fn client(&self) -> posthaste_smtp::SmtpConfig {
        SmtpTransport::builder("127.0.0.1")
            .port(self.address.port())
            .tls(Tls::None)
    }
}

/// A certificate for 127.0.0.1 and its key, in PEM.
pub(crate) fn certificate() -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

pub(crate) fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

/// A message with `body` to `recipients`.
pub(crate) fn mail(recipients: &[&str], body: &str) -> Outbound {
    let envelope = Envelope::new(
        Some(address("ada@example.org")),
        recipients.iter().map(|to| address(to)),
    )
    .unwrap();
    raw(envelope, body)
}

pub(crate) fn raw(envelope: Envelope, body: &str) -> Outbound {
    let text = format!("From: ada@example.org\r\nSubject: test\r\nMessage-ID: <1@example.org>\r\n\r\n{body}");
    Outbound::raw(envelope, Rope::from(Bytes::from(text)))
}

/// Runs `work`, which must not take long.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(60), work)
        .await
        .expect("it hangs")
}
