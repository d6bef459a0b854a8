//! The decisions that are left to the program around the server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use posthaste_address::Recipient;

use super::{Credentials, Identity, Incoming, Session, Verdict};
use crate::protocol::Mail;

/// What the methods of [`Handler`] return.
pub type HandlerFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What became of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login {
    /// The client is who it says.
    Accepted(Identity),
    /// It is not. The client is told the same whether the name or the password is wrong.
    Refused,
    /// It cannot be checked now.
    Unavailable,
}

/// Decides what a server accepts.
///
/// One value serves every connection. A method that takes longer than [`Limits::handler`](super::Limits::handler) is
/// dropped, and the client told to try again.
///
/// See the [module](super) for an example.
pub trait Handler: Send + Sync + 'static {
    /// Decides whether a client may connect. Accepts unless implemented.
    fn connect<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, Verdict> {
        let _ = session;
        Box::pin(std::future::ready(Verdict::accept()))
    }

    /// Checks a user name and password. Refuses unless implemented. Compare with
    /// [`Secret::matches`](crate::Secret::matches), and take as long for an unknown name as for a wrong password.
    fn authenticate<'a>(&'a self, session: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        let _ = (session, credentials);
        Box::pin(std::future::ready(Login::Refused))
    }

    /// Decides whether a sender may send. Accepts unless implemented.
    fn mail<'a>(&'a self, session: &'a Session, mail: &'a Mail) -> HandlerFuture<'a, Verdict> {
        let _ = (session, mail);
        Box::pin(std::future::ready(Verdict::accept()))
    }

    /// Decides whether a message goes to `recipient`. A handler that accepts any domain here, from a client that did not
    /// log in, makes an open relay. `postmaster` without a domain comes as that of the server's own name.
    fn rcpt<'a>(&'a self, session: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict>;

    /// Takes a message. Accept it only once it is stored: the client forgets it then.
    fn data<'a>(&'a self, session: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict>;
}

#[deny(clippy::missing_trait_methods)]
impl<T: Handler + ?Sized> Handler for Arc<T> {
    fn connect<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, Verdict> {
        (**self).connect(session)
    }

    fn authenticate<'a>(&'a self, session: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        (**self).authenticate(session, credentials)
    }

    fn mail<'a>(&'a self, session: &'a Session, mail: &'a Mail) -> HandlerFuture<'a, Verdict> {
        (**self).mail(session, mail)
    }

    fn rcpt<'a>(&'a self, session: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        (**self).rcpt(session, recipient)
    }

    fn data<'a>(&'a self, session: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        (**self).data(session, incoming)
    }
}
