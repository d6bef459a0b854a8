//! URLs to transports.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use posthaste_transport::{FileTransport, MemoryTransport, Transport};
use url::Url;

use crate::compose::compose;

/// Makes the transport that `url` names.
///
/// | URL | transport |
/// | --- | --- |
/// | `smtp://user:password@host:587` | SMTP with STARTTLS (feature `smtp`) |
/// | `smtps://user:password@host:465` | SMTP over TLS from the first byte (feature `smtp`) |
/// | `smtp+gmail://user:password@default` | a service by its name, see docs/smtp-presets.md (feature `smtp`) |
/// | `smtp://user:password@example.org?srv=true` | the servers that the domain's SRV records name (features `smtp`, `dns`) |
/// | `sendmail:///usr/sbin/sendmail` | the sendmail program of this machine (feature `smtp`) |
/// | `lmtp://host:24` | LMTP, to a mailbox store (feature `smtp`) |
/// | `sendgrid://KEY@default`, `postmark://TOKEN@default` … | a provider, by its name (feature `providers`) |
/// | `generic://KEY@default?file=acme.toml` | a provider that a file describes, see docs/generic-provider.md (feature `providers`) |
/// | `file:///var/mail/out` | one file a message, Maildir style |
/// | `memory://` | kept in memory |
/// | `failover(a b)` | the first of several URLs that takes a message: [`Failover`] |
/// | `roundrobin(a b)` | several URLs by turns: [`RoundRobin`] |
/// | `retry(a)` | tries again what is safe to try again: [`Retry`] |
/// | `breaker(a)` | asks nothing of what is down: [`CircuitBreaker`] |
/// | `concurrency(a)?sends=8` | so many sends at once: [`ConcurrencyLimit`] |
/// | `rate(a)?per_second=14&per_day=50000` | so many messages in a time (feature `limit`) |
/// | `idempotency(a)` | one send for each idempotency key: [`Idempotency`] |
/// | `redirect(a)?to=qa@example.org` | to somebody else, for staging: [`Redirect`] |
/// | `preview(a)?folder=target/mails` | each mail as a page for the browser: [`Preview`] |
/// | `dryrun(a)` | nothing is sent: [`DryRun`] |
///
/// Those with a parenthesis hold URLs with spaces between, or each other, and take keys behind it, times in seconds:
///
/// | form | keys |
/// | --- | --- |
/// | `failover`, `roundrobin`, `breaker` | `failures`, `rest`, `max_rest` |
/// | `failover`, `roundrobin` | `member_timeout`; `roundrobin` also `weights` as `3,1` |
/// | `retry` | `attempts`, `base_delay`, `max_delay` |
/// | `concurrency` | `sends` |
/// | `rate` | `per_second`, `burst`, `per_day` |
/// | `idempotency` | `time` for which outcomes are kept, and how many `keys` |
/// | `redirect` | `to`, addresses; `allow`, domains that are not redirected |
/// | `preview` | `folder` |
///
/// A parenthesis in a password is percent-encoded.
///
/// ```
/// let url = "failover(retry(smtps://user:password@mail.example.org)?attempts=5 memory://)?rest=60";
/// # #[cfg(feature = "smtp")]
/// assert_eq!(posthaste::connect(url)?.info().name(), "failover");
/// # Ok::<(), posthaste::ConnectError>(())
/// ```
///
/// [`Failover`]: posthaste_transport::layers::Failover
/// [`RoundRobin`]: posthaste_transport::layers::RoundRobin
/// [`Retry`]: posthaste_transport::layers::Retry
/// [`CircuitBreaker`]: posthaste_transport::layers::CircuitBreaker
/// [`ConcurrencyLimit`]: posthaste_transport::layers::ConcurrencyLimit
/// [`Idempotency`]: posthaste_transport::layers::Idempotency
/// [`Redirect`]: posthaste_transport::layers::Redirect
/// [`Preview`]: posthaste_transport::layers::Preview
/// [`DryRun`]: posthaste_transport::layers::DryRun
///
/// It opens no connection: the first send does. For schemes of your own, see [`Registry`].
///
/// # Errors
///
/// [`ConnectError`], if `url` is not a URL, names a scheme that is not known, or has an option that is unknown or not
/// valid. It never repeats the URL, which may hold a password.
///
/// # Examples
///
/// ```
/// let transport = posthaste::connect("memory://")?;
/// assert_eq!(transport.info().name(), "memory");
/// # Ok::<(), posthaste::ConnectError>(())
/// ```
pub fn connect(url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
    Registry::standard().connect(url)
}

