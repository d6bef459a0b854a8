//! Settings of a server.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use posthaste_address::Domain;
use posthaste_mime::IdSource;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;

use super::content::Memory;
use super::conversation::Conversation;
use super::rates::Meters;
use super::visitors::Visitors;
use super::{BoundServer, Handler, Limits, Network, Rates};
use crate::config::{ConfigError, SystemIds};
use crate::connect::Stream;
use crate::mechanism::Mechanism;
use crate::tls;

/// Builds a [`Server`].
///
/// Without further settings the server is called `localhost`, has no TLS, takes no logins and leaves every recipient to
/// its handler.
pub struct ServerBuilder {
    handler: Arc<dyn Handler>,
    hostname: String,
    certificate: Option<(Vec<u8>, Vec<u8>)>,
    clients: tls::ClientAuthorities,
    settings: Settings,
    rates: Rates,
    ids: Arc<dyn IdSource>,
}

/// The settings that conversations look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) limits: Limits,
    pub(super) implicit_tls: bool,
    pub(super) require_tls: bool,
    pub(super) mechanisms: Vec<Mechanism>,
    pub(super) require_auth: bool,
    pub(super) danger_allow_plaintext_auth: bool,
    pub(super) dsn: bool,
    pub(super) require_tls_extension: bool,
    pub(super) local_domains: Option<Vec<Domain>>,
    pub(super) relay_for: Vec<Network>,
    pub(super) proxies: Vec<Network>,
    pub(super) lmtp: bool,
}

impl Settings {
    /// Whether a connection from `ip` begins with a PROXY header.
    pub(super) fn trusts_proxy(&self, ip: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(ip))
    }
}

/// An SMTP server that is not listening yet.
///
/// It can be bound to addresses, or be given connections one by one.
#[derive(Clone)]
pub struct Server {
    pub(super) shared: Arc<Shared>,
}

/// What all conversations of a server share.
pub(super) struct Shared {
    pub(super) handler: Arc<dyn Handler>,
    pub(super) hostname: Domain,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) settings: Settings,
    pub(super) memory: Memory,
    pub(super) meters: Meters,
    pub(super) visitors: Visitors,
    pub(super) ids: Arc<dyn IdSource>,
    /// What only this server knows.
    pub(super) secret: [u8; 16],
}

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Its settings cannot be used.
    #[error("the server's settings cannot be used")]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("the address cannot be listened on")]
    Io(#[from] io::Error),
}

impl Server {
    /// Starts the settings of a server that leaves its decisions to `handler`.
    pub fn builder(handler: impl Handler) -> ServerBuilder {
        ServerBuilder {
            handler: Arc::new(handler),
            hostname: "localhost".to_owned(),
            certificate: None,
            clients: tls::ClientAuthorities::default(),
            settings: Settings::default(),
            rates: Rates::default(),
            ids: Arc::new(SystemIds),
        }
    }

