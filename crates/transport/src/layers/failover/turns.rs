//! Whose turn it is.

use std::sync::{Mutex, PoisonError};

/// Spreads turns by weight, evenly: of weights 5, 1, 1 the first does not get five in a row.
///
/// Each turn every member's credit grows by its weight, and the one with the most pays the sum of all.
#[derive(Debug)]
pub(super) struct Turns {
    weights: Vec<u32>,
    credits: Mutex<Vec<i64>>,
}

impl Turns {
    pub(super) fn new(weights: Vec<u32>) -> Self {
        Self {
            credits: Mutex::new(vec![0; weights.len()]),
            weights,
        }
    }

    /// Returns the index of the member whose turn it is; 0 if none has a weight.
    pub(super) fn next(&self) -> usize {
        let mut credits = self.credits.lock().unwrap_or_else(PoisonError::into_inner);
        let mut best: Option<(usize, i64)> = None;
        let mut sum = 0;
        for (index, (credit, weight)) in credits.iter_mut().zip(&self.weights).enumerate() {
            if *weight == 0 {
                continue;
            }
            sum += i64::from(*weight);
            *credit += i64::from(*weight);
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((index, *credit));
            }
        }
        let Some((index, _)) = best else {
            return 0;
        };
        if let Some(credit) = credits.get_mut(index) {
            *credit -= sum;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn turns_are_spread() {
        let turns = Turns::new(vec![5, 1, 0, 1]);
        let order: Vec<usize> = (0..7).map(|_| turns.next()).collect();
        assert_eq!(order, [0, 0, 1, 0, 3, 0, 0]);
        assert_eq!(Turns::new(vec![0, 0]).next(), 0);
        assert_eq!(Turns::new(Vec::new()).next(), 0);
    }

    proptest! {
        #[test]
        fn each_gets_its_share_in_every_round(weights in prop::collection::vec(0_u32..9, 1..6)) {
            let turns = Turns::new(weights.clone());
            let sum: u32 = weights.iter().sum();
            prop_assume!(sum > 0);
            for _ in 0..3 {
                let mut counts = vec![0; weights.len()];
                (0..sum).for_each(|_| counts[turns.next()] += 1);
                prop_assert_eq!(&counts, &weights);
            }
        }
    }
}