type Maker = Arc<dyn Fn(&str) -> Result<Arc<dyn Transport>, ConnectError> + Send + Sync>;

/// Which URL schemes there are, and what makes a transport of each: a plain value, so that nothing is registered behind
/// your back.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use posthaste::{MemoryTransport, Registry};
///
/// let captured = MemoryTransport::new();
/// let handle = captured.clone();
/// let registry = Registry::standard().with("test", move |_url| Ok(Arc::new(handle.clone())));
/// let transport = registry.connect("test://anything")?;
/// assert_eq!(transport.info().name(), "memory");
/// # Ok::<(), posthaste::ConnectError>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    schemes: BTreeMap<String, Maker>,
}

impl Registry {
    /// Knows no scheme.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Knows the schemes that [`connect`] lists.
    #[must_use]
    pub fn standard() -> Self {
        let registry = Self::empty().with("memory", memory).with("file", file);
        #[cfg(feature = "smtp")]
        let registry = registry
            .with("smtp", smtp)
            .with("smtps", smtp)
            .with("lmtp", smtp)
            .with("smtp+", smtp)
            .with("sendmail", sendmail);
        #[cfg(feature = "providers")]
        let registry = posthaste_providers::providers()
            .iter()
            .map(|entry| entry.profile().info().name())
            .chain(["generic"])
            .fold(registry, |registry, name| {
                registry.with(name, move |url| provider(name, url))
            });
        registry
    }

    /// Adds `scheme`, or replaces what it meant; `make` is given the whole URL. One that ends with a plus is the beginning of all
    /// schemes that begin so and mean nothing else.
    #[must_use]
    pub fn with<F>(mut self, scheme: &str, make: F) -> Self
    where
        F: Fn(&str) -> Result<Arc<dyn Transport>, ConnectError> + Send + Sync + 'static,
    {
        self.schemes.insert(scheme.to_ascii_lowercase(), Arc::new(make));
        self
    }

    /// Lists the schemes, in alphabetical order.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.schemes.keys().map(String::as_str)
    }

    /// Makes the transport that `url` names.
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub fn connect(&self, url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
        self.connect_at(url, 0)
    }

    pub(crate) fn connect_at(&self, url: &str, depth: usize) -> Result<Arc<dyn Transport>, ConnectError> {
        if let Some(composed) = compose(self, url, depth) {
            return composed;
        }
        let scheme = url
            .split_once(':')
            .map(|(scheme, _)| scheme.to_ascii_lowercase())
            .filter(|scheme| is_scheme(scheme))
            .ok_or(ConnectError::NoScheme)?;
        let family = || self.schemes.get(scheme.split_inclusive('+').next()?);
        let make = self.schemes.get(&scheme).or_else(family);
        let make = make.ok_or_else(|| ConnectError::UnknownScheme {
            known: self.schemes().collect::<Vec<_>>().join(", "),
            scheme: scheme.clone(),
        })?;
        make(url)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.schemes.keys()).finish()
    }
}

