//! The id that a server gave a message.

use crate::protocol::WireReply;

/// What stands before an id.
const MARKS: &[&str] = &[
    // Postfix, SendGrid, Mailgun, Haraka
    "queued as ",
    // Exchange: its own id stands in brackets, behind the Message-ID
    "[internalid=",
    "queued mail for delivery as ",
    // Exim
    "id=",
    // qmail
    " qp ",
];

/// What they begin with.
const STARTS: &[u8] = b"qQ[iI ";

/// Finds the id that a server gave the message, in the forms that the common servers use.
pub(super) fn queue_id(reply: &WireReply) -> Option<String> {
    let text = reply.lines().next_back()?;
    if let Some(rest) = marked(&text) {
        return id(rest.split_ascii_whitespace().next()?);
    }
    // No form has what is told apart by more words than these.
    let (mut words, mut count) = ([""; 5], 0);
    for (place, word) in words.iter_mut().zip(text.split_ascii_whitespace()) {
        *place = word;
        count += 1;
    }
    let words = words.get(..count)?;
    let words = match words {
        [status, words @ ..] if is_status(status.trim_end_matches(':')) => words,
        words => words,
    };
    match words {
        // Sendmail, OpenSMTPD
        [word, "Message", "accepted", ..] => id(word),
        // Gmail: a time, and what their logs have
        [ok, time, word, "-", ..] if ok.eq_ignore_ascii_case("ok") && is_number(time) => id(word),
        // SES, SparkPost
        [ok, word]
            if ok.eq_ignore_ascii_case("ok") && word.contains('-') && word.contains(|c: char| c.is_ascii_digit()) =>
        {
            id(word)
        }
        _ => None,
    }
}

/// Returns what stands behind the first of the marks that is there.
fn marked(text: &str) -> Option<&str> {
    let octets = text.as_bytes();
    let mut best = MARKS.len();
    let mut rest = None;
    for (at, octet) in octets.iter().enumerate() {
        if !STARTS.contains(octet) {
            continue;
        }
        for (rank, mark) in MARKS.iter().enumerate().take(best) {
            let end = at + mark.len();
            let found = octets.get(at..end);
            if found.is_some_and(|found| found.eq_ignore_ascii_case(mark.as_bytes())) {
                (best, rest) = (rank, text.get(end..));
                break;
            }
        }
    }
    rest
}

fn id(word: &str) -> Option<String> {
    let id = word.split(',').next()?;
    let id = id.trim_matches(['<', '>', '[', ']', '(', ')', '.', ';']);
    let plain = !id.is_empty() && id.len() <= 200 && id.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| id.to_owned())
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `word` is an enhanced status code.
fn is_status(word: &str) -> bool {
    word.split('.').count() == 3 && word.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ReplyParser;

    #[test]
    fn marks_begin_with_what_is_looked_for() {
        for mark in MARKS {
            let first = mark.as_bytes()[0];
            assert!(STARTS.contains(&first.to_ascii_lowercase()) && STARTS.contains(&first.to_ascii_uppercase()));
        }
    }

    #[test]
    fn finds_queue_ids() {
        for (line, id) in [
            ("2.0.0 Ok: queued as 4Bx3", Some("4Bx3")),
            ("2.0.0 Ok: queued as <A1>.", Some("A1")),
            ("OK id=1rxYz-000", Some("1rxYz-000")),
            ("2.0.0 41F8e012345 Message accepted for delivery", Some("41F8e012345")),
            ("2.0.0: 8a9b1c2d Message accepted for delivery", Some("8a9b1c2d")),
            (
                "2.0.0 OK  1612345678 a1b2c3-20020a05.45 - gsmtp",
                Some("a1b2c3-20020a05.45"),
            ),
            (
                "Ok 0100018f1c2d3e4f-5a6b7c8d-0000-000000",
                Some("0100018f1c2d3e4f-5a6b7c8d-0000-000000"),
            ),
            (
                "2.6.0 <m@x> [InternalId=1234567, Hostname=a.example] 9 bytes in 0.1, 2 KB/sec Queued mail for delivery",
                Some("1234567"),
            ),
            ("ok 1612345678 qp 9876", Some("9876")),
            ("OK", None),
            ("ok thank-you", None),
            ("2.0.0 OK", None),
            ("queued as \u{e9}", None),
            ("queued as ", None),
            ("", None),
        ] {
            let bytes = format!("250 {line}\r\n");
            let reply = ReplyParser::new().advance(bytes.as_bytes()).unwrap().1.unwrap();
            assert_eq!(queue_id(&reply).as_deref(), id, "{line}");
        }
    }
}
