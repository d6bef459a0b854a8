//! Ranges of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A range of IP addresses, written `192.0.2.0/24` or `2001:db8::/32`; an address alone is the range of itself.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::Network;
///
/// let office: Network = "192.0.2.0/24".parse()?;
/// assert!(office.contains("192.0.2.7".parse()?));
/// assert!(office.contains("::ffff:192.0.2.7".parse()?));
/// assert!(!office.contains("192.0.3.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// The first address: what is not part of the prefix is zero.
    first: IpAddr,
    prefix: u8,
}

/// Why a text is no [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// What stands before the slash is no IP address.
    #[error("it does not begin with an IP address")]
    Address,
    /// What stands behind the slash is no number of bits that such an address has.
    #[error("its prefix length is not valid")]
    Prefix,
}

impl Network {
    /// Makes the range of the addresses that share the first `prefix` bits of `address`.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Prefix`] when the address has fewer bits.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        let first = match address {
            IpAddr::V4(v4) if prefix <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::from((u32::from(v4) & mask).to_be_bytes())
            }
            IpAddr::V6(v6) if prefix <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
            }
            _ => return Err(NetworkError::Prefix),
        };
        Ok(Self { first, prefix })
    }

    /// Whether `address` is in the range. An IPv4 address in its IPv6 form counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = match self.first {
            IpAddr::V4(_) => address.to_canonical(),
            IpAddr::V6(_) => address,
        };
        Self::new(address, self.prefix).is_ok_and(|network| network.first == self.first)
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { first: address, prefix }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        match text.split_once('/') {
            None => text.parse().map(IpAddr::into).map_err(|_| NetworkError::Address),
            Some((address, prefix)) => {
                let address = address.parse().map_err(|_| NetworkError::Address)?;
                let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
                let prefix = digits.then(|| prefix.parse().ok()).flatten();
                Self::new(address, prefix.ok_or(NetworkError::Prefix)?)
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// Returns what stands for all addresses that one client has: an IPv4 address for itself, an IPv6 address for its /64.
pub(super) fn household(address: IpAddr) -> IpAddr {
    let address = address.to_canonical();
    let prefix = if address.is_ipv4() { 32 } else { 64 };
    Network::new(address, prefix).map_or(address, |network| network.first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_contains() {
        for (network, inside, outside) in [
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("192.0.2.77/25", "192.0.2.0", "192.0.2.128"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "::1", "192.0.2.1"),
            ("::1/128", "::1", "::2"),
        ] {
            let range: Network = network.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{network}");
            assert!(!range.contains(outside.parse().unwrap()), "{network}");
        }
        for (text, error) in [
            ("", NetworkError::Address),
            ("example.org/8", NetworkError::Address),
            ("192.0.2.0/33", NetworkError::Prefix),
            ("192.0.2.0/", NetworkError::Prefix),
            ("192.0.2.0/+8", NetworkError::Prefix),
            ("::/129", NetworkError::Prefix),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_household_is_an_address_or_a_64() {
        let of = |text: &str| household(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(bits in any::<u128>(), v4 in any::<bool>(), prefix in any::<u8>()) {
            let address = if v4 { IpAddr::from((bits as u32).to_be_bytes()) } else { IpAddr::V6(bits.into()) };
            if let Ok(network) = Network::new(address, prefix) {
                prop_assert_eq!(network.to_string().parse(), Ok(network));
                prop_assert!(network.contains(address));
            }
        }
    }
}
