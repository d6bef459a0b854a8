//! The sentences, by what they are about.

mod acceptance;
mod content;
mod deadlines;
mod disclosure;
mod envelope;
mod limits;
mod loss;
mod options;
mod refusal;
mod reuse;
mod streamed;

use std::sync::OnceLock;

use crate::Case;

/// Makes a table entry of a sentence and an async function of the same name.
macro_rules! case {
    ($name:ident) => {
        case!($name: [])
    };
    ($name:ident: [$($need:expr),* $(,)?]) => {
        $crate::Case::new(stringify!($name), &[$($need),*], |stage| Box::pin($name(stage)))
    };
}
use case;

/// Returns every case, in the order in which they run.
#[must_use]
pub fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        [
            acceptance::CASES,
            refusal::CASES,
            loss::CASES,
            deadlines::CASES,
            options::CASES,
            limits::CASES,
            envelope::CASES,
            content::CASES,
            streamed::CASES,
            reuse::CASES,
            disclosure::CASES,
        ]
        .concat()
    })
}
