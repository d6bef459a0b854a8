//! The trait that everything else takes as a parameter.

use std::{
    fmt::Debug,
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::Pin,
    sync::Arc,
};

use crate::{Answer, LookupError, Record, RecordType, Srv, Tlsa, Txt};

/// Is what [`Resolver::lookup`] returns.
pub type LookupFuture<'a> = Pin<Box<dyn Future<Output = Result<Answer, LookupError>> + Send + 'a>>;

/// Answers questions to the DNS.
///
/// An implementation follows aliases, so that an [`Answer`] holds records of the type that was asked for and nothing
/// else; returns an error rather than an answer without records; and never waits for ever.
pub trait Resolver: Debug + Send + Sync {
    /// Looks up the records of one type at `name`, which is absolute with or without its final dot.
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a>;
}

#[deny(clippy::missing_trait_methods)]
impl<T: Resolver + ?Sized> Resolver for &T {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        (**self).lookup(name, kind)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Resolver + ?Sized> Resolver for Arc<T> {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        (**self).lookup(name, kind)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Resolver + ?Sized> Resolver for Box<T> {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        (**self).lookup(name, kind)
    }
}

/// Asks for one type and gives its data. Implemented for every [`Resolver`].
pub trait ResolverExt: Resolver {
    /// Looks up IPv4 addresses.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`], as for every method here.
    fn a(&self, name: &str) -> impl Future<Output = Result<Vec<Ipv4Addr>, LookupError>> + Send {
        async move { Ok(self.lookup(name, RecordType::A).await?.a().collect()) }
    }

    /// Looks up IPv6 addresses.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`].
    fn aaaa(&self, name: &str) -> impl Future<Output = Result<Vec<Ipv6Addr>, LookupError>> + Send {
        async move { Ok(self.lookup(name, RecordType::Aaaa).await?.aaaa().collect()) }
    }

    /// Looks up mail exchangers, the preferred ones first.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`].
    fn mx(&self, name: &str) -> impl Future<Output = Result<Vec<(u16, String)>, LookupError>> + Send {
        async move {
            let answer = self.lookup(name, RecordType::Mx).await?;
            let mut exchanges: Vec<_> = answer
                .mx()
                .map(|(preference, name)| (preference, name.to_owned()))
                .collect();
            exchanges.sort_by_key(|(preference, _)| *preference);
            Ok(exchanges)
        }
    }

    /// Looks up texts.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`].
    fn txt(&self, name: &str) -> impl Future<Output = Result<Vec<Txt>, LookupError>> + Send {
        async move {
            let records = self.lookup(name, RecordType::Txt).await?.into_records();
            Ok(records
                .into_iter()
                .filter_map(|record| {
                    if let Record::Txt(text) = record {
                        Some(text)
                    } else {
                        None
                    }
                })
                .collect())
        }
    }

    /// Looks up the places of a service, as `_submissions._tcp.example.org`, in the order in which they are to be tried;
    /// `random` is that of [`Srv::order`].
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`].
    fn srv(
        &self,
        name: &str,
        random: impl FnMut(u32) -> u32 + Send,
    ) -> impl Future<Output = Result<Vec<Srv>, LookupError>> + Send {
        async move {
            let answer = self.lookup(name, RecordType::Srv).await?;
            Ok(Srv::order(answer.srv().cloned(), random))
        }
    }

    /// Looks up the names that an address claims to have.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`].
    fn ptr(&self, address: IpAddr) -> impl Future<Output = Result<Vec<String>, LookupError>> + Send {
        async move {
            let answer = self.lookup(&reverse_name(address), RecordType::Ptr).await?;
            Ok(answer.ptr().map(str::to_owned).collect())
        }
    }

    /// Looks up TLS certificate associations. Heed [`Answer::dnssec`] with them: ask through [`Resolver::lookup`] when
    /// it is to decide anything.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::lookup`].
    fn tlsa(&self, name: &str) -> impl Future<Output = Result<Vec<Tlsa>, LookupError>> + Send {
        async move { Ok(self.lookup(name, RecordType::Tlsa).await?.tlsa().cloned().collect()) }
    }
}

impl<T: Resolver + ?Sized> ResolverExt for T {}

/// Gives the name below `in-addr.arpa` or `ip6.arpa` where the names of `address` are kept (RFC 1035 §3.5, RFC 3596
/// §2.5).
///
/// # Examples
///
/// ```
/// assert_eq!(posthaste_dns::reverse_name([192, 0, 2, 1].into()), "1.2.0.192.in-addr.arpa");
/// ```
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles: Vec<String> = address
                .octets()
                .iter()
                .rev()
                .map(|octet| format!("{:x}.{:x}", octet & 15, octet >> 4))
                .collect();
            format!("{}.ip6.arpa", nibbles.join("."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_names_run_backwards() {
        assert_eq!(
            reverse_name("2001:db8::1".parse().unwrap()),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
