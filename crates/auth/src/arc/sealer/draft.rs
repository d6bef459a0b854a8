//! A signature field that lacks its signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::arc::chain::FieldKind;
use crate::dkim::{Algorithm, Canonicalization, push_field};

/// How long a line of base64 is at most. A signature of an RSA key of 4096 bits has 684 characters and is not folded: verifiers
/// that take white space out of `b=` before they canonicalize the field would see another message.
const LINE: usize = 900;

/// A field up to `b=` and from there on, and what its signature covers.
pub(super) struct Draft {
    opening: String,
    closing: String,
    signed: Vec<u8>,
}

impl Draft {
    /// `closing` is what follows the semicolon behind `b=`; `signed` what is covered beside the field itself.
    pub(super) fn new(kind: FieldKind, algorithm: Algorithm, closing: String, mut signed: Vec<u8>) -> Self {
        let opening = format!("{kind}: a={algorithm};\r\n\tb=");
        let unsigned = format!("{opening};{closing}");
        push_field(&mut signed, unsigned.as_bytes(), Canonicalization::Relaxed);
        // RFC 6376 §3.7: the field goes in last, without its line end.
        signed.truncate(signed.len() - b"\r\n".len());
        Self {
            opening,
            closing,
            signed,
        }
    }

    pub(super) fn signed(&self) -> &[u8] {
        &self.signed
    }

    /// The field with its signature, and its line end.
    pub(super) fn complete(&self, signature: &[u8]) -> String {
        let encoded = STANDARD.encode(signature);
        let mut field = self.opening.clone();
        let (first, mut rest) = encoded.split_at_checked(LINE).unwrap_or((encoded.as_str(), ""));
        field.push_str(first);
        while !rest.is_empty() {
            let (line, behind) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
            field.push_str("\r\n\t");
            field.push_str(line);
            rest = behind;
        }
        field.push(';');
        field.push_str(&self.closing);
        field
    }
}
