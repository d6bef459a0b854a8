//! The codes in what a server said.

use posthaste_transport::EnhancedStatus;

/// The reply code and the enhanced status that stand in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    reply: Option<u16>,
    status: Option<EnhancedStatus>,
}

impl Codes {
    /// Finds codes in what a server said: `550 5.1.1 …`, `550-5.7.1 …`, `(#5.1.1)`.
    ///
    /// A status right behind a reply code counts before others: relays put a status of their own in front. Numbers inside of
    /// longer ones, as in addresses of hosts, are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_events::bounce::Codes;
    ///
    /// let codes = Codes::find("smtp; 5.1.0 - Unknown address error 550-'5.2.2 <bob@example.net>... Mailbox Full'");
    /// assert_eq!((codes.reply(), codes.status()), (Some(550), "5.2.2".parse().ok()));
    /// assert_eq!(Codes::find("host 192.0.2.50 said nothing").reply(), None);
    /// ```
    #[must_use]
    pub fn find(said: &str) -> Self {
        let mut found = Self::default();
        let mut behind_reply = None;
        for (at, word) in numbers(said) {
            if let Some(code) = reply_code(word)
                && is_said(said, at, word)
            {
                found.reply.get_or_insert(code);
                behind_reply = Some(at + word.len());
            } else if let Some(status) = word.parse::<EnhancedStatus>().ok().filter(|_| word.contains('.')) {
                let is_behind = behind_reply
                    .take()
                    .is_some_and(|end| said.get(end..at).is_some_and(is_gap));
                if is_behind {
                    found.status = Some(status);
                    return found;
                }
                found.status.get_or_insert(status);
            }
        }
        found
    }

    /// Returns a text from the reply code on that has a status behind it.
    pub(crate) fn reply_in(said: &str) -> Option<&str> {
        let mut reply = None;
        for (at, word) in numbers(said) {
            if reply_code(word).is_some() && is_said(said, at, word) {
                reply = Some((at, at + word.len()));
            } else if let Some((begin, end)) = reply.take()
                && word.parse::<EnhancedStatus>().is_ok()
                && said.get(end..at).is_some_and(is_gap)
            {
                return said.get(begin..);
            }
        }
        None
    }

    /// Returns the reply code (RFC 5321 §4.2).
    #[must_use]
    pub fn reply(self) -> Option<u16> {
        self.reply
    }

    /// Returns the enhanced status (RFC 3463).
    #[must_use]
    pub fn status(self) -> Option<EnhancedStatus> {
        self.status
    }

    /// Fills what is missing from others.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            reply: self.reply.or(other.reply),
            status: self.status.or(other.status),
        }
    }

    pub(crate) fn new(reply: Option<u16>, status: Option<EnhancedStatus>) -> Self {
        Self { reply, status }
    }
}

/// Tells whether nothing but a few signs stands between a reply code and a status.
fn is_gap(between: &str) -> bool {
    between.len() <= 4 && between.chars().all(|c| !c.is_alphanumeric())
}

/// Runs of digits and dots that are no part of a word, with where they begin.
fn numbers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let begin = at + rest.find(|c: char| c.is_ascii_digit())?;
            let run = text.get(begin..)?;
            let end = begin + run.find(|c| !is_part(c)).unwrap_or(run.len());
            at = end;
            let before = text.get(..begin)?.chars().next_back();
            let after = text.get(end..)?.chars().next();
            let joined = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '@');
            let digits = text.get(begin..end)?.trim_end_matches('.');
            if before.is_some_and(joined) || after.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '@')) {
                continue;
            }
            return Some((begin, digits));
        }
    })
}

/// Tells whether a number stands where a reply code can: nothing that makes it part of something else beside it.
fn is_said(text: &str, at: usize, word: &str) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let after = text.get(at + word.len()..).unwrap_or_default();
    let follows =
        after.is_empty() || after.starts_with([' ', '-', ':', '\t', '\r', '\n', '\'', ')', '"', ']', ',', ';']);
    let number_before = before.trim_end().ends_with(|c: char| c.is_ascii_digit()) && before.ends_with(['-', '/', ':']);
    follows && !number_before && !before.ends_with(['-', '/', '=', '+', '&', '?', '%'])
}

fn reply_code(word: &str) -> Option<u16> {
    let code = word.parse::<u16>().ok().filter(|_| word.len() == 3)?;
    // Of the second digit there are few in use: 2 for the connection, 3 for logins, 5 for mail, 0 and 1, and 4 and 7 in the wild.
    (matches!(code, 400..=599) && code % 100 / 10 <= 7).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_codes_and_nothing_else() {
        for (said, reply, status) in [
            ("550 5.1.1 no", Some(550), Some("5.1.1")),
            ("smtp;550-5.7.1 no", Some(550), Some("5.7.1")),
            ("failed (#5.4.4)", None, Some("5.4.4")),
            ("host[192.0.2.15] 10.1.1.1", None, None),
            ("id 550abc mx550.example", None, None),
            ("5.0.0 said: 452 4.2.2 full", Some(452), Some("4.2.2")),
            ("250 ok", None, None),
            ("", None, None),
        ] {
            let codes = Codes::find(said);
            assert_eq!(
                (codes.reply(), codes.status().map(|s| s.to_string())),
                (reply, status.map(str::to_owned)),
                "{said}"
            );
        }
    }
}
