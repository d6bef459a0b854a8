//! A message that was received.

use bytes::Bytes;
use posthaste_address::{Address, AddressList, Mailbox};

use super::addresses::{self, RawRecipients};
use super::error::{RawDefect, RawError, RawFieldError};
use super::field::RawField;
use super::header::Header;
use super::lines::name_length;
use super::options::RawOptions;
use super::part::RawPart;
use super::walk;
use crate::fold::Field;
use crate::text::{LINE_LIMIT, refuse_controls, refuse_longer};
use crate::{HeaderError, HeaderName, HeaderValue, Rope};

/// Holds a message that was received, to look into it, change its header and pass it on.
///
/// Reading finds the fields of the header and nothing else; parts are looked for when they are asked for. Every octet
/// that no edit names stays as it is, line breaks, folds and broken lines included, so that signatures over the body and
/// over other fields stay valid. The body is never copied.
///
/// What no standard allows is read all the same where mail has it: bare LF, a missing empty line, spaces before a colon,
/// lines that are no fields, an mbox `From ` line. [`defects`](Self::defects) lists it. Names are compared without regard
/// to case.
///
/// # Examples
///
/// A relay reads and takes out what is meant for it, such as the control fields of SES, and passes on the rest:
///
/// ```
/// use posthaste_mime::RawMessage;
///
/// let received = "From: Ada <ada@example.org>\r\n\
///     To: bob@example.net\r\n\
///     Bcc: carol@example.net\r\n\
///     X-SES-CONFIGURATION-SET: newsletter\r\n\
///     X-SES-MESSAGE-TAGS: campaign=may, team=blue\r\n\
///     Subject: Hello\r\n\r\nFirst line\r\n";
/// let mut message = RawMessage::parse(received)?;
///
/// let recipients = message.recipients().complete()?;
/// assert_eq!(recipients.iter().count(), 2);
/// message.remove("Bcc");
///
/// let set = message.take("X-SES-CONFIGURATION-SET");
/// assert_eq!(set[0].decoded(), "newsletter"); // the first one counts
/// let others = message.take_where(|field| field.name().to_ascii_lowercase().starts_with("x-ses-"));
/// assert_eq!(others.len(), 1);
///
/// assert_eq!(
///     message.to_bytes(),
///     "From: Ada <ada@example.org>\r\nTo: bob@example.net\r\nSubject: Hello\r\n\r\nFirst line\r\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Attachments, without decoding any:
///
/// ```
/// use posthaste_mime::{Attachment, ContentType, Message, RawMessage};
///
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .to("bob@example.net".parse()?)
///     .text("See the report.")
///     .attach(Attachment::new("report.csv", ContentType::parse("text/csv")?, "a;b\n")?)
///     .build()?;
/// let message = RawMessage::parse(message.to_bytes()?)?;
/// for part in message.parts()?.iter().filter(|part| part.is_attachment()) {
///     assert_eq!(part.content_type(), "text/csv");
///     assert_eq!(part.safe_file_name().as_deref(), Some("report.csv"));
///     assert_eq!(part.decoded_len(), 4);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RawMessage {
    header: Header,
    options: RawOptions,
}

impl RawMessage {
    /// Reads a message with the default limits.
    ///
    /// # Errors
    ///
    /// [`RawError`] when its header section breaks a limit.
    pub fn parse(message: impl Into<Bytes>) -> Result<Self, RawError> {
        Self::parse_with(message, &RawOptions::default())
    }

    /// Reads a message with limits of your own.
    ///
    /// # Errors
    ///
    /// [`RawError`] when its header section breaks a limit.
    pub fn parse_with(message: impl Into<Bytes>, options: &RawOptions) -> Result<Self, RawError> {
        let header = Header::parse(&message.into(), *options)?;
        Ok(Self {
            header,
            options: *options,
        })
    }