    /// Starts the settings of a submission server (RFC 6409), as on port 587, or on 465 with
    /// [`implicit_tls`](ServerBuilder::implicit_tls): who sends must use TLS and log in, and may then send to anybody. It needs
    /// [`tls`](ServerBuilder::tls).
    ///
    /// # Examples
    ///
    /// ```
    /// # use posthaste_smtp::server::{Handler, Server};
    /// # fn example(handler: impl Handler, chain: &str, key: &str) -> Result<(), posthaste_smtp::ConfigError> {
    /// let server = Server::submission(handler).hostname("mail.example.org").tls(chain, key).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn submission(handler: impl Handler) -> ServerBuilder {
        Self::builder(handler).auth(true).require_auth(true).require_tls(true)
    }

    /// Starts the settings of a relay: clients in `networks`, and who logged in where [`auth`](ServerBuilder::auth) is
    /// offered, may send to anybody; from others only mail to the server's own name is taken.
    ///
    /// # Examples
    ///
    /// ```
    /// # use posthaste_smtp::server::{Handler, Server};
    /// # fn example(handler: impl Handler) -> Result<(), Box<dyn std::error::Error>> {
    /// let relay = Server::relay(handler, ["10.0.0.0/8".parse()?, "::1".parse()?]).hostname("relay.example.org").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn relay(handler: impl Handler, networks: impl IntoIterator<Item = Network>) -> ServerBuilder {
        Self::builder(handler).local_domains([]).relay_for(networks)
    }

    /// Starts the settings of the mail exchanger of `domains`: it takes mail for them and for the server's own name from
    /// anybody, and for nobody else.
    ///
    /// # Examples
    ///
    /// ```
    /// # use posthaste_smtp::server::{Handler, Server};
    /// # fn example(handler: impl Handler, chain: &str, key: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let mx = Server::mx(handler, ["example.org".parse()?]).hostname("mx.example.org").tls(chain, key).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mx(handler: impl Handler, domains: impl IntoIterator<Item = Domain>) -> ServerBuilder {
        Self::builder(handler).local_domains(domains)
    }

    /// Starts the settings of an LMTP server (RFC 2033), which says of each recipient what became of the message: see
    /// [`Handler::deliver`]. It takes whatever it is handed: let only who may hand it something reach it, as over a Unix
    /// socket with [`serve_connection`](Self::serve_connection).
    pub fn lmtp(handler: impl Handler) -> ServerBuilder {
        let mut builder = Self::builder(handler);
        builder.settings.lmtp = true;
        builder
    }

    /// Listens on `address`.
    ///
    /// # Errors
    ///
    /// The operating system's, when the address cannot be listened on.
    pub async fn bind(&self, address: impl ToSocketAddrs) -> io::Result<BoundServer> {
        let listener = TcpListener::bind(address).await?;
        BoundServer::new(listener, self.clone())
    }

    /// Serves one connection that was opened elsewhere, until it ends: a pipe in memory, or a socket whose listener is
    /// not ours. The limits on the number of connections do not count it.
    pub async fn serve_connection(&self, stream: impl Stream, peer: Option<SocketAddr>) {
        let (_running, stopped) = watch::channel(false);
        let conversation = Conversation::new(Arc::clone(&self.shared), peer, stopped);
        Box::new(conversation).run(Box::new(stream)).await;
    }
}

