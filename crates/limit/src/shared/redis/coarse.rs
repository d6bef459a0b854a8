//! Rates as a store of doubles can count them.

use crate::shared::limits::Terms;

/// The most units that a full burst may be, so that no sum passes what a double holds exactly.
const MOST: i64 = 1 << 51;

/// The same terms, with the largest rate that is not above theirs and whose burst is counted exactly.
///
/// Rates in plain numbers stay as they are; one of nine digits with a burst of millions gets slower by less than it can be measured.
/// Where no such rate is above zero, the terms stay, and the script rounds to the safe side.
pub(super) fn coarse(terms: Terms) -> Terms {
    let most = MOST / terms.burst.max(1);
    if terms.permits == 0 || terms.period <= most {
        return terms;
    }
    match below(terms.permits, terms.period, most) {
        (permits @ 1.., period) => Terms {
            permits,
            period,
            ..terms
        },
        _ => terms,
    }
}

/// The largest fraction that is at most `numerator / denominator` and has a denominator of at most `most`, which is less than
/// theirs: continued fractions, where convergents come from both sides in turn.
fn below(numerator: i64, denominator: i64, most: i64) -> (i64, i64) {
    let (mut older, mut newer) = ((0_i128, 1_i128), (1_i128, 0_i128));
    let (mut n, mut d) = (i128::from(numerator), i128::from(denominator));
    let most = i128::from(most);
    while d != 0 {
        let whole = n / d;
        let next = (older.0 + whole * newer.0, older.1 + whole * newer.1);
        if next.1 > most {
            break;
        }
        (older, newer) = (newer, next);
        (n, d) = (d, n - whole * d);
    }
    // The denominator of `newer` is at least 1: the first convergent is a whole number.
    let more = (most - older.1) / newer.1.max(1);
    let between = (older.0 + more * newer.0, older.1 + more * newer.1);
    // One of the two is below and one above; both are as near as their side has any.
    let is_below = |(p, q): (i128, i128)| p * i128::from(denominator) <= q * i128::from(numerator);
    let (p, q) = if is_below(newer) { newer } else { between };
    // Both are at most what they came from.
    (i64::try_from(p).unwrap_or(0), i64::try_from(q).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(permits: i64, period: i64, burst: i64) -> Terms {
        Terms {
            permits,
            period,
            burst,
            quota: 0,
            now: None,
        }
    }

    #[test]
    fn plain_rates_stay_as_they_are() {
        for (permits, period, burst) in [
            (7, 500_000, 20),
            (1, 10_000_000, 1),
            (1, 1_000_000_000_000_000, 2),
            (0, 1, 0),
        ] {
            let terms = terms(permits, period, burst);
            assert_eq!(coarse(terms), terms);
        }
    }

    #[test]
    fn the_best_fraction_below_is_found() {
        assert_eq!(below(314_159_265, 100_000_000, 100), (311, 99));
        assert_eq!(below(1, 1_000_000, 1000).0, 0);
        assert_eq!(below(999_999, 1_000_000, 10), (9, 10));
        // As `Rate::per_second` reads a third.
        let third = coarse(terms(333_333_333, 1_000_000_000_000_000, 20));
        assert!(third.period * 20 <= MOST && third.permits > 1_000_000, "{third:?}");
    }

    proptest! {
        #[test]
        fn a_coarse_rate_is_never_faster_and_counts_exactly(
            permits in 1_i64..1_000_000_000_000, period in 1_i64..1_000_000_000_000_000, burst in 1_i64..4_294_967_295) {
            let coarse = coarse(terms(permits, period, burst));
            let (p, q) = (i128::from(coarse.permits), i128::from(coarse.period));
            prop_assert!(p * i128::from(period) <= q * i128::from(permits));
            prop_assert!(p > 0 && q > 0);
            if (coarse.permits, coarse.period) != (permits, period) {
                prop_assert!(q * i128::from(burst) <= i128::from(MOST));
                // And by no more than one part in all the permits that its burst can pay in whole.
                let slower = (i128::from(permits) * q - p * i128::from(period)) as f64 / (permits as f64 * q as f64);
                prop_assert!(slower <= 1.0 / p as f64 , "{slower}");
            }
        }

        #[test]
        fn small_fractions_are_as_near_as_any(n in 1_i64..200, d in 1_i64..200, most in 1_i64..60) {
            prop_assume!(most < d);
            let best = (1..=most).map(|q| (n * q / d, q)).max_by(|(a, b), (c, d)| (a * d).cmp(&(c * b))).unwrap();
            let (p, q) = below(n, d, most);
            prop_assert!(q <= most && p * best.1 == best.0 * q, "{p}/{q} {best:?}");
        }
    }
}
