//! The terms of a record, as they are written.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::Result as SpfResult;

/// Says what a mechanism that matches means (RFC 7208 §4.6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Qualifier {
    /// The host may send.
    #[default]
    Pass,
    /// The host may not.
    Fail,
    /// The host probably may not.
    SoftFail,
    /// The domain does not say.
    Neutral,
}

impl Qualifier {
    /// Gives the sign in the record; that of a pass may be left out, and is here.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        }
    }

    /// Gives the result of a check that it decides.
    pub fn result(self) -> SpfResult {
        match self {
            Self::Pass => SpfResult::Pass,
            Self::Fail => SpfResult::Fail,
            Self::SoftFail => SpfResult::SoftFail,
            Self::Neutral => SpfResult::Neutral,
        }
    }
}

/// Names a set of hosts (RFC 7208 §5). Domains are as they are written, macros included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// Every host.
    All,
    /// The hosts for which another domain's record says pass.
    Include(String),
    /// The hosts with the addresses of a name, or in networks with them.
    A {
        /// The name; none is the record's own domain.
        domain: Option<String>,
        /// How many leading bits of an IPv4 address count.
        ip4_prefix: u8,
        /// How many leading bits of an IPv6 address count.
        ip6_prefix: u8,
    },
    /// The hosts that take a domain's mail, or that are in networks with them.
    Mx {
        /// The domain; none is the record's own.
        domain: Option<String>,
        /// How many leading bits of an IPv4 address count.
        ip4_prefix: u8,
        /// How many leading bits of an IPv6 address count.
        ip6_prefix: u8,
    },
    /// The hosts whose names are at or below a domain. The RFC advises against it (§5.5).
    Ptr(Option<String>),
    /// An IPv4 network: its address and how many leading bits of it count.
    Ip4(Ipv4Addr, u8),
    /// An IPv6 network: its address and how many leading bits of it count.
    Ip6(Ipv6Addr, u8),
    /// The hosts for which a name, usually made with macros, has an address.
    Exists(String),
}

impl Mechanism {
    /// Tells whether it asks the DNS, and so counts against the ten that a check may ask (§4.6.4).
    pub fn asks_dns(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4(..) | Self::Ip6(..))
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, domain, ip4_prefix, ip6_prefix) = match self {
            Self::All => return f.write_str("all"),
            Self::Include(domain) => return write!(f, "include:{domain}"),
            Self::Exists(domain) => return write!(f, "exists:{domain}"),
            Self::Ip4(network, 32) => return write!(f, "ip4:{network}"),
            Self::Ip4(network, prefix) => return write!(f, "ip4:{network}/{prefix}"),
            Self::Ip6(network, 128) => return write!(f, "ip6:{network}"),
            Self::Ip6(network, prefix) => return write!(f, "ip6:{network}/{prefix}"),
            Self::Ptr(domain) => ("ptr", domain, 32, 128),
            Self::A {
                domain,
                ip4_prefix,
                ip6_prefix,
            } => ("a", domain, *ip4_prefix, *ip6_prefix),
            Self::Mx {
                domain,
                ip4_prefix,
                ip6_prefix,
            } => ("mx", domain, *ip4_prefix, *ip6_prefix),
        };
        f.write_str(name)?;
        if let Some(domain) = domain {
            write!(f, ":{domain}")?;
        }
        if ip4_prefix != 32 {
            write!(f, "/{ip4_prefix}")?;
        }
        if ip6_prefix != 128 {
            write!(f, "//{ip6_prefix}")?;
        }
        Ok(())
    }
}

