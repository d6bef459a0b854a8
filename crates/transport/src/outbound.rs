//! A message on its way: an envelope around content.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use posthaste_address::{AddressList, EmailAddress, Envelope, EnvelopeError, Recipient};
use posthaste_mime::{Message, RawMessage, Rope};

/// Pairs an envelope with content, ready to be sent.
///
/// The envelope says who gets it, the content what they see; the two may differ, and a Bcc recipient is in the envelope
/// only. The bytes are made when they are first asked for, and kept, but for streamed attachments, which are read each time.
/// Clones share both.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Message;
/// use posthaste_transport::Outbound;
///
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .to("bob@example.net".parse()?)
///     .bcc("carol@example.net".parse()?)
///     .subject("Hello")
///     .text("First line")
///     .build()?;
/// let mail = Outbound::new(message)?;
/// assert_eq!(mail.envelope().recipients().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Outbound {
    envelope: Arc<Envelope>,
    content: Arc<Shared>,
}

struct Shared {
    message: Option<Message>,
    rope: OnceLock<Rope>,
    eight_bit: OnceLock<bool>,
    header: OnceLock<HeaderFacts>,
}

/// What has to be looked up in the bytes of the header section.
struct HeaderFacts {
    eight_bit: bool,
    message_id: Option<String>,
}

impl Outbound {
    /// Sends `message` to the people in its headers, Bcc included.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if the headers name nobody to send to.
    pub fn new(message: Message) -> Result<Self, EnvelopeError> {
        let envelope = message.envelope()?;
        Ok(Self::with_envelope(message, envelope))
    }

    /// Sends `message` to the people in `envelope`, whatever its headers say.
    #[must_use]
    pub fn with_envelope(message: Message, envelope: Envelope) -> Self {
        Self {
            envelope: Arc::new(envelope),
            content: Arc::new(Shared {
                message: Some(message),
                rope: OnceLock::new(),
                eight_bit: OnceLock::new(),
                header: OnceLock::new(),
            }),
        }
    }

    /// Sends bytes that are a whole message already, with CRLF line ends (RFC 5322 §2.3).
    #[must_use]
    pub fn raw(envelope: Envelope, rope: Rope) -> Self {
        Self {
            envelope: Arc::new(envelope),
            content: Arc::new(Shared {
                message: None,
                rope: OnceLock::from(rope),
                eight_bit: OnceLock::new(),
                header: OnceLock::new(),
            }),
        }
    }

    /// Sends the same content to others; the bytes are not made again.
    #[must_use]
    pub fn readdressed(&self, envelope: Envelope) -> Self {
        Self {
            envelope: Arc::new(envelope),
            content: Arc::clone(&self.content),
        }
    }

    /// Sends the same content to those recipients that `keep` picks; `None` if it picks nobody.
    ///
    /// Sender and delivery wishes stay as they are.
    #[must_use]
    pub fn narrowed(&self, mut keep: impl FnMut(&Recipient) -> bool) -> Option<Self> {
        let recipients: Vec<Recipient> = self
            .envelope
            .recipients()
            .iter()
            .filter(|recipient| keep(recipient))
            .cloned()
            .collect();
        let mut envelope = Envelope::new(self.envelope.mail_from().cloned(), recipients).ok()?;
        if let Some(id) = self.envelope.envelope_id() {
            envelope = envelope.with_envelope_id(id.clone());
        }
        if let Some(content) = self.envelope.return_content() {
            envelope = envelope.with_return_content(content);
        }
        Some(self.readdressed(envelope.with_require_tls(self.envelope.require_tls())))
    }

    /// The same, its bytes given: those that the message makes, read already.
    pub(crate) fn with_rope(&self, rope: Rope) -> Self {
        Self {
            envelope: Arc::clone(&self.envelope),
            content: Arc::new(Shared {
                message: self.content.message.clone(),
                rope: OnceLock::from(rope),
                eight_bit: OnceLock::new(),
                header: OnceLock::new(),
            }),
        }
    }

