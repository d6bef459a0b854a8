//! A handler that accepts what it should and remembers it.

use std::sync::{Arc, Mutex};

use posthaste_address::Recipient;
use posthaste_smtp::protocol::Mail;
use posthaste_smtp::server::{
    Credentials, Handler, HandlerFuture, Identity, Incoming, Login, Server, ServerBuilder, Session, Verdict,
};
use rcgen::CertifiedKey;

/// What the handler of a test server saw.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Seen>>);

/// What was seen.
#[derive(Clone, Default)]
pub struct Seen {
    /// Senders of MAIL, `<>` as the empty string.
    pub senders: Vec<String>,
    /// Recipients of RCPT.
    pub recipients: Vec<String>,
    /// Messages taken.
    pub messages: Vec<Incoming>,
}

impl Desk {
    /// Returns what was seen so far.
    pub fn seen(&self) -> Seen {
        self.0.lock().unwrap().clone()
    }

    /// Starts a server with TLS, logins and every extension.
    pub fn server(&self) -> ServerBuilder {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["mx.example.com".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        Server::builder(self.clone())
            .hostname("mx.example.com")
            .tls(cert.pem(), signing_key.serialize_pem())
            .auth(true)
            .danger_allow_plaintext_auth(true)
            .dsn(true)
            .require_tls_extension(true)
    }
}

impl Handler for Desk {
    fn authenticate<'a>(&'a self, _: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        let known = credentials.username() == "user" && credentials.password().matches("pass");
        let identity = Identity::new("user").with_domain("tenant-a.example".parse().unwrap());
        let login = if known {
            Login::Accepted(identity)
        } else {
            Login::Refused
        };
        Box::pin(std::future::ready(login))
    }

    fn mail<'a>(&'a self, _: &'a Session, mail: &'a Mail) -> HandlerFuture<'a, Verdict> {
        let sender = mail.path.as_ref().map(ToString::to_string).unwrap_or_default();
        self.0.lock().unwrap().senders.push(sender);
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        self.0.lock().unwrap().recipients.push(recipient.address().to_string());
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        self.0.lock().unwrap().messages.push(incoming);
        Box::pin(std::future::ready(Verdict::accept()))
    }
}