    /// Returns the fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = RawField> {
        self.header.fields()
    }

    /// Returns the first field called `name`.
    pub fn field(&self, name: &str) -> Option<RawField> {
        self.header.named(name).next()
    }

    /// Returns all fields called `name`, in their order.
    pub fn fields_named(&self, name: &str) -> impl Iterator<Item = RawField> {
        self.header.named(name)
    }

    /// Counts the fields called `name`.
    pub fn count(&self, name: &str) -> usize {
        self.header.count(name)
    }

    /// Returns everything behind the empty line, as it is; shares the bytes.
    pub fn body(&self) -> Bytes {
        self.header.source().slice(self.header.body()..)
    }

    /// Counts the octets of the message as it is now.
    pub fn len(&self) -> usize {
        let mut length = 0;
        self.write(|chunk| length += chunk.len());
        length
    }

    /// Tells whether there are no octets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether an edit has changed anything.
    pub fn is_edited(&self) -> bool {
        self.header.is_edited()
    }

    /// Lists what is odd about the header section. What is odd about parts is for
    /// [`RawPart::defects`](crate::RawPart::defects).
    pub fn defects(&self) -> Vec<RawDefect> {
        self.header.defects()
    }

    /// Puts a field before all others, where trace fields and signatures belong.
    ///
    /// Like every field that is put into a message here, it is folded and encoded as
    /// [`MessageBuilder`](crate::MessageBuilder) does it, so that it cannot become more than one field. Its line breaks
    /// are those of the message. An mbox `From ` line stays first.
    pub fn prepend(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.header.prepend(written(name, value), name.as_str().len());
    }

    /// Puts a field behind all others; before the first line that is no field, if there is one.
    pub fn append(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.header.append(written(name, value), name.as_str().len());
    }

    /// Puts a field before all others that is written already: a `DKIM-Signature`, say, with its folds.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `header field` when it is not exactly one field: a name, a colon and lines of at
    /// most 998 octets without controls, each but the first beginning with white space and none blank, with CRLF between
    /// them. A CRLF at the end is added if it is missing.
    pub fn prepend_written(&mut self, field: &str) -> Result<(), HeaderError> {
        let (field, name) = checked(field)?;
        self.header.prepend(field, name);
        Ok(())
    }

    /// Puts a field in the place of the first one of its name; the others of that name stay. Returns whether there was
    /// one.
    pub fn replace(&mut self, name: &HeaderName, value: &HeaderValue) -> bool {
        self.header
            .replace(name.as_str(), written(name, value), name.as_str().len())
    }

    /// Makes a field the only one of its name: in the place of the first one, or behind all others if there is none.
    pub fn set(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.set_field(name, written(name, value));
    }

    /// Makes a list of addresses the only field of its name, as [`set`](Self::set) does.
    pub fn set_addresses<'a>(&mut self, name: &HeaderName, addresses: impl IntoIterator<Item = &'a Address>) {
        let mut out = Vec::new();
        let mut field = Field::begin(&mut out, name.as_str());
        field.addresses(addresses);
        field.end();
        self.set_field(name, out.into());
    }

    /// Removes the fields called `name` and returns how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        self.header.remove(name, 0)
    }

    /// Removes the fields that `unwanted` picks and returns how many there were.
    pub fn remove_where(&mut self, unwanted: impl FnMut(&RawField) -> bool) -> usize {
        self.header.take(unwanted).len()
    }

    /// Removes the fields called `name` and returns them.
    pub fn take(&mut self, name: &str) -> Vec<RawField> {
        self.header.take(|field| field.is(name))
    }

    /// Removes the fields that `wanted` picks and returns them.
    pub fn take_where(&mut self, wanted: impl FnMut(&RawField) -> bool) -> Vec<RawField> {
        self.header.take(wanted)
    }

    /// Removes `Bcc` and `Resent-Bcc` and returns whom they name.
    pub fn take_bcc(&mut self) -> RawRecipients {
        let mut recipients = RawRecipients::default();
        for name in ["Bcc", "Resent-Bcc"] {
            recipients.add_bcc(self.header.take(|field| field.is(name)).into_iter());
        }
        recipients
    }

    /// Reads the authors: the mailboxes of all `From` fields.
    ///
    /// # Errors
    ///
    /// [`RawFieldError`] for the first that cannot be read.
    pub fn from(&self) -> Result<Vec<Mailbox>, RawFieldError> {
        Ok(self.addresses("From")?.mailboxes().cloned().collect())
    }

    /// Reads the `Sender`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`RawFieldError`] when it cannot be read or names more or fewer than one.
    pub fn sender(&self) -> Result<Option<Mailbox>, RawFieldError> {
        let Some(field) = self.field("Sender") else {
            return Ok(None);
        };
        let list = self.addresses("Sender")?;
        let mut mailboxes = list.mailboxes();
        match (mailboxes.next(), mailboxes.count()) {
            (Some(sender), 0) => Ok(Some(sender.clone())),
            (first, others) => Err(RawFieldError::NotOne {
                field: field.name().to_owned(),
                found: others + usize::from(first.is_some()),
            }),
        }
    }

    /// Reads all fields called `name` as one list of addresses; names are decoded (RFC 2047).
    ///
    /// # Errors
    ///
    /// [`RawFieldError`] for the first that cannot be read.
    pub fn addresses(&self, name: &str) -> Result<AddressList, RawFieldError> {
        let mut all = Vec::new();
        for (index, field) in self.fields_named(name).enumerate() {
            all.extend(addresses::read(&field, index)?);
        }
        Ok(all.into())
    }

    /// Reads `To`, `Cc` and `Bcc`. A field that cannot be read is in the errors, the others are read all the same.
    pub fn recipients(&self) -> RawRecipients {
        self.recipients_named(["To", "Cc", "Bcc"])
    }

    /// Reads `Resent-To`, `Resent-Cc` and `Resent-Bcc` (RFC 5322 §3.6.6), those of every time it was resent.
    pub fn resent_recipients(&self) -> RawRecipients {
        self.recipients_named(["Resent-To", "Resent-Cc", "Resent-Bcc"])
    }

    /// Returns the first id in `Message-ID`, without its angle brackets; see [`RawField::message_ids`].
    pub fn message_id(&self) -> Option<String> {
        self.field("Message-ID")?.message_ids().into_iter().next()
    }

    /// Finds the parts: the message itself first, then what is in it, each before its own parts.
    ///
    /// Messages in messages are looked into, encoded ones too. The cost is one pass over the lines of a multipart, and
    /// nothing for any other message.
    ///
    /// # Errors
    ///
    /// [`RawError`] when there are too many parts, when they are nested too deep, or when a header section breaks a
    /// limit.
    pub fn parts(&self) -> Result<Vec<RawPart>, RawError> {
        Ok(walk::parts(&self.header, self.options)?.0)
    }

    /// Finds the parts as [`parts`](Self::parts) does, without those of messages inside the message. The messages themselves are
    /// among them.
    ///
    /// # Errors
    ///
    /// As [`parts`](Self::parts).
    pub fn own_parts(&self) -> Result<Vec<RawPart>, RawError> {
        let mut own = Vec::new();
        // How deep the message inside is, of which the parts follow.
        let mut inside = None;
        for part in self.parts()? {
            if inside.is_some_and(|depth| part.depth() > depth) {
                continue;
            }
            inside = (part.depth() > 0 && part.is_message()).then(|| part.depth());
            own.push(part);
        }
        Ok(own)
    }

    /// Counts the parts, the message itself and multiparts included.
    ///
    /// # Errors
    ///
    /// As [`parts`](Self::parts).
    pub fn part_count(&self) -> Result<usize, RawError> {
        Ok(self.parts()?.len())
    }

    /// Returns the message as it is now; what was not edited is shared, not copied.
    pub fn to_rope(&self) -> Rope {
        let mut rope = Rope::new();
        self.write(|chunk| rope.push(chunk));
        rope
    }

    /// Returns the message as it is now in one piece; copies it if it was edited.
    pub fn to_bytes(&self) -> Bytes {
        let mut chunks = Vec::new();
        self.write(|chunk| {
            if !chunk.is_empty() {
                chunks.push(chunk);
            }
        });
        match chunks.as_slice() {
            [] => Bytes::new(),
            [chunk] => chunk.clone(),
            chunks => chunks.concat().into(),
        }
    }

    fn write(&self, out: impl FnMut(Bytes)) {
        self.header.write(self.header.source().len(), out);
    }

    fn set_field(&mut self, name: &HeaderName, field: Bytes) {
        let length = name.as_str().len();
        if self.header.replace(name.as_str(), field.clone(), length) {
            self.header.remove(name.as_str(), 1);
        } else {
            self.header.append(field, length);
        }
    }

    fn recipients_named(&self, [to, cc, bcc]: [&str; 3]) -> RawRecipients {
        let mut recipients = RawRecipients::default();
        recipients.add_to(self.fields_named(to));
        recipients.add_cc(self.fields_named(cc));
        recipients.add_bcc(self.fields_named(bcc));
        recipients
    }
}

