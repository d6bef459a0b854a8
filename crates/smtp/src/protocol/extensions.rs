//! What an EHLO reply announces (RFC 5321 §4.1.1.1).

use super::WireReply;

/// The extensions that a server announced, each keyword with its parameters.
///
/// Keywords are compared without regard to case; those that this crate does not know are kept too.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::protocol::{Extensions, ReplyParser};
///
/// let (_, reply) = ReplyParser::new().advance(b"250-mx.example\r\n250-size 1000\r\n250 auth plain\r\n")?;
/// let extensions = Extensions::from_reply(&reply.ok_or("incomplete")?);
/// assert_eq!(extensions.size_limit(), Some(1000));
/// assert!(extensions.offers_mechanism("PLAIN"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    keywords: Vec<(String, Vec<String>)>,
    limits: Limits,
}

/// What a server says of its limits (RFC 9422), which is looked at for every message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    messages: Option<u32>,
    recipients: Option<u32>,
    recipient_domains: Option<u32>,
}

impl Extensions {
    /// Reads the lines of an EHLO reply after the first, which greets.
    pub fn from_reply(reply: &WireReply) -> Self {
        let mut extensions = Self::default();
        for line in reply.lines().skip(1) {
            // Some old servers write `AUTH=PLAIN LOGIN`, from before RFC 4954.
            let line = match line.get(..5) {
                Some(start) if start.eq_ignore_ascii_case("AUTH=") => line.replacen('=', " ", 1),
                _ => line.into_owned(),
            };
            let mut words = line.split_ascii_whitespace().map(str::to_owned);
            if let Some(keyword) = words.next() {
                extensions
                    .keywords
                    .push((keyword.to_ascii_uppercase(), words.collect()));
            }
        }
        extensions.limits = Limits {
            messages: extensions.limit("MAILMAX"),
            recipients: extensions.limit("RCPTMAX"),
            recipient_domains: extensions.limit("RCPTDOMAINMAX"),
        };
        extensions
    }

    /// Whether `keyword` was announced.
    pub fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|(name, _)| name.eq_ignore_ascii_case(keyword))
    }

    /// Returns the parameters of `keyword`, of all its lines together.
    pub fn parameters<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a str> {
        self.keywords
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(keyword))
            .flat_map(|(_, parameters)| parameters.iter().map(String::as_str))
    }

    /// Returns every keyword, in upper case, in the order announced.
    pub fn keywords(&self) -> impl Iterator<Item = &str> {
        self.keywords.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the largest message the server takes, if it says one: `SIZE` without a number and `SIZE 0` say none
    /// (RFC 1870 §4).
    pub fn size_limit(&self) -> Option<u64> {
        self.parameters("SIZE").next()?.parse().ok().filter(|&size| size > 0)
    }

    /// Returns how many messages a session may carry, if the server says so (LIMITS MAILMAX, RFC 9422).
    pub fn max_messages(&self) -> Option<u32> {
        self.limits.messages
    }

    /// Returns how many recipients a message may have, if the server says so (LIMITS RCPTMAX, RFC 9422).
    pub fn max_recipients(&self) -> Option<u32> {
        self.limits.recipients
    }

    /// Returns in how many domains the recipients of a message may be, if the server says so (LIMITS RCPTDOMAINMAX,
    /// RFC 9422).
    pub fn max_recipient_domains(&self) -> Option<u32> {
        self.limits.recipient_domains
    }

    /// A limit of zero or of more than six digits is none (RFC 9422 §3).
    fn limit(&self, name: &str) -> Option<u32> {
        let mut parameters = self
            .parameters("LIMITS")
            .filter_map(|parameter| parameter.split_once('='));
        let (_, value) = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.parse().ok().filter(|limit| (1..=999_999).contains(limit))
    }

    /// Whether the SASL mechanism `mechanism` is offered.
    pub fn offers_mechanism(&self, mechanism: &str) -> bool {
        self.parameters("AUTH")
            .any(|offered| offered.eq_ignore_ascii_case(mechanism))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ReplyParser;

    fn extensions(bytes: &[u8]) -> Extensions {
        Extensions::from_reply(&ReplyParser::new().advance(bytes).unwrap().1.unwrap())
    }

    #[test]
    fn compares_without_case_and_keeps_the_unknown() {
        let found =
            extensions(b"250-mx\r\n250-starttls\r\n250-X-Vendor a=b\r\n250-LIMITS RCPTMAX=20\r\n250 auth plain\r\n");
        assert!(found.has("STARTTLS") && found.has("x-vendor") && found.has("AUTH"));
        assert_eq!(found.parameters("limits").collect::<Vec<_>>(), ["RCPTMAX=20"]);
        assert_eq!(
            found.keywords().collect::<Vec<_>>(),
            ["STARTTLS", "X-VENDOR", "LIMITS", "AUTH"]
        );
    }

    #[test]
    fn the_greeting_line_is_no_extension() {
        assert!(!extensions(b"250 STARTTLS\r\n").has("STARTTLS"));
    }

    #[test]
    fn size_zero_is_no_limit() {
        assert_eq!(extensions(b"250-mx\r\n250 SIZE 0\r\n").size_limit(), None);
        assert_eq!(extensions(b"250-mx\r\n250 SIZE\r\n").size_limit(), None);
        assert_eq!(
            extensions(b"250-mx\r\n250 SIZE 35882577\r\n").size_limit(),
            Some(35_882_577)
        );
    }

    #[test]
    fn reads_limits() {
        let found = extensions(b"250-mx\r\n250 LIMITS mailmax=5 RCPTMAX=0 RCPTDOMAINMAX=1 X=y RCPTMAX\r\n");
        assert_eq!(
            (
                found.max_messages(),
                found.max_recipients(),
                found.max_recipient_domains()
            ),
            (Some(5), None, Some(1))
        );
        assert_eq!(
            extensions(b"250-mx\r\n250 LIMITS MAILMAX=1000000\r\n").max_messages(),
            None
        );
    }

    #[test]
    fn reads_the_old_form_of_auth() {
        let found = extensions(b"250-mx\r\n250-AUTH=LOGIN\r\n250 AUTH PLAIN\r\n");
        assert!(found.offers_mechanism("login") && found.offers_mechanism("PLAIN"));
    }
}
