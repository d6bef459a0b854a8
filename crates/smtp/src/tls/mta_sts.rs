//! MTA-STS as it applies to a connection (RFC 8461 §4, §5).

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use super::requirement::{TlsPolicy, TlsPolicyFuture, TlsRequirement};

/// Applies an MTA-STS policy whose mode is `enforce`: mail goes to hosts that the policy names only, over TLS, and to who has
/// a certificate for that host from an authority that is trusted.
///
/// A policy in mode `testing` or `none` asks for nothing: leave this away. Fetching policies is not done here; what they
/// say about hosts is given as a function, such as `posthaste-publish`'s `Policy::allows`.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{MtaSts, SmtpConfig, Tls};
///
/// # struct Policy; impl Policy { fn allows(&self, host: &str) -> bool { host == "mx1.example.net" } }
/// # let policy = Policy;
/// let mta_sts = MtaSts::enforce(move |host| policy.allows(host));
/// let transport = SmtpConfig::new("mx1.example.net").port(25).tls(Tls::Opportunistic).tls_policy(mta_sts).build()?;
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MtaSts {
    allows: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// The domain's MTA-STS policy does not name the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the MTA-STS policy does not name the host {host}")]
#[non_exhaustive]
pub struct MtaStsError {
    /// The host.
    pub host: String,
}

impl MtaSts {
    /// Applies a policy that names the hosts for which `allows` is true.
    pub fn enforce(allows: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self {
            allows: Arc::new(allows),
        }
    }

    /// Returns what is asked of `host`.
    ///
    /// # Errors
    ///
    /// [`MtaStsError`] when the policy does not name it: another host of the domain may be named.
    pub fn requirement_of(&self, host: &str) -> Result<TlsRequirement, MtaStsError> {
        match (self.allows)(host) {
            true => Ok(TlsRequirement::verified()),
            false => Err(MtaStsError { host: host.to_owned() }),
        }
    }
}

impl TlsPolicy for MtaSts {
    fn requirement<'a>(&'a self, host: &'a str, _port: u16) -> TlsPolicyFuture<'a> {
        Box::pin(ready(self.requirement_of(host).map_err(Into::into)))
    }
}

impl fmt::Debug for MtaSts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtaSts").finish_non_exhaustive()
    }
}
