//! How a resolver is set up.

use std::{fmt, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::{dnssec::TrustAnchors, serialize::txt::trust_anchor},
};

use crate::CachingResolver;

use super::{HickoryResolver, Network, SetupError, SetupErrorKind, Upstream, tls::Roots};

/// Configures a [`HickoryResolver`].
#[derive(Clone)]
pub struct HickoryBuilder {
    upstreams: Vec<Upstream>,
    roots: Roots,
    timeout: Duration,
    attempts: NonZeroUsize,
    deadline: Duration,
    cache_size: usize,
    validate: bool,
    trust_anchors: Option<Arc<TrustAnchors>>,
}

impl Default for HickoryBuilder {
    fn default() -> Self {
        Self {
            upstreams: Vec::new(),
            roots: Roots::default(),
            timeout: Duration::from_secs(3),
            attempts: NonZeroUsize::MIN.saturating_add(1),
            deadline: Duration::from_secs(10),
            cache_size: 16_384,
            validate: false,
            trust_anchors: None,
        }
    }
}

impl HickoryBuilder {
    /// Adds a name server to be asked over UDP and, where that does not suffice, TCP. Without any, those of the system
    /// are used.
    #[must_use]
    pub fn nameserver(self, server: SocketAddr) -> Self {
        self.upstream(server)
    }

    /// Adds a name server, and how to ask it. Several are asked side by side or in turn, whichever answers well: do
    /// not mix encrypted ones with others if encryption matters.
    #[must_use]
    pub fn upstream(mut self, upstream: impl Into<Upstream>) -> Self {
        self.upstreams.push(upstream.into());
        self
    }

    /// Trusts the certificate authorities in a PEM text too, for name servers asked over TLS or HTTPS.
    ///
    /// # Errors
    ///
    /// [`SetupErrorKind::Roots`] when it is damaged or holds none.
    pub fn add_root_pem(mut self, pem: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        self.roots.add_pem(pem.as_ref())?;
        Ok(self)
    }

    /// Sets whether to trust the authorities that the platform trusts, as it does unless told.
    #[must_use]
    pub fn platform_roots(mut self, trust: bool) -> Self {
        self.roots.platform = trust;
        self
    }

    /// Sets how long to wait for a server before asking again: 3 seconds unless told.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how often to ask: twice unless told.
    #[must_use]
    pub fn attempts(mut self, attempts: NonZeroUsize) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how long a lookup may take in all, connecting, retries, aliases and validation included: 10 seconds unless
    /// told.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many answers to keep, as a [`CachingResolver`] does with its defaults: 16384 unless told, none for a
    /// cache of one's own in front.
    #[must_use]
    pub fn cache_size(mut self, answers: usize) -> Self {
        self.cache_size = answers;
        self
    }

    /// Makes the resolver validate DNSSEC itself, from the root's trust anchor. Unless told it does not, and every
    /// answer is [`Dnssec::Indeterminate`](crate::Dnssec::Indeterminate).
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Makes the resolver validate DNSSEC from these keys instead of the root's: DNSKEY records as a master file has
    /// them, as for a private root.
    ///
    /// # Errors
    ///
    /// [`SetupErrorKind::TrustAnchor`] when the text is something else.
    pub fn trust_anchors(mut self, records: &str) -> Result<Self, SetupError> {
        let wrong = |error| SetupError::new(SetupErrorKind::TrustAnchor, error);
        let entries = trust_anchor::Parser::new(records).parse().map_err(wrong)?;
        if entries.is_empty() {
            return Err(SetupErrorKind::TrustAnchor.into());
        }
        let mut anchors = TrustAnchors::empty();
        for entry in &entries {
            let trust_anchor::Entry::DNSKEY(record) = entry else {
                return Err(SetupErrorKind::TrustAnchor.into());
            };
            anchors.insert_with_name(record.data().public_key(), record.name().into());
        }
        self.trust_anchors = Some(Arc::new(anchors));
        self.validate = true;
        Ok(self)
    }

    /// Makes the resolver. Asks nothing yet.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the system's configuration is needed and cannot be read, or TLS cannot be set up.
    pub fn build(self) -> Result<HickoryResolver, SetupError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if self.upstreams.is_empty() {
            TokioResolver::builder(provider).map_err(|error| SetupError::new(SetupErrorKind::System, error))?
        } else {
            let servers = self.upstreams.iter().map(name_server).collect();
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), provider)
        };
        if self.upstreams.iter().any(Upstream::is_encrypted) {
            builder = builder.with_tls_config(self.roots.client_config()?);
        }
        if let Some(anchors) = self.trust_anchors.filter(|_| self.validate) {
            builder = builder.with_trust_anchor(anchors);
        }
        let options = builder.options_mut();
        options.timeout = self.timeout;
        options.attempts = self.attempts.get().saturating_sub(1);
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.validate = self.validate;
        options.preserve_intermediates = true;
        let resolver = builder
            .build()
            .map_err(|error| SetupError::new(SetupErrorKind::Other, error))?;
        let network = Network {
            resolver,
            deadline: self.deadline,
        };
        Ok(HickoryResolver {
            cache: CachingResolver::builder(network).entries(self.cache_size).build(),
            deadline: self.deadline,
        })
    }
}

fn name_server(upstream: &Upstream) -> NameServerConfig {
    let address = upstream.address();
    let connections = match upstream {
        Upstream::Udp(_) => vec![ConnectionConfig::udp(), ConnectionConfig::tcp()],
        Upstream::Tcp(_) => vec![ConnectionConfig::tcp()],
        Upstream::Tls { name, .. } => vec![ConnectionConfig::tls(name.as_str().into())],
        Upstream::Https { name, path, .. } => {
            vec![ConnectionConfig::https(
                name.as_str().into(),
                Some(path.as_str().into()),
            )]
        }
    };
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    NameServerConfig::new(address.ip(), true, connections.into_iter().map(at_port).collect())
}

impl fmt::Debug for HickoryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryBuilder")
            .field("upstreams", &self.upstreams)
            .field("platform_roots", &self.roots.platform)
            .field("own_roots", &self.roots.own.len())
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .field("deadline", &self.deadline)
            .field("cache_size", &self.cache_size)
            .field("validate", &self.validate)
            .finish_non_exhaustive()
    }
}