    /// Returns who sends it to whom.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns the structured message; `None` if there are only bytes.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.content.message.as_ref()
    }

    /// Returns the bytes. They are made once; what is returned shares them. Streamed attachments are not read for it.
    #[must_use]
    pub fn rope(&self) -> Rope {
        self.bytes().clone()
    }

    /// Returns the Message-ID without its angle brackets, if there is one.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        match self.message() {
            Some(message) => Some(message.message_id().as_str()),
            None => self.header().message_id.as_deref(),
        }
    }

    /// Returns the one author that the header of finished bytes names, if it names one alone and beyond doubt.
    pub(crate) fn raw_author(&self) -> Option<EmailAddress> {
        if self.message().is_some() {
            return None;
        }
        let message = RawMessage::parse(header_section(self.bytes())).ok()?;
        let field = message.field("From").filter(|_| message.count("From") == 1)?;
        let sender = message.count("Sender") == 0;
        let authors: AddressList = field.decoded().parse().ok()?;
        let mut mailboxes = authors.mailboxes();
        match (mailboxes.next(), mailboxes.next()) {
            (Some(author), None) if sender => Some(author.address().clone()),
            _ => None,
        }
    }

    /// Returns the recipients that the header of finished bytes names, if each of them can be read.
    pub(crate) fn raw_recipients(&self) -> Option<BTreeSet<String>> {
        if self.message().is_some() {
            return None;
        }
        let message = RawMessage::parse(header_section(self.bytes())).ok()?;
        let recipients = message.recipients().complete().ok()?;
        Some(recipients.iter().map(|mailbox| mailbox.address().to_string()).collect())
    }

    /// Says whether the bytes hold any above 127 (RFC 6152).
    #[must_use]
    pub fn needs_8bit(&self) -> bool {
        *self.content.eight_bit.get_or_init(|| !self.bytes().is_ascii())
    }

    /// Says whether an address of the envelope or a header is not ASCII (RFC 6531 §3.3).
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        self.envelope.needs_smtputf8()
            || match self.message() {
                Some(message) => message.needs_smtputf8(),
                None => self.header().eight_bit,
            }
    }

    fn bytes(&self) -> &Rope {
        let encode = || {
            self.content
                .message
                .as_ref()
                .map_or_else(Rope::default, Message::to_rope)
        };
        self.content.rope.get_or_init(encode)
    }

    fn header(&self) -> &HeaderFacts {
        self.content.header.get_or_init(|| HeaderFacts::read(self.bytes()))
    }
}

/// Bytes of a header section that are looked at for a Message-ID and non-ASCII text.
const MAX_HEADER: usize = 1 << 20;

impl HeaderFacts {
    fn read(rope: &Rope) -> Self {
        let header = header_section(rope);
        Self {
            eight_bit: !header.is_ascii(),
            message_id: RawMessage::parse(header).ok().and_then(|message| message.message_id()),
        }
    }
}

/// Returns the header section, up to the empty line; copies it if it is not in one chunk. It is in memory: what is streamed
/// stands in the body.
fn header_section(rope: &Rope) -> Bytes {
    let mut header = BytesMut::new();
    let mut line_is_empty = true;
    let mut chunks = rope.chunks();
    let mut in_memory = std::iter::from_fn(|| chunks.next_in_memory()).peekable();
    while let Some(chunk) = in_memory.next() {
        let chunk = chunk.slice(..chunk.len().min(MAX_HEADER - header.len()));
        let end = header_end(&chunk, &mut line_is_empty);
        let whole = chunk.slice(..end.unwrap_or(chunk.len()));
        if header.is_empty() && (end.is_some() || in_memory.peek().is_none()) {
            return whole;
        }
        header.extend_from_slice(&whole);
        if end.is_some() || header.len() >= MAX_HEADER {
            break;
        }
    }
    header.freeze()
}

/// Returns where the LF of the first empty line of `chunk` is. `line_is_empty` says so of the line that it begins in, and then of the
/// one that it ends in.
fn header_end(chunk: &[u8], line_is_empty: &mut bool) -> Option<usize> {
    let mut at = 0;
    for line in chunk.split_inclusive(|&byte| byte == b'\n') {
        at += line.len();
        let text = line.strip_suffix(b"\n");
        *line_is_empty &= text.unwrap_or(line).iter().all(|&byte| byte == b'\r');
        if text.is_some() {
            if *line_is_empty {
                return Some(at - 1);
            }
            *line_is_empty = true;
        }
    }
    None
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("envelope", &self.envelope)
            .field("structured", &self.message().is_some())
            .field("encoded_length", &self.content.rope.get().map(Rope::len))
            .finish_non_exhaustive()
    }
}

impl TryFrom<Message> for Outbound {
    type Error = EnvelopeError;

    fn try_from(message: Message) -> Result<Self, Self::Error> {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Generated, mail, streaming};

    fn raw(bytes: &[u8]) -> Outbound {
        let mail = mail(&["bob@example.net"]);
        Outbound::raw(mail.envelope().clone(), Rope::from(bytes.to_vec()))
    }

    fn check_id(header: &str, expected: Option<&str>) {
        assert_eq!(
            raw(format!("{header}\r\n\r\nbody").as_bytes()).message_id(),
            expected,
            "{header:?}"
        );
    }

