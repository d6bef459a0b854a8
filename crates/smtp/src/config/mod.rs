//! Settings of the client: setters, URLs and variables that meet at one key table.

mod deliver_by;
mod error;
mod key;
mod login;
mod pool;
mod timeouts;

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use posthaste_mime::IdSource;
use posthaste_transport::TlsVersion;
use url::Url;

pub use deliver_by::{DeliverBy, DeliverByError};
pub use error::ConfigError;
pub(crate) use login::Login;
pub(crate) use pool::PoolConfig;
pub(crate) use timeouts::Phase;
pub use timeouts::Timeouts;

use crate::client::SmtpTransport;
use crate::connect::{Connector, IpChoice, Network, Proxy};
use crate::mechanism::Mechanism;
use crate::preset::{Preset, PresetUser};
use crate::secret::Secret;
use crate::tls::{Pem, Tls, TlsPolicy, TlsSettings};
use crate::token::TokenSource;
use key::Key;
pub(crate) use key::duration;

/// Builds an [`SmtpTransport`].
///
/// # Keys
///
/// Every setting that text can express has a key, XCLIENT excepted. In a URL it is a query parameter, in the environment a variable
/// with `SMTP_` before its name in upper case.
///
/// | key | value | default |
/// | --- | --- | --- |
/// | `host`, `port` | in a URL: the authority | port 587; 465 with `tls=implicit` |
/// | `preset` | in the environment: a service's name, as `gmail` or `ses:eu-west-1`; in a URL: the scheme, see [`Self::from_url`] | none |
/// | `username`, `password` | in a URL: the user information, percent-encoded | none |
/// | `tls` | `none`, `opportunistic`, `required`, `implicit` | `required`; `implicit` for `smtps:` |
/// | `minimum_tls` | the oldest version of TLS spoken: `1.2`, `1.3` | `1.2` |
/// | `client_certificate`, `client_key` | PEM files to show to servers that ask; without the second, the key is in the first | none |
/// | `roots` | a PEM file with authorities to trust besides; may stand more than once | none |
/// | `platform_roots` | `true`, `false`: whether what the operating system trusts is trusted | `true` |
/// | `token` | an access token to log in with instead of a password | none |
/// | `mechanisms` | ways to log in that may be used, as `scram-sha-256,plain` | all but `cram-md5` |
/// | `helo` | the name said in EHLO | the connection's own address in brackets |
/// | `pipelining` | `true`, `false` | `true`: used when offered |
/// | `chunking` | `true`, `false` | `true`: used when offered |
/// | `overlap` | `true`, `false` | `true`: used with PIPELINING |
/// | `lmtp` | `true`, `false`; in a URL: the scheme | `false`; `true` for `lmtp:`, with port 24 |
/// | `deliver_by` | as `120;R`, see [`DeliverBy`] | none |
/// | `danger_allow_plaintext_auth` | `true`, `false` | `false` |
/// | `ip` | `any`, `v4`, `v6`, `prefer-v4`, `prefer-v6` | `any` |
/// | `bind` | the address that connections come from, or one of each version with a comma between | the system's choice |
/// | `proxy` | `socks5://user:password@host:1080` or `http://…`; in a URL percent-encoded, `%40` for `@` | none |
/// | `socket` | path of a Unix socket at which the server listens | none |
/// | `srv` | `true`, `false`: whether the host is a domain whose SRV records name its servers; see [`Self::srv`] | `false` |
/// | `connect_timeout` … `end_timeout` | `500ms`, `30s`, `5m` or seconds | see [`Timeouts`] |
/// | `connections` | how many may be open at once, from 1 | `8` |
/// | `messages_per_connection` | after how many one is closed, from 1 | `100` |
/// | `connection_lifetime` | as above | `5m` |
/// | `idle_timeout` | as above | `60s` |
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{SmtpConfig, Tls};
///
/// let transport = SmtpConfig::new("mail.example.org").credentials("ada", "secret").tls(Tls::Implicit).build()?;
/// let the_same = SmtpConfig::from_url("smtps://ada:secret@mail.example.org?idle_timeout=30s")?.build()?;
/// assert!(SmtpConfig::from_url("smtps://mail.example.org?timeuot=30s").is_err());
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) tls: Tls,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) token_source: Option<Arc<dyn TokenSource>>,
    pub(crate) mechanisms: Vec<Mechanism>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) helo: Option<String>,
    pub(crate) pipelining: bool,
    pub(crate) chunking: bool,
    pub(crate) overlap: bool,
    pub(crate) lmtp: bool,
    pub(crate) deliver_by: Option<DeliverBy>,
    pub(crate) xclient: Vec<(String, String)>,
    pub(crate) danger_allow_plaintext_auth: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) pool: PoolConfig,
    pub(crate) tls_settings: TlsSettings,
    pub(crate) tls_policy: Option<Arc<dyn TlsPolicy>>,
    pub(crate) network: Network,
    pub(crate) connector: Option<Arc<dyn Connector>>,
    pub(crate) preset: Option<Preset>,
    pub(crate) srv: bool,
    #[cfg(feature = "dns")]
    pub(crate) resolver: Option<Arc<dyn posthaste_dns::Resolver>>,
}

