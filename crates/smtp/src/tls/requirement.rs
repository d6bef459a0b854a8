//! What a caller asks of the TLS of one server.

use std::error::Error;
use std::fmt::Debug;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use posthaste_transport::PeerAuthentication;

use super::{CertificateError, Tls};

/// What [`TlsPolicy::requirement`] returns.
pub type TlsPolicyFuture<'a> =
    Pin<Box<dyn Future<Output = Result<TlsRequirement, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// Decides what is asked of the TLS of a server, before it is connected to: the place for DANE, MTA-STS and rules of one's own.
///
/// It is asked for each connection that is opened. A policy never lowers what [`SmtpConfig::tls`](crate::SmtpConfig::tls) asks
/// for. A [`TlsRequirement`] is a policy that asks the same of every server.
///
/// # Examples
///
/// DANE where there are TLSA records, and otherwise an MTA-STS policy: neither overrides the other's failure
/// (RFC 8461 §2).
///
/// ```
/// use posthaste_smtp::{Dane, MtaSts, TlsPolicy, TlsPolicyFuture, TlsaAnswer};
///
/// #[derive(Debug)]
/// struct DaneThenMtaSts {
///     mta_sts: Option<MtaSts>,
/// }
///
/// # async fn lookup(_: &str) -> TlsaAnswer { TlsaAnswer::Insecure }
/// impl TlsPolicy for DaneThenMtaSts {
///     fn requirement<'a>(&'a self, host: &'a str, port: u16) -> TlsPolicyFuture<'a> {
///         Box::pin(async move {
///             let dane = Dane::from_answer(lookup(&format!("_{port}._tcp.{host}")).await)?;
///             match (dane, &self.mta_sts) {
///                 (dane @ Dane::Authenticate(_), _) => Ok(dane.requirement()),
///                 (dane, Some(mta_sts)) => Ok(dane.requirement().or_stronger(mta_sts.requirement_of(host)?)),
///                 (dane, None) => Ok(dane.requirement()),
///             }
///         })
///     }
/// }
/// ```
pub trait TlsPolicy: Debug + Send + Sync + 'static {
    /// Says what is asked of `host`.
    ///
    /// # Errors
    ///
    /// Whatever forbids sending to it now, such as a lookup of TLSA records that failed. Nothing is sent then, and the send's
    /// error has this one as a source.
    fn requirement<'a>(&'a self, host: &'a str, port: u16) -> TlsPolicyFuture<'a>;
}

#[deny(clippy::missing_trait_methods)]
impl<T: TlsPolicy + ?Sized> TlsPolicy for Arc<T> {
    fn requirement<'a>(&'a self, host: &'a str, port: u16) -> TlsPolicyFuture<'a> {
        (**self).requirement(host, port)
    }
}

impl TlsPolicy for TlsRequirement {
    fn requirement<'a>(&'a self, _host: &'a str, _port: u16) -> TlsPolicyFuture<'a> {
        Box::pin(ready(Ok(self.clone())))
    }
}

/// Judges the certificate of a server in the place of the ordinary check.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{CertificateCheck, CertificateError, Presented, SmtpConfig, TlsRequirement};
/// use posthaste_transport::PeerAuthentication;
///
/// /// Takes one certificate only, and only while the ordinary check takes it too.
/// #[derive(Debug)]
/// struct Pinned(Vec<u8>);
///
/// impl CertificateCheck for Pinned {
///     fn check(&self, presented: &Presented<'_>) -> Result<PeerAuthentication, CertificateError> {
///         let authentication = presented.ordinary()?;
///         match presented.leaf() == self.0 {
///             true => Ok(authentication),
///             false => Err(CertificateError::refused("this is not the certificate that we know")),
///         }
///     }
/// }
///
/// let transport = SmtpConfig::new("mail.example.org")
///     .tls_policy(TlsRequirement::checked_by(Pinned(vec![0x30, 0x82])))
///     .build()?;
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
pub trait CertificateCheck: Debug + Send + Sync + 'static {
    /// Says how the chain shows who the server is. That the server has the key of the leaf is made sure of besides.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] when it does not show it. Nothing is sent then.
    fn check(&self, presented: &Presented<'_>) -> Result<PeerAuthentication, CertificateError>;
}

#[deny(clippy::missing_trait_methods)]
impl<T: CertificateCheck + ?Sized> CertificateCheck for Arc<T> {
    fn check(&self, presented: &Presented<'_>) -> Result<PeerAuthentication, CertificateError> {
        (**self).check(presented)
    }
}

/// What a server presented in the handshake.
pub struct Presented<'a> {
    pub(super) chain: Vec<&'a [u8]>,
    pub(super) host: &'a str,
    pub(super) now: SystemTime,
    pub(super) ordinary: &'a dyn Fn() -> Result<PeerAuthentication, CertificateError>,
}

impl<'a> Presented<'a> {
    /// Returns the certificates in DER, the server's own first, in the order in which they came.
    pub fn chain(&self) -> &[&'a [u8]] {
        &self.chain
    }

