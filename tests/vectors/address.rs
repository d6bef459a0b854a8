//! `address/*` and `psl/*`.

use posthaste_address::{Address, AddressList, Domain, EmailAddress, Mailbox, ParseOptions};
use serde_json::Value;

use crate::harness::{Input, Report, Set};

/// Where an accepted deviation stands: set, rule, reason.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "address/address-cases",
        "a symbol or punctuation mark beyond ASCII in the local part",
        "RFC 6531 §3.3 allows any UTF-8 there; one source wants letters only",
    ),
    (
        "address/address-cases",
        "a backslash outside quotes",
        "RFC 5322 has no such pair; RFC 3696's example was withdrawn",
    ),
    (
        "address/address-cases",
        "an ill-formed A-label, given as such",
        "the sources disagree; it is a host name that the DNS can answer for",
    ),
    (
        "address/address-cases",
        "a digit or hyphen in the top-level label",
        "a rule of registries, not of the syntax",
    ),
    (
        "address/address-cases",
        "a well-formed literal",
        "one source refuses all of them; the runner switches them on",
    ),
    (
        "address/address-cases",
        "250 to 254 octets with a local part beyond ASCII",
        "octets are counted as given; one source counts them after NFC",
    ),
    (
        "address/list-parse",
        "entries that are not RFC 5322, which the source guesses at",
        "an error that names the byte is better than a guess at who should get a mail",
    ),
];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "address/address-cases",
            run: addresses,
        },
        Set {
            name: "address/list-parse",
            run: lists,
        },
        Set {
            name: "psl/tests",
            run: public_suffixes,
        },
    ]
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn cases(input: &Input, file: &str) -> Vec<Value> {
    input
        .json(file)
        .get("cases")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn addresses(input: &Input, report: &mut Report) {
    let options = ParseOptions::default().domain_literals(true);
    for case in cases(input, "address/address-cases.json") {
        let (id, address, class) = (text(&case, "id"), text(&case, "address"), text(&case, "cls"));
        let parsed = match address.parse::<Mailbox>() {
            Ok(mailbox) if class != "invalid" && address.ends_with('>') => Ok(mailbox.address().clone()),
            _ => EmailAddress::parse_with(address, &options),
        };
        if let Some(rule) = deviation(class, address, parsed.as_ref().ok()) {
            report.unsupported(id, format!("deviation: {rule}"));
            continue;
        }
        let outcome = match (class, &parsed) {
            ("smtp", Ok(_)) | ("invalid" | "rfc5322-only", Err(_)) => Ok(()),
            ("smtputf8", Ok(parsed)) if parsed.needs_smtputf8() || !parsed.domain().to_unicode().is_ascii() => Ok(()),
            // To be refused or normalised.
            ("rfc5322-only", Ok(parsed)) if parsed.to_string() != address => Ok(()),
            ("rfc5322", _) => header_address(address),
            (_, Ok(parsed)) => Err(format!("{class} {address:?} was taken as {parsed}")),
            (_, Err(error)) => Err(format!("{class} {address:?} was refused: {error}")),
        };
        report.check(id, outcome);
    }
}

/// The rule of [`DEVIATIONS`] that a case falls under.
fn deviation(class: &str, address: &str, parsed: Option<&EmailAddress>) -> Option<&'static str> {
    let outside_quotes: String = address.split('"').step_by(2).collect();
    if class == "rfc5322" && outside_quotes.contains('\\') && !outside_quotes.contains('(') {
        return Some("a backslash outside quotes");
    }
    let parsed = parsed.filter(|_| class == "invalid")?;
    let top = parsed.domain().as_str().rsplit('.').next().unwrap_or_default();
    let local = parsed.local_part();
    if parsed.domain().is_literal() {
        Some("a well-formed literal")
    } else if local.chars().any(|c| !c.is_ascii() && !c.is_alphanumeric()) {
        Some("a symbol beyond ASCII in the local part")
    } else if !local.is_ascii() && (250..=254).contains(&parsed.to_string().len()) {
        Some("counted before NFC")
    } else if parsed
        .domain()
        .as_str()
        .split('.')
        .any(|label| label.starts_with("xn--"))
        && address.is_ascii()
    {
        Some("an ill-formed A-label")
    } else if !top.starts_with("xn--") && top.contains(|c: char| c == '-' || c.is_ascii_digit()) {
        Some("a digit or hyphen in the top-level label")
    } else {
        None
    }
}

