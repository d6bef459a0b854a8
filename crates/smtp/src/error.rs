//! What goes wrong between the client and a server.

use std::error::Error;
use std::io;

use posthaste_transport::{Disposition, ErrorKind, Reply, Retry, SendError};

use crate::client::ScramError;
use crate::connect::SrvError;
use crate::protocol::{ContentError, EncodeError, ReplyError};
use crate::tls::CertificateError;

/// The name that errors of the client carry.
pub(crate) const NAME: &str = "smtp";

/// The cause behind a [`SendError`] of [`SmtpTransport`](crate::SmtpTransport): its
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// No connection could be opened.
    #[error("no connection could be opened")]
    Connect(#[source] io::Error),
    /// The server's certificate is not good enough.
    #[error("the server's certificate is not good enough")]
    Certificate(#[source] CertificateError),
    /// The [`TlsPolicy`](crate::TlsPolicy) forbids sending to the server, or could not be asked.
    #[error("the policy for TLS does not let this server be sent to")]
    Policy(#[source] Box<dyn Error + Send + Sync>),
    /// The domain's SRV records lead to no server.
    #[error("no server was found")]
    Srv(#[source] SrvError),
    /// The TLS handshake failed: another protocol, or no version of TLS that both speak.
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[source] io::Error),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// A deadline passed.
    #[error("the deadline passed")]
    Timeout,
    /// What the server said is not SMTP.
    #[error("the server's answer is not an SMTP reply")]
    Reply(#[source] ReplyError),
    /// The server's reply has no meaning where it stands.
    #[error("the server answered {0}, which has no meaning here")]
    Unexpected(u16),
    /// The server refused.
    #[error("the server answered {0}")]
    Refused(Reply),
    /// STARTTLS is required and not offered.
    #[error("TLS is required and the server offers no STARTTLS, only {offered}")]
    NoStartTls {
        /// The extensions that it does offer.
        offered: String,
    },
    /// Clear text stood behind the server's reply to STARTTLS: somebody may have put it there.
    #[error("clear text stands behind the server's reply to STARTTLS")]
    Injected,
    /// No way to log in is known to both sides.
    #[error("no way to log in fits: the server offers {offered}, this client has {ours}")]
    NoMechanism {
        /// The mechanisms that the server offers.
        offered: String,
        /// Those of the client that are allowed and fit its credentials and the connection.
        ours: String,
    },
    /// A SCRAM exchange cannot go on.
    #[error("the login by SCRAM failed")]
    Scram(#[source] ScramError),
    /// There is no token to log in with.
    #[error("there is no token to log in with")]
    Token(#[source] Box<dyn Error + Send + Sync>),
    /// Credentials are set and the connection has no TLS.
    #[error("credentials are not sent without TLS, unless danger_allow_plaintext_auth is set")]
    ClearTextAuth,
    /// Credentials are set, and nothing made sure that the server is the right one.
    #[error("credentials are not sent to a server whose certificate was not verified")]
    UnverifiedAuth,
    /// The message needs an extension that the server does not offer.
    #[error("the message needs {extension}, which the server does not offer")]
    MissingExtension {
        /// Keyword of the extension.
        extension: &'static str,
    },
    /// The message is larger than the server takes.
    #[error("the message has {size} octets, the server takes {limit}")]
    TooBig {
        /// Size of the message.
        size: u64,
        /// The server's limit.
        limit: u64,
    },
    /// The message cannot go over SMTP as it is.
    #[error("the message cannot go over SMTP")]
    Content(#[source] ContentError),
    /// The message could not be read: a streamed attachment failed, or is not what it was.
    #[error("the message could not be read")]
    Source(#[source] io::Error),
    /// A command could not be written.
    #[error("a command could not be written")]
    Command(#[source] EncodeError),
}

impl SmtpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect(_) | Self::Tls(_) | Self::Certificate(_) | Self::Policy(_) | Self::Io(_) | Self::Closed => {
                ErrorKind::Unavailable
            }
            Self::Srv(SrvError::Lookup(_)) => ErrorKind::Unavailable,
            Self::Srv(_) => ErrorKind::Invalid,
            Self::Timeout => ErrorKind::Timeout,
            Self::Reply(_) | Self::Unexpected(_) | Self::Injected => ErrorKind::Unknown,
            Self::Refused(reply) => ErrorKind::from_reply(reply),
            Self::NoMechanism { .. } | Self::ClearTextAuth | Self::UnverifiedAuth | Self::Scram(_) | Self::Token(_) => {
                ErrorKind::Unauthorized
            }
            Self::NoStartTls { .. } | Self::MissingExtension { .. } => ErrorKind::Unsupported,
            Self::TooBig { .. } => ErrorKind::Rejected,
            Self::Content(_) | Self::Command(_) => ErrorKind::Invalid,
            Self::Source(_) => ErrorKind::Unreadable,
        }
    }
}

/// A step of a session that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) during: &'static str,
    pub(crate) error: SmtpError,
}

impl Failed {
    /// Whether the connection itself was lost, or the server said that it closes it.
    pub(crate) fn is_connection_lost(&self) -> bool {
        match &self.error {
            SmtpError::Io(_) | SmtpError::Closed => true,
            SmtpError::Refused(reply) => reply.code() == 421,
            _ => false,
        }
    }

    /// The same failure once more, for another message that it meets.
    pub(crate) fn alike(&self) -> Self {
        let error = match &self.error {
            SmtpError::Io(error) => SmtpError::Io(error.kind().into()),
            SmtpError::Timeout => SmtpError::Timeout,
            SmtpError::Reply(error) => SmtpError::Reply(error.clone()),
            SmtpError::Unexpected(code) => SmtpError::Unexpected(*code),
            SmtpError::Refused(reply) => SmtpError::Refused(reply.clone()),
            _ => SmtpError::Closed,
        };
        Self {
            during: self.during,
            error,
        }
    }

    /// Whether it is the message that failed, and not the connection or the server.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.error, SmtpError::Source(_) | SmtpError::Content(_))
    }

    /// Whether the same may go well at another time.
    pub(crate) fn may_pass(&self) -> bool {
        SendError::new(self.kind(), Disposition::NotAccepted).retry() == Retry::Safe
    }

    /// Returns the category of the error that this becomes.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// Makes the error of a send that certainly reached nobody.
    pub(crate) fn not_accepted(self) -> SendError {
        let error = SendError::new(self.error.kind(), Disposition::NotAccepted);
        self.describe(error)
    }

    /// Completes `error` with what this knows.
    pub(crate) fn describe(self, error: SendError) -> SendError {
        let error = error.with_transport(NAME).with_detail(self.during);
        match self.error {
            SmtpError::Refused(reply) => error.with_reply(reply),
            cause => error.with_source(cause),
        }
    }
}
