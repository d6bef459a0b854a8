//! How many connections there are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::network::household;

/// How many connections each client has: an IPv4 address, or a /64 of IPv6.
#[derive(Clone, Default)]
pub(super) struct Visitors(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One counted connection; dropping it counts it off.
pub(super) struct Visit {
    visitors: Visitors,
    household: IpAddr,
}

impl Visitors {
    /// Counts a connection, unless there are `limit` from there already.
    pub(super) fn admit(&self, ip: IpAddr, limit: usize) -> Option<Visit> {
        let household = household(ip);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&household).copied().unwrap_or_default();
        if count >= limit {
            return None;
        }
        counts.insert(household, count + 1);
        Some(Visit {
            visitors: self.clone(),
            household,
        })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.visitors.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.household) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.household);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_a_64_as_one() {
        let visitors = Visitors::default();
        let admit = |text: &str| visitors.admit(text.parse().unwrap(), 2);
        let first = admit("2001:db8::1").unwrap();
        let _second = admit("2001:db8::ffff:1").unwrap();
        assert!(admit("2001:db8::2").is_none());
        assert!(admit("2001:db8:0:1::2").is_some() && admit("192.0.2.1").is_some());
        drop(first);
        assert!(admit("2001:db8::2").is_some());
        assert_eq!(visitors.0.lock().unwrap().len(), 1, "what nobody has is forgotten");
    }
}
