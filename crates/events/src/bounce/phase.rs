//! When a server refused.

/// At which point of the SMTP session a server refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It is not said.
    #[default]
    Unknown,
    /// On connecting, or on EHLO.
    Connect,
    /// On MAIL.
    Sender,
    /// On RCPT.
    Recipient,
    /// On DATA, or after the message.
    Content,
}

/// How programs say when it was. They are looked for in the order in which they stand here.
const SAYINGS: &[(&str, Phase)] = &[
    ("in reply to end of data", Phase::Content),
    ("in reply to data", Phase::Content),
    ("after end of data", Phase::Content),
    ("after data", Phase::Content),
    ("after pipelined end of data", Phase::Content),
    ("final data", Phase::Content),
    (">>> data", Phase::Content),
    ("failed after i sent the message", Phase::Content),
    ("after i sent the message", Phase::Content),
    ("in reply to rcpt", Phase::Recipient),
    ("after rcpt", Phase::Recipient),
    ("our rcpt to", Phase::Recipient),
    (">>> rcpt", Phase::Recipient),
    ("[rcpt_to]", Phase::Recipient),
    ("smtp:rcpt", Phase::Recipient),
    ("does not like recipient", Phase::Recipient),
    ("in reply to mail from", Phase::Sender),
    ("after mail from", Phase::Sender),
    (">>> mail from", Phase::Sender),
    ("our mail from", Phase::Sender),
    ("[mail_from]", Phase::Sender),
    ("does not like sender", Phase::Sender),
    ("after initial connection", Phase::Connect),
    ("in reply to ehlo", Phase::Connect),
    ("in reply to helo", Phase::Connect),
    ("but my name was rejected", Phase::Connect),
    ("refused to talk to me", Phase::Connect),
    ("but greeting failed", Phase::Connect),
];

impl Phase {
    /// Finds out from the words of mail programs: `(in reply to end of DATA command)`, `after RCPT TO:<…>`.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_events::bounce::Phase;
    ///
    /// let said = "host mx.example.net[192.0.2.1] said: 550 no (in reply to RCPT TO command)";
    /// assert_eq!(Phase::find(said), Phase::Recipient);
    /// ```
    #[must_use]
    pub fn find(said: &str) -> Self {
        let words = super::phrases::normalize(said);
        let found = SAYINGS.iter().find(|(saying, _)| words.contains(saying));
        match found {
            // Sent in one go with RCPT, whose refusal comes first in the transcript.
            Some((">>> data", _)) if words.contains("<<< 503") => Self::Recipient,
            found => found.map_or(Self::Unknown, |(_, phase)| *phase),
        }
    }
}
