//! Forms: fields as browsers send them.

use std::fmt;

use bytes::Bytes;
use posthaste_mime::{RawMessage, RawOptions};

use super::{ParseError, Request};

/// Most fields of a form.
const MOST: usize = 1000;

/// The fields of a form, URL-encoded or multipart (RFC 7578), in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<FormField>,
}

/// A field of a form, or a file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormField {
    /// Its name.
    pub name: String,
    /// The name of the file, if it is one.
    pub file_name: Option<String>,
    /// The media type that it came with.
    pub content_type: Option<String>,
    /// What is in it.
    pub value: Bytes,
}

impl Form {
    /// Reads the form that a request has as its body.
    ///
    /// # Errors
    ///
    /// [`ParseError::Form`] if it is none, or has too many fields.
    pub fn read(request: &Request) -> Result<Self, ParseError> {
        match request.media_type().as_deref() {
            Some("multipart/form-data") => Self::multipart(request),
            Some("application/x-www-form-urlencoded") | None => Self::encoded(request.body()),
            Some(_) => Err(ParseError::Form),
        }
    }

    fn encoded(body: &[u8]) -> Result<Self, ParseError> {
        let mut fields = Vec::new();
        for (name, value) in pairs(body) {
            if fields.len() == MOST {
                return Err(ParseError::Form);
            }
            fields.push(FormField {
                name: String::from_utf8_lossy(&name).into_owned(),
                file_name: None,
                content_type: None,
                value: value.into(),
            });
        }
        Ok(Self { fields })
    }

    fn multipart(request: &Request) -> Result<Self, ParseError> {
        // A form is a MIME body whose header is that of the request.
        let kind = request.field("content-type").unwrap_or_default();
        if kind.contains(['\r', '\n']) {
            return Err(ParseError::Form);
        }
        let mut message = format!("Content-Type: {kind}\r\n\r\n").into_bytes();
        message.extend_from_slice(request.body());
        let message = RawMessage::parse_with(message, &RawOptions::default()).map_err(|_| ParseError::Form)?;
        let parts = message.own_parts().map_err(|_| ParseError::Form)?;
        let fields = parts.iter().filter(|part| part.depth() == 1).filter_map(|part| {
            let disposition = part.disposition()?;
            Some(FormField {
                name: disposition.get("name")?.to_owned(),
                file_name: part
                    .field("content-disposition")
                    .and_then(|field| literal_name(&String::from_utf8_lossy(&field.value())))
                    .or_else(|| part.file_name().map(str::to_owned)),
                content_type: part
                    .field("content-type")
                    .map(|field| field.decoded().trim().to_owned()),
                value: part.decoded().into_owned().into(),
            })
        });
        let fields: Vec<FormField> = fields.take(MOST + 1).collect();
        if fields.is_empty() || fields.len() > MOST {
            return Err(ParseError::Form);
        }
        Ok(Self { fields })
    }

    /// Returns the fields.
    #[must_use]
    pub fn fields(&self) -> &[FormField] {
        &self.fields
    }

    /// Returns the first field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FormField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the first field of a name as text, if it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(&self.field(name)?.value).ok()
    }
}

impl fmt::Debug for FormField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormField")
            .field("name", &self.name)
            .field("content_type", &self.content_type)
            .field("value", &format_args!("{} octets", self.value.len()))
            .finish_non_exhaustive()
    }
}

/// Reads the name of a file as forms write it: a backslash stands for itself there, and a quote is written `%22` (RFC 7578 §4.2).
fn literal_name(disposition: &str) -> Option<String> {
    let (_, rest) = disposition.split_once("filename=\"")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.replace("%22", "\""))
}

/// Splits a URL-encoded form, and decodes names and values.
pub(super) fn pairs(form: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pairs = form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || decoded(halves.next().unwrap_or_default());
        (half(), half())
    })
}

/// Decodes percent signs and plus signs. A percent sign that no two digits follow stands for itself.
pub(super) fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        out.push(match first {
            b'+' => b' ',
            b'%' => match after.split_at_checked(2).and_then(|(pair, after)| {
                let octet = super::hash::from_hex::<1>(std::str::from_utf8(pair).ok()?)?;
                Some((octet, after))
            }) {
                Some(([octet], after)) => {
                    rest = after;
                    octet
                }
                None => b'%',
            },
            other => *other,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_forms_are_decoded() {
        let form = Form::read(&Request::post("", "a=1&b+c=%2b%C3%A9%&d&&a=2")).unwrap();
        assert_eq!(form.text("a"), Some("1"));
        assert_eq!(form.text("b c"), Some("+é%"));
        assert_eq!(form.text("d"), Some(""));
        assert_eq!(form.fields().len(), 4);
        let many = "a=1&".repeat(MOST + 1);
        assert_eq!(Form::read(&Request::post("", many)), Err(ParseError::Form));
    }

    #[test]
    fn forms_of_parts_are_taken_apart() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nHello\r\nyou\r\n--b\r\n\
            Content-Disposition: form-data; name=\"f1\"; filename=\"c:\\a.png\"\r\nContent-Type: image/png\r\n\r\n\u{0}PNG\r\n--b--\r\n";
        let request = Request::post("", body).header("Content-Type", "multipart/form-data; boundary=b");
        let form = Form::read(&request).unwrap();
        assert_eq!(form.text("text"), Some("Hello\r\nyou"));
        let file = form.field("f1").unwrap();
        assert_eq!(
            (file.file_name.as_deref(), file.content_type.as_deref()),
            (Some("c:\\a.png"), Some("image/png"))
        );
        assert_eq!(&file.value[..], b"\0PNG");
        let other = Request::post("", "{}").header("Content-Type", "application/json");
        assert_eq!(Form::read(&other), Err(ParseError::Form));
        let none = Request::post("", "nothing").header("Content-Type", "multipart/form-data; boundary=b");
        assert_eq!(Form::read(&none), Err(ParseError::Form));
    }
}
