//! Removes Authentication-Results that claim to be ours.

use super::AuthenticationResults;
use super::server_name::is_same;

const NAME: &[u8] = b"Authentication-Results";

/// Gives `message` without the Authentication-Results fields that claim to be `authserv_id`'s (RFC 8601 §5): only those
/// that we put there ourselves, later, can be believed.
///
/// When in doubt a field goes, because what reads it later may be more forgiving than we are:
///
/// - The name is taken without what is not printable ASCII: `Authentication-Results` with a NUL, a space or a control
///   character in it is that name to some readers.
/// - The first lines of a message may begin with white space, and then belong to no field. If there is such a field in them,
///   they all go.
/// - A CR without its LF ends a line for some readers. If such a field begins behind one, the field that it stands in ends there.
/// - The authserv-id is compared without regard to case, quotes, comments, a final dot, a port or other text behind it,
///   characters that cannot be seen, and to whether labels are A-labels or U-labels. One that has an encoded word in it goes.
/// - A field that cannot be parsed goes.
///
/// Fields of others stay, octet for octet, and so does everything else. The header section ends at the first empty line, whether
/// that has a CR or not: have the server that receives mail refuse lone line feeds, as RFC 5321 §2.3.8 wants it.
///
/// ```
/// use posthaste_auth::authres::strip;
///
/// let message = b"authentication-results: (us) \"mx.example.net\"; spf=pass\r\n\
///                 Authentication-Results: mx.example.com; spf=pass\r\n\
///                 Subject: Hello\r\n\r\n";
/// let expected = b"Authentication-Results: mx.example.com; spf=pass\r\nSubject: Hello\r\n\r\n";
/// assert_eq!(strip(message, "mx.example.net"), expected);
/// ```
#[must_use]
pub fn strip(message: &[u8], authserv_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    let mut kept = 0;
    let mut cut = |from: usize, to: usize| {
        out.extend_from_slice(message.get(kept..from).unwrap_or_default());
        kept = to;
    };
    let mut position = 0;
    while let Some(raw) = next_field(message.get(position..).unwrap_or_default()) {
        let end = position + raw.len();
        let is_leading = position == 0 && matches!(raw.first(), Some(b' ' | b'\t'));
        if is_line_ours(raw, authserv_id) || (is_leading && has_ours_by_lines(raw, authserv_id)) {
            cut(position, end);
        } else if let Some(carriage_return) = hidden(raw, authserv_id) {
            // The line that is left may be one of ours, too, now that nothing is behind it.
            let is_all = is_line_ours(raw.get(..carriage_return).unwrap_or_default(), authserv_id);
            let (from, to) = if is_all {
                (position, end)
            } else {
                (position + carriage_return, end - line_end(raw))
            };
            cut(from, to);
        }
        position = end;
    }
    out.extend_from_slice(message.get(kept..).unwrap_or_default());
    out
}

/// The first field of what is left of a header section: a line, and those that go on from it. None at the empty line.
fn next_field(rest: &[u8]) -> Option<&[u8]> {
    let mut end = 0;
    for line in rest.split_inclusive(|&octet| octet == b'\n') {
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        if matches!(line, b"\r\n" | b"\n") || (end > 0 && !is_folded) {
            break;
        }
        end += line.len();
    }
    rest.get(..end).filter(|field| !field.is_empty())
}

fn is_ours(name: &[u8], value: &[u8], authserv_id: &str) -> bool {
    let printable = name.iter().filter(|octet| octet.is_ascii_graphic());
    if !printable
        .map(u8::to_ascii_lowercase)
        .eq(NAME.iter().map(u8::to_ascii_lowercase))
    {
        return false;
    }
    let value = String::from_utf8_lossy(value);
    AuthenticationResults::parse(&value).map_or(true, |results| is_same(results.authserv_id(), authserv_id))
}

/// The same for a field that was not split yet.
fn is_line_ours(line: &[u8], authserv_id: &str) -> bool {
    let Some(colon) = line.iter().position(|&octet| octet == b':') else {
        return false;
    };
    let (name, value) = line.split_at(colon);
    is_ours(name, value.get(1..).unwrap_or_default(), authserv_id)
}

/// Whether any of the lines that begin the message with white space, and so belong to no field, is a field of ours.
fn has_ours_by_lines(lines: &[u8], authserv_id: &str) -> bool {
    lines
        .split(|octet| matches!(octet, b'\n' | b'\r'))
        .any(|line| is_line_ours(line, authserv_id))
}

/// Where in a field there is a CR that ends no line, behind which a field of ours begins.
fn hidden(raw: &[u8], authserv_id: &str) -> Option<usize> {
    let text = raw.get(..raw.len() - line_end(raw)).unwrap_or_default();
    let mut position = 0;
    let mut begun = None;
    for line in text.split_inclusive(|&octet| octet == b'\r') {
        let end = position + line.len();
        let next = text.get(end);
        if next.is_some_and(|octet| matches!(octet, b'\n' | b' ' | b'\t')) {
            // A whole line end, or one that is folded: the line goes on.
            begun.get_or_insert(position);
        } else {
            let from = begun.take().unwrap_or(position);
            if from > 0 && is_line_ours(text.get(from..end).unwrap_or_default(), authserv_id) {
                return Some(from - 1);
            }
        }
        position = end;
    }
    None
}

/// How long the line end of a field is.
fn line_end(raw: &[u8]) -> usize {
    match raw {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
