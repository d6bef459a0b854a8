//! Finds, in one pass over a text, the lines of the table that may stand in it: those whose first words do.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::table::{CLEAR, Phrases};
use crate::bounce::Reason;

/// Words that stand in a text in their order, and what they mean.
pub(super) type Line = (Reason, &'static [&'static str]);

/// The table, ready to be looked for: it is constant, and made once.
static OPENINGS: LazyLock<Openings> = LazyLock::new(Openings::of_table);

struct Openings {
    lines: Vec<Line>,
    /// Finds the first words of the lines. There is none if it cannot be made, which the size of the table rules out.
    automaton: Option<AhoCorasick>,
    /// For each of its patterns, the places of the lines that it begins.
    begins: Vec<Vec<usize>>,
}

impl Openings {
    fn of_table() -> Self {
        let of_reason = |(reason, lines): &Phrases| {
            let reason = *reason;
            lines.iter().map(move |line| (reason, *line))
        };
        let lines: Vec<Line> = CLEAR.iter().flat_map(of_reason).collect();
        let mut places: Vec<usize> = (0..lines.len()).collect();
        let opening = |place: &usize| lines.get(*place).and_then(|(_, line)| line.first()).copied();
        places.sort_by_key(opening);
        let begins: Vec<Vec<usize>> = places
            .chunk_by(|one, other| opening(one) == opening(other))
            .map(<[usize]>::to_vec)
            .collect();
        let patterns = begins.iter().filter_map(|places| opening(places.first()?));
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(patterns)
            .ok();
        Self {
            lines,
            automaton,
            begins,
        }
    }

    /// Returns the places of the lines whose first words stand anywhere in a text, in their order.
    fn places_in(&self, words: &str) -> Vec<usize> {
        let Some(automaton) = &self.automaton else {
            return (0..self.lines.len()).collect();
        };
        let found = automaton.find_overlapping_iter(words);
        let places = found.filter_map(|at| self.begins.get(at.pattern().as_usize()));
        let mut places: Vec<usize> = places.flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Returns the lines whose first words stand in a text, in the order of the table.
pub(super) fn lines_that_may_stand_in(words: &str) -> impl Iterator<Item = Line> {
    let openings = &*OPENINGS;
    let places = openings.places_in(words).into_iter();
    places.filter_map(|place| openings.lines.get(place).copied())
}
