//! Commands written so that nothing can be slipped into them.

use posthaste_address::{EmailAddress, EnvelopeId, Notify, OriginalRecipient, Recipient, ReturnContent};

use super::{Body, ForwardPath, Mail, Rcpt, xtext};
use crate::config::DeliverBy;

/// Why a command was not written: an argument holds a control character, or a space where none may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{argument} holds a character that cannot be in an SMTP command")]
pub struct EncodeError {
    argument: &'static str,
}

impl EncodeError {
    /// Returns which argument it is.
    pub fn argument(&self) -> &'static str {
        self.argument
    }
}

impl Mail {
    /// Writes the command with its CR LF.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when an argument would end the line or begin another argument. Nothing is then written.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_smtp::protocol::Mail;
    ///
    /// let mut mail = Mail::default();
    /// mail.size = Some(2048);
    /// let mut line = Vec::new();
    /// mail.encode(&mut line)?;
    /// assert_eq!(line, b"MAIL FROM:<> SIZE=2048\r\n");
    /// # Ok::<(), posthaste_smtp::protocol::EncodeError>(())
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        MailLine {
            path: self.path.as_ref(),
            size: self.size,
            body: self.body,
            smtputf8: self.smtputf8,
            return_content: self.return_content,
            envelope_id: self.envelope_id.as_ref(),
            require_tls: self.require_tls,
            auth: self.auth.as_deref(),
            ..MailLine::default()
        }
        .encode(out)
    }
}

impl Rcpt {
    /// Writes the command with its CR LF.
    ///
    /// # Errors
    ///
    /// As [`Mail::encode`].
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let path = match &self.path {
            ForwardPath::Postmaster => None,
            ForwardPath::Address(address) => Some(address),
        };
        whole(out, |out| {
            rcpt_parts(out, path, self.notify.as_ref(), self.original_recipient.as_ref())
        })
    }
}

/// A MAIL command that borrows what it says.
#[derive(Debug, Default)]
pub(crate) struct MailLine<'a> {
    pub(crate) path: Option<&'a EmailAddress>,
    pub(crate) size: Option<u64>,
    pub(crate) body: Option<Body>,
    pub(crate) smtputf8: bool,
    pub(crate) return_content: Option<ReturnContent>,
    pub(crate) envelope_id: Option<&'a EnvelopeId>,
    pub(crate) require_tls: bool,
    pub(crate) auth: Option<&'a str>,
    /// Until when the server is to hold the message (RFC 4865).
    pub(crate) hold_until: Option<&'a str>,
    pub(crate) deliver_by: Option<DeliverBy>,
}

impl MailLine<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        whole(out, |out| {
            out.extend_from_slice(b"MAIL FROM:<");
            if let Some(path) = self.path {
                address(out, "the sender", path)?;
            }
            out.extend_from_slice(b">");
            if let Some(size) = self.size {
                out.extend_from_slice(format!(" SIZE={size}").as_bytes());
            }
            match self.body {
                Some(Body::SevenBit) => out.extend_from_slice(b" BODY=7BIT"),
                Some(Body::EightBitMime) => out.extend_from_slice(b" BODY=8BITMIME"),
                Some(Body::BinaryMime) => out.extend_from_slice(b" BODY=BINARYMIME"),
                None => {}
            }
            if self.smtputf8 {
                out.extend_from_slice(b" SMTPUTF8");
            }
            match self.return_content {
                Some(ReturnContent::Full) => out.extend_from_slice(b" RET=FULL"),
                Some(ReturnContent::Headers) => out.extend_from_slice(b" RET=HDRS"),
                _ => {}
            }
            if let Some(id) = self.envelope_id {
                out.extend_from_slice(b" ENVID=");
                word(out, "the envelope id", &id.to_xtext())?;
            }
            if self.require_tls {
                out.extend_from_slice(b" REQUIRETLS");
            }
            match self.auth {
                Some("") => out.extend_from_slice(b" AUTH=<>"),
                Some(auth) => {
                    out.extend_from_slice(b" AUTH=");
                    word(out, "the AUTH parameter", &xtext::encode(auth))?;
                }
                None => {}
            }
            if let Some(time) = self.hold_until {
                out.extend_from_slice(b" HOLDUNTIL=");
                word(out, "the time to send at", time)?;
            }
            if let Some(by) = self.deliver_by {
                out.extend_from_slice(format!(" BY={by}").as_bytes());
            }
            out.extend_from_slice(b"\r\n");
            Ok(())
        })
    }
}