impl SmtpConfig {
    /// Starts with the server's host name or IP address, port 587 and STARTTLS required.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            tls: Tls::Required,
            username: None,
            password: None,
            token_source: None,
            mechanisms: Mechanism::DEFAULT.to_vec(),
            ids: Arc::new(SystemIds),
            helo: None,
            pipelining: true,
            chunking: true,
            overlap: true,
            lmtp: false,
            deliver_by: None,
            xclient: Vec::new(),
            danger_allow_plaintext_auth: false,
            timeouts: Timeouts::default(),
            pool: PoolConfig::default(),
            tls_settings: TlsSettings::default(),
            tls_policy: None,
            network: Network::default(),
            connector: None,
            preset: None,
            srv: false,
            #[cfg(feature = "dns")]
            resolver: None,
        }
    }

    /// Starts with what is known of a service: `gmail`, or with a region `ses:eu-west-1`; see [`Preset`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when no service has that name, or the region is missing or of no use.
    pub fn preset(name: &str) -> Result<Self, ConfigError> {
        let (name, region) = match name.split_once(':') {
            Some((name, region)) => (name, Some(region)),
            None => (name, None),
        };
        let preset = Preset::find(name).ok_or_else(|| Key::Preset.error("the name of a service, as gmail"))?;
        preset.config(region)
    }

    /// Reads `smtp://user:password@host:port?key=value`; `smtps:` means TLS from the first octet, and `lmtp:` another
    /// protocol.
    ///
    /// `smtp+gmail://user:password@default` takes host, port and TLS of a [`Preset`]; in place of `default` stands the region
    /// of a service that is in several, and a port is one of the service's. Where the service has one user name for all, the
    /// key alone will do: `smtp+sendgrid://KEY@default`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the text is not such a URL, or names a key that is not known or has a value that it cannot
    /// have. The error never repeats the URL.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(url).map_err(|_| ConfigError::Url("it cannot be parsed"))?;
        let (tls, preset) = match url.scheme() {
            "smtp" | "lmtp" => (Tls::Required, None),
            "smtps" => (Tls::Implicit, None),
            scheme => match scheme.strip_prefix("smtp+") {
                Some(name) => {
                    let preset = Preset::find(name);
                    let preset = preset.ok_or(ConfigError::Url("no preset has the name behind smtp+"))?;
                    (preset.tls(), Some(preset))
                }
                None => return Err(ConfigError::Url("the scheme is not smtp, smtps, lmtp or smtp+PRESET")),
            },
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(ConfigError::Url("it has a path or fragment"));
        }
        if url.query().is_some_and(|query| query.contains('@')) {
            // The rest of a password with a bare `?` would end up in an error as an unknown key.
            return Err(ConfigError::Url(
                "an @ stands behind the host: write ? in passwords as %3F, and @ in values as %40",
            ));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let host = percent_decode(host)?;
        let mut config = match preset {
            Some(preset) => preset.config(Some(host.as_str()).filter(|host| *host != "default"))?,
            None => Self::new(host).tls(tls),
        };
        if let Some(port) = url.port() {
            config.set_port(port);
        }
        config.lmtp = url.scheme() == "lmtp";
        if !url.username().is_empty() {
            config.username = Some(percent_decode(url.username())?);
        }
        if let Some(password) = url.password() {
            config.password = Some(Secret::new(percent_decode(password)?));
        }
        if preset.is_some_and(|preset| preset.username() != PresetUser::Own) && config.password.is_none() {
            config.password = config.username.take().map(Secret::new);
        }
        for (key, value) in url.query_pairs() {
            let key: Key = key.parse()?;
            if key.is_in_authority() {
                return Err(ConfigError::Url(
                    "preset, host, port, username and password stand before the path",
                ));
            }
            config.set(key, &value)?;
        }
        Ok(config)
    }

    /// Reads `SMTP_HOST`, `SMTP_TLS` and so on from the environment; other names are skipped, they have other owners.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for a value that its key cannot have.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_os_vars(std::env::vars_os())
    }

    /// As [`Self::from_env`], from any pairs.
    ///
    /// # Errors
    ///
    /// As [`Self::from_env`].
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::from_os_vars(vars.into_iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn from_os_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let mut settings = Vec::new();
        for (name, value) in vars {
            let name = name.to_str().and_then(|name| name.strip_prefix("SMTP_"));
            let Some(key) = name.and_then(|name| name.to_ascii_lowercase().parse::<Key>().ok()) else {
                continue;
            };
            let value = value.to_str().ok_or_else(|| key.error("UTF-8"))?.to_owned();
            settings.push((key, value));
        }
        // What others are changes of comes first, in whatever order they stand.
        settings.sort_by_key(|(key, _)| match key {
            Key::Preset => 0,
            Key::Port => 1,
            _ => 2,
        });
        let mut config = Self::new("");
        for (key, value) in settings {
            config.set(key, &value)?;
        }
        Ok(config)
    }

    /// Sets the port, and when TLS begins if a preset knows that.
    fn set_port(&mut self, port: u16) {
        self.port = Some(port);
        if let Some(tls) = self.preset.and_then(|preset| preset.tls_at(port)) {
            self.tls = tls;
        }
    }

    /// Sets the port; without it 587, or 465 with [`Tls::Implicit`]. A preset knows when TLS begins there; set it later if that is
    /// another time.
    pub fn port(mut self, port: u16) -> Self {
        self.set_port(port);
        self
    }

    /// Sets when TLS is used.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Logs in with a user name and password, by the first mechanism in the order of [`Mechanism::ALL`] that the server offers
    /// and [`Self::mechanisms`] allows.
    ///
    /// With credentials set a send fails when the server offers none that fits, or when there is no TLS.
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.username = Some(username.into());
        self.password = Some(password.into());
        self.token_source = None;
        self
    }

    /// Logs in with a password alone, where a [`Preset`] knows the user name.
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(password.into());
        self.token_source = None;
        self
    }

    /// Logs in with access tokens instead of a password, by OAUTHBEARER or XOAUTH2. A token that the server refuses is
    /// replaced once.
    pub fn token_source(mut self, username: impl Into<String>, source: impl TokenSource) -> Self {
        self.username = Some(username.into());
        self.password = None;
        self.token_source = Some(Arc::new(source));
        self
    }

    /// Sets which mechanisms may be used to log in: [`Mechanism::DEFAULT`] unless told. Their order does not matter.
    pub fn mechanisms(mut self, mechanisms: impl IntoIterator<Item = Mechanism>) -> Self {
        self.mechanisms = mechanisms.into_iter().collect();
        self
    }

    /// Sets where the random octets of a login come from: the operating system unless told, and elsewhere in tests only.
    pub fn id_source(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Sends credentials over a connection without TLS: anyone on the way can read them.
    pub fn danger_allow_plaintext_auth(mut self, allow: bool) -> Self {
        self.danger_allow_plaintext_auth = allow;
        self
    }

    /// Sets the name said in EHLO: this machine's host name, or an address in brackets.
    pub fn helo(mut self, name: impl Into<String>) -> Self {
        self.helo = Some(name.into());
        self
    }

    /// Sets whether MAIL, RCPT and DATA go out in one flight when the server offers PIPELINING (RFC 2920).
    pub fn pipelining(mut self, pipelining: bool) -> Self {
        self.pipelining = pipelining;
        self
    }

    /// Sets whether messages go by BDAT when the server offers CHUNKING (RFC 3030): without a search for their end, and with
    /// PIPELINING those of up to 256 KiB in one flight with their commands. If such a connection is lost, nobody can say what
    /// became of a message, although not even its sender was acknowledged.
    pub fn chunking(mut self, chunking: bool) -> Self {
        self.chunking = chunking;
        self
    }

    /// Sets whether a message that has to wait for a connection may go out behind another one, before the reply to that one is
    /// there. It takes a server that offers PIPELINING.
    pub fn overlap(mut self, overlap: bool) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets whether the server speaks LMTP (RFC 2033): it says of each recipient what became of the message. The port is 24 then
    /// unless it is set. Messages do not go by BDAT.
    pub fn lmtp(mut self, lmtp: bool) -> Self {
        self.lmtp = lmtp;
        self
    }

    /// Sets within which time every message is to be delivered. A send fails where the server does not offer DELIVERBY
    /// (RFC 2852).
    pub fn deliver_by(mut self, deliver_by: DeliverBy) -> Self {
        self.deliver_by = Some(deliver_by);
        self
    }

    /// Sets what a server that trusts this client is told about somebody else, for whom it speaks: names and values of XCLIENT
    /// attributes, as `ADDR` and `192.0.2.1`. A send fails where the server does not take all of them. Without any, as unless
    /// told, nothing is said.
    pub fn xclient(mut self, attributes: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let attributes = attributes.into_iter();
        self.xclient = attributes.map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// Sets the deadlines of the phases of a session.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how many connections may be open at once: 8 unless told, and 1 at least. Further sends wait for their turn.
    pub fn connections(mut self, connections: u16) -> Self {
        self.pool.connections = connections;
        self
    }

    /// Sets how many messages a connection may carry before it is closed: 100 unless told, and 1 at least. Servers have such
    /// limits too, and close without asking.
    pub fn messages_per_connection(mut self, messages: u32) -> Self {
        self.pool.messages = messages;
        self
    }

    /// Sets how long a connection is used at all, 5 min unless told: so that a server can be taken out of service, and a
    /// changed address is noticed.
    pub fn connection_lifetime(mut self, lifetime: Duration) -> Self {
        self.pool.lifetime = lifetime;
        self
    }

    /// Sets how long a connection without work is kept for the next message; zero closes it after each.
    pub fn idle_timeout(mut self, idle: Duration) -> Self {
        self.pool.idle = idle;
        self
    }

    /// Trusts the certificate authorities in a PEM text too.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Certificate`] when the text holds no certificate.
    pub fn add_root_pem(mut self, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        self.tls_settings.roots.add_pem(pem.as_ref())?;
        Ok(self)
    }

    /// Trusts a certificate authority given in DER too; [`Self::build`] fails if it is none.
    pub fn add_root_der(mut self, der: impl Into<Vec<u8>>) -> Self {
        let certificate = rustls_pki_types::CertificateDer::from(der.into());
        self.tls_settings.roots.own.push(certificate);
        self
    }

    /// Trusts the certificate authorities in a PEM file too, which [`Self::build`] reads.
    pub fn add_root_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls_settings.roots.files.push(Pem::File(path.into()));
        self
    }

    /// Sets whether the authorities that the operating system trusts are trusted; they are unless this says otherwise.
    pub fn platform_roots(mut self, trust: bool) -> Self {
        self.tls_settings.roots.platform = trust;
        self
    }

    /// Sets the oldest version of TLS that is spoken: TLS 1.2 unless told.
    pub fn minimum_tls(mut self, version: TlsVersion) -> Self {
        self.tls_settings.minimum = version;
        self
    }

    /// Shows a certificate to servers that ask for one: its chain, the client's own first, and its key, both in PEM. The key may
    /// stand in the same text as the chain. [`Self::build`] fails if they do not belong together.
    ///
    /// Sessions are not resumed then: each new connection makes a whole handshake.
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls_settings.certificate.chain = Some(Pem::text(chain));
        self.tls_settings.certificate.key = Some(Pem::text(key));
        self
    }

    /// Does as [`Self::client_certificate`], with a PEM file that [`Self::build`] reads. The key stands in it too, unless
    /// [`Self::client_key_file`] says where it is.
    pub fn client_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls_settings.certificate.chain = Some(Pem::File(path.into()));
        self
    }

    /// Names the PEM file with the key of [`Self::client_certificate_file`].
    pub fn client_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls_settings.certificate.key = Some(Pem::File(path.into()));
        self
    }

    /// Asks `policy` for each connection what is demanded of its TLS, above [`Self::tls`]: DANE, MTA-STS, or rules of your own.
    /// Without one, as unless told, nothing is.
    pub fn tls_policy(mut self, policy: impl TlsPolicy) -> Self {
        self.tls_policy = Some(Arc::new(policy));
        self
    }

    /// Sets which versions of IP are used: both unless told, by turns, the next address beside one that is silent for 250 ms
    /// (RFC 8305).
    pub fn ip(mut self, ip: IpChoice) -> Self {
        self.network.ip = ip;
        self
    }

    /// Sets the address that connections come from, one for each version of IP. A version for which none is set is not used
    /// then.
    pub fn bind(mut self, address: impl Into<IpAddr>) -> Self {
        self.network.bind.set(address.into());
        self
    }

    /// Sets a proxy through which the server is reached.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.network.proxy = Some(proxy);
        self
    }

    /// Sets a Unix socket at which the server listens. The host's name is still the one that a certificate is checked for.
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.network.socket = Some(path.into());
        self
    }

    /// Sets whether the host is a domain whose servers are looked up (RFC 6186, RFC 8314 §5.1): those of `_submissions._tcp`,
    /// with TLS from the first octet, and of `_submission._tcp`, as [`Self::tls`] says. They are tried in the order that their
    /// priorities and weights make. It takes the feature `dns` and a resolver.
    ///
    /// A certificate is checked for the server's name if that is in the domain or DNSSEC protects the records, and for the
    /// domain's if not.
    pub fn srv(mut self, srv: bool) -> Self {
        self.srv = srv;
        self
    }

    /// Sets who is asked for SRV records.
    #[cfg(feature = "dns")]
    pub fn resolver(mut self, resolver: impl posthaste_dns::Resolver + 'static) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Says whether a resolver is needed and not set: a URL or a variable can ask for one, and cannot bring it.
    #[cfg(feature = "dns")]
    pub fn needs_resolver(&self) -> bool {
        self.srv && self.resolver.is_none()
    }

    /// Sets how connections are opened, in place of the four settings above.
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// Makes the transport. Opens no connection.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a setting is missing or contradicts another.
    pub fn build(self) -> Result<SmtpTransport, ConfigError> {
        SmtpTransport::new(self)
    }

    fn set(&mut self, key: Key, value: &str) -> Result<(), ConfigError> {
        match key {
            Key::Host => self.host = value.to_owned(),
            Key::Port => self.set_port(key.read(value)?),
            Key::Preset => *self = Self::preset(value)?,
            Key::Username => self.username = Some(value.to_owned()),
            Key::Password => self.password = Some(Secret::new(value)),
            Key::Token => self.token_source = Some(Arc::new(Secret::new(value))),
            Key::Mechanisms => self.mechanisms = key.mechanisms(value)?,
            Key::Tls => self.tls = key.tls(value)?,
            Key::MinimumTls => self.tls_settings.minimum = key.read(value)?,
            Key::ClientCertificate => self.tls_settings.certificate.chain = Some(Pem::File(value.into())),
            Key::PrivateKeyFile => self.tls_settings.certificate.key = Some(Pem::File(value.into())),
            Key::Roots => self.tls_settings.roots.files.push(Pem::File(value.into())),
            Key::PlatformRoots => self.tls_settings.roots.platform = key.read(value)?,
            Key::Helo => self.helo = Some(value.to_owned()),
            Key::Pipelining => self.pipelining = key.read(value)?,
            Key::Chunking => self.chunking = key.read(value)?,
            Key::Overlap => self.overlap = key.read(value)?,
            Key::Lmtp => self.lmtp = key.read(value)?,
            Key::DeliverBy => self.deliver_by = Some(key.read(value)?),
            Key::DangerAllowPlaintextAuth => self.danger_allow_plaintext_auth = key.read(value)?,
            Key::Connections => self.pool.connections = key.read(value)?,
            Key::MessagesPerConnection => self.pool.messages = key.read(value)?,
            Key::ConnectionLifetime => self.pool.lifetime = key.duration(value)?,
            Key::IdleTimeout => self.pool.idle = key.duration(value)?,
            Key::Ip => self.network.ip = key.ip(value)?,
            Key::Bind => {
                for address in key.addresses(value)? {
                    self.network.bind.set(address);
                }
            }
            Key::Proxy => self.network.proxy = Some(value.parse()?),
            Key::Socket => self.network.socket = Some(value.into()),
            Key::Srv => self.srv = key.read(value)?,
            Key::Timeout(phase) => self.timeouts.set(phase, key.duration(value)?),
        }
        Ok(())
    }
}