/// Shows the number of fields and the size of the body, never what they say.
impl std::fmt::Debug for RawMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawMessage")
            .field("fields", &self.fields().count())
            .field("body_octets", &self.body().len())
            .field("edited", &self.is_edited())
            .finish()
    }
}

impl From<RawMessage> for Rope {
    fn from(message: RawMessage) -> Self {
        message.to_rope()
    }
}

/// Writes a field, folded and encoded.
fn written(name: &HeaderName, value: &HeaderValue) -> Bytes {
    let mut out = Vec::new();
    let mut field = Field::begin(&mut out, name.as_str());
    if value.is_structured() {
        field.words(value.as_str());
    } else {
        field.unstructured(value.as_str());
    }
    field.end();
    out.into()
}

/// Checks that `field` is exactly one field; returns it with its line break, and the length of its name.
fn checked(field: &str) -> Result<(Bytes, usize), HeaderError> {
    const FIELD: &str = "header field";
    let lines = field.strip_suffix("\r\n").unwrap_or(field);
    let name = name_length(lines.as_bytes()).ok_or(HeaderError::Syntax {
        field: FIELD,
        expected: "a name with a colon behind it",
    })?;
    HeaderName::new(lines.get(..name).unwrap_or_default())?;
    let mut offset = 0;
    for (index, line) in lines.split("\r\n").enumerate() {
        refuse_longer(FIELD, line, LINE_LIMIT)?;
        refuse_controls(FIELD, line, true).map_err(|error| shifted(error, offset))?;
        let is_blank = line.trim_matches([' ', '\t']).is_empty();
        if index > 0 && (is_blank || !line.starts_with([' ', '\t'])) {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "one field: its other lines begin with white space and are not blank",
            });
        }
        offset += line.len() + 2;
    }
    Ok((format!("{lines}\r\n").into(), name))
}

/// Moves the offset of an error from a line to the whole field.
fn shifted(error: HeaderError, by: usize) -> HeaderError {
    match error {
        HeaderError::Control {
            field,
            character,
            offset,
        } => HeaderError::Control {
            field,
            character,
            offset: offset + by,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests;