impl ServerBuilder {
    /// Sets the host name that the server greets with.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = hostname.into();
        self
    }

    /// Offers STARTTLS with a certificate chain and its key, both in PEM.
    pub fn tls(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some((chain.into(), key.into()));
        self
    }

    /// Speaks TLS from the first octet, as on port 465, instead of offering STARTTLS.
    pub fn implicit_tls(mut self, implicit: bool) -> Self {
        self.settings.implicit_tls = implicit;
        self
    }

    /// Asks clients for a certificate from one of these authorities, in PEM. A client may have none; one that is not good ends
    /// the handshake. [`Encryption::client_certificate`](super::Encryption::client_certificate) is what the handler sees of it.
    pub fn client_authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.clients.pem = Some(pem.into());
        self
    }

    /// Ends the handshake with clients that show no certificate from one of the [`client_authorities`](Self::client_authorities).
    pub fn require_client_certificate(mut self, require: bool) -> Self {
        self.clients.require = require;
        self
    }

    /// Takes mail over TLS only.
    pub fn require_tls(mut self, require: bool) -> Self {
        self.settings.require_tls = require;
        self
    }

    /// Offers AUTH PLAIN and LOGIN, over TLS only, and asks [`Handler::authenticate`].
    pub fn auth(self, offer: bool) -> Self {
        self.mechanisms(
            if offer {
                &[Mechanism::Plain, Mechanism::Login][..]
            } else {
                &[]
            }
            .iter()
            .copied(),
        )
    }

    /// Offers these ways to log in, in this order, over TLS only. PLAIN and LOGIN ask [`Handler::authenticate`],
    /// OAUTHBEARER and XOAUTH2 [`Handler::token`], SCRAM [`Handler::stored_login`]. SCRAM-SHA-256-PLUS is announced where there is
    /// TLS 1.3 to bind to. CRAM-MD5 is not for servers: they would have to keep the passwords themselves.
    pub fn mechanisms(mut self, mechanisms: impl IntoIterator<Item = Mechanism>) -> Self {
        self.settings.mechanisms = mechanisms.into_iter().collect();
        self
    }

    /// Sets where random numbers come from: nonces of SCRAM, and what makes a name that is not known look like one that is.
    /// Default is the operating system.
    pub fn id_source(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Takes mail only from who has logged in, as for submission (RFC 6409 §4.3).
    pub fn require_auth(mut self, require: bool) -> Self {
        self.settings.require_auth = require;
        self
    }

    /// Takes logins without TLS: anyone on the way can read the password.
    pub fn danger_allow_plaintext_auth(mut self, allow: bool) -> Self {
        self.settings.danger_allow_plaintext_auth = allow;
        self
    }

    /// Offers DSN (RFC 3461). The handler finds the wishes in the envelope, and must honour them.
    pub fn dsn(mut self, offer: bool) -> Self {
        self.settings.dsn = offer;
        self
    }

    /// Offers REQUIRETLS (RFC 8689) to clients that speak TLS. The handler finds the wish in the envelope, and must honour it: the
    /// message goes on only over TLS, to servers that prove who they are and offer the extension too.
    pub fn require_tls_extension(mut self, offer: bool) -> Self {
        self.settings.require_tls_extension = offer;
        self
    }

    /// Takes mail for other domains than these only from who has logged in; the handler is asked about the rest.
    pub fn local_domains(mut self, domains: impl IntoIterator<Item = Domain>) -> Self {
        self.settings.local_domains = Some(domains.into_iter().collect());
        self
    }

    /// Lets clients in these networks send to any domain, as if they had logged in; the handler is asked about each recipient.
    pub fn relay_for(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.settings.relay_for = networks.into_iter().collect();
        self
    }

    /// Expects the PROXY protocol, version 1 or 2, from load balancers in these networks, and from nobody else: a
    /// connection from there that does not begin with its header is closed. The [`Session`](super::Session) then tells of the
    /// client that the header names, and the limits hold for that.
    pub fn proxy_protocol(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.settings.proxies = networks.into_iter().collect();
        self
    }

    /// Sets how often a client may come and how much it may bring.
    pub fn rates(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// Sets what a client may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Makes the server. Opens nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the host name, certificate or key cannot be used, or settings contradict each other.
    pub fn build(self) -> Result<Server, ConfigError> {
        let invalid = |setting, reason| ConfigError::Invalid { setting, reason };
        let hostname = self
            .hostname
            .parse()
            .map_err(|_| invalid("hostname", "it is no domain name"))?;
        let tls = match &self.certificate {
            Some((chain, key)) => Some(Arc::new(tls::server_config(chain, key, &self.clients)?)),
            None => None,
        };
        if tls.is_none() && (self.settings.implicit_tls || self.settings.require_tls) {
            return Err(ConfigError::Missing("the certificate for TLS"));
        }
        if tls.is_none() && (self.clients.require || self.clients.pem.is_some()) {
            return Err(ConfigError::Missing("the certificate for TLS"));
        }
        let offers_auth = !self.settings.mechanisms.is_empty();
        if self.settings.mechanisms.contains(&Mechanism::CramMd5) {
            return Err(invalid("mechanisms", "CRAM-MD5 is not for servers"));
        }
        if self.settings.require_auth && !offers_auth {
            return Err(invalid("require_auth", "auth is not offered"));
        }
        if offers_auth && tls.is_none() && !self.settings.danger_allow_plaintext_auth {
            return Err(invalid("auth", "without TLS nobody could log in"));
        }
        let shared = Shared {
            handler: self.handler,
            hostname,
            tls,
            memory: Memory::new(self.settings.limits.memory),
            meters: self.rates.meters(),
            visitors: Visitors::default(),
            secret: self.ids.next_id(),
            ids: self.ids,
            settings: self.settings,
        };
        Ok(Server {
            shared: Arc::new(shared),
        })
    }

    /// Makes the server and listens on `address`.
    ///
    /// # Errors
    ///
    /// [`BindError`], as [`Self::build`] and [`Server::bind`].
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<BoundServer, BindError> {
        Ok(self.build()?.bind(address).await?)
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("hostname", &self.hostname)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("hostname", &self.shared.hostname)
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
