//! What a service takes and what it refuses, as a value.

mod check;
mod ses;
mod violation;

pub use violation::{PolicyError, PolicyLimit, PolicyViolation};

use std::collections::{BTreeMap, BTreeSet};

use posthaste_address::{EmailAddress, Envelope, Mailbox, Recipient};

use crate::{Attachment, FileName};
use violation::shown;

/// Says what a service takes: limits, header fields that stand at most once, files that it refuses by their names.
///
/// It is asked before a message is sent, so that a refusal comes with all its reasons, and without a request. It does not
/// replace the service's own answer: whether a sender is verified or a quota is used up is known only there.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Attachment, ContentType, Message, Policy, PolicyLimit};
///
/// let message = Message::builder()
///     .from("Ada <ada@example.org>".parse()?)
///     .to("bob@example.net".parse()?)
///     .text("Please run this.")
///     .attach(Attachment::new("Setup.EXE", ContentType::parse("application/octet-stream")?, "MZ")?)
///     .build()?;
///
/// let error = Policy::ses_v2().check(&message).unwrap_err();
/// assert_eq!(error.to_string(), "the message breaks the policy: attachment Setup.EXE: files named .exe are refused");
///
/// // A relay of one's own may be stricter, or laxer.
/// let own = Policy::ses_v2().allow_extension("exe").limit(PolicyLimit::MessageSize, 1_000_000);
/// assert!(own.check(&message).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    limits: BTreeMap<PolicyLimit, u64>,
    /// Without their dots, in lower case.
    blocked: BTreeSet<String>,
    /// In lower case.
    once: BTreeSet<String>,
    ascii_addresses: bool,
    ascii_headers: bool,
}

impl Policy {
    /// Takes everything: where a policy of one's own begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what Amazon SES takes through its API version 1: at most 10 MiB, otherwise as [`Policy::ses_raw`].
    pub fn ses_v1() -> Self {
        ses::v1()
    }

    /// Takes what Amazon SES takes through its API version 2 as fields (`Simple` and `Template` content): as
    /// [`Policy::ses_raw`], and the limits of the API on header fields and attachments: 15 header fields besides those that
    /// the API has parameters for, their names of 126, their values of 995, both of 996 printable ASCII characters at most;
    /// file names of 255, descriptions of 1000, content ids and media types of 78 characters.
    pub fn ses_v2() -> Self {
        ses::v2()
    }

    /// Takes what Amazon SES takes as finished MIME, through SMTP or as `Raw` content: at most 40 MiB, 50 recipients, 500
    /// parts, lines of 1000 octets, addresses of ASCII, of 320 characters with their names; none of the file names that it
    /// refuses; each of the header fields that it wants once at most once.
    pub fn ses_raw() -> Self {
        ses::raw()
    }

    /// Sets a limit: `most` is still allowed.
    #[must_use]
    pub fn limit(mut self, limit: PolicyLimit, most: u64) -> Self {
        self.limits.insert(limit, most);
        self
    }

    /// Takes a limit away.
    #[must_use]
    pub fn unlimit(mut self, limit: PolicyLimit) -> Self {
        self.limits.remove(&limit);
        self
    }

    /// Refuses files whose names end in a dot and `extension`, whatever the case.
    #[must_use]
    pub fn block_extension(mut self, extension: &str) -> Self {
        self.blocked.insert(normalized(extension));
        self
    }

    /// Takes files with this extension.
    #[must_use]
    pub fn allow_extension(mut self, extension: &str) -> Self {
        self.blocked.remove(&normalized(extension));
        self
    }

    /// Wants a header field at most once.
    #[must_use]
    pub fn once(mut self, name: &str) -> Self {
        self.once.insert(name.to_ascii_lowercase());
        self
    }

    /// Sets whether local parts must be ASCII (no SMTPUTF8).
    #[must_use]
    pub fn ascii_addresses(mut self, only: bool) -> Self {
        self.ascii_addresses = only;
        self
    }

    /// Sets whether the values of header fields must be printable ASCII.
    #[must_use]
    pub fn ascii_headers(mut self, only: bool) -> Self {
        self.ascii_headers = only;
        self
    }

    /// Returns how much is allowed; `None` if there is no limit.
    pub fn limit_of(&self, limit: PolicyLimit) -> Option<u64> {
        self.limits.get(&limit).copied()
    }

    /// Returns the extensions that are refused, in order, without their dots and in lower case.
    pub fn blocked_extensions(&self) -> impl Iterator<Item = &str> {
        self.blocked.iter().map(String::as_str)
    }