/// Writes RCPT for `recipient`, with DSN parameters if `dsn`.
pub(crate) fn rcpt_line(out: &mut Vec<u8>, recipient: &Recipient, dsn: bool) -> Result<(), EncodeError> {
    let notify = recipient.notify().filter(|_| dsn);
    let original = recipient.original_recipient().filter(|_| dsn);
    whole(out, |out| {
        rcpt_parts(out, Some(recipient.address()), notify.as_ref(), original)
    })
}

/// Writes RCPT, without a path for the postmaster.
fn rcpt_parts(
    out: &mut Vec<u8>,
    path: Option<&EmailAddress>,
    notify: Option<&Notify>,
    original: Option<&OriginalRecipient>,
) -> Result<(), EncodeError> {
    out.extend_from_slice(b"RCPT TO:<");
    match path {
        Some(path) => address(out, "a recipient", path)?,
        None => out.extend_from_slice(b"Postmaster"),
    }
    out.extend_from_slice(b">");
    if let Some(notify) = notify {
        out.extend_from_slice(b" NOTIFY=");
        word(out, "the NOTIFY parameter", &notify.to_string())?;
    }
    if let Some(original) = original {
        out.extend_from_slice(b" ORCPT=");
        word(out, "the original recipient", &original.to_xtext())?;
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Writes all of a command or nothing.
fn whole(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>) -> Result<(), EncodeError> {
    let start = out.len();
    let result = write(out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Writes one argument: no control character, no space.
pub(crate) fn word(out: &mut Vec<u8>, argument: &'static str, text: &str) -> Result<(), EncodeError> {
    if text.contains(' ') {
        return Err(EncodeError { argument });
    }
    quotable(out, argument, text)
}

/// Writes a path, which may have spaces inside a quoted string.
fn address(out: &mut Vec<u8>, argument: &'static str, address: &EmailAddress) -> Result<(), EncodeError> {
    quotable(out, argument, address.local_part())?;
    out.extend_from_slice(b"@");
    quotable(out, argument, address.domain().as_str())
}

/// Writes text without control characters.
fn quotable(out: &mut Vec<u8>, argument: &'static str, text: &str) -> Result<(), EncodeError> {
    // Of the control characters above 127, the first octet is this one (RFC 3629 §3).
    let is_suspect = |octet: u8| octet.is_ascii_control() || octet == 0xC2;
    if text.bytes().any(is_suspect) && text.chars().any(char::is_control) {
        return Err(EncodeError { argument });
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Command;

    fn check(line: &str) {
        let mut written = Vec::new();
        match Command::parse(line.as_bytes()).unwrap() {
            Command::Mail(mail) => mail.encode(&mut written).unwrap(),
            Command::Rcpt(rcpt) => rcpt.encode(&mut written).unwrap(),
            other => panic!("{other:?}"),
        }
        assert_eq!(String::from_utf8(written).unwrap(), format!("{line}\r\n"));
    }

    #[test]
    fn writes_what_it_reads() {
        check("MAIL FROM:<>");
        check("MAIL FROM:<\"a b>\"@example.com> SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb REQUIRETLS AUTH=<>");
        check("MAIL FROM:<a@example.com> RET=FULL AUTH=b+3Dc@example.com");
        check("RCPT TO:<b@[192.0.2.1]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@example.com");
        check("RCPT TO:<b@example.com> NOTIFY=NEVER");
        check("RCPT TO:<Postmaster>");
    }

    #[test]
    fn words_cannot_end_a_line() {
        for text in ["a\r\nRSET", "a\n", "a b", "\0", "\u{85}"] {
            let mut out = Vec::new();
            assert!(word(&mut out, "name", text).is_err(), "{text:?}");
            assert!(out.is_empty());
        }
    }
}
