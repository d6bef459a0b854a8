//! Finds out what servers mean by what they say.

mod opening;
mod table;

use super::{Codes, Phase, Reason};

/// Brings a text into the form that the phrases have: lower case, runs of white space as one space.
pub(super) fn normalize(said: &str) -> String {
    let mut words = String::with_capacity(said.len());
    let mut space = true;
    for c in said.chars() {
        if c.is_whitespace() {
            if !space {
                words.push(' ');
            }
            space = true;
        } else {
            let plain = if matches!(c, '\u{2019}' | '\u{2018}' | '`') {
                '\''
            } else {
                c
            };
            words.extend(plain.to_lowercase());
            space = false;
        }
    }
    words
}

/// Finds what a normalized text means.
pub(super) fn find(words: &str, codes: Codes, phase: Phase) -> Option<Reason> {
    let reason = opening::lines_that_may_stand_in(words)
        .find(|(_, line)| stands_in(words, line))
        .map(|(reason, _)| reason)?;
    Some(match reason {
        Reason::NoMailbox if is_filter(words, codes, phase) => Reason::Filtered,
        // The sender's domain is what does not exist.
        Reason::NoDomain | Reason::NoMailbox if phase == Phase::Sender => Reason::SenderRefused,
        // The name that was said in EHLO.
        Reason::NoDomain if phase == Phase::Connect => Reason::Blocked,
        reason => reason,
    })
}

/// Tells whether all words stand in the text in their order, each where a word begins.
fn stands_in(text: &str, words: &[&str]) -> bool {
    let mut from = 0;
    words.iter().all(|word| match begins_at(text, word, from) {
        Some(at) => {
            from = at + word.len();
            true
        }
        None => false,
    })
}

/// Returns where `word` stands, from `from` on, with no letter in front of it.
fn begins_at(text: &str, word: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find(word)?;
        let before = text.get(..at)?.chars().next_back();
        let begins = !word.starts_with(char::is_alphabetic) || !before.is_some_and(char::is_alphabetic);
        if begins {
            return Some(at);
        }
        at += word.chars().next()?.len_utf8();
    }
}

/// Tells whether "user unknown" is what a filter says.
///
/// A server that has taken the recipient and says it of the message does not mean the address, nor does one that gives a status of
/// policy with it: filters answer that way. Those of the mobile carriers of Japan do without any status, as `550 Unknown user bob@example.ne.jp` and `550 : User unknown`; of an
/// address that does not exist they say `550 <bob@example.ne.jp>: User unknown`.
fn is_filter(words: &str, codes: Codes, phase: Phase) -> bool {
    let says_unknown = [
        "user unknown",
        "unknown user",
        "recipient unknown",
        "user not found",
        "mailbox unavailable",
    ]
    .iter()
    .any(|said| words.contains(said));
    let by_policy = codes.status().is_some_and(|status| status.subject() == 7);
    let names_mailbox = words.contains("550 <") && words.contains(">: user unknown");
    let declines_status = words.contains("5.0.0") && says_unknown;
    if says_unknown && (phase == Phase::Content && !names_mailbox || by_policy) || declines_status {
        return true;
    }
    let is_vague = codes
        .status()
        .is_none_or(|status| status.detail() == 0 && matches!(status.subject(), 0 | 2 | 3));
    let names_somebody = |text: &str| {
        text.trim_start()
            .split(' ')
            .next()
            .is_some_and(|word| word.contains('@'))
    };
    if words.contains("[user unknown]") {
        return true;
    }
    is_vague
        && codes.reply() == Some(550)
        && (words.contains("550 : user unknown")
            || words.contains("550: : user unknown")
            || words
                .split_once("unknown user ")
                .is_some_and(|(_, rest)| names_somebody(rest)))
}

#[cfg(test)]
mod tests {
    use super::table::CLEAR;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_decide_before_codes() {
        for (said, phase, reason) in [
            (
                "550 5.1.1 <bob@example.net>: Recipient address rejected: Over quota",
                Phase::Recipient,
                Reason::MailboxFull,
            ),
            (
                "550 5.1.1 <bob@example.net>... User Unknown",
                Phase::Unknown,
                Reason::NoMailbox,
            ),
            (
                "550 5.1.1 <bob@example.net>... User Unknown",
                Phase::Content,
                Reason::Filtered,
            ),
            ("550 Unknown user bob@example.ne.jp", Phase::Unknown, Reason::Filtered),
            (
                "550 <bob@example.ne.jp>: User unknown",
                Phase::Unknown,
                Reason::NoMailbox,
            ),
            (
                "553 5.1.8 example.org does not exist",
                Phase::Sender,
                Reason::SenderRefused,
            ),
            (
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                Phase::Unknown,
                Reason::Blocked,
            ),
        ] {
            assert_eq!(Reason::find(said, phase), reason, "{said}");
        }
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_line_by_line_is_found(pieces in prop::collection::vec(piece(), 0..8)) {
            let words = normalize(&pieces.concat());
            let one_by_one = CLEAR.iter().find(|(_, lines)| lines.iter().any(|line| stands_in(&words, line)));
            let found = opening::lines_that_may_stand_in(&words).find(|(_, line)| stands_in(&words, line));
            prop_assert_eq!(found.map(|(reason, _)| reason), one_by_one.map(|(reason, _)| *reason));
        }
    }

    /// Words of the table, cut anywhere, and others.
    fn piece() -> impl Strategy<Value = String> {
        let all: Vec<&str> = CLEAR.iter().flat_map(|(_, lines)| lines.concat()).collect();
        let whole = prop::sample::select(all);
        let cut = (whole.clone(), 0..40_usize).prop_map(|(word, at)| word.chars().skip(at).collect());
        prop_oneof![3 => whole.prop_map(str::to_owned), 1 => cut, 2 => "[a-z ]{0,6}", 1 => Just("\u{2019}550 \u{130}".to_owned())]
    }

    #[test]
    fn phrases_are_normal_and_stand_once() {
        let mut seen = std::collections::HashSet::new();
        for (reason, lines) in CLEAR {
            for line in *lines {
                assert!(
                    line.iter()
                        .all(|word| !word.is_empty() && normalize(word).trim() == word.trim()),
                    "{line:?}"
                );
                assert!(seen.insert(line), "{reason:?} {line:?} stands twice");
            }
        }
    }
}