/// Is one word of a record (RFC 7208 §4.6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Term {
    /// A mechanism, and what it means when it matches.
    Directive(Qualifier, Mechanism),
    /// Where to go on when nothing matches (§6.1).
    Redirect(String),
    /// Where the text for the refused is (§6.2).
    Explanation(String),
    /// A modifier that the RFC does not know.
    Modifier {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

impl Term {
    /// Gives the mechanism, if it is one.
    pub fn mechanism(&self) -> Option<&Mechanism> {
        match self {
            Self::Directive(_, mechanism) => Some(mechanism),
            _ => None,
        }
    }

    /// Tells whether it asks the DNS, and so counts against the ten that a check may ask (§4.6.4).
    pub fn asks_dns(&self) -> bool {
        match self {
            Self::Directive(_, mechanism) => mechanism.asks_dns(),
            Self::Redirect(_) => true,
            Self::Explanation(_) | Self::Modifier { .. } => false,
        }
    }

    /// Reads a word of a record whose grammar was checked.
    pub(super) fn of_checked(word: &str) -> Option<Self> {
        match word.split_once('=') {
            Some((name, value)) if !name.contains([':', '/']) => {
                let value = value.to_owned();
                return Some(match name.to_ascii_lowercase().as_str() {
                    "redirect" => Self::Redirect(value),
                    "exp" => Self::Explanation(value),
                    _ => Self::Modifier {
                        name: name.to_owned(),
                        value,
                    },
                });
            }
            _ => {}
        }
        let (qualifier, rest) = match word.split_at_checked(1) {
            Some(("+", rest)) => (Qualifier::Pass, rest),
            Some(("-", rest)) => (Qualifier::Fail, rest),
            Some(("~", rest)) => (Qualifier::SoftFail, rest),
            Some(("?", rest)) => (Qualifier::Neutral, rest),
            _ => (Qualifier::Pass, word),
        };
        let at = rest.find([':', '/']).unwrap_or(rest.len());
        let (name, argument) = rest.split_at_checked(at)?;
        let domain = |text: &str| text.strip_prefix(':').map(str::to_owned);
        let mechanism = match name.to_ascii_lowercase().as_str() {
            "all" => Mechanism::All,
            "include" => Mechanism::Include(domain(argument)?),
            "exists" => Mechanism::Exists(domain(argument)?),
            "ptr" => Mechanism::Ptr(domain(argument)),
            "ip4" => {
                let (network, prefix) = network(argument, 32)?;
                Mechanism::Ip4(network.parse().ok()?, prefix)
            }
            "ip6" => {
                let (network, prefix) = network(argument, 128)?;
                Mechanism::Ip6(network.parse().ok()?, prefix)
            }
            "a" => {
                let (rest, ip4_prefix, ip6_prefix) = prefixes(argument);
                Mechanism::A {
                    domain: domain(rest),
                    ip4_prefix,
                    ip6_prefix,
                }
            }
            "mx" => {
                let (rest, ip4_prefix, ip6_prefix) = prefixes(argument);
                Mechanism::Mx {
                    domain: domain(rest),
                    ip4_prefix,
                    ip6_prefix,
                }
            }
            _ => return None,
        };
        Some(Self::Directive(qualifier, mechanism))
    }
}

fn network(argument: &str, whole: u8) -> Option<(&str, u8)> {
    let text = argument.strip_prefix(':')?;
    match text.split_once('/') {
        Some((network, prefix)) => Some((network, prefix.parse().ok()?)),
        None => Some((text, whole)),
    }
}

/// §5.3: the lengths, found from the end because a domain may hold slashes too.
fn prefixes(argument: &str) -> (&str, u8, u8) {
    let trailing = |text: &'_ str, separator: &str, whole: u8| -> (usize, u8) {
        match text.rsplit_once(separator) {
            Some((head, digits)) if !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                (head.len(), digits.parse().unwrap_or(whole))
            }
            _ => (text.len(), whole),
        }
    };
    let (end, ip6_prefix) = trailing(argument, "//", 128);
    let rest = argument.get(..end).unwrap_or_default();
    let (end, ip4_prefix) = trailing(rest, "/", 32);
    (rest.get(..end).unwrap_or_default(), ip4_prefix, ip6_prefix)
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(qualifier, mechanism) => write!(f, "{}{mechanism}", qualifier.as_str()),
            Self::Redirect(domain) => write!(f, "redirect={domain}"),
            Self::Explanation(domain) => write!(f, "exp={domain}"),
            Self::Modifier { name, value } => write!(f, "{name}={value}"),
        }
    }
}
