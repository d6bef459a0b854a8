//! Finds the name that somebody probably meant.

/// How many candidates are looked at: a hint is not worth more.
const CANDIDATES: usize = 500;
/// Longer names get no hint.
const LONGEST: usize = 64;

/// Returns the candidate most like `name`, if one is like it at all.
pub(crate) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let wanted: Vec<char> = name.chars().take(LONGEST + 1).collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let allowed = (wanted.len() / 3).clamp(1, 4);
    candidates
        .take(CANDIDATES)
        .filter_map(|candidate| {
            let found: Vec<char> = candidate.chars().take(LONGEST + 1).collect();
            if found.is_empty() || found.len() > LONGEST || found.len().abs_diff(wanted.len()) > allowed {
                return None;
            }
            let distance = distance(&wanted, &found);
            // One letter for another is not likeness.
            (distance <= allowed && distance < wanted.len().max(found.len())).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour; case is worth nothing.
fn distance(a: &[char], b: &[char]) -> usize {
    let fold = |c: &char| c.to_ascii_lowercase();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let change = at(&last, j) + usize::from(fold(from) != fold(to));
            let mut best = change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0
                && j > 0
                && a.get(i - 1).map(fold) == Some(fold(to))
                && b.get(j - 1).map(fold) == Some(fold(from));
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, candidates: &[&str], expected: Option<&str>) {
        assert_eq!(nearest(name, candidates.iter().copied()), expected);
    }

    #[test]
    fn near_names_are_found() {
        check("nmae", &["plan", "name"], Some("name"));
        check("Name", &["name"], Some("name"));
        check("first_name", &["firstname", "lastname"], Some("firstname"));
        check("x", &["y"], None);
        check("name", &["subscription"], None);
        check("", &["name"], None);
    }
}
