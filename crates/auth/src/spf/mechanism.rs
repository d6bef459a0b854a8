//! Whether a mechanism matches (RFC 7208 §5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use posthaste_dns::{Answer, LookupError, RecordType, reverse_name};

use super::{
    Problem,
    evaluate::{Check, Pointer, Stop, lookup_failed},
    macros::MacroString,
    record::{DualPrefix, Mechanism},
};

/// What `%{p}` stands for when the address has no name (§7.3).
const UNKNOWN: &str = "unknown";

impl Check<'_> {
    /// Tells whether a mechanism matches; `include` is not for here.
    pub(super) async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Include(_) => Ok(false),
            Mechanism::A(target, prefix) => self.a(target.as_ref(), *prefix, domain).await,
            Mechanism::Mx(target, prefix) => self.mx(target.as_ref(), *prefix, domain).await,
            Mechanism::Ptr(target) => self.ptr(target.as_ref(), domain).await,
            Mechanism::Ip4(network, prefix) => Ok(self.in_v4(*network, *prefix)),
            Mechanism::Ip6(network, prefix) => Ok(self.in_v6(*network, *prefix)),
            Mechanism::Exists(target) => self.exists(target, domain).await,
        }
    }

    /// §5.3
    async fn a(&mut self, target: Option<&MacroString>, prefix: DualPrefix, domain: &str) -> Result<bool, Stop> {
        self.count_lookup()?;
        let name = self.target(target, domain).await?;
        match self.ask_for_term(&name, self.address_type()).await? {
            Some(answer) => Ok(self.any_in(&answer, prefix)),
            None => Ok(false),
        }
    }

    /// §5.4: the hosts of the target's MX records; never the target itself for want of them.
    async fn mx(&mut self, target: Option<&MacroString>, prefix: DualPrefix, domain: &str) -> Result<bool, Stop> {
        self.count_lookup()?;
        let name = self.target(target, domain).await?;
        let Some(answer) = self.ask_for_term(&name, RecordType::Mx).await? else {
            return Ok(false);
        };
        if answer.mx().count() > usize::from(self.limits.names) {
            return Err(Stop::Permanent(Problem::Exchangers { domain: name }));
        }
        for (_, exchange) in answer.mx() {
            let addresses = self.lookup(exchange, self.address_type()).await?;
            match hard_failure(exchange, addresses)? {
                Some(addresses) if self.any_in(&addresses, prefix) => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    /// §5.5: a name that the address has, and that has the address, at or below the target.
    async fn ptr(&mut self, target: Option<&MacroString>, domain: &str) -> Result<bool, Stop> {
        self.count_lookup()?;
        let target = self.target(target, domain).await?;
        self.look_up_names().await?;
        if self.spent.pointer.as_ref().is_some_and(|pointer| pointer.void) {
            self.count_void_lookup()?;
        }
        Ok(self.names().iter().any(|name| is_at_or_below(name, &target)))
    }

    /// §5.6: IPv4 only.
    fn in_v4(&self, network: Ipv4Addr, prefix: u8) -> bool {
        matches!(self.subject.query.ip, IpAddr::V4(ip) if same_v4(ip, network, prefix))
    }

    /// §5.6: IPv6 only.
    fn in_v6(&self, network: Ipv6Addr, prefix: u8) -> bool {
        matches!(self.subject.query.ip, IpAddr::V6(ip) if same_v6(ip, network, prefix))
    }

    /// §5.7: an A record, also for an IPv6 client. An answer without one is none, whatever a resolver calls it.
    async fn exists(&mut self, target: &MacroString, domain: &str) -> Result<bool, Stop> {
        self.count_lookup()?;
        let name = self.expand(target, domain).await?;
        let answer = self.ask_for_term(&name, RecordType::A).await?;
        Ok(answer.is_some_and(|answer| answer.a().next().is_some()))
    }

    /// §4.8: a term without a domain means the current one.
    async fn target(&mut self, target: Option<&MacroString>, domain: &str) -> Result<String, Stop> {
        match target {
            Some(target) => self.expand(target, domain).await,
            None => Ok(domain.to_owned()),
        }
    }

    /// §5: which records to compare the client's address with.
    fn address_type(&self) -> RecordType {
        if self.subject.query.ip.is_ipv4() {
            RecordType::A
        } else {
            RecordType::Aaaa
        }
    }

    /// §5: asks a term's own question. Nothing there is no match, and counted; a DNS failure ends the check.
    async fn ask_for_term(&mut self, name: &str, kind: RecordType) -> Result<Option<Answer>, Stop> {
        let result = self.lookup(name, kind).await?;
        if result.as_ref().is_err_and(LookupError::is_void) {
            self.count_void_lookup()?;
        }
        hard_failure(name, result)
    }

    fn any_in(&self, answer: &Answer, prefix: DualPrefix) -> bool {
        match self.subject.query.ip {
            IpAddr::V4(ip) => answer.a().any(|address| same_v4(ip, address, prefix.v4)),
            IpAddr::V6(ip) => answer.aaaa().any(|address| same_v6(ip, address, prefix.v6)),
        }
    }

    /// §5.5: finds the client's names that lead back to its address, among the first ten that it claims. Names that
    /// cannot be looked up are skipped. Done once per check.
    async fn look_up_names(&mut self) -> Result<(), Stop> {
        if self.spent.pointer.is_some() {
            return Ok(());
        }
        let claimed = self
            .lookup(&reverse_name(self.subject.query.ip), RecordType::Ptr)
            .await?;
        let mut pointer = Pointer {
            names: Vec::new(),
            void: claimed.as_ref().is_err_and(LookupError::is_void),
        };
        if let Ok(claimed) = claimed {
            for name in claimed.ptr().take(self.limits.names.into()) {
                let Ok(addresses) = self.lookup(name, self.address_type()).await? else {
                    continue;
                };
                if self.any_in(&addresses, DualPrefix::WHOLE) {
                    pointer.names.push(name.to_owned());
                }
            }
        }
        self.spent.pointer = Some(pointer);
        Ok(())
    }

    fn names(&self) -> &[String] {
        self.spent.pointer.as_ref().map_or(&[], |pointer| &pointer.names)
    }

    /// §7.3: the domain itself if the address has that name, else a name below it, else any, else `unknown`.
    pub(super) async fn validated_name(&mut self, domain: &str) -> Result<String, Stop> {
        self.look_up_names().await?;
        let names = self.names();
        let itself = names.iter().find(|name| name.eq_ignore_ascii_case(domain));
        let below = || names.iter().find(|name| is_at_or_below(name, domain));
        Ok(itself
            .or_else(below)
            .or_else(|| names.first())
            .map_or(UNKNOWN, String::as_str)
            .to_owned())
    }
}

/// §5: failures that may pass end the check; every other error is an answer without records. A name that cannot be
/// asked for has none either (§4.8).
fn hard_failure(name: &str, result: Result<Answer, LookupError>) -> Result<Option<Answer>, Stop> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_temporary() => Err(lookup_failed(name, error)),
        Err(_) => Ok(None),
    }
}