    /// Checks the size of a finished message, in octets.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if it is too large.
    pub fn check_size(&self, octets: u64) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        self.amount(PolicyLimit::MessageSize, None, octets, &mut found);
        PolicyError::of(found)
    }

    /// Checks who gets a message: how many, and that a service without SMTPUTF8 can reach them.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if there are too many, or for each address that is not allowed.
    pub fn check_recipients<'a>(
        &self,
        recipients: impl IntoIterator<Item = &'a EmailAddress>,
    ) -> Result<(), PolicyError> {
        let (mut found, mut count) = (Vec::new(), 0);
        for recipient in recipients {
            count += 1;
            self.address("recipient", recipient, &mut found);
        }
        self.amount(PolicyLimit::Recipients, None, count, &mut found);
        PolicyError::of(found)
    }

    /// Checks an envelope: its recipients, and its reverse-path.
    ///
    /// # Errors
    ///
    /// As [`Policy::check_recipients`].
    pub fn check_envelope(&self, envelope: &Envelope) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        if let Some(sender) = envelope.mail_from() {
            self.address("reverse-path", sender, &mut found);
        }
        let recipients = envelope.recipients().iter().map(Recipient::address);
        found.extend(PolicyError::violations_of(self.check_recipients(recipients)));
        PolicyError::of(found)
    }

    /// Checks a header field that was set freely: its name and its unfolded value, as it goes over the wire.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if one of them is empty, too long, or holds what it may not.
    pub fn check_header(&self, name: &str, value: &str) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        self.header(name, value.as_bytes(), &mut found);
        PolicyError::of(found)
    }

    /// Checks that no field stands more often than it may; give it the names of all.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with each name that stands again, once.
    pub fn check_header_names<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        self.repeats(names, &mut found);
        PolicyError::of(found)
    }

    /// Checks the file name of a part.
    ///
    /// The extension is what stands behind the last dot of the name that a reader would make a file of: without folders,
    /// dots and blanks at the end, and characters that are not seen; what stands before a colon is looked at as well.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if it is too long or has an extension that is refused.
    pub fn check_attachment_name(&self, name: &str) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        self.file_name(name, &mut found);
        PolicyError::of(found)
    }

    /// Checks an attachment: its names, its type and its description. A message that is attached is looked into.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with everything that is wrong.
    pub fn check_attachment(&self, attachment: &Attachment) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        self.attachment(attachment, &mut found);
        PolicyError::of(found)
    }

    fn amount(&self, limit: PolicyLimit, of: Option<&str>, found: u64, violations: &mut Vec<PolicyViolation>) {
        match self.limits.get(&limit) {
            Some(&most) if found > most => violations.push(PolicyViolation::TooMuch {
                limit,
                of: of.map(shown),
                found,
                most,
            }),
            _ => {}
        }
    }

    /// Counts the characters of a text.
    fn length(&self, limit: PolicyLimit, of: &str, text: &str, violations: &mut Vec<PolicyViolation>) {
        self.amount(limit, Some(of), text.chars().count() as u64, violations);
    }

    fn address(&self, field: &'static str, address: &EmailAddress, violations: &mut Vec<PolicyViolation>) {
        if self.ascii_addresses && address.needs_smtputf8() {
            violations.push(PolicyViolation::AddressNotAscii {
                field,
                address: address.clone(),
            });
        }
    }

    fn mailbox(&self, field: &'static str, mailbox: &Mailbox, violations: &mut Vec<PolicyViolation>) {
        self.address(field, mailbox.address(), violations);
        self.length(PolicyLimit::Address, field, &mailbox.to_string(), violations);
    }

    fn header(&self, name: &str, value: &[u8], violations: &mut Vec<PolicyViolation>) {
        if self.ascii_headers {
            let is_bad = |byte: &u8| !(0x20..=0x7e).contains(byte);
            let is_bad_in_name = |byte: &u8| !byte.is_ascii_graphic() || *byte == b':';
            let places = [
                (
                    true,
                    name.is_empty(),
                    name.bytes().position(|byte| is_bad_in_name(&byte)),
                ),
                (false, value.is_empty(), value.iter().position(is_bad)),
            ];
            for (in_name, is_empty, bad) in places {
                if is_empty {
                    violations.push(PolicyViolation::EmptyHeader {
                        name: shown(name),
                        in_name,
                    });
                }
                if let Some(offset) = bad {
                    violations.push(PolicyViolation::HeaderCharacter {
                        name: shown(name),
                        in_name,
                        offset,
                    });
                }
            }
        }
        let (in_name, in_value) = (name.len() as u64, value.len() as u64);
        self.amount(PolicyLimit::HeaderName, Some(name), in_name, violations);
        self.amount(PolicyLimit::HeaderValue, Some(name), in_value, violations);
        self.amount(PolicyLimit::HeaderField, Some(name), in_name + in_value, violations);
    }

    fn repeats<'a>(&self, names: impl IntoIterator<Item = &'a str>, violations: &mut Vec<PolicyViolation>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names {
            if let Some(known) = self.once.get(name.to_ascii_lowercase().as_str()) {
                *counts.entry(known).or_default() += 1;
            }
        }
        let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
        violations.extend(repeated.map(|(name, count)| PolicyViolation::RepeatedHeader {
            name: name.to_owned(),
            count,
        }));
    }

    fn file_name(&self, name: &str, violations: &mut Vec<PolicyViolation>) {
        self.length(PolicyLimit::AttachmentName, name, name, violations);
        let blocked = name.split(':').find_map(|piece| {
            let safe = FileName::safe_basename(piece);
            let (_, extension) = safe.rsplit_once('.')?;
            self.blocked.get(&normalized(extension))
        });
        if let Some(extension) = blocked {
            violations.push(PolicyViolation::BlockedAttachment {
                name: shown(name),
                extension: extension.clone(),
            });
        }
    }
}

fn normalized(extension: &str) -> String {
    extension.trim_start_matches('.').trim().to_ascii_lowercase()
}
