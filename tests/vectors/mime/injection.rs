//! `mime/injection-matrix`: every field refuses a hostile value by name, or nothing but its own text changes.

use mail_parser::{MessageParser, MessagePart, MimeHeaders as _};
use posthaste_address::{EmailAddress, Mailbox};
use posthaste_mime::{
    Attachment, ContentId, ContentType, HeaderName, HeaderValue, ListId, ListUnsubscribe, Message, MessageBuilder,
    MessageId,
};

use super::{cases, elsewhere, string, wire};
use crate::harness::{Input, Report};

const BODY: &str = "The body.\r\nIts second line.\r\n";

/// Reads a field of a message with the independent parser.
type Read = fn(&[u8]) -> Option<String>;

/// One way for a value to get into a message.
struct Way {
    /// Word that the error must hold, so that a person knows which field was refused.
    names: &'static str,
    /// A value that is accepted; its message is what the others are compared with.
    benign: &'static str,
    /// Puts the value into a message.
    put: fn(MessageBuilder, &str) -> Result<MessageBuilder, String>,
    /// Reads the value back, if the field carries any text as it is.
    read: Option<Read>,
}

pub(super) fn run(input: &Input, report: &mut Report) {
    for case in cases(input, "mime/injection-matrix.json") {
        let id = string(&case, "id").to_owned();
        let field = string(&case, "field");
        let payload = payload(string(&case, "payload"));
        let ways = ways(field);
        if !ways.is_empty() {
            report.check(&id, ways.iter().try_for_each(|way| check(way, &payload)));
        } else if let Some(outcome) = elsewhere::check(field, &payload) {
            report.check(&id, outcome);
        } else {
            report.unsupported(id, format!("no field {field:?}"));
        }
    }
}

/// Reads a payload. `hex:` payloads are octets; strings cannot hold broken UTF-8, so they come as programs make
/// strings of such octets.
fn payload(text: &str) -> String {
    let Some(hex) = text.strip_prefix("hex:") else {
        return text.to_owned();
    };
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octets: Vec<u8> = digits
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8_lossy(&octets).into_owned()
}

fn check(way: &Way, value: &str) -> Result<(), String> {
    let expected = build(way, way.benign).map_err(|e| format!("the benign value is refused: {e}"))?;
    let message = match build(way, value) {
        Ok(message) => message,
        Err(error) if error.to_lowercase().contains(way.names) => return Ok(()),
        Err(error) => return Err(format!("the error names another field: {error}")),
    };
    unchanged(&message, &expected)?;
    if let Some(read) = way.read {
        let found = read(&message.to_bytes().map_err(|e| e.to_string())?).unwrap_or_default();
        if found != value {
            return Err(format!("read as {found:?}"));
        }
    }
    Ok(())
}

/// Checks that two messages differ in nothing but the text of a field.
pub(super) fn unchanged(message: &Message, expected: &Message) -> Result<(), String> {
    let bytes = message.to_bytes().map_err(|e| e.to_string())?;
    wire::scan(&bytes, message.needs_smtputf8())?;
    let (found, wanted) = (
        wire::shape(&bytes)?,
        wire::shape(&expected.to_bytes().map_err(|e| e.to_string())?)?,
    );
    if found != wanted {
        return Err(format!("the message changed: {found:?}"));
    }
    let recipients = |message: &Message| message.envelope().map(|e| e.recipients().len()).unwrap_or_default();
    if recipients(message) != recipients(expected) {
        return Err("the recipients of the envelope changed".to_owned());
    }
    Ok(())
}

fn build(way: &Way, value: &str) -> Result<Message, String> {
    let builder = (way.put)(base(), value)?;
    builder.build().map_err(|e| e.to_string())
}

