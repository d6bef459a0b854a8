//! Where a service of a domain is (RFC 2782).

use std::collections::BTreeMap;

/// Holds the place of a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Srv {
    /// Lower is tried first.
    pub priority: u16,
    /// The share of clients that this one gets, among those of the same priority.
    pub weight: u16,
    /// The port at which it listens.
    pub port: u16,
    /// The host's name; `.` says that the domain decidedly has no such service.
    pub target: String,
}

impl Srv {
    /// Makes a place.
    pub fn new(priority: u16, weight: u16, port: u16, target: impl Into<String>) -> Self {
        Self {
            priority,
            weight,
            port,
            target: target.into(),
        }
    }

    /// Whether it says that there is no such service.
    pub fn is_none(&self) -> bool {
        self.target == "."
    }

    /// Puts places in the order in which they are to be tried: by priority, and at random by weight among those of the same
    /// one. `random` is given a number and returns one from zero up to it, that one included.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_dns::Srv;
    ///
    /// let (far, near) = (Srv::new(20, 0, 465, "far.example.org"), Srv::new(10, 0, 465, "near.example.org"));
    /// assert_eq!(Srv::order([far.clone(), near.clone()], |_| 0), [near, far]);
    /// ```
    pub fn order(places: impl IntoIterator<Item = Self>, mut random: impl FnMut(u32) -> u32) -> Vec<Self> {
        let mut by_priority: BTreeMap<u16, Vec<Self>> = BTreeMap::new();
        for place in places {
            by_priority.entry(place.priority).or_default().push(place);
        }
        let mut ordered = Vec::new();
        for mut left in by_priority.into_values() {
            // Those without weight come first, so that they have a small chance at all.
            left.sort_by_key(|place| place.weight > 0);
            while !left.is_empty() {
                let whole = left.iter().map(|place| u32::from(place.weight)).sum::<u32>();
                let drawn = random(whole).min(whole);
                let mut sum = 0;
                let reached = left.iter().position(|place| {
                    sum += u32::from(place.weight);
                    sum >= drawn
                });
                ordered.push(left.remove(reached.unwrap_or(0)));
            }
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(places: &[(u16, u16)], drawn: &[u32]) -> Vec<usize> {
        let places = places.iter().enumerate().map(|(index, (priority, weight))| {
            Srv::new(*priority, *weight, u16::try_from(index).unwrap(), "host.example")
        });
        let mut drawn = drawn.iter().copied();
        let ordered = Srv::order(places, |_| drawn.next().unwrap());
        ordered.into_iter().map(|place| usize::from(place.port)).collect()
    }

    #[test]
    fn priority_comes_before_weight() {
        assert_eq!(order(&[(20, 65535), (10, 0), (15, 1)], &[0; 3]), [1, 2, 0]);
    }

    #[test]
    fn weight_decides_among_the_same_priority() {
        // What is drawn falls on the first whose running sum reaches it; those without weight stand first.
        let places = [(1, 10), (1, 0), (1, 30)];
        assert_eq!(order(&places, &[0, 0, 0]), [1, 0, 2]);
        assert_eq!(order(&places, &[1, 0, 0]), [0, 1, 2]);
        assert_eq!(order(&places, &[10, 30, 0]), [0, 2, 1]);
        assert_eq!(order(&places, &[11, 10, 0]), [2, 0, 1]);
        assert_eq!(order(&places, &[40, 1, 0]), [2, 0, 1]);
    }

    #[test]
    fn a_careless_source_of_numbers_does_no_harm() {
        assert_eq!(order(&[(1, 1), (1, 2)], &[u32::MAX, u32::MAX]), [1, 0]);
        assert_eq!(order(&[], &[]), [0; 0]);
        let many = vec![(1, u16::MAX); 1000];
        assert_eq!(order(&many, &[0; 1000]).len(), 1000);
    }

    #[test]
    fn shares_are_those_of_the_weights() {
        // Every number that can be drawn first, once.
        let firsts: Vec<usize> = (0..=100)
            .map(|first| order(&[(1, 75), (1, 25)], &[first, 0])[0])
            .collect();
        assert_eq!(firsts.iter().filter(|first| **first == 0).count(), 76);
        assert!(Srv::new(0, 0, 0, ".").is_none() && !Srv::new(0, 0, 0, "a").is_none());
    }
}
