//! Reverse-paths and forward-paths (RFC 5321 §4.1.2).

use posthaste_address::{Domain, EmailAddress, ParseOptions};

use super::{CommandError, ForwardPath};

/// Splits the argument of MAIL or RCPT into what stands between `<` and `>` and the parameters after it.
pub(super) fn split<'a>(
    argument: &'a str,
    keyword: &str,
    expected: &'static str,
) -> Result<(&'a str, &'a str), CommandError> {
    let error = CommandError::Syntax { expected };
    let (word, rest) = argument.split_at_checked(keyword.len()).ok_or(error.clone())?;
    if !word.eq_ignore_ascii_case(keyword) {
        return Err(error);
    }
    // A space after the colon is wrong and common; it cannot be mistaken for anything else.
    let rest = rest.trim_start_matches(' ').strip_prefix('<').ok_or(error.clone())?;
    let end = closing_bracket(rest).ok_or(error.clone())?;
    let (inner, rest) = rest.split_at_checked(end).ok_or(error.clone())?;
    let parameters = rest.strip_prefix('>').ok_or(error.clone())?;
    if parameters.is_empty() || parameters.starts_with(' ') {
        Ok((inner, parameters))
    } else {
        Err(error)
    }
}

/// Finds the `>` that ends a path; one inside a quoted string does not.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            b'<' if !quoted => return None,
            _ => {}
        }
    }
    None
}

/// Reads a reverse-path; an empty one is the null path.
pub(super) fn reverse(inner: &str) -> Result<Option<EmailAddress>, CommandError> {
    if inner.is_empty() {
        Ok(None)
    } else {
        address(inner).map(Some)
    }
}

/// Reads a forward-path.
pub(super) fn forward(inner: &str) -> Result<ForwardPath, CommandError> {
    if inner.eq_ignore_ascii_case("postmaster") {
        return Ok(ForwardPath::Postmaster);
    }
    address(inner).map(ForwardPath::Address)
}

/// Reads an address, dropping a source route before it: it must be understood and should be ignored
/// (RFC 5321 §3.6.1, appendix C).
fn address(inner: &str) -> Result<EmailAddress, CommandError> {
    let bad = |reason: &str| CommandError::Path {
        reason: reason.to_owned(),
    };
    let mailbox = match inner.strip_prefix('@') {
        None => inner,
        Some(_) => {
            let (route, mailbox) = inner
                .split_once(':')
                .ok_or_else(|| bad("source route without an address"))?;
            for hop in route.split(',') {
                let domain = hop.strip_prefix('@').ok_or_else(|| bad("source route is not valid"))?;
                domain.parse::<Domain>().map_err(|_| bad("source route is not valid"))?;
            }
            mailbox
        }
    };
    let address =
        EmailAddress::parse_with(mailbox, &ParseOptions::default().domain_literals(true)).map_err(|error| {
            CommandError::Path {
                reason: error.to_string(),
            }
        })?;
    let top = address.domain().as_str().rsplit('.').next().unwrap_or_default();
    if top.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("an IP address goes in brackets"));
    }
    Ok(address)
}
