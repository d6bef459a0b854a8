//! The resolver that asks the network.

mod builder;
mod error;
mod response;
mod tls;
mod upstream;

use std::{fmt, net::SocketAddr, time::Duration};

use hickory_resolver::TokioResolver;

pub use builder::HickoryBuilder;
pub use error::{SetupError, SetupErrorKind};
pub use upstream::{Upstream, UpstreamError};

use self::response::{absolute, read_answer, read_error, to_hickory};
use crate::{CacheStats, CachingResolver, LookupError, LookupFuture, NetworkError, RecordType, Resolver};

/// Asks name servers over the network, through a [`CachingResolver`]. Clones share that.
///
/// Lookups need a tokio runtime with I/O and time. Names are asked for as they stand: neither the search list of the
/// system nor its hosts file applies, because mail's questions are about the public DNS. Names of special use
/// (RFC 6761) are answered without asking: `localhost` is loopback, `invalid` does not exist.
///
/// # Examples
///
/// ```no_run
/// use posthaste_dns::{HickoryResolver, ResolverExt};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let resolver = HickoryResolver::from_system()?;
/// for (preference, host) in resolver.mx("example.org").await? {
///     println!("{preference} {host}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HickoryResolver {
    cache: CachingResolver,
    deadline: Duration,
}

/// Hickory's resolver, its own cache turned off: that forgets through which aliases a name was reached, and so how far
/// the answer can be trusted, and keeps no "there is none" that was validated.
struct Network {
    resolver: TokioResolver,
    deadline: Duration,
}

impl HickoryResolver {
    /// Uses the name servers that the system is configured with: `/etc/resolv.conf`, or the registry on Windows.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when that configuration cannot be read.
    pub fn from_system() -> Result<Self, SetupError> {
        Self::builder().build()
    }

    /// Uses these name servers, which must resolve recursively, over UDP and, where that does not suffice, TCP.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the resolver cannot be set up.
    pub fn with_nameservers(servers: impl IntoIterator<Item = SocketAddr>) -> Result<Self, SetupError> {
        servers
            .into_iter()
            .fold(Self::builder(), HickoryBuilder::nameserver)
            .build()
    }

    /// Starts a configuration.
    pub fn builder() -> HickoryBuilder {
        HickoryBuilder::default()
    }

    /// Tells what its cache did so far, and what that holds.
    pub fn stats(&self) -> CacheStats {
        self.cache.stats()
    }

    /// Forgets every answer.
    pub fn clear(&self) {
        self.cache.clear();
    }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver")
            .field("deadline", &self.deadline)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Resolver for HickoryResolver {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        Box::pin(async move {
            if tokio::runtime::Handle::try_current().is_err() {
                // Still say so of a name that no runtime would help.
                absolute(name)?;
                return Err(LookupError::Network(NetworkError::new("no tokio runtime")));
            }
            self.cache.lookup(name, kind).await
        })
    }
}

#[deny(clippy::missing_trait_methods)]
impl Resolver for Network {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        Box::pin(async move {
            let name = absolute(name)?;
            let lookup = self.resolver.lookup(name.clone(), to_hickory(kind));
            match tokio::time::timeout(self.deadline, lookup).await {
                Ok(Ok(lookup)) => read_answer(&lookup, &name, kind),
                Ok(Err(error)) => Err(read_error(error)),
                Err(_elapsed) => Err(LookupError::Timeout),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_asked_for_are_refused_at_once() {
        let resolver = HickoryResolver::with_nameservers([([127, 0, 0, 1], 9).into()]).unwrap();
        let mut lookup = resolver.lookup("a..b", RecordType::A);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(result) = lookup.as_mut().poll(&mut context) else {
            panic!("pending")
        };
        assert_eq!(result, Err(LookupError::InvalidName));
    }

    #[test]
    fn without_a_runtime_there_is_an_error() {
        let resolver = HickoryResolver::with_nameservers([([127, 0, 0, 1], 9).into()]).unwrap();
        let mut lookup = resolver.lookup("example.org", RecordType::A);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(result) = lookup.as_mut().poll(&mut context) else {
            panic!("pending")
        };
        assert!(matches!(result, Err(LookupError::Network(_))));
    }
}