/// §5.5: whether a name is the target or ends in `.` and the target.
fn is_at_or_below(name: &str, target: &str) -> bool {
    let (name, target) = (name.to_ascii_lowercase(), target.to_ascii_lowercase());
    !target.is_empty()
        && name
            .strip_suffix(&target)
            .is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

/// §5: compares the leading bits. None to compare is equal.
fn same_v4(left: Ipv4Addr, right: Ipv4Addr, prefix: u8) -> bool {
    let different = left.to_bits() ^ right.to_bits();
    different.checked_shr(32_u32.saturating_sub(prefix.into())).unwrap_or(0) == 0
}

fn same_v6(left: Ipv6Addr, right: Ipv6Addr, prefix: u8) -> bool {
    let different = left.to_bits() ^ right.to_bits();
    different
        .checked_shr(128_u32.saturating_sub(prefix.into()))
        .unwrap_or(0)
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_bits() {
        let v4 = |left: [u8; 4], right: [u8; 4], prefix| same_v4(left.into(), right.into(), prefix);
        assert!(v4([192, 0, 2, 1], [10, 0, 0, 1], 0));
        assert!(v4([192, 0, 2, 1], [192, 0, 2, 129], 24));
        assert!(!v4([192, 0, 2, 1], [192, 0, 2, 129], 25));
        assert!(!v4([192, 0, 2, 1], [192, 0, 2, 2], 32));
        let v6 = |left: &str, right: &str, prefix| same_v6(left.parse().unwrap(), right.parse().unwrap(), prefix);
        assert!(v6("2001:db8::1", "::", 0));
        assert!(v6("2001:db8::1", "2001:db8::2", 126));
        assert!(!v6("2001:db8::1", "2001:db8::2", 127));
        assert!(!v6("2001:db8::1", "2001:db8::2", 128));
    }

    #[test]
    fn at_or_below() {
        assert!(is_at_or_below("a.Example.org", "example.ORG"));
        assert!(is_at_or_below("example.org", "example.org"));
        assert!(!is_at_or_below("badexample.org", "example.org"));
        assert!(!is_at_or_below("org", "example.org"));
        assert!(!is_at_or_below("example.org", ""));
    }
}
