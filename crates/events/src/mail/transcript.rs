//! Bounces in plain words: which addresses failed, and what was said of each.

use posthaste_address::EmailAddress;

/// Most addresses that are told apart.
pub(super) const MOST: usize = 1000;

/// What is said of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) address: String,
    pub(super) said: String,
}

/// Finds the addresses of which a text speaks, and what it says of each: from the line that names it to the next that names one.
pub(super) fn sections(words: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut current = None;
    for line in words.lines() {
        if let Some((address, rest)) = named(line) {
            let known = found
                .iter()
                .position(|section| section.address.eq_ignore_ascii_case(&address));
            current = match known {
                None if found.len() == MOST => None,
                None => {
                    found.push(Section {
                        address,
                        said: String::new(),
                    });
                    Some(found.len() - 1)
                }
                known => known,
            };
            // The same address once more is part of what is said.
            append(&mut found, current, if known.is_some() { line } else { &rest });
        } else if is_about_host(line) {
            current = None;
        } else {
            append(&mut found, current, line);
        }
    }
    found
}

/// Tells lines of old transcripts that begin to speak of another host: `550 example.net (smtp)... Host unknown`.
fn is_about_host(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" (smtp)...")
        || line.starts_with("While talking to")
}

fn append(found: &mut [Section], current: Option<usize>, text: &str) {
    if let Some(section) = current.and_then(|number| found.get_mut(number)) {
        let text = text.trim();
        if !text.is_empty() {
            if !section.said.is_empty() {
                section.said.push(' ');
            }
            section.said.push_str(text);
        }
    }
}

/// What may stand in front of the address that a line is about.
const LABELS: &[&str] = &[
    "recipient:",
    "recipient address:",
    "final-recipient: rfc822;",
    "final recipient:",
    "original-recipient: rfc822;",
    "rcpt to:",
    "address:",
    "failed recipient:",
    "delivered to:",
    "your mail to",
    "delivering your mail to",
    "[status: error, address:",
    "target mail address:",
    "email address :",
    "email address:",
    "--",
    "*",
    "-",
    "\u{2022}",
];

/// Tells whether a line names the address that it, and what follows, is about.
fn named(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let lower = line.to_ascii_lowercase();
    let labelled = LABELS
        .iter()
        .filter(|label| label.len() > 2 || lower.starts_with(**label))
        .find_map(|label| {
            let at = lower.find(label)?;
            let rest = line.get(at + label.len()..)?;
            (at == 0 || label.ends_with(" to") || label.starts_with('[')).then_some(rest)
        });
    let start = labelled.unwrap_or(line).trim_start();
    // A sendmail transcript: a code in front of the address.
    let start = match start.split_once(' ') {
        Some((code, rest))
            if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) && rest.contains("...") =>
        {
            rest
        }
        _ => start,
    };
    if let Some((address, rest)) = leading_address(start) {
        // A code that stood in front belongs to what is said.
        let said = if labelled.is_none() && !line.starts_with(start) {
            line.to_owned()
        } else {
            rest.to_owned()
        };
        return Some((address, said));
    }
    // `Unknown user: bob@example.net`.
    let (said, last) = line.rsplit_once(": ")?;
    if said.len() > 80 || is_header_like(&lower) {
        return None;
    }
    let (address, rest) = leading_address(last)?;
    rest.is_empty().then(|| (address, said.to_owned()))
}

/// Tells lines of headers that are quoted, which name other people.
fn is_header_like(lower: &str) -> bool {
    [
        "from:",
        "to:",
        "cc:",
        "reply-to:",
        "sender:",
        "subject:",
        "mail from",
        ">>> mail",
        "message-id:",
        "x-",
    ]
    .iter()
    .any(|name| lower.trim_start_matches(['>', ' ', '<']).starts_with(name))
}

/// Reads an address that a text begins with, and returns what stands behind it.
fn leading_address(text: &str) -> Option<(String, String)> {
    let open = text.trim_start_matches(['<', '"', '\'', '[', '(']);
    let end = open
        .find(|c: char| c.is_whitespace() || matches!(c, '>' | '"' | '\'' | ',' | ';' | ']' | ')' | '<'))
        .unwrap_or(open.len());
    let word = open.get(..end)?;
    let word = word.trim_end_matches(['.', ':']);
    if !word.contains('@') || word.len() > 320 {
        return None;
    }
    let address: EmailAddress = word.parse().ok()?;
    let rest = open.get(word.len()..)?;
    let rest = rest.trim_start_matches(['>', '"', '\'', ':', ']', ')', ',', ';', '.', ' ']);
    Some((address.to_string(), rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_where_programs_put_them() {
        for (line, address) in [
            ("<bob@example.net>:", Some("bob@example.net")),
            ("bob@example.net", Some("bob@example.net")),
            (
                "  bob@example.net (ultimately generated from ada@example.org)",
                Some("bob@example.net"),
            ),
            ("\"bob@example.net\":", Some("bob@example.net")),
            ("550 <bob@example.net>... User unknown", Some("bob@example.net")),
            (
                "There was an error delivering your mail to <bob@example.net>.",
                Some("bob@example.net"),
            ),
            ("Unknown user: bob@example.net", Some("bob@example.net")),
            ("* bob@example.net", Some("bob@example.net")),
            ("Recipient: <bob@example.net>", Some("bob@example.net")),
            ("To: bob@example.net", None),
            ("from ada@example.org", None),
            (">>> MAIL From:<ada@example.org>", None),
            ("Please write to postmaster@example.net for help", None),
        ] {
            assert_eq!(named(line).map(|(found, _)| found).as_deref(), address, "{line}");
        }
    }
}
