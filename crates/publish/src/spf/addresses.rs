//! Sets of IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use posthaste_auth::spf::Mechanism;

/// A set of addresses of both families.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    v4: Ranges,
    v6: Ranges,
}

impl Addresses {
    /// Every address there is.
    pub(super) fn all() -> Self {
        Self {
            v4: Ranges(vec![(0, u32::MAX.into())]),
            v6: Ranges(vec![(0, u128::MAX)]),
        }
    }

    /// Those of one network; none for another mechanism.
    pub(super) fn of(network: &Mechanism) -> Self {
        let mut set = Self::default();
        match network {
            Mechanism::Ip4(address, prefix) => set.add_v4(*address, *prefix),
            Mechanism::Ip6(address, prefix) => set.add_v6(*address, *prefix),
            _ => {}
        }
        set
    }

    /// Adds those that have the first `prefix` bits in common with `network`.
    pub(super) fn add_v4(&mut self, network: Ipv4Addr, prefix: u8) {
        let (first, last) = block(network.to_bits().into(), 32, prefix);
        self.v4.add(first, last);
    }

    /// Adds those that have the first `prefix` bits in common with `network`.
    pub(super) fn add_v6(&mut self, network: Ipv6Addr, prefix: u8) {
        let (first, last) = block(network.to_bits(), 128, prefix);
        self.v6.add(first, last);
    }

    /// Adds a network around an address of either family.
    pub(super) fn add_ip(&mut self, address: IpAddr, ip4_prefix: u8, ip6_prefix: u8) {
        match address {
            IpAddr::V4(address) => self.add_v4(address, ip4_prefix),
            IpAddr::V6(address) => self.add_v6(address, ip6_prefix),
        }
    }

    pub(super) fn union(&mut self, other: &Self) {
        self.v4.union(&other.v4);
        self.v6.union(&other.v6);
    }

    /// Gives those that are not in `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.without(&other.v4),
            v6: self.v6.without(&other.v6),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.0.is_empty() && self.v6.0.is_empty()
    }

    /// Counts the separate stretches of addresses.
    pub(super) fn stretches(&self) -> usize {
        self.v4.0.len() + self.v6.0.len()
    }

    /// Gives the fewest networks that make up the set, IPv4 first.
    pub(super) fn networks(&self) -> impl Iterator<Item = Mechanism> + '_ {
        let v4 = self.v4.blocks(32).map(|(first, prefix)| {
            let bits = u32::try_from(first).unwrap_or_default();
            Mechanism::Ip4(Ipv4Addr::from_bits(bits), prefix)
        });
        let v6 = self
            .v6
            .blocks(128)
            .map(|(first, prefix)| Mechanism::Ip6(Ipv6Addr::from_bits(first), prefix));
        v4.chain(v6)
    }
}

/// The first and the last address of a network.
fn block(address: u128, width: u32, prefix: u8) -> (u128, u128) {
    let host_bits = width.saturating_sub(prefix.into());
    let mask = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
    (address & !mask, (address & !mask) | mask)
}