    /// Returns the server's own certificate in DER.
    pub fn leaf(&self) -> &'a [u8] {
        self.chain.first().copied().unwrap_or_default()
    }

    /// Returns the host name or address that the client was told to connect to.
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// Returns the time of the handshake.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// Makes the ordinary check: an authority that is trusted, the right name, not expired.
    ///
    /// # Errors
    ///
    /// [`CertificateError`], what without this check would have failed the send.
    pub fn ordinary(&self) -> Result<PeerAuthentication, CertificateError> {
        (self.ordinary)()
    }
}

impl Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented")
            .field("certificates", &self.chain.len())
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// What is asked of the TLS of a server, above what [`SmtpConfig::tls`](crate::SmtpConfig::tls) asks for.
#[derive(Clone, Debug, Default)]
pub struct TlsRequirement(Level);

/// In the order of their strength.
#[derive(Clone, Debug, Default)]
enum Level {
    #[default]
    Configured,
    Opportunistic,
    Encrypted,
    Verified,
    Checked(Arc<dyn CertificateCheck>),
}

/// How the certificate of a server is judged.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    Ordinary,
    /// Any will do.
    Any,
    Check(Arc<dyn CertificateCheck>),
}

impl TlsRequirement {
    /// Asks for no more than is configured.
    pub fn as_configured() -> Self {
        Self(Level::Configured)
    }

    /// Asks for TLS where it is offered, and takes any certificate: better than clear text, which would be the other choice
    /// (RFC 7435). Where TLS is required by the configuration, certificates are checked as ever.
    pub fn opportunistic() -> Self {
        Self(Level::Opportunistic)
    }

    /// Asks for TLS, and takes any certificate. Where TLS is required by the configuration, certificates are checked as ever.
    pub fn encrypted() -> Self {
        Self(Level::Encrypted)
    }

    /// Asks for TLS with a certificate that passes the ordinary check: an authority that is trusted, the right name, not
    /// expired.
    pub fn verified() -> Self {
        Self(Level::Verified)
    }

    /// Asks for TLS with a certificate that passes `check`, which takes the place of the ordinary one.
    pub fn checked_by(check: impl CertificateCheck) -> Self {
        Self(Level::Checked(Arc::new(check)))
    }

    /// Returns the stronger of two; of two checks this one.
    #[must_use]
    pub fn or_stronger(self, other: Self) -> Self {
        if other.0.strength() > self.0.strength() {
            other
        } else {
            self
        }
    }

    /// What holds for a connection that is configured so.
    pub(crate) fn applied_to(&self, configured: Tls) -> (Tls, Trust) {
        let strict = matches!(configured, Tls::Required | Tls::Implicit);
        let tls = match self.0 {
            Level::Configured => configured,
            _ if strict => configured,
            Level::Opportunistic => Tls::Opportunistic,
            _ => Tls::Required,
        };
        let trust = match &self.0 {
            Level::Opportunistic | Level::Encrypted if !strict => Trust::Any,
            Level::Checked(check) => Trust::Check(Arc::clone(check)),
            _ => Trust::Ordinary,
        };
        (tls, trust)
    }
}

impl Level {
    fn strength(&self) -> u8 {
        match self {
            Self::Configured => 0,
            Self::Opportunistic => 1,
            Self::Encrypted => 2,
            Self::Verified => 3,
            Self::Checked(_) => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Anything;

    impl CertificateCheck for Anything {
        fn check(&self, _: &Presented<'_>) -> Result<PeerAuthentication, CertificateError> {
            Ok(PeerAuthentication::Custom)
        }
    }

    #[test]
    fn a_policy_never_lowers_what_is_configured() {
        let all = || {
            [
                TlsRequirement::as_configured(),
                TlsRequirement::opportunistic(),
                TlsRequirement::encrypted(),
                TlsRequirement::verified(),
                TlsRequirement::checked_by(Anything),
            ]
        };
        for requirement in all() {
            for strict in [Tls::Required, Tls::Implicit] {
                let (tls, trust) = requirement.applied_to(strict);
                assert_eq!(tls, strict);
                assert!(!matches!(trust, Trust::Any), "{requirement:?}");
            }
        }
        let applied = all().map(|requirement| {
            let (tls, trust) = requirement.applied_to(Tls::Opportunistic);
            let trust = match trust {
                Trust::Ordinary => "ordinary",
                Trust::Any => "any",
                Trust::Check(_) => "check",
            };
            (tls, trust)
        });
        assert_eq!(
            applied,
            [
                (Tls::Opportunistic, "ordinary"),
                (Tls::Opportunistic, "any"),
                (Tls::Required, "any"),
                (Tls::Required, "ordinary"),
                (Tls::Required, "check"),
            ]
        );
        assert_eq!(TlsRequirement::verified().applied_to(Tls::None).0, Tls::Required);
        assert_eq!(TlsRequirement::as_configured().applied_to(Tls::None).0, Tls::None);
        for (number, weak) in all().into_iter().enumerate() {
            for strong in all().into_iter().skip(number) {
                let wanted = strong.0.strength();
                assert_eq!(weak.clone().or_stronger(strong.clone()).0.strength(), wanted);
                assert_eq!(strong.or_stronger(weak.clone()).0.strength(), wanted);
            }
        }
    }
}
