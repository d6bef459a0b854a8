//! Mail that came in, as providers pass it on: each in a file of its own.

pub(super) mod brevo;
pub(super) mod mailersend;
pub(super) mod mailgun;
pub(super) mod mailjet;
pub(super) mod mailtrap;
pub(super) mod mandrill;
pub(super) mod postal;
pub(super) mod postmark;
pub(super) mod resend;
pub(super) mod sendgrid;
pub(super) mod ses;
pub(super) mod sparkpost;

use bytes::Bytes;
use serde_json::Value;

use crate::inbound::Inbound;
use crate::webhook::ParseError;
use crate::webhook::hash::from_base64;
use crate::webhook::item::Look;

/// Takes a mail that is passed on whole.
fn whole(inbound: &mut Inbound, mail: impl Into<Bytes>) -> Result<(), ParseError> {
    inbound.read_raw(mail.into()).map_err(|_| ParseError::Shape {
        expected: "a mail with fewer parts",
    })
}

/// Decodes base64 that may be broken into lines; what is none stays empty.
fn octets(text: &str) -> Bytes {
    let bare: String = text.split_ascii_whitespace().collect();
    from_base64(&bare).unwrap_or_default().into()
}

/// Reads header fields as names with a value or several.
fn headers(value: &Value) -> Vec<(String, String)> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .flat_map(|(name, values)| values.words(&[]).into_iter().map(move |value| (name.clone(), value)))
        .collect()
}