/// Why a URL makes no transport. Never holds the URL itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text has no `scheme:`.
    #[error("a connection URL begins with a scheme, as in smtps://host")]
    NoScheme,
    /// Nothing is registered for the scheme.
    #[error("unknown scheme `{scheme}`; known are: {known}")]
    UnknownScheme {
        /// What the URL begins with.
        scheme: String,
        /// What would have been known.
        known: String,
    },
    /// The URL cannot be parsed.
    #[error("not a valid URL")]
    Url(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A part of the URL is not for this scheme.
    #[error("{scheme}:// takes no {part}")]
    Unexpected {
        /// The scheme.
        scheme: &'static str,
        /// Which part it is: `host`, `option `x``…
        part: String,
    },
    /// What stands around other URLs is not right.
    #[error("{name}(…): {problem}")]
    Form {
        /// What stands before the parenthesis.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The transport refused its settings.
    #[error("the {scheme}:// URL cannot be used")]
    Settings {
        /// The scheme.
        scheme: String,
        /// What the transport says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ConnectError {
    /// Wraps what a transport of your own has against its URL.
    pub fn settings(scheme: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Settings {
            scheme: scheme.into(),
            source: source.into(),
        }
    }
}

/// RFC 3986 §3.1. What is none is not shown: in `password@host:25` it is the password.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn parse(url: &str) -> Result<Url, ConnectError> {
    Url::parse(url).map_err(|error| ConnectError::Url(error.into()))
}

/// Refuses options: the scheme has none, and an option that is ignored would be a lie.
fn no_options(scheme: &'static str, url: &Url) -> Result<(), ConnectError> {
    match url.query_pairs().next() {
        Some((key, _)) => Err(ConnectError::Unexpected {
            scheme,
            part: format!("option `{key}`"),
        }),
        None if url.fragment().is_some() => Err(ConnectError::Unexpected {
            scheme,
            part: "fragment".to_owned(),
        }),
        None => Ok(()),
    }
}

fn memory(url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
    let url = parse(url)?;
    no_options("memory", &url)?;
    if url.has_host() || !matches!(url.path(), "" | "/") {
        return Err(ConnectError::Unexpected {
            scheme: "memory",
            part: "host or path".to_owned(),
        });
    }
    Ok(Arc::new(MemoryTransport::new()))
}

fn file(url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
    let url = parse(url)?;
    no_options("file", &url)?;
    let path = url.to_file_path().map_err(|()| ConnectError::Unexpected {
        scheme: "file",
        part: "host: write file:///path".to_owned(),
    })?;
    let transport = FileTransport::new(path).map_err(|error| ConnectError::settings("file", error))?;
    Ok(Arc::new(transport))
}

#[cfg(feature = "providers")]
fn provider(name: &str, url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
    let client =
        posthaste_providers::ReqwestClient::new().map_err(|error| ConnectError::settings(name.to_owned(), error))?;
    match posthaste_providers::connect(url, client) {
        Ok(transport) => Ok(transport),
        Err(error) => Err(ConnectError::settings(name.to_owned(), error)),
    }
}

#[cfg(feature = "smtp")]
fn sendmail(url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
    let transport =
        posthaste_smtp::SendmailTransport::from_url(url).map_err(|error| ConnectError::settings("sendmail", error))?;
    Ok(Arc::new(transport))
}

#[cfg(feature = "smtp")]
fn smtp(url: &str) -> Result<Arc<dyn Transport>, ConnectError> {
    let scheme = ["smtps", "lmtp"]
        .into_iter()
        .find(|scheme| {
            let start = url.split(':').next().unwrap_or_default();
            start.eq_ignore_ascii_case(scheme)
        })
        .unwrap_or("smtp");
    let config = posthaste_smtp::SmtpConfig::from_url(url).map_err(|error| ConnectError::settings(scheme, error))?;
    #[cfg(feature = "dns")]
    let config = match config.needs_resolver() {
        true => {
            let resolver = posthaste_dns::HickoryResolver::from_system();
            config.resolver(resolver.map_err(|error| ConnectError::settings(scheme, error))?)
        }
        false => config,
    };
    let transport = config.build().map_err(|error| ConnectError::settings(scheme, error))?;
    Ok(Arc::new(transport))
}