/// An address that is legal in a header field: with comments, folding and quoted strings.
fn header_address(address: &str) -> Result<(), String> {
    match address.parse::<AddressList>() {
        Ok(list) if list.mailboxes().count() == 1 => Ok(()),
        Ok(list) => Err(format!("rfc5322 {address:?} was taken as {list}")),
        Err(error) => Err(format!("rfc5322 {address:?} was refused: {error}")),
    }
}

fn lists(input: &Input, report: &mut Report) {
    for case in cases(input, "address/list-parse.json") {
        let (name, list) = (text(&case, "name"), text(&case, "input"));
        let expected = case
            .get("expected")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let outcome = match list.parse::<AddressList>() {
            Err(_) if is_guesswork(list) => {
                report.unsupported(name, "deviation: not RFC 5322, refused with the byte");
                continue;
            }
            Err(error) => Err(format!("{list:?} was refused: {error}; expected {expected:?}")),
            Ok(parsed) => same_list(&parsed, &expected).map_err(|why| format!("{list:?}: {why}")),
        };
        report.check(name, outcome);
    }
}

/// Says whether some entry is not an address at all: no `@`, brackets that don't match, or words beside a bare address.
fn is_guesswork(list: &str) -> bool {
    let mut plain = String::new();
    let (mut quoted, mut comments) = (false, 0_usize);
    let mut chars = list.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' if comments == 0 => {
                quoted = !quoted;
                plain.push('q');
            }
            '(' if !quoted => comments += 1,
            ')' if !quoted => comments = comments.saturating_sub(1),
            c if !quoted && comments == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
        .split([',', ';', ':'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let angles = entry.matches('<').count().max(entry.matches('>').count());
            let bracket_is_misplaced = entry.contains('[') && !entry.contains("@[");
            !entry.contains('@')
                || angles > 1
                || bracket_is_misplaced
                || (angles == 0 && entry.contains(char::is_whitespace))
        })
}

fn same_list(parsed: &AddressList, expected: &[Value]) -> Result<(), String> {
    let flat: AddressList = parsed.mailboxes().cloned().map(Address::from).collect();
    let expects_groups = expected.iter().any(|entry| entry.get("group").is_some());
    let parsed = if expects_groups { parsed } else { &flat };
    if parsed.len() != expected.len() {
        return Err(format!("{} entries, expected {expected:?}", parsed.len()));
    }
    for (entry, expected) in parsed.iter().zip(expected) {
        match entry {
            Address::Mailbox(mailbox) => {
                let address = text(expected, "address");
                let wanted = EmailAddress::parse_with(address, &ParseOptions::default().domain_literals(true));
                if mailbox.name().unwrap_or_default() != text(expected, "name")
                    || wanted.as_ref() != Ok(mailbox.address())
                {
                    return Err(format!("{mailbox:?}, expected {expected}"));
                }
            }
            Address::Group(group) => {
                let members = expected
                    .get("group")
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default();
                if group.name() != text(expected, "name") || group.members().len() != members.len() {
                    return Err(format!("{group:?}, expected {expected}"));
                }
            }
            _ => return Err("an entry of a kind unknown here".to_owned()),
        }
    }
    Ok(())
}

fn public_suffixes(input: &Input, report: &mut Report) {
    let path = input.path("psl/tests.txt");
    let lines = std::fs::read_to_string(&path).unwrap_or_default();
    for line in lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
    {
        let mut words = line.split_whitespace();
        let (Some(name), Some(expected)) = (words.next(), words.next()) else {
            continue;
        };
        let found = name.parse::<Domain>().ok().and_then(|domain| domain.registrable());
        let expected = (expected != "null").then(|| expected.parse::<Domain>());
        let outcome = match (&found, &expected) {
            (None, None) => Ok(()),
            (Some(found), Some(Ok(expected))) if found == expected => Ok(()),
            _ => Err(format!("{found:?}, expected {expected:?}")),
        };
        report.check(name, outcome);
    }
}