/// Stretches of numbers, in order, none of which touches another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    fn add(&mut self, first: u128, last: u128) {
        // Those before `from` end before the new one, with a gap; those from `to` on begin behind it, with a gap.
        let from = self.0.partition_point(|known| known.1 < first.saturating_sub(1));
        let to = self.0.partition_point(|known| known.0 <= last.saturating_add(1));
        let merged = self
            .0
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .fold((first, last), |all, known| (all.0.min(known.0), all.1.max(known.1)));
        self.0.splice(from..to.max(from), [merged]);
    }

    fn union(&mut self, other: &Self) {
        for (first, last) in &other.0 {
            self.add(*first, *last);
        }
    }

    fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for &(mut first, last) in &self.0 {
            let mut used_up = false;
            let start = other.0.partition_point(|known| known.1 < first);
            for &(from, to) in other.0.get(start..).unwrap_or_default() {
                if from > last {
                    break;
                }
                if from > first {
                    left.push((first, from - 1));
                }
                if to >= last {
                    used_up = true;
                    break;
                }
                first = to + 1;
            }
            if !used_up {
                left.push((first, last));
            }
        }
        Self(left)
    }

    /// Cuts each stretch into the largest networks that fit.
    fn blocks(&self, width: u32) -> impl Iterator<Item = (u128, u8)> + '_ {
        self.0.iter().flat_map(move |&(first, last)| {
            let mut next = Some(first);
            std::iter::from_fn(move || {
                let first = next.filter(|first| *first <= last)?;
                let mut host_bits = first.trailing_zeros().min(width);
                while host_bits > 0 && block(first, width, u8::try_from(width - host_bits).unwrap_or_default()).1 > last
                {
                    host_bits -= 1;
                }
                let prefix = u8::try_from(width - host_bits).unwrap_or_default();
                next = block(first, width, prefix).1.checked_add(1);
                Some((first, prefix))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(networks: &[&str]) -> Addresses {
        let mut set = Addresses::default();
        for network in networks {
            let (address, prefix) = network.split_once('/').unwrap();
            let prefix = prefix.parse().unwrap();
            set.add_ip(address.parse().unwrap(), prefix, prefix);
        }
        set
    }

    fn check(set: &Addresses, expected: &[&str]) {
        let found: Vec<String> = set.networks().map(|network| network.to_string()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn networks_are_joined() {
        check(
            &set(&["192.0.2.128/25", "192.0.2.0/25", "192.0.2.7/32", "192.0.3.0/24"]),
            &["ip4:192.0.2.0/23"],
        );
        check(&set(&["2001:db8::1/128", "2001:db8::/128"]), &["ip6:2001:db8::/127"]);
        check(&set(&["0.0.0.0/0", "::/0"]), &["ip4:0.0.0.0/0", "ip6:::/0"]);
        check(
            &set(&["255.255.255.255/32", "255.255.255.254/32", "0.0.0.0/32"]),
            &["ip4:0.0.0.0", "ip4:255.255.255.254/31"],
        );
        assert_eq!(set(&["0.0.0.0/0", "::/0"]), Addresses::all());
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        check(
            &set(&["192.0.2.0/29"]).without(&set(&["192.0.2.1/32", "192.0.2.6/31"])),
            &["ip4:192.0.2.0", "ip4:192.0.2.2/31", "ip4:192.0.2.4/31"],
        );
        assert!(
            set(&["192.0.2.0/29", "2001:db8::/32"])
                .without(&Addresses::all())
                .is_empty()
        );
        let most = Addresses::all().without(&set(&["255.255.255.255/32", "::/1", "8000::/1"]));
        assert_eq!(most.networks().count(), 32);
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets(
            left in prop::collection::vec((0_u8..64, 24_u8..=32), 0..12),
            right in prop::collection::vec((0_u8..64, 24_u8..=32), 0..12),
        ) {
            let build = |networks: &[(u8, u8)]| {
                let mut set = Addresses::default();
                for (last, prefix) in networks {
                    set.add_v4(Ipv4Addr::new(10, 0, 0, *last), *prefix);
                }
                set
            };
            let has = |set: &Addresses, last: u8| {
                let number = u128::from(Ipv4Addr::new(10, 0, 0, last).to_bits());
                set.v4.0.iter().any(|(from, to)| (*from..=*to).contains(&number))
            };
            let (a, b) = (build(&left), build(&right));
            let mut both = a.clone();
            both.union(&b);
            let difference = a.without(&b);
            let mut again = Addresses::default();
            for network in difference.networks() {
                if let Mechanism::Ip4(address, prefix) = network {
                    again.add_v4(address, prefix);
                }
            }
            prop_assert_eq!(&again, &difference);
            for last in 0..=u8::MAX {
                prop_assert_eq!(has(&both, last), has(&a, last) || has(&b, last));
                prop_assert_eq!(has(&difference, last), has(&a, last) && !has(&b, last));
            }
        }
    }
}
