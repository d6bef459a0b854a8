//! A message on its way: an envelope around content.

use std::fmt;
use std::sync::{Arc, OnceLock};

use posthaste_address::{Envelope, EnvelopeError, Recipient};
use posthaste_mime::{Message, Rope};

/// Pairs an envelope with content, ready to be sent.
///
/// The envelope says who gets it, the content what they see; the two may differ, and a Bcc recipient is in the envelope
/// only. The bytes are made when they are first asked for, and kept. Clones share the content.
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
    envelope: Envelope,
    content: Arc<Shared>,
}

struct Shared {
    message: Option<Message>,
    rope: OnceLock<Rope>,
    facts: OnceLock<Facts>,
}

/// What has to be looked up in the bytes.
struct Facts {
    eight_bit: bool,
    eight_bit_header: bool,
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
            envelope,
            content: Arc::new(Shared {
                message: Some(message),
                rope: OnceLock::new(),
                facts: OnceLock::new(),
            }),
        }
    }

    /// Sends bytes that are a whole message already, with CRLF line ends (RFC 5322 §2.3).
    #[must_use]
    pub fn raw(envelope: Envelope, rope: Rope) -> Self {
        Self {
            envelope,
            content: Arc::new(Shared {
                message: None,
                rope: OnceLock::from(rope),
                facts: OnceLock::new(),
            }),
        }
    }

    /// Sends the same content to others; the bytes are not made again.
    #[must_use]
    pub fn readdressed(&self, envelope: Envelope) -> Self {
        Self {
            envelope,
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

    /// Returns who sends it to whom.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns the structured message; `None` if there are only bytes.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.content.message.as_ref()
    }

    /// Returns the bytes. They are made once; what is returned shares them.
    #[must_use]
    pub fn rope(&self) -> Rope {
        self.bytes().clone()
    }

    /// Returns the Message-ID without its angle brackets, if there is one.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        match self.message() {
            Some(message) => Some(message.message_id().as_str()),
            None => self.facts().message_id.as_deref(),
        }
    }

    /// Says whether the bytes hold any above 127 (RFC 6152).
    #[must_use]
    pub fn needs_8bit(&self) -> bool {
        self.facts().eight_bit
    }

    /// Says whether an address of the envelope or a header is not ASCII (RFC 6531 §3.3).
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        self.envelope.needs_smtputf8()
            || match self.message() {
                Some(message) => message.needs_smtputf8(),
                None => self.facts().eight_bit_header,
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

    fn facts(&self) -> &Facts {
        self.content.facts.get_or_init(|| Facts::read(self.bytes()))
    }
}

/// Bytes of a header section that are looked at for a Message-ID and non-ASCII text.
const MAX_HEADER: usize = 1 << 20;

impl Facts {
    fn read(rope: &Rope) -> Self {
        let eight_bit = rope.chunks().any(|chunk| !chunk.is_ascii());
        let header = header_section(rope);
        Self {
            eight_bit,
            eight_bit_header: eight_bit && !header.is_ascii(),
            message_id: message_id(&header),
        }
    }
}

/// Copies the header section, up to the empty line.
fn header_section(rope: &Rope) -> Vec<u8> {
    let mut header = Vec::new();
    let mut line_is_empty = true;
    for byte in rope.chunks().flat_map(|chunk| chunk.iter().copied()).take(MAX_HEADER) {
        match byte {
            b'\n' if line_is_empty => break,
            b'\n' => line_is_empty = true,
            b'\r' => {}
            _ => line_is_empty = false,
        }
        header.push(byte);
    }
    header
}

/// Finds `<left@right>` in the Message-ID field, folded or not.
fn message_id(header: &[u8]) -> Option<String> {
    let mut lines = header.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
        name.trim_ascii_end()
            .eq_ignore_ascii_case(b"message-id")
            .then_some(value)
    })?;
    let mut value = first.strip_prefix(b":").unwrap_or(first).to_vec();
    for line in lines.take_while(|line| line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'))) {
        value.extend_from_slice(line);
    }
    let text = String::from_utf8(value).ok()?;
    let (_, from_bracket) = text.split_once('<')?;
    let (inside, _) = from_bracket.split_once('>')?;
    let clean =
        !inside.is_empty() && inside.len() <= 996 && !inside.chars().any(|c| c.is_control() || c.is_whitespace());
    clean.then(|| inside.to_owned())
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
