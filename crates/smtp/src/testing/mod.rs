//! A real SMTP server for tests of programs that send mail.
//!
//! It listens on loopback, keeps what it takes, and does wrong what it is told to. It is [`server`](crate::server) with a
//! handler of its own: a test against it goes through real sockets, a real dialogue and real dot-stuffing.
//!
//! ```
//! use posthaste_mime::Message;
//! use posthaste_smtp::SmtpTransport;
//! use posthaste_smtp::server::Verdict;
//! use posthaste_smtp::testing::{Fault, Stage, TestServer};
//! use posthaste_transport::TransportExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::start().await?;
//! let transport = SmtpTransport::from_url(&server.url())?;
//!
//! let message = Message::builder()
//!     .from("Ada <ada@example.org>".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Grüße")
//!     .text("First line")
//!     .build()?;
//! let _ = transport.send_message(message.clone()).await?;
//! let mail = server.only_mail();
//! mail.assert_subject("Grüße").assert_recipients(["bob@example.net"]);
//! assert_eq!(mail.text().as_deref(), Some("First line\r\n"));
//!
//! server.fail(Fault::reply(Stage::Rcpt, Verdict::defer(450, (7, 1), "greylisted")).times(1));
//! let error = transport.send_message(message).await.unwrap_err();
//! assert_eq!(error.reply().map(|reply| reply.code()), Some(450));
//! # Ok(())
//! # }
//! ```

mod assertions;
mod fault;
mod mail;

use std::fmt;
use std::future::{pending, ready};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use posthaste_address::{EmailAddress, Recipient};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use fault::{Fault, Stage};
pub use mail::TestMail;

use crate::protocol::Mail;
use crate::secret::Secret;
use crate::server::{
    BindError, Credentials, Handler, HandlerFuture, Identity, Incoming, Limits, Login, Server, Session, Verdict,
};
use fault::Action;

/// A server on loopback that keeps what it takes. Dropping it ends it and every session.
///
/// It accepts every sender and recipient until it is told otherwise with [`fail`](Self::fail).
pub struct TestServer {
    address: SocketAddr,
    url: String,
    book: Arc<Book>,
    task: JoinHandle<()>,
}

/// Configures a [`TestServer`].
#[must_use]
pub struct TestServerBuilder {
    certificate: Option<(Vec<u8>, Vec<u8>)>,
    implicit_tls: bool,
    login: Option<(String, Secret)>,
    limits: Limits,
}

/// What the server keeps and is told.
struct Book {
    mails: watch::Sender<Vec<TestMail>>,
    faults: Mutex<Vec<Fault>>,
    connections: AtomicUsize,
    login: Option<(String, Secret)>,
}

impl TestServer {
    /// Starts a server without TLS and logins, on a port of its own.
    ///
    /// # Errors
    ///
    /// As [`TestServerBuilder::start`].
    pub async fn start() -> Result<Self, BindError> {
        Self::builder().start().await
    }

    /// Starts the settings of a server.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder {
            certificate: None,
            implicit_tls: false,
            login: None,
            limits: Limits::default().handler(Duration::from_secs(24 * 3600)),
        }
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a URL for [`SmtpTransport::from_url`](crate::SmtpTransport::from_url), with the user name and password that
    /// the server was given. A certificate of its own has to be trusted by the client besides.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns what was taken so far, in the order in which it came.
    pub fn received(&self) -> Vec<TestMail> {
        self.book.mails.borrow().clone()
    }

    /// Waits until `count` messages were taken, and returns all of them. It waits for ever if they do not come: a test wants
    /// a time-out around it.
    pub async fn wait_for(&self, count: usize) -> Vec<TestMail> {
        let mut mails = self.book.mails.subscribe();
        match mails.wait_for(|mails| mails.len() >= count).await {
            Ok(mails) => mails.clone(),
            // The sender is kept by this server.
            Err(_) => pending().await,
        }
    }

    /// Forgets what was taken.
    pub fn clear(&self) {
        self.book.mails.send_replace(Vec::new());
    }

    /// Counts the connections so far.
    pub fn connections(&self) -> usize {
        self.book.connections.load(Ordering::SeqCst)
    }

    /// Lets something go wrong from now on. Of several faults that fit, the one that was added first happens.
    pub fn fail(&self, fault: Fault) {
        self.book.faults().push(fault);
    }

    /// Lets everything go right again.
    pub fn mend(&self) {
        self.book.faults().clear();
    }
}

impl TestServerBuilder {
    /// Offers STARTTLS with a certificate chain and its key, both in PEM.
    pub fn tls(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some((chain.into(), key.into()));
        self
    }

    /// Speaks TLS from the first octet instead of offering STARTTLS.
    pub fn implicit_tls(mut self, implicit: bool) -> Self {
        self.implicit_tls = implicit;
        self
    }