    #[test]
    fn the_message_id_of_bytes_is_found() {
        check_id("Message-ID: <a@b>", Some("a@b"));
        check_id("From: x\r\nMESSAGE-id : <a@b> (comment)", Some("a@b"));
        check_id("Message-ID:\r\n\t<a@b>\r\nTo: y", Some("a@b"));
        check_id("Subject: <a@b>", None);
        check_id("Message-ID: none", None);
        check_id("Message-ID: <>", None);
        check_id("Message-ID: <a b>", None);
        check_id("X: y\r\n\r\nMessage-ID: <a@b>", None);
    }

    #[test]
    fn a_structured_message_knows_its_id_without_being_encoded() {
        let mail = mail(&["bob@example.net"]);
        assert!(mail.message_id().is_some());
        assert!(mail.content.rope.get().is_none());
        assert!(
            mail.rope()
                .to_bytes()
                .unwrap()
                .windows(11)
                .any(|window| window == b"Message-ID:")
        );
    }

    #[test]
    fn clones_and_readdressed_mail_share_the_bytes() {
        let mail = mail(&["bob@example.net"]);
        let other = mail.readdressed(mail.envelope().clone());
        let first = |mail: &Outbound| mail.rope().chunks().next_in_memory().map(|chunk| chunk.as_ptr());
        assert!(first(&mail).is_some());
        assert_eq!(first(&mail), first(&other.clone()));
    }

    #[test]
    fn what_needs_which_extension() {
        assert!(!raw(b"A: b\r\n\r\nplain").needs_8bit());
        let body = raw(b"A: b\r\n\r\n\xe4");
        assert!(body.needs_8bit() && !body.needs_smtputf8());
        let header = raw("A: \u{e4}\r\n\r\nplain".as_bytes());
        assert!(header.needs_8bit() && header.needs_smtputf8());
        let bare = raw("A: b\n\n\u{e4}".as_bytes());
        assert!(!bare.needs_smtputf8());
        assert!(mail(&["j\u{f6}rg@example.net"]).needs_smtputf8());
    }

    #[test]
    fn narrowing_keeps_order_and_wishes() {
        let mail = mail(&["a@example.net", "b@example.net", "c@example.net"]);
        let mail = mail.readdressed(mail.envelope().clone().with_require_tls(true));
        let narrowed = mail
            .narrowed(|recipient| recipient.address().local_part() != "b")
            .unwrap();
        let left: Vec<String> = narrowed
            .envelope()
            .recipients()
            .iter()
            .map(|r| r.address().to_string())
            .collect();
        assert_eq!(left, ["a@example.net", "c@example.net"]);
        assert!(narrowed.envelope().require_tls());
        assert!(mail.narrowed(|_| false).is_none());
    }

    #[test]
    fn what_is_needed_is_known_without_reading() {
        let mail = streaming(Generated::new(1 << 40).failing_at(0));
        assert!(!mail.needs_8bit() && !mail.needs_smtputf8());
        assert!(mail.rope().len() > 1 << 40);
        let raw = Outbound::raw(mail.envelope().clone(), mail.rope());
        assert_eq!(raw.message_id(), mail.message_id());
        assert!(!raw.needs_8bit() && !raw.needs_smtputf8());
    }

    #[test]
    fn neither_name_nor_content_is_printed() {
        let shown = format!("{:?}", mail(&["bob@example.net"]));
        assert!(!shown.contains("First line") && !shown.contains("Hello"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mail = raw(&bytes);
            if let Some(id) = mail.message_id() {
                prop_assert!(!id.chars().any(char::is_control));
            }
            prop_assert_eq!(mail.needs_8bit(), !bytes.is_ascii());
            prop_assert_eq!(mail.rope().to_bytes().unwrap(), bytes);
        }

        #[test]
        fn how_the_bytes_are_cut_does_not_matter(
            lines in prop::collection::vec("(Message-ID: <a@b>|Subject: x\u{e9}?|\\r|x)?\\r?\\n", 0..8),
            cut in 1_usize..9,
        ) {
            let whole = raw(lines.concat().as_bytes());
            let mut rope = Rope::default();
            for chunk in lines.concat().as_bytes().chunks(cut) {
                rope.push(Bytes::copy_from_slice(chunk));
            }
            let cut = Outbound::raw(whole.envelope().clone(), rope);
            prop_assert_eq!(cut.message_id(), whole.message_id());
            prop_assert_eq!(cut.needs_smtputf8(), whole.needs_smtputf8());
            prop_assert_eq!(cut.needs_8bit(), whole.needs_8bit());
        }
    }
}
