//! Which header fields are signed, and how often.

use super::super::canonicalization::{Canonicalization, push_field};
use super::super::fields::Fields;
use super::super::names::Names;
use super::field::NameList;

/// How often a name stands in `h=`, for the fields that there are.
#[derive(Clone, Copy, Debug)]
enum Times {
    /// Once more than there are, so that none can be added later (RFC 6376 §8.15).
    OneMore,
    /// As [`Self::OneMore`] where there are any.
    OneMoreIfAny,
    /// As often as there are any.
    AsMany,
}

/// What is signed where nobody says otherwise: what a reader sees, and what readers' programs act on.
const DEFAULT: [(&str, Times); 29] = [
    ("From", Times::OneMore),
    ("To", Times::OneMore),
    ("Cc", Times::OneMore),
    ("Subject", Times::OneMore),
    ("Date", Times::OneMore),
    ("Reply-To", Times::OneMore),
    ("Message-ID", Times::OneMore),
    ("MIME-Version", Times::OneMore),
    ("Content-Type", Times::OneMore),
    ("Sender", Times::OneMoreIfAny),
    ("List-Unsubscribe", Times::OneMoreIfAny),
    ("List-Unsubscribe-Post", Times::OneMoreIfAny),
    ("Content-Transfer-Encoding", Times::OneMoreIfAny),
    ("Auto-Submitted", Times::OneMoreIfAny),
    ("In-Reply-To", Times::AsMany),
    ("References", Times::AsMany),
    ("Resent-From", Times::AsMany),
    ("Resent-Sender", Times::AsMany),
    ("Resent-To", Times::AsMany),
    ("Resent-Cc", Times::AsMany),
    ("Resent-Date", Times::AsMany),
    ("Resent-Message-ID", Times::AsMany),
    ("List-Id", Times::AsMany),
    ("List-Help", Times::AsMany),
    ("List-Subscribe", Times::AsMany),
    ("List-Post", Times::AsMany),
    ("List-Owner", Times::AsMany),
    ("List-Archive", Times::AsMany),
    ("Feedback-ID", Times::AsMany),
];

/// The names to sign.
#[derive(Clone, Debug)]
pub(crate) enum HeaderNames {
    Default {
        names: Names<&'static str>,
        /// What is signed beside [`DEFAULT`], as often as there are any.
        more: &'static [&'static str],
    },
    Listed {
        names: Names<String>,
        /// The numbers of the names, in the order and as often as they were listed.
        order: Vec<usize>,
        /// All of `h=`, folded.
        text: String,
    },
}

impl HeaderNames {
    pub(super) fn new(listed: Option<Vec<String>>) -> Self {
        Self::or_default(listed, &[])
    }

    /// The names that are listed, or else the default ones and some more.
    pub(crate) fn or_default(listed: Option<Vec<String>>, more: &'static [&'static str]) -> Self {
        let Some(list) = listed else {
            let default = DEFAULT.iter().map(|(name, _)| name);
            return Self::Default {
                names: default.chain(more).copied().collect(),
                more,
            };
        };
        let mut text = String::new();
        let mut tag = NameList::begin(&mut text);
        for name in &list {
            tag.push(name);
        }
        tag.end();
        let mut names = Names::new();
        let order = list.into_iter().map(|name| names.add(name)).collect();
        Self::Listed { names, order, text }
    }

    /// Appends the fields to the canonical header, and `h=` to the signature field.
    pub(crate) fn select(
        &self,
        fields: &Fields<'_>,
        canonicalization: Canonicalization,
        canonical: &mut Vec<u8>,
        tags: &mut String,
    ) {
        match self {
            Self::Default { names, more } => {
                let mut stacks = fields.stacks(names, None);
                let mut tag = NameList::begin(tags);
                let more = more.iter().map(|name| (*name, Times::AsMany));
                for (number, (name, times)) in DEFAULT.into_iter().chain(more).enumerate() {
                    let mut any = false;
                    while let Some(field) = stacks.pop(number) {
                        push_field(canonical, field.raw, canonicalization);
                        tag.push(name);
                        any = true;
                    }
                    match times {
                        Times::OneMore => tag.push(name),
                        Times::OneMoreIfAny if any => tag.push(name),
                        _ => {}
                    }
                }
                tag.end();
            }
            Self::Listed { names, order, text } => {
                let mut stacks = fields.stacks(names, None);
                for field in order.iter().filter_map(|number| stacks.pop(*number)) {
                    push_field(canonical, field.raw, canonicalization);
                }
                tags.push_str(text);
            }
        }
    }
}
