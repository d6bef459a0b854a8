//! What SNS puts around a message.

use serde_json::{Map, Value};

use crate::webhook::VerifyError;
use crate::webhook::hash::from_base64;

/// The fields that SNS signs, in its order; `Token` only where something is to be confirmed.
const SIGNED: [&str; 8] = [
    "Message",
    "MessageId",
    "Subject",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
];

/// A message of SNS with all that its signature hangs on.
pub(in crate::webhook) struct Envelope {
    pub(in crate::webhook) kind: EnvelopeKind,
    pub(in crate::webhook) id: String,
    pub(in crate::webhook) topic: String,
    pub(in crate::webhook) message: String,
    pub(in crate::webhook) time: String,
    pub(in crate::webhook) version: u8,
    pub(in crate::webhook) certificate_url: String,
    pub(in crate::webhook) signature: Vec<u8>,
    pub(in crate::webhook) subscribe_url: Option<String>,
    pub(in crate::webhook) token: Option<String>,
    fields: Map<String, Value>,
}

/// What a message of SNS is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::webhook) enum EnvelopeKind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl EnvelopeKind {
    pub(in crate::webhook) fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

impl Envelope {
    /// Reads a message, all fields of which have to be there.
    pub(super) fn read(body: &[u8]) -> Result<Self, VerifyError> {
        let mut envelope = Self::read_loosely(body)?;
        let text = |name: &'static str| text(&envelope.fields, name)?.ok_or(VerifyError::MissingField { name });
        text("Message")?;
        text("MessageId")?;
        text("TopicArn")?;
        text("Timestamp")?;
        let version = match text("SignatureVersion")?.as_str() {
            "1" => 1,
            "2" => 2,
            _ => return Err(VerifyError::Version),
        };
        let signature = from_base64(&text("Signature")?).ok_or(VerifyError::Encoding {
            place: "Signature",
            expected: "base64",
        })?;
        let certificate_url = text("SigningCertURL")?;
        if envelope.kind != EnvelopeKind::Notification {
            text("Token")?;
            text("SubscribeURL")?;
        }
        envelope.version = version;
        envelope.signature = signature;
        envelope.certificate_url = certificate_url;
        Ok(envelope)
    }

    /// Reads a message whose signature nobody looks at.
    pub(in crate::webhook) fn read_loosely(body: &[u8]) -> Result<Self, VerifyError> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(VerifyError::Body {
                expected: "a JSON object",
            });
        };
        let kind = match text(&fields, "Type")?.as_deref() {
            Some("Notification") => EnvelopeKind::Notification,
            Some("SubscriptionConfirmation") => EnvelopeKind::SubscriptionConfirmation,
            Some("UnsubscribeConfirmation") => EnvelopeKind::UnsubscribeConfirmation,
            _ => return Err(VerifyError::MissingField { name: "Type" }),
        };
        let or_empty = |name| text(&fields, name).map(Option::unwrap_or_default);
        Ok(Self {
            kind,
            id: or_empty("MessageId")?,
            topic: or_empty("TopicArn")?,
            message: or_empty("Message")?,
            time: or_empty("Timestamp")?,
            version: 0,
            certificate_url: String::new(),
            signature: Vec::new(),
            subscribe_url: text(&fields, "SubscribeURL")?,
            token: text(&fields, "Token")?,
            fields,
        })
    }

    /// Writes what is signed: name and value of each field that is there, a line each.
    pub(super) fn signed_text(&self) -> String {
        let mut signed = String::with_capacity(self.message.len() + 512);
        for name in SIGNED {
            if name == "Token" && self.kind == EnvelopeKind::Notification {
                continue;
            }
            if let Some(Value::String(value)) = self.fields.get(name) {
                for piece in [name, "\n", value, "\n"] {
                    signed.push_str(piece);
                }
            }
        }
        signed
    }
}

/// Returns a field that may be missing or null, and is text otherwise.
fn text(fields: &Map<String, Value>, name: &'static str) -> Result<Option<String>, VerifyError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(VerifyError::MissingField { name }),
    }
}
