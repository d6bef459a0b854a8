//! A long record, cut in parts.

use super::{Builder, Mechanism, Qualifier, Term};

/// How long the names in one part may become before they are worth one, in octets: an `include` costs about as much.
const WORTH_A_PART: usize = 60;

/// Moves runs of networks into records of their own, when `record` is longer than `most` octets.
///
/// A run has one qualifier, which goes to the `include`: what it includes says pass (RFC 7208 §5.2).
pub(super) fn split(record: &Builder, domain: &str, most: usize) -> (Builder, Vec<(String, Builder)>) {
    if record.to_string().len() <= most {
        return (record.clone(), Vec::new());
    }
    let mut main: Vec<Term> = Vec::new();
    let mut parts: Vec<(String, Builder)> = Vec::new();
    let mut terms = record.terms().iter().peekable();
    while let Some(term) = terms.next() {
        let Some(qualifier) = network_of(term) else {
            main.push(term.clone());
            continue;
        };
        let mut run = vec![term];
        while let Some(next) = terms.next_if(|next| network_of(next) == Some(qualifier)) {
            run.push(next);
        }
        let octets: usize = run.iter().map(|term| term.to_string().len() + 1).sum();
        if octets <= WORTH_A_PART {
            main.extend(run.into_iter().cloned());
            continue;
        }
        for part in chunks(&run, most) {
            let name = format!("_spf{}.{domain}", parts.len() + 1);
            main.push(Term::Directive(qualifier, Mechanism::Include(name.clone())));
            parts.push((name, part));
        }
    }
    (main.into_iter().collect(), parts)
}

fn network_of(term: &Term) -> Option<Qualifier> {
    match term {
        Term::Directive(qualifier, Mechanism::Ip4(..) | Mechanism::Ip6(..)) => Some(*qualifier),
        _ => None,
    }
}

/// Puts as many networks into each record as fit.
fn chunks(run: &[&Term], most: usize) -> Vec<Builder> {
    let empty = || Builder::new().all(Qualifier::Fail);
    let mut done = Vec::new();
    let mut current = empty();
    let mut octets = current.to_string().len();
    for mechanism in run.iter().filter_map(|term| term.mechanism()) {
        let added = mechanism.to_string().len() + 1;
        if octets + added > most && current.terms().len() > 1 {
            done.push(std::mem::replace(&mut current, empty()));
            octets = empty().to_string().len();
        }
        current = current.pass(mechanism.clone());
        octets += added;
    }
    done.push(current);
    done
}