/// A message with a body and an attachment.
pub(super) fn base() -> MessageBuilder {
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let attachment = Attachment::new("data.bin", kind, vec![0, 1, 2, 255]).unwrap();
    wire::builder()
        .bcc("hidden@rcpt.example".parse().unwrap())
        .text(BODY)
        .attach(attachment)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn way(
    names: &'static str,
    benign: &'static str,
    put: fn(MessageBuilder, &str) -> Result<MessageBuilder, String>,
) -> Way {
    Way {
        names,
        benign,
        put,
        read: None,
    }
}

impl Way {
    fn reads(mut self, read: Read) -> Self {
        self.read = Some(read);
        self
    }
}

/// Any mention: errors of posthaste-address say what is wrong where in the text; the caller knows which field it made.
const ANY: &str = "";
const NAME: &str = "Someone";
const ADDRESS: &str = "someone@posthaste.example";

fn named(name: &str) -> Result<Mailbox, String> {
    Mailbox::with_name(name, ADDRESS.parse().unwrap()).map_err(said)
}

fn addressed(address: &str) -> Result<Mailbox, String> {
    address.parse::<EmailAddress>().map(Mailbox::from).map_err(said)
}

fn written(mailbox: &str) -> Result<Mailbox, String> {
    mailbox.parse().map_err(said)
}

/// The base message by another author.
fn by(author: Mailbox) -> MessageBuilder {
    Message::builder()
        .from(author)
        .to("recipient@rcpt.example".parse().unwrap())
        .text(BODY)
}

fn attached(kind: ContentType) -> Result<Attachment, String> {
    Attachment::new("extra.bin", kind, vec![1]).map_err(said)
}

fn png() -> ContentType {
    ContentType::parse("image/png").unwrap()
}

fn ways(field: &str) -> Vec<Way> {
    match field {
        "from.name" => vec![way(ANY, NAME, |_, v| Ok(by(named(v)?))).reads(|bytes| name_in(bytes, "From"))],
        "from.address" => {
            vec![
                way(ANY, ADDRESS, |_, v| Ok(by(addressed(v)?))),
                way(ANY, ADDRESS, |_, v| Ok(by(written(v)?))),
            ]
        }
        "to.name" => vec![
            way(ANY, NAME, |_, v| Ok(to_only(named(v)?))).reads(|bytes| name_in(bytes, "To")),
            way(ANY, NAME, |b, v| Ok(b.to(named(v)?))),
        ],
        "to.address" => vec![
            way(ANY, ADDRESS, |b, v| Ok(b.to(addressed(v)?))),
            way(ANY, ADDRESS, |b, v| Ok(b.to(written(v)?))),
        ],
        "cc.address" => vec![
            way(ANY, ADDRESS, |b, v| Ok(b.cc(addressed(v)?))),
            way(ANY, ADDRESS, |b, v| Ok(b.cc(written(v)?))),
        ],
        "bcc.address" => {
            vec![
                way(ANY, ADDRESS, |b, v| Ok(b.bcc(addressed(v)?))),
                way(ANY, ADDRESS, |b, v| Ok(b.bcc(written(v)?))),
            ]
        }
        "reply_to.name" => {
            vec![way(ANY, NAME, |b, v| Ok(b.reply_to(named(v)?))).reads(|bytes| name_in(bytes, "Reply-To"))]
        }
        "sender.address" => {
            vec![
                way(ANY, ADDRESS, |b, v| Ok(b.sender(addressed(v)?))),
                way(ANY, ADDRESS, |b, v| Ok(b.sender(written(v)?))),
            ]
        }
        "subject" => vec![way("subject", "Hello", |b, v| Ok(b.subject(v))).reads(|bytes| text_in(bytes, "Subject"))],
        "message_id" => vec![
            way("message id", "1@a.example", |b, v| {
                Ok(b.message_id(MessageId::parse(v).map_err(said)?))
            }),
            way("message id", "1", |b, v| {
                Ok(b.message_id(MessageId::new(v, &"a.example".parse().unwrap()).map_err(said)?))
            }),
        ],
        "in_reply_to" => {
            vec![way("message id", "1@a.example", |b, v| {
                Ok(b.in_reply_to(MessageId::parse(v).map_err(said)?))
            })]
        }
        "references" => vec![way("message id", "1@a.example", |b, v| {
            Ok(b.references([
                MessageId::parse("0@a.example").unwrap(),
                MessageId::parse(v).map_err(said)?,
            ]))
        })],
        "custom_header.name" => vec![way("header", "X-Name", |b, v| {
            // The benign name and a hostile one differ; what must not change is the rest.
            let name = HeaderName::new(v).map_err(said)?;
            Ok(if v == "X-Name" {
                b.header(name, HeaderValue::new("x").unwrap())
            } else {
                other_name(b, name)
            })
        })],
        "custom_header.value" => vec![
            way("header value", "x", |b, v| {
                Ok(b.header(x_free(), HeaderValue::new(v).map_err(said)?))
            })
            .reads(|bytes| text_in(bytes, "X-Free")),
            way("header value", "x", |b, v| {
                Ok(b.header(x_free(), HeaderValue::structured(v).map_err(said)?))
            }),
        ],
        // A value that came in from a webhook and is passed on in a header.
        "webhook_forwarded_header" => vec![
            way("header value", "x", |b, v| {
                Ok(b.header(
                    HeaderName::new("X-Forwarded").unwrap(),
                    HeaderValue::new(v).map_err(said)?,
                ))
            })
            .reads(|bytes| text_in(bytes, "X-Forwarded")),
        ],
        _ => part_ways(field),
    }
}

fn part_ways(field: &str) -> Vec<Way> {
    match field {
        // Dates are instants; the raw header is not for callers to write.
        "date_raw" => vec![way("date", "", |b, v| match v {
            "" => Ok(b),
            v => {
                let value = HeaderValue::new(v).map_err(|e| format!("date: {e}"))?;
                Ok(b.header(HeaderName::new("Date").unwrap(), value))
            }
        })],
        "list_unsubscribe" => vec![
            way("list-unsubscribe", "https://a.example/u", |b, v| {
                Ok(b.list_unsubscribe(ListUnsubscribe::new([v]).map_err(said)?))
            }),
            way("list-unsubscribe", "1", |b, v| {
                let uri = format!("https://a.example/u?id={v}");
                Ok(b.list_unsubscribe(ListUnsubscribe::new([uri]).map_err(said)?))
            }),
        ],
        "list_id" => vec![
            way("list-id", "a.example", |b, v| {
                Ok(b.list_id(ListId::new(v).map_err(said)?))
            }),
            way("list-id", "News", |b, v| {
                Ok(b.list_id(ListId::new("a.example").unwrap().description(v).map_err(said)?))
            }),
        ],
        "attachment.filename" => vec![
            way("filename", "a.txt", |b, v| {
                Ok(b.attach(Attachment::new(v, png(), vec![1]).map_err(said)?))
            })
            .reads(|bytes| attachment_in(bytes, |part| part.attachment_name().map(str::to_owned))),
        ],
        "attachment.content_type" => {
            vec![way("content type", "a/b", |b, v| {
                Ok(b.attach(attached(ContentType::parse(v).map_err(said)?)?))
            })]
        }
        "attachment.content_id" => vec![way("content id", "a@b", |b, v| {
            Ok(b.attach(attached(png())?.identified(ContentId::new(v).map_err(said)?)))
        })],
        "attachment.description" => vec![
            way("description", "A file", |b, v| {
                Ok(b.attach(attached(png())?.description(v).map_err(said)?))
            })
            .reads(|bytes| attachment_in(bytes, |part| part.content_description().map(str::to_owned))),
        ],
        "inline.cid" => vec![way("content id", "logo", |b, v| {
            Ok(b.html("<p>")
                .inline(Attachment::inline(ContentId::new(v).map_err(said)?, png(), vec![1])))
        })],
        // Boundaries are generated; no value is taken.
        "boundary" => vec![way("content type", "", |b, v| match v {
            "" => Ok(b),
            v => {
                let kind = ContentType::parse("application/x")
                    .unwrap()
                    .with_parameter("boundary", v)
                    .map_err(said)?;
                Ok(b.attach(attached(kind)?))
            }
        })],
        "charset" => vec![way("content type", "utf-8", |b, v| {
            let kind = ContentType::parse("application/x")
                .unwrap()
                .with_parameter("charset", v)
                .map_err(said)?;
            Ok(b.attach(attached(kind)?))
        })],
        _ => Vec::new(),
    }
}

fn to_only(recipient: Mailbox) -> MessageBuilder {
    Message::builder()
        .from("sender@posthaste.example".parse().unwrap())
        .to(recipient)
        .text(BODY)
}

fn x_free() -> HeaderName {
    HeaderName::new("X-Free").unwrap()
}

/// Checks a name that is accepted by itself and then stands in for the benign one.
fn other_name(builder: MessageBuilder, name: HeaderName) -> MessageBuilder {
    let message = base().header(name.clone(), HeaderValue::new("x").unwrap()).build();
    match message {
        Ok(message) => {
            let text = String::from_utf8_lossy(&message.to_bytes().unwrap()).into_owned();
            assert!(
                text.contains(&format!("\r\n{name}: x\r\n")),
                "the name was not written as it is"
            );
            builder.header(HeaderName::new("X-Name").unwrap(), HeaderValue::new("x").unwrap())
        }
        // The builder's own error is the one to look at.
        Err(_) => builder.header(name, HeaderValue::new("x").unwrap()),
    }
}

fn name_in(bytes: &[u8], field: &'static str) -> Option<String> {
    wire::field_mailbox(bytes, field).map(|(name, _)| name)
}

fn text_in(bytes: &[u8], field: &'static str) -> Option<String> {
    Some(wire::field_text(bytes, field))
}

/// Reads something of the last attachment.
fn attachment_in(bytes: &[u8], read: fn(&MessagePart<'_>) -> Option<String>) -> Option<String> {
    let parsed = MessageParser::default().parse(bytes)?;
    let count = u32::try_from(parsed.attachment_count()).ok()?;
    read(parsed.attachment(count.checked_sub(1)?)?)
}
