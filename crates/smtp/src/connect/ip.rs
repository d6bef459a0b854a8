//! Which addresses of a host are tried, and in which order.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Which version of IP a connection uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IpChoice {
    /// Either, the one first that the operating system puts first (RFC 6724).
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Either, IPv4 first.
    PreferV4,
    /// Either, IPv6 first.
    PreferV6,
}

impl IpChoice {
    /// Reads `any`, `v4`, `v6`, `prefer-v4` or `prefer-v6`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Any,
            "v4" => Self::V4,
            "v6" => Self::V6,
            "prefer-v4" => Self::PreferV4,
            "prefer-v6" => Self::PreferV6,
            _ => return None,
        })
    }

    fn allows(self, address: &SocketAddr) -> bool {
        match self {
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
            Self::Any | Self::PreferV4 | Self::PreferV6 => true,
        }
    }
}

/// The addresses that connections come from. Where one version of IP has such an address and the other has none, the other is
/// not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bind {
    pub(crate) v4: Option<Ipv4Addr>,
    pub(crate) v6: Option<Ipv6Addr>,
}

impl Bind {
    pub(crate) fn set(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.v4 = Some(address),
            IpAddr::V6(address) => self.v6 = Some(address),
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// Returns the address from which `peer` is to be reached.
    pub(super) fn towards(&self, peer: &SocketAddr) -> Option<SocketAddr> {
        let ip: IpAddr = match peer {
            SocketAddr::V4(_) => self.v4?.into(),
            SocketAddr::V6(_) => self.v6?.into(),
        };
        Some(SocketAddr::new(ip, 0))
    }

    fn allows(&self, peer: &SocketAddr) -> bool {
        !self.is_set() || self.towards(peer).is_some()
    }
}

/// Most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 16;

/// Puts `found` in the order in which they are to be tried: by turns one of each version (RFC 8305 §4), the preferred one first.
/// What may not be used, and what stands there twice, is left out.
pub(super) fn arrange(found: impl IntoIterator<Item = SocketAddr>, choice: IpChoice, bind: &Bind) -> Vec<SocketAddr> {
    let mut usable: Vec<SocketAddr> = Vec::new();
    for address in found.into_iter().take(MAX_ADDRESSES * 16) {
        if choice.allows(&address) && bind.allows(&address) && !usable.contains(&address) {
            usable.push(address);
        }
    }
    let v6_first = match choice {
        IpChoice::PreferV4 => false,
        IpChoice::PreferV6 => true,
        _ => usable.first().is_some_and(SocketAddr::is_ipv6),
    };
    let (mut turn, mut other): (VecDeque<_>, VecDeque<_>) =
        usable.into_iter().partition(|address| address.is_ipv6() == v6_first);
    let mut arranged = Vec::new();
    while arranged.len() < MAX_ADDRESSES {
        if let Some(address) = turn.pop_front() {
            arranged.push(address);
        } else if other.is_empty() {
            break;
        }
        std::mem::swap(&mut turn, &mut other);
    }
    arranged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(texts: &[&str]) -> Vec<SocketAddr> {
        texts
            .iter()
            .map(|text| SocketAddr::new(text.parse().unwrap(), 25))
            .collect()
    }

    fn arranged(choice: IpChoice, bind: &Bind) -> Vec<SocketAddr> {
        let found = at(&[
            "2001:db8::1",
            "2001:db8::2",
            "2001:db8::1",
            "192.0.2.1",
            "2001:db8::3",
            "192.0.2.2",
        ]);
        arrange(found, choice, bind)
    }

    #[test]
    fn versions_take_turns() {
        let none = Bind::default();
        let by_turns = ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"];
        assert_eq!(arranged(IpChoice::Any, &none), at(&by_turns));
        assert_eq!(arranged(IpChoice::PreferV6, &none), at(&by_turns));
        let v4_first = ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2", "2001:db8::3"];
        assert_eq!(arranged(IpChoice::PreferV4, &none), at(&v4_first));
        assert_eq!(arranged(IpChoice::V4, &none), at(&["192.0.2.1", "192.0.2.2"]));
        assert_eq!(arranged(IpChoice::V6, &none).len(), 3);
    }

    #[test]
    fn a_bound_version_leaves_the_other_out() {
        let mut bind = Bind::default();
        bind.set("198.51.100.7".parse().unwrap());
        assert_eq!(arranged(IpChoice::Any, &bind), at(&["192.0.2.1", "192.0.2.2"]));
        assert!(arranged(IpChoice::V6, &bind).is_empty());
        bind.set("2001:db8::7".parse().unwrap());
        assert_eq!(arranged(IpChoice::Any, &bind).len(), 5);
    }

    #[test]
    fn a_host_with_many_addresses_is_not_tried_for_ever() {
        let many = (0..10_000_u32).map(|number| SocketAddr::new(Ipv4Addr::from(number).into(), 25));
        assert_eq!(arrange(many, IpChoice::Any, &Bind::default()).len(), MAX_ADDRESSES);
    }
}