    /// Takes mail only from who logs in with this user name and password; without a certificate in clear text, too.
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Some((username.into(), password.into()));
        self
    }

    /// Sets what a client may use. Decisions have no deadline unless it is set here.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts the server, inside the tokio runtime that this is called in.
    ///
    /// # Errors
    ///
    /// [`BindError`] when the certificate or key cannot be used, or loopback cannot be listened on.
    pub async fn start(self) -> Result<TestServer, BindError> {
        let scheme = if self.implicit_tls { "smtps" } else { "smtp" };
        let mut url = url::Url::parse(&format!("{scheme}://127.0.0.1")).map_err(std::io::Error::other)?;
        if self.certificate.is_none() {
            url.query_pairs_mut().append_pair("tls", "none");
        }
        if let Some((username, password)) = &self.login {
            // A URL's user information has percent signs as they are.
            let (username, password) = (username.replace('%', "%25"), password.expose().replace('%', "%25"));
            let set = url
                .set_username(&username)
                .and_then(|()| url.set_password(Some(&password)));
            set.map_err(|()| std::io::Error::other("a user name that no URL can hold"))?;
            if self.certificate.is_none() {
                url.query_pairs_mut().append_pair("danger_allow_plaintext_auth", "true");
            }
        }
        let auth = self.login.is_some();
        let book = Arc::new(Book {
            mails: watch::Sender::default(),
            faults: Mutex::default(),
            connections: AtomicUsize::new(0),
            login: self.login,
        });
        let mut server = Server::builder(Keeper(Arc::clone(&book)))
            .limits(self.limits)
            .dsn(true)
            .require_tls_extension(true)
            .auth(auth)
            .require_auth(auth)
            .danger_allow_plaintext_auth(self.certificate.is_none())
            .implicit_tls(self.implicit_tls);
        if let Some((chain, key)) = self.certificate {
            server = server.tls(chain, key);
        }
        let bound = server.bind("127.0.0.1:0").await?;
        let address = bound.local_addr();
        url.set_port(Some(address.port()))
            .map_err(|()| std::io::Error::other("a port that no URL can hold"))?;
        Ok(TestServer {
            address,
            url: url.into(),
            book,
            task: tokio::spawn(bound.serve_until(pending())),
        })
    }
}

impl Book {
    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong now.
    fn action(&self, stage: Stage, recipients: &[&EmailAddress]) -> Option<Action> {
        let mut faults = self.faults();
        let fault = faults
            .iter_mut()
            .find_map(|fault| fault.happens(stage, recipients).then_some(&*fault));
        fault.map(|fault| fault.action.clone())
    }

    fn decide(&self, stage: Stage, recipients: &[&EmailAddress]) -> HandlerFuture<'static, Verdict> {
        match self.action(stage, recipients) {
            None | Some(Action::LoseReply) => Box::pin(ready(Verdict::accept())),
            Some(Action::Reply(verdict)) => Box::pin(ready(verdict)),
            Some(Action::HangUp) => Box::pin(ready(Verdict::hang_up())),
            Some(Action::Stall) => Box::pin(pending()),
        }
    }

    fn keep(&self, incoming: Incoming) -> Verdict {
        let mut id = 0;
        self.mails.send_modify(|mails| {
            mails.push(TestMail::new(incoming));
            id = mails.len();
        });
        Verdict::accept_with(format!("queued as {id}"))
    }
}

/// The handler of the server.
struct Keeper(Arc<Book>);

impl Handler for Keeper {
    fn connect<'a>(&'a self, _: &'a Session) -> HandlerFuture<'a, Verdict> {
        self.0.connections.fetch_add(1, Ordering::SeqCst);
        self.0.decide(Stage::Connect, &[])
    }

    fn ehlo<'a>(&'a self, _: &'a Session) -> HandlerFuture<'a, Verdict> {
        self.0.decide(Stage::Ehlo, &[])
    }

    fn authenticate<'a>(&'a self, _: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        match self.0.action(Stage::Login, &[]) {
            Some(Action::Reply(verdict)) if !verdict.is_accept() && verdict.code() < 500 => {
                return Box::pin(ready(Login::Unavailable));
            }
            Some(Action::Reply(verdict)) if !verdict.is_accept() => return Box::pin(ready(Login::Refused)),
            Some(Action::Stall | Action::HangUp) => return Box::pin(pending()),
            _ => {}
        }
        let right = self.0.login.as_ref().is_some_and(|(username, password)| {
            credentials.username() == username && credentials.password().matches(password.expose())
        });
        Box::pin(ready(if right {
            Login::Accepted(Identity::new(credentials.username()))
        } else {
            Login::Refused
        }))
    }

    fn mail<'a>(&'a self, _: &'a Session, _: &'a Mail) -> HandlerFuture<'a, Verdict> {
        self.0.decide(Stage::Mail, &[])
    }

    fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        self.0.decide(Stage::Rcpt, &[recipient.address()])
    }

    fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        let recipients: Vec<_> = incoming
            .envelope()
            .recipients()
            .iter()
            .map(Recipient::address)
            .collect();
        match self.0.action(Stage::Data, &recipients) {
            None => Box::pin(ready(self.0.keep(incoming))),
            Some(Action::LoseReply) => {
                let _ = self.0.keep(incoming);
                Box::pin(ready(Verdict::hang_up()))
            }
            Some(Action::Reply(verdict)) if verdict.is_accept() => {
                let _ = self.0.keep(incoming);
                Box::pin(ready(verdict))
            }
            Some(Action::Reply(verdict)) => Box::pin(ready(verdict)),
            Some(Action::HangUp) => Box::pin(ready(Verdict::hang_up())),
            Some(Action::Stall) => Box::pin(pending()),
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer")
            .field("address", &self.address)
            .field("received", &self.book.mails.borrow().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TestServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServerBuilder")
            .field("tls", &self.certificate.is_some())
            .field("implicit_tls", &self.implicit_tls)
            .field("auth", &self.login.is_some())
            .field("limits", &self.limits)
            .finish()
    }
}
