//! The client: a transport that hands messages to one SMTP server.

mod alarm;
mod budget;
mod connection;
mod downgrade;
mod hold;
mod job;
mod line;
mod login;
mod overlap;
mod pool;
mod queue_id;
mod split;
mod transaction;
mod wire;
mod xclient;

use std::fmt;
use std::sync::Arc;

use posthaste_transport::{
    Capabilities, Feature, Outbound, Outcome, SendError, SendFuture, SendOptions, Transport, TransportInfo, plan,
};

use crate::config::{ConfigError, SmtpConfig};
use crate::error::NAME;
use crate::protocol::word;
use crate::tls::{Tls, TlsClient};
use budget::Budget;
use connection::Opener;
use job::{Job, Manner};
pub use login::ScramError;
use overlap::Courier;
use pool::Pool;
pub use pool::PoolStatus;

/// What SMTP can do. Whether the server at hand can is only known once it was asked; what a message needs and it lacks
/// is then an error before any of the message is sent.
const INFO: TransportInfo = TransportInfo::new(
    NAME,
    Capabilities::wire()
        .with(Feature::RecipientOutcomes)
        .with(Feature::SmtpUtf8)
        .with(Feature::Dsn)
        .with(Feature::Schedule)
        .with(Feature::RequireTls),
);

/// Sends through one SMTP server, over connections that are kept for the next messages.
///
/// Sends that run at once have a connection each, up to [`SmtpConfig::connections`]; the others wait, and are served in the
/// order in which they came. A connection that broke while it waited is noticed and replaced without the caller seeing it;
/// one that is idle, old or used for long enough is closed with QUIT.
///
/// With PIPELINING a message that waits goes out behind the one before as soon as that one is sent, and does not wait for its
/// reply ([`SmtpConfig::overlap`]). A task of its own looks after such a connection; what becomes of one message is never
/// what becomes of another. With CHUNKING several messages may be under way ([`SmtpConfig::chunking`]).
///
/// Dropping a send's future leaves the transport usable. A message whose end was not sent then is not sent; the connection that
/// had begun with it is closed.
///
/// What an outcome or error says:
///
/// - every recipient has its own fate, with the server's reply; one that is refused does not stop the others;
/// - after the end of the message only the server's reply decides: a connection lost before it came is
///   [`Ambiguous`](posthaste_transport::Disposition::Ambiguous), and so is an answer that is no reply. By BDAT a small message
///   goes out together with its commands, so that this holds from MAIL on; a connection that was idle is asked first;
/// - the source of an error is an [`SmtpError`](crate::SmtpError).
///
/// Streamed attachments are read while they are sent, by tokio's blocking threads, and no more than two pieces of 64 KiB are
/// held. If one cannot be read to its end, or is not what was announced or signed, the connection is closed in the middle of
/// the message: the server has to forget it, and the error is
/// [`Unreadable`](posthaste_transport::ErrorKind::Unreadable), nothing accepted.
///
/// # Examples
///
/// ```no_run
/// use posthaste_mime::Message;
/// use posthaste_smtp::SmtpTransport;
/// use posthaste_transport::TransportExt;
///
/// # async fn send() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = SmtpTransport::builder("mail.example.org").credentials("ada", "secret").build()?;
/// let message = Message::builder()
///     .from("Ada <ada@example.org>".parse()?)
///     .to("bob@example.net".parse()?)
///     .subject("Hello")
///     .text("First line")
///     .build()?;
/// let outcome = transport.send_message(message).await?;
/// for (address, refusal) in outcome.refused() {
///     eprintln!("{address}: {refusal}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct SmtpTransport {
    opener: Arc<Opener>,
    pool: Pool,
}

impl SmtpTransport {
    /// Starts the settings of a transport to `host`.
    pub fn builder(host: impl Into<String>) -> SmtpConfig {
        SmtpConfig::new(host)
    }

