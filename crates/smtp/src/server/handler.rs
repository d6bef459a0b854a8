//! The decisions that are left to the program around the server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use posthaste_address::{Envelope, Recipient};

use super::{BearerToken, Content, Credentials, Identity, Incoming, ScramKeys, Session, Verdict};
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

/// What is stored of a user for SCRAM.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoredLogin {
    /// The keys of a password, and who knows it.
    Known(ScramKeys, Identity),
    /// There is no such user, or none with keys. The client cannot tell, if known users have
    /// [`ScramKeys::ITERATIONS`](super::ScramKeys::ITERATIONS) iterations and 16 octets of salt.
    Unknown,
    /// It cannot be looked up now.
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

    /// Decides whether a client may call itself as it did in EHLO, HELO or LHLO, and so whether it may go on. Accepts unless
    /// implemented; the text of an acceptance is not shown.
    fn ehlo<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, Verdict> {
        let _ = session;
        Box::pin(std::future::ready(Verdict::accept()))
    }

    /// Checks a user name and password. Refuses unless implemented. Compare with
    /// [`Secret::matches`](crate::Secret::matches), and take as long for an unknown name as for a wrong password.
    fn authenticate<'a>(&'a self, session: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        let _ = (session, credentials);
        Box::pin(std::future::ready(Login::Refused))
    }

    /// Checks a token, where [`OAuthBearer`](crate::Mechanism::OAuthBearer) or [`XOAuth2`](crate::Mechanism::XOAuth2) is offered:
    /// that it is valid, meant for this server, and that of the user whom the client names. Refuses unless implemented.
    fn token<'a>(&'a self, session: &'a Session, token: &'a BearerToken) -> HandlerFuture<'a, Login> {
        let _ = (session, token);
        Box::pin(std::future::ready(Login::Refused))
    }

    /// Looks up what is stored of a user, where SCRAM is offered; the server does the rest, and nobody sees the password. Knows
    /// nobody unless implemented. `username` is as SASLprep has it (RFC 4013).
    fn stored_login<'a>(&'a self, session: &'a Session, username: &'a str) -> HandlerFuture<'a, StoredLogin> {
        let _ = (session, username);
        Box::pin(std::future::ready(StoredLogin::Unknown))
    }

    /// Decides whether a sender may send. Accepts unless implemented.
    fn mail<'a>(&'a self, session: &'a Session, mail: &'a Mail) -> HandlerFuture<'a, Verdict> {
        let _ = (session, mail);
        Box::pin(std::future::ready(Verdict::accept()))
    }

    /// Decides whether a message goes to `recipient`. A handler that accepts any domain here, from a client that did not
    /// log in, makes an open relay. `postmaster` without a domain comes as that of the server's own name.
    fn rcpt<'a>(&'a self, session: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict>;

    /// Takes a whole message. Accept it only once it is stored: the client forgets it then.
    fn data<'a>(&'a self, session: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict>;

    /// Reads a message as it comes, and decides. Unless implemented it is read into memory and given to
    /// [`data`](Self::data), which needs not do anything useful where this is.
    ///
    /// Accept only after [`Content::next`] returned `None` and what came before is stored: the client forgets the message
    /// then. To refuse earlier, return earlier; an acceptance before the end is not believed. When reading fails, throw
    /// away what was stored: the client is told by the server, whatever this returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_address::{Envelope, Recipient};
    /// use posthaste_smtp::server::{Content, Handler, HandlerFuture, Incoming, Session, Verdict};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// struct Spool(std::path::PathBuf);
    ///
    /// impl Spool {
    ///     async fn store(&self, content: &mut Content<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    ///         let mut file = tokio::fs::File::create(self.0.join("message.tmp")).await?;
    ///         while let Some(piece) = content.next().await? {
    ///             file.write_all(&piece).await?;
    ///         }
    ///         file.sync_all().await?;
    ///         tokio::fs::rename(self.0.join("message.tmp"), self.0.join("message")).await?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// impl Handler for Spool {
    ///     fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
    ///         Box::pin(async { Verdict::accept() })
    ///     }
    ///
    ///     fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
    ///         Box::pin(async { Verdict::defer(451, (3, 5), "messages are read as they come") })
    ///     }
    ///
    ///     fn content<'a>(
    ///         &'a self,
    ///         _: &'a Session,
    ///         _: &'a Envelope,
    ///         content: &'a mut Content<'_>,
    ///     ) -> HandlerFuture<'a, Verdict> {
    ///         Box::pin(async move {
    ///             match self.store(content).await {
    ///                 Ok(()) => Verdict::accept_with("queued"),
    ///                 Err(_) => Verdict::defer(451, (3, 0), "try again later"),
    ///             }
    ///         })
    ///     }
    /// }
    /// ```
    fn content<'a>(
        &'a self,
        session: &'a Session,
        envelope: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Verdict> {
        Box::pin(async move {
            match content.collect().await {
                Ok(whole) => {
                    let incoming = Incoming {
                        session: session.clone(),
                        envelope: envelope.clone(),
                        content: whole,
                        smtputf8: content.is_smtputf8(),
                    };
                    self.data(session, incoming).await
                }
                // The server knows a better reply.
                Err(_) => Verdict::defer(451, (3, 0), "the message did not come whole"),
            }
        })
    }

    /// Reads a message as it comes over LMTP, and decides for each recipient, in their order in the envelope: all else is as
    /// with [`content`](Self::content), whose decision is the same for all unless this is implemented. A recipient
    /// without a decision is told to try again.
    fn deliver<'a>(
        &'a self,
        session: &'a Session,
        envelope: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Vec<Verdict>> {
        Box::pin(async move {
            let verdict = self.content(session, envelope, content).await;
            vec![verdict; envelope.recipients().len()]
        })
    }

    /// Learns that a connection has ended, however it did; only when the server is stopped for good nobody is told.
    fn end<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, ()> {
        let _ = session;
        Box::pin(std::future::ready(()))
    }
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

    fn content<'a>(
        &'a self,
        session: &'a Session,
        envelope: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Verdict> {
        (**self).content(session, envelope, content)
    }

    fn ehlo<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, Verdict> {
        (**self).ehlo(session)
    }

    fn deliver<'a>(
        &'a self,
        session: &'a Session,
        envelope: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Vec<Verdict>> {
        (**self).deliver(session, envelope, content)
    }

    fn end<'a>(&'a self, session: &'a Session) -> HandlerFuture<'a, ()> {
        (**self).end(session)
    }

    fn token<'a>(&'a self, session: &'a Session, token: &'a BearerToken) -> HandlerFuture<'a, Login> {
        (**self).token(session, token)
    }

    fn stored_login<'a>(&'a self, session: &'a Session, username: &'a str) -> HandlerFuture<'a, StoredLogin> {
        (**self).stored_login(session, username)
    }
}
