//! Parameters of MAIL and RCPT (RFC 5321 §4.1.1.11).

use posthaste_address::{EnvelopeId, Notify, OriginalRecipient, ReturnContent};

use super::{Body, CommandError, Mail, Rcpt, xtext};

/// One `KEYWORD` or `KEYWORD=value`.
pub(super) struct Parameter<'a> {
    keyword: String,
    value: Option<&'a str>,
}

/// Reads parameters one after the other; a keyword that comes again is an error.
pub(super) fn each(parameters: &str) -> impl Iterator<Item = Result<Parameter<'_>, CommandError>> {
    let mut seen: Vec<String> = Vec::new();
    parameters.split(' ').filter(|word| !word.is_empty()).map(move |word| {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        let keyword = keyword.to_ascii_uppercase();
        if seen.contains(&keyword) {
            return Err(CommandError::DuplicateParameter);
        }
        seen.push(keyword.clone());
        Ok(Parameter { keyword, value })
    })
}

impl Parameter<'_> {
    pub(super) fn apply_to_mail(&self, mail: &mut Mail) -> Result<(), CommandError> {
        match self.keyword.as_str() {
            "SIZE" => mail.size = Some(self.value("SIZE", number)?),
            "BODY" => mail.body = Some(self.value("BODY", body)?),
            "SMTPUTF8" => mail.smtputf8 = self.flag("SMTPUTF8")?,
            "RET" => mail.return_content = Some(self.value("RET", return_content)?),
            "ENVID" => mail.envelope_id = Some(self.value("ENVID", envelope_id)?),
            "REQUIRETLS" => mail.require_tls = self.flag("REQUIRETLS")?,
            "AUTH" => mail.auth = Some(self.value("AUTH", auth)?),
            _ => return Err(CommandError::UnknownParameter),
        }
        Ok(())
    }

    pub(super) fn apply_to_rcpt(&self, rcpt: &mut Rcpt) -> Result<(), CommandError> {
        match self.keyword.as_str() {
            "NOTIFY" => rcpt.notify = Some(self.value("NOTIFY", notify)?),
            "ORCPT" => rcpt.original_recipient = Some(self.value("ORCPT", original_recipient)?),
            _ => return Err(CommandError::UnknownParameter),
        }
        Ok(())
    }

    fn flag(&self, name: &'static str) -> Result<bool, CommandError> {
        if self.value.is_none() {
            Ok(true)
        } else {
            Err(CommandError::BadParameter { name })
        }
    }

    fn value<T>(&self, name: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, CommandError> {
        self.value.and_then(read).ok_or(CommandError::BadParameter { name })
    }
}

/// Reads one to twenty digits that fit (RFC 1870 §4).
pub(super) fn number(digits: &str) -> Option<u64> {
    let right = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if right { digits.parse().ok() } else { None }
}

fn body(value: &str) -> Option<Body> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Some(Body::SevenBit),
        "8BITMIME" => Some(Body::EightBitMime),
        "BINARYMIME" => Some(Body::BinaryMime),
        _ => None,
    }
}

fn return_content(value: &str) -> Option<ReturnContent> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Some(ReturnContent::Full),
        "HDRS" => Some(ReturnContent::Headers),
        _ => None,
    }
}

fn envelope_id(value: &str) -> Option<EnvelopeId> {
    EnvelopeId::new(&xtext::decode(value)?).ok()
}

fn auth(value: &str) -> Option<String> {
    if value == "<>" {
        Some(String::new())
    } else {
        xtext::decode(value).filter(|decoded| !decoded.is_empty())
    }
}

fn notify(value: &str) -> Option<Notify> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut success,
            "FAILURE" => &mut failure,
            "DELAY" => &mut delay,
            _ => return None,
        };
        if std::mem::replace(flag, true) {
            return None;
        }
    }
    Some(Notify::on(success, failure, delay))
}

fn original_recipient(value: &str) -> Option<OriginalRecipient> {
    let (kind, address) = value.split_once(';')?;
    let address = xtext::decode(address)?;
    let address = if kind.eq_ignore_ascii_case("utf-8") {
        unescape(&address)?
    } else {
        address
    };
    OriginalRecipient::new(kind, &address).ok()
}

/// Reads the `\x{HEX}` forms in which an address of type `utf-8` embeds its characters (RFC 6533 §3).
fn unescape(address: &str) -> Option<String> {
    let mut pieces = address.split("\\x{");
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_once('}')?;
        text.push(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?);
        text.push_str(rest);
    }
    Some(text)
}