    /// Makes a transport from `smtp://user:password@host:port?key=value`; see [`SmtpConfig`] for the keys.
    ///
    /// # Errors
    ///
    /// As [`SmtpConfig::from_url`] and [`SmtpConfig::build`].
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        SmtpConfig::from_url(url)?.build()
    }

    pub(crate) fn new(config: SmtpConfig) -> Result<Self, ConfigError> {
        check(&config)?;
        let tls = match (config.tls, &config.tls_policy) {
            (Tls::None, None) => None,
            _ => Some(TlsClient::new(&config.tls_settings, &config.host)?),
        };
        let port = config.port.unwrap_or(match (config.lmtp, config.tls) {
            (true, _) => 24,
            (false, Tls::Implicit) => 465,
            (false, _) => 587,
        });
        let pool = Pool::new(config.pool);
        let login = config.login()?;
        let connector = match &config.connector {
            Some(connector) => Arc::clone(connector),
            None => Arc::new(config.network.clone()),
        };
        let opener = Arc::new(Opener {
            config,
            port,
            tls,
            login,
            connector,
        });
        Ok(Self { opener, pool })
    }

    /// Opens connections until `count` are there, or as many as may be, and returns how many it opened: the first messages
    /// of a rush need not wait for handshakes then. It takes its turn among the sends.
    ///
    /// # Errors
    ///
    /// As [`Transport::send`] when a connection cannot be opened, always
    /// [`NotAccepted`](posthaste_transport::Disposition::NotAccepted). Those that could be are kept.
    pub async fn warm_up(&self, count: u16) -> Result<usize, SendError> {
        let budget = Budget::new(self.opener.config.timeouts, None);
        let opened = self.pool.warm_up(count, &self.opener, budget).await;
        opened.map_err(crate::error::Failed::not_accepted)
    }

    /// Waits for the sends that were begun, says QUIT on every connection and closes it. Sends that begin meanwhile wait, and
    /// open new ones: the transport stays usable.
    ///
    /// A server that does not answer QUIT is waited for two seconds at most.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Counts the connections.
    pub fn pool_status(&self) -> PoolStatus {
        self.pool.status()
    }

    async fn deliver(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let plan = plan(mail, options, &INFO)?;
        let config = &self.opener.config;
        let manner = Manner {
            pipelining: config.pipelining,
            chunking: config.chunking,
            lmtp: config.lmtp,
            deliver_by: config.deliver_by,
        };
        let job = Arc::new(Job::prepare(mail, plan.keeps(Feature::Dsn), options, manner)?);
        let budget = Budget::new(self.opener.config.timeouts, options.deadline());
        job.probe(&budget).await?;

        let courier = Courier {
            pool: &self.pool,
            opener: &self.opener,
            overlaps: config.overlap && config.pipelining,
        };
        split::deliver(&courier, job, budget).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl Transport for SmtpTransport {
    fn info(&self) -> TransportInfo {
        INFO
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.deliver(mail, options))
    }
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTransport")
            .field("host", &self.opener.config.host)
            .field("port", &self.opener.port)
            .field("tls", &self.opener.config.tls)
            .finish_non_exhaustive()
    }
}

fn check(config: &SmtpConfig) -> Result<(), ConfigError> {
    if config.host.is_empty() {
        return Err(ConfigError::Missing("host"));
    }
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if config.host.contains(odd) {
        return Err(invalid("host", "it holds a space or control character"));
    }
    if let Some(helo) = &config.helo
        && (helo.is_empty() || helo.len() > 255 || word(&mut Vec::new(), "helo", helo).is_err() || !helo.is_ascii())
    {
        return Err(invalid("helo", "it must be a host name or an address in brackets"));
    }
    if config.lmtp && config.port == Some(25) {
        return Err(invalid("port", "LMTP is never spoken on port 25 (RFC 2033 §5)"));
    }
    config.network.check()?;
    if config.connector.is_some() && !config.network.is_plain() {
        return Err(invalid("connector", "it takes the place of ip, bind, proxy and socket"));
    }
    if config.srv {
        #[cfg(feature = "dns")]
        if config.resolver.is_none() {
            return Err(ConfigError::Missing("resolver"));
        }
        if cfg!(not(feature = "dns")) {
            return Err(invalid("srv", "it takes the feature dns"));
        }
        if config.port.is_some() {
            return Err(invalid("port", "SRV records say it"));
        }
        if config.lmtp || config.network.socket.is_some() {
            return Err(invalid("srv", "neither LMTP nor a socket has such records"));
        }
    }
    xclient::check(&config.xclient)?;
    if config.pool.connections == 0 {
        return Err(invalid("connections", "there must be one at least"));
    }
    if config.pool.messages == 0 {
        return Err(invalid("messages_per_connection", "there must be one at least"));
    }
    Ok(())
}

fn invalid(setting: &'static str, reason: &'static str) -> ConfigError {
    ConfigError::Invalid { setting, reason }
}