/// Asks the operating system.
#[derive(Debug)]
pub(crate) struct SystemIds;

impl IdSource for SystemIds {
    fn next_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        if aws_lc_rs::rand::fill(&mut id).is_err() {
            // No randomness from the system: the keys that the standard library hashes with are the next best.
            let half = || RandomState::new().build_hasher().finish();
            id = (u128::from(half()) << 64 | u128::from(half())).to_le_bytes();
        }
        id
    }
}

/// Undoes percent-encoding.
pub(crate) fn percent_decode(text: &str) -> Result<String, ConfigError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            bytes
                .next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .and_then(|d| u8::try_from(d).ok())
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(ConfigError::Url(
                "a percent sign is not followed by two hexadecimal digits",
            ));
        };
        decoded.push(high << 4 | low);
    }
    String::from_utf8(decoded).map_err(|_| ConfigError::Url("percent-encoded octets are not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_urls() {
        let config = SmtpConfig::from_url(
            "smtps://us%40er:p%3Aw@[2001:db8::1]:2465?helo=me.example&idle_timeout=5m&mail_timeout=500ms",
        )
        .unwrap();
        assert_eq!(
            (config.host.as_str(), config.port, config.tls),
            ("2001:db8::1", Some(2465), Tls::Implicit)
        );
        assert_eq!(config.username.as_deref(), Some("us@er"));
        assert!(config.password.unwrap().matches("p:w"));
        assert_eq!(
            (config.helo.as_deref(), config.pool.idle),
            (Some("me.example"), Duration::from_secs(300))
        );
        assert_eq!(config.timeouts.get(timeouts::Phase::Mail), Duration::from_millis(500));
        let config = SmtpConfig::from_url("smtp://localhost:2525?tls=none").unwrap();
        assert_eq!(
            (config.host.as_str(), config.port, config.tls),
            ("localhost", Some(2525), Tls::None)
        );
    }

    #[test]
    fn refuses_urls_and_never_shows_them() {
        for (url, part) in [
            ("smtp://u:hunter2@h?tsl=none", "`tls`"),
            ("smtp://u:hunter2@h?tls=maybe", "opportunistic"),
            ("smtp://u:hunter2@h?idle_timeout=-1", "500ms"),
            ("smtp://u:hunter2@h?pipelining=yes", "true"),
            ("smtp://u:hunter2@h?host=x", "before the path"),
            ("smtp://u:hunter2@h/path", "path"),
            ("http://u:hunter2@h", "scheme"),
            ("smtp://u:hunter2%4@h", "percent"),
            ("smtp://u:12?hunter2@h", "behind the host"),
            ("smtp://u:12?hunter2=x@h", "behind the host"),
            ("hunter2", "parsed"),
        ] {
            let error = SmtpConfig::from_url(url).unwrap_err();
            assert!(error.to_string().contains(part), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error:?}");
        }
    }

    #[test]
    fn reads_presets_from_urls() {
        let read = |url: &str| SmtpConfig::from_url(url).unwrap();
        let config = read("smtp+gmail://ada%40gmail.com:secret@default?helo=me.example");
        assert_eq!(
            (config.host.as_str(), config.port, config.tls, config.helo.as_deref()),
            ("smtp.gmail.com", Some(465), Tls::Implicit, Some("me.example"))
        );
        // TLS is that of the port, unless somebody says otherwise.
        assert_eq!(read("smtp+gmail://u:p@default:587").tls, Tls::Required);
        assert_eq!(read("smtp+gmail://u:p@default:587?tls=implicit").tls, Tls::Implicit);
        assert_eq!(
            read("smtp+ses://u:p@eu-west-1").host,
            "email-smtp.eu-west-1.amazonaws.com"
        );
        // One user name for all: the key alone will do, in either place.
        for url in ["smtp+sendgrid://SG.x%2Fy@default", "smtp+sendgrid://:SG.x%2Fy@default"] {
            match read(url).login().unwrap() {
                Some(Login::Password { username, password }) => {
                    assert_eq!((username.as_str(), password.expose()), ("apikey", "SG.x/y"));
                }
                other => panic!("{other:?}"),
            }
        }
        match read("smtp+postmark://t0ken@default").login().unwrap() {
            Some(Login::Password { username, password }) => assert_eq!(username, password.expose()),
            other => panic!("{other:?}"),
        }
        for (url, part) in [
            ("smtp+gmial://u:hunter2@default", "preset"),
            ("smtp+gmail://u:hunter2@smtp.gmail.com", "region"),
            ("smtp+ses://u:hunter2@default", "region"),
            ("smtp+ses://u:hunter2@a.b", "region"),
            ("smtp+gmail://u:hunter2@default?preset=x", "before the path"),
            ("imap+gmail://u:hunter2@default", "scheme"),
        ] {
            let error = SmtpConfig::from_url(url).unwrap_err();
            assert!(error.to_string().contains(part), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error:?}");
        }
    }

    #[test]
    fn reads_presets_from_variables_in_any_order() {
        let read = |vars: &[(&str, &str)]| {
            let vars = vars
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            SmtpConfig::from_vars(vars)
        };
        let config = read(&[
            ("SMTP_PASSWORD", "key"),
            ("SMTP_PORT", "2525"),
            ("SMTP_HELO", "me.example"),
            ("SMTP_PRESET", "sendgrid"),
        ]);
        let config = config.unwrap();
        assert_eq!(
            (config.host.as_str(), config.port, config.tls, config.helo.as_deref()),
            ("smtp.sendgrid.net", Some(2525), Tls::Required, Some("me.example"))
        );
        assert!(matches!(config.login(), Ok(Some(Login::Password { username, .. })) if username == "apikey"));
        let config = read(&[
            ("SMTP_TLS", "none"),
            ("SMTP_PORT", "587"),
            ("SMTP_PRESET", "ses:us-east-1"),
        ])
        .unwrap();
        assert_eq!((config.tls, config.port), (Tls::None, Some(587)));
        assert!(matches!(
            read(&[("SMTP_PRESET", "gmial")]),
            Err(ConfigError::Value { key: "preset", .. })
        ));
    }

    #[test]
    fn a_password_alone_is_enough_only_where_the_user_name_is_known() {
        let login = |name: &str| SmtpConfig::preset(name).unwrap().password("p").login();
        assert!(login("resend").is_ok() && login("mailpace").is_ok());
        assert!(matches!(login("gmail"), Err(ConfigError::Missing("username"))));
        let own = SmtpConfig::preset("resend").unwrap().credentials("u", "p").login();
        assert!(matches!(own, Ok(Some(Login::Password { username, .. })) if username == "u"));
        assert!(SmtpConfig::preset("resend").unwrap().login().unwrap().is_none());
    }

    #[test]
    fn reads_variables_and_skips_others() {
        let vars = [
            ("SMTP_HOST", "h.example"),
            ("SMTP_PORT", "2525"),
            ("SMTP_TLS", "none"),
            ("SMTP_OTHER", "x"),
            ("PATH", "/"),
        ];
        let config = SmtpConfig::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        assert_eq!(
            (config.host.as_str(), config.port, config.tls),
            ("h.example", Some(2525), Tls::None)
        );
        assert!(SmtpConfig::from_vars([("SMTP_PORT".to_owned(), "many".to_owned())]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn reads_an_environment_that_is_not_all_utf_8() {
        use std::os::unix::ffi::OsStringExt;

        let other = || OsString::from_vec(vec![0xff]);
        let host = || (OsString::from("SMTP_HOST"), OsString::from("h.example"));
        let config = SmtpConfig::from_os_vars([(other(), other()), ("LC_X".into(), other()), host()]).unwrap();
        assert_eq!(config.host, "h.example");
        let error = SmtpConfig::from_os_vars([host(), ("SMTP_PASSWORD".into(), other())]).unwrap_err();
        assert!(matches!(error, ConfigError::Value { key: "password", .. }), "{error}");
    }

    #[test]
    fn refuses_settings_that_cannot_work() {
        let none = || SmtpConfig::new("h.example").tls(Tls::None);
        assert!(matches!(SmtpConfig::new("").build(), Err(ConfigError::Missing("host"))));
        assert!(matches!(
            SmtpConfig::new("h\r\nx").build(),
            Err(ConfigError::Invalid { .. })
        ));
        for helo in ["", "a b", "a\r\nMAIL FROM:<x@y.z>", "a\0"] {
            assert!(
                matches!(none().helo(helo).build(), Err(ConfigError::Invalid { .. })),
                "{helo:?}"
            );
        }
        let token = || none().token_source("u", Secret::new("t"));
        assert!(token().build().is_ok());
        let mut both = token();
        both.password = Some("p".into());
        assert!(matches!(
            both.build(),
            Err(ConfigError::Invalid { setting: "token", .. })
        ));
        assert!(token().mechanisms([Mechanism::Plain]).build().is_err());
        assert!(
            none()
                .credentials("u", "p")
                .mechanisms([Mechanism::XOAuth2])
                .build()
                .is_err()
        );
        assert!(none().token_source("u\x01", Secret::new("t")).build().is_err());
        let mut half = none();
        half.username = Some("u".into());
        assert!(matches!(half.build(), Err(ConfigError::Missing("password"))));
        assert!(matches!(
            none().credentials("a\0b", "p").build(),
            Err(ConfigError::Invalid { .. })
        ));
        assert!(none().add_root_pem("nothing").is_err());
    }

    #[test]
    fn mechanisms_and_tokens_have_keys() {
        let config = SmtpConfig::from_url("smtps://ada@h.example?token=canary&mechanisms=xoauth2,cram-md5").unwrap();
        assert_eq!(config.mechanisms, [Mechanism::XOAuth2, Mechanism::CramMd5]);
        assert!(!format!("{config:?}").contains("canary"));
        assert!(matches!(config.login(), Ok(Some(Login::Token { .. }))));
        for value in ["", "plain,gssapi", "plain,,login"] {
            let error = SmtpConfig::from_url(&format!("smtps://h.example?mechanisms={value}")).unwrap_err();
            assert!(error.to_string().contains("mechanisms"), "{error}");
        }
    }

    #[test]
    fn ways_to_a_server_have_keys() {
        let url = "smtp://h.example?ip=prefer-v6&bind=192.0.2.1,2001:db8::1&proxy=socks5%3A%2F%2Fu%3Ahunter2%40p";
        let config = SmtpConfig::from_url(url).unwrap();
        assert_eq!(config.network.ip, IpChoice::PreferV6);
        assert!(config.network.bind.v4.is_some() && config.network.bind.v6.is_some());
        assert!(config.network.proxy.is_some());
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(config.build().is_ok());
        for (query, part) in [
            ("ip=4", "prefer-v6"),
            ("bind=localhost", "`bind`"),
            ("bind=192.0.2.1,192.0.2.2", "one of each version"),
            ("proxy=ftp://hunter2", "socks5://"),
        ] {
            let error = SmtpConfig::from_url(&format!("smtp://h.example?{query}")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(part) && !text.contains("hunter2"), "{text}");
        }
        for query in [
            "socket=/run/s&proxy=http://p",
            "socket=/run/s&bind=192.0.2.1",
            "socket=/run/s&ip=v4",
            "ip=v6&bind=192.0.2.1",
        ] {
            let config = SmtpConfig::from_url(&format!("smtp://h.example?{query}")).unwrap();
            assert!(matches!(config.build(), Err(ConfigError::Invalid { .. })), "{query}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let config = SmtpConfig::new("h.example")
            .tls(Tls::None)
            .credentials("user", "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!format!("{:?}", config.build().unwrap()).contains("hunter2"));
    }
}
