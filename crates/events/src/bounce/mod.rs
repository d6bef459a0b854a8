//! Bounces: why a message came back, and whether its address may be used again.

mod codes;
mod phase;
mod phrases;
mod reason;
mod ses;

pub use codes::Codes;
pub use phase::Phase;
pub use reason::{Permanence, Reason};
pub use ses::SesBounce;

/// Finds the reason in several texts, of which the first says most: their words, then the codes.
pub(crate) fn judge(texts: &[&str], codes: Codes, phase: Phase) -> Reason {
    let by_words = texts.iter().find_map(|text| {
        // What a relay puts in front of another server's reply is its own opinion.
        let reply = Codes::reply_in(text).and_then(|reply| phrases::find(&phrases::normalize(reply), codes, phase));
        reply.or_else(|| phrases::find(&phrases::normalize(text), codes, phase))
    });
    by_words.unwrap_or_else(|| Reason::of_codes(codes, phase))
}
