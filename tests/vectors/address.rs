//! `address/*` and `psl/*`.
//!
//! Each class of address has its own reader: an envelope takes what SMTP takes, a header field takes more.

use posthaste_address::{Address, AddressList, Domain, EmailAddress, Mailbox, ParseOptions};
use serde_json::Value;

use crate::harness::{Input, Report, Set};

/// Where an accepted deviation stands: set, rule, reason.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        ADDRESSES,
        FAKE_A_LABEL,
        "the sources disagree, and the set lets isemail decide on syntax, which takes it: DNS can be asked for it",
    ),
    (
        ADDRESSES,
        SYMBOL,
        "RFC 6531 §3.3 allows all of UTF-8 in a local part, and only the receiving host gives it meaning",
    ),
    (
        ADDRESSES,
        DIGIT_AT_END,
        "RFC 5321 §4.1.2 allows it; whether a domain exists is a question for DNS",
    ),
    (
        ADDRESSES,
        BARE_BACKSLASH,
        "RFC 5322 §3.2.3: a backslash is no atext; other cases of the set refuse the same form",
    ),
    (
        ADDRESSES,
        BARE_ROUTE,
        "RFC 5322 §4.4: a source route stands inside angle brackets",
    ),
    (
        ADDRESSES,
        CONTROL,
        "no value may hold one: it could end a header field or a command",
    ),
    (
        LISTS,
        NOT_AN_ADDRESS,
        "an address list holds addresses: what is none is an error with its place, never text handed on",
    ),
    (
        LISTS,
        WORDS_BESIDE,
        "RFC 5322 §3.4 has no such form; a lost bracket or comma must not become a name",
    ),
    (
        LISTS,
        NO_ADDRESS,
        "joining it to its neighbour would lose a recipient whose address is incomplete, without a word",
    ),
    (
        LISTS,
        STRAY_BRACKET,
        "RFC 5322 §3.4: which of the brackets holds the address would be a guess",
    ),
    (
        LISTS,
        UNCLOSED,
        "RFC 5322 §3.2: what the rest of the list belongs to would be a guess",
    ),
    (LISTS, NESTED_GROUP, "RFC 5322 §3.4: a group holds mailboxes only"),
    (
        LISTS,
        OPEN_GROUP,
        "RFC 5322 §3.4: a group ends with a semicolon; a list cut short is not a shorter list",
    ),
];

const ADDRESSES: &str = "address/address-cases";
const LISTS: &str = "address/list-parse";

const FAKE_A_LABEL: &str = "an address expected to be refused has an `xn--` label that does not decode";
const SYMBOL: &str = "an address expected to be refused has a symbol or punctuation beyond ASCII in its local part";
const DIGIT_AT_END: &str = "an address expected to be refused has a top-level label with a digit at its end";
const BARE_BACKSLASH: &str = "an address expected to be taken has a backslash outside quotes and comments";
const BARE_ROUTE: &str = "an address expected to be taken begins with a source route and has no angle brackets";
const CONTROL: &str = "an address expected to be taken has a control character in it";
const NOT_AN_ADDRESS: &str = "the list expected has an entry that is not an email address";
const WORDS_BESIDE: &str = "words stand beside an address without angle brackets, or behind one with them";
const NO_ADDRESS: &str = "an entry between separators has words and no address";
const STRAY_BRACKET: &str = "an entry has more than one opening or closing angle bracket";
const UNCLOSED: &str = "a quoted string, a comment or an angle bracket has no end";
const NESTED_GROUP: &str = "a group stands inside a group";
const OPEN_GROUP: &str = "a group has no semicolon at its end";

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: ADDRESSES,
            run: addresses,
        },
        Set {
            name: LISTS,
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

fn array<'a>(case: &'a Value, field: &str) -> &'a [Value] {
    case.get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn with_literals() -> ParseOptions {
    ParseOptions::default().domain_literals(true)
}

fn envelope_address(address: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse_with(address, &with_literals()).map_err(|error| format!("{address:?} was refused: {error}"))
}

fn addresses(input: &Input, report: &mut Report) {
    let file = input.json("address/address-cases.json");
    for case in array(&file, "cases") {
        let (id, address) = (text(case, "id"), text(case, "address"));
        let outcome = match text(case, "cls") {
            "smtp" => accepted(case, false),
            "smtputf8" => accepted(case, true),
            "rfc5322" => header_address(address),
            "rfc5322-only" => refused_or_normalised(address),
            "invalid" => refused(case),
            other => Err(format!("no reader for class {other:?}")),
        };
        match (outcome, address_deviation(case)) {
            (Err(_), Some(rule)) => report.unsupported(id, format!("deviation: {rule}")),
            (outcome, _) => report.check(id, outcome),
        }
    }
}

/// An address that an envelope must take, with the parts that the case names; some come with a display name.
fn accepted(case: &Value, needs_smtputf8: bool) -> Result<(), String> {
    let given = text(case, "address");
    let address = if given.ends_with('>') {
        let mailbox = given
            .parse::<Mailbox>()
            .map_err(|error| format!("{given:?} was refused: {error}"))?;
        mailbox.address().clone()
    } else {
        envelope_address(given)?
    };
    let parts = [
        ("local_part", address.local_part().to_owned()),
        ("ascii_domain", address.domain().as_str().to_owned()),
        ("domain", address.domain().to_unicode()),
        ("normalized", address.to_unicode()),
        ("ascii_email", address.to_string()),
    ];
    for (field, found) in parts {
        let expected = text(case, field);
        if !expected.is_empty() && expected != found {
            return Err(format!("{given:?}: {field} is {found:?}, expected {expected:?}"));
        }
    }
    if needs_smtputf8 && !address.needs_smtputf8() {
        return Err(format!("{given:?} was not seen to need SMTPUTF8"));
    }
    if envelope_address(&address.to_string())? != address {
        return Err(format!("{given:?} does not read back from {address}"));
    }
    Ok(())
}

/// An address that is legal in a header field: with comments, folding and quoted words.
fn header_address(address: &str) -> Result<(), String> {
    let list = AddressList::parse_with(address, &with_literals())
        .map_err(|error| format!("{address:?} was refused in a header field: {error}"))?;
    if list.mailboxes().count() != 1 {
        return Err(format!("{address:?} was taken as {list}"));
    }
    match AddressList::parse_with(&list.to_string(), &with_literals()) {
        Ok(again)
            if again
                .mailboxes()
                .map(Mailbox::address)
                .eq(list.mailboxes().map(Mailbox::address)) =>
        {
            Ok(())
        }
        other => Err(format!("{address:?} was written as {list} and read back as {other:?}")),
    }
}

/// An address that no envelope may carry as it stands.
fn refused_or_normalised(address: &str) -> Result<(), String> {
    match EmailAddress::parse_with(address, &with_literals()) {
        Ok(parsed) if parsed.to_string() == address => Err(format!("{address:?} was taken as it is")),
        Ok(parsed) if envelope_address(&parsed.to_string())? != parsed => Err(format!("{parsed} does not read back")),
        _ => Ok(()),
    }
}

/// Not an address; or, when the case only says that literals are not allowed, not one by default.
fn refused(case: &Value) -> Result<(), String> {
    let address = text(case, "address");
    let is_about_options = text(case, "note").contains("bracketed") && text(case, "note").contains("not allowed");
    let parsed = if is_about_options {
        address.parse()
    } else {
        EmailAddress::parse_with(address, &with_literals())
    };
    parsed.map_or(Ok(()), |parsed| Err(format!("{address:?} was taken as {parsed}")))
}

/// The rule by which a case of the address set may be answered otherwise.
fn address_deviation(case: &Value) -> Option<&'static str> {
    let address = text(case, "address");
    let (local, domain) = address.rsplit_once('@')?;
    if text(case, "cls") == "invalid" {
        let is_symbol = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control();
        let last = domain.rsplit('.').next().unwrap_or_default();
        let is_fake = |label: &str| {
            let label = label.to_ascii_lowercase();
            label.starts_with("xn--") && label.parse::<Domain>().is_ok_and(|name| name.to_unicode() == label)
        };
        return if local.contains(is_symbol) {
            Some(SYMBOL)
        } else if domain.split('.').any(is_fake) {
            Some(FAKE_A_LABEL)
        } else if last.ends_with(|c: char| c.is_ascii_digit()) {
            Some(DIGIT_AT_END)
        } else {
            None
        };
    }
    if plain(local).0.contains('\\') {
        Some(BARE_BACKSLASH)
    } else if address.starts_with('@') && address.contains(':') {
        Some(BARE_ROUTE)
    } else if address
        .replace("\r\n ", "")
        .contains(|c: char| c.is_control() && c != '\t')
    {
        Some(CONTROL)
    } else {
        None
    }
}

/// The text without its quoted strings and comments, and whether all of them end; a quoted string leaves a `"` behind.
fn plain(text: &str) -> (String, bool) {
    let (mut out, mut depth, mut quoted) = (String::new(), 0_usize, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || depth > 0 => drop(chars.next()),
            '"' if depth == 0 => {
                quoted = !quoted;
                if quoted {
                    out.push('"');
                }
            }
            _ if quoted => {}
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    (out, !quoted && depth == 0)
}

fn lists(input: &Input, report: &mut Report) {
    let file = input.json("address/list-parse.json");
    for case in array(&file, "cases") {
        let (name, list) = (text(case, "name"), text(case, "input"));
        match (AddressList::parse_with(list, &with_literals()), list_deviation(case)) {
            (Err(_), Some(rule)) => report.unsupported(name, format!("deviation: {rule}")),
            (Err(error), None) => report.fail(name, format!("{list:?} was refused: {error}")),
            (Ok(parsed), _) => report.check(name, same_list(&parsed, case).map_err(|why| format!("{list:?}: {why}"))),
        }
    }
}

/// Compares entry by entry; where the case asks for a flat list, mailbox by mailbox.
fn same_list(parsed: &AddressList, case: &Value) -> Result<(), String> {
    let is_flat = case
        .get("options")
        .and_then(|options| options.get("flatten"))
        .and_then(Value::as_bool)
        == Some(true);
    let expected = array(case, "expected");
    if is_flat {
        return same_mailboxes(parsed.mailboxes(), expected);
    }
    if parsed.len() != expected.len() {
        return Err(format!("{parsed}, expected {expected:?}"));
    }
    for (entry, expected) in parsed.iter().zip(expected) {
        match entry {
            Address::Group(group) if group.name() == text(expected, "name") && expected.get("group").is_some() => {
                same_mailboxes(group.members().iter(), array(expected, "group"))?;
            }
            Address::Mailbox(mailbox) if expected.get("group").is_none() => {
                same_mailboxes(std::iter::once(mailbox), std::slice::from_ref(expected))?;
            }
            other => return Err(format!("{other}, expected {expected}")),
        }
    }
    Ok(())
}

fn same_mailboxes<'a>(found: impl Iterator<Item = &'a Mailbox>, expected: &[Value]) -> Result<(), String> {
    let found: Vec<(String, String)> = found
        .map(|mailbox| {
            (
                mailbox.name().unwrap_or_default().to_owned(),
                mailbox.address().to_string(),
            )
        })
        .collect();
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|entry| {
            let address = text(entry, "address");
            let canonical =
                envelope_address(address).map_or_else(|_| address.to_owned(), |address| address.to_string());
            (text(entry, "name").to_owned(), canonical)
        })
        .collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found:?}, expected {expected:?}"))
    }
}

/// The rule by which a list may be refused.
fn list_deviation(case: &Value) -> Option<&'static str> {
    let expected = array(case, "expected");
    let mut addresses = expected
        .iter()
        .chain(expected.iter().flat_map(|entry| array(entry, "group")));
    let is_wrong = |entry: &Value| entry.get("group").is_none() && envelope_address(text(entry, "address")).is_err();
    if addresses.any(is_wrong) {
        return Some(NOT_AN_ADDRESS);
    }
    let (list, is_closed) = plain(text(case, "input"));
    if !is_closed || list.matches('<').count() > list.matches('>').count() {
        return Some(UNCLOSED);
    }
    let mut depth = 0;
    for part in list.split_inclusive([',', ';', ':']) {
        let entry = part.trim_end_matches([',', ';', ':']).trim();
        if part.ends_with(':') && !entry.contains(['@', '[']) {
            depth += 1;
            if depth > 1 {
                return Some(NESTED_GROUP);
            }
            continue;
        }
        if entry.matches('<').count() > 1 || entry.matches('>').count() > 1 {
            return Some(STRAY_BRACKET);
        }
        if !entry.is_empty() && !entry.contains('@') {
            return Some(NO_ADDRESS);
        }
        let behind = entry.rsplit_once('>').map_or("", |(_, behind)| behind);
        if !behind.is_empty() || (!entry.contains('<') && entry.split_whitespace().count() > 1) {
            return Some(WORDS_BESIDE);
        }
        if part.ends_with(';') {
            depth = 0;
        }
    }
    (depth > 0).then_some(OPEN_GROUP)
}

/// `null` stands for no registrable domain: a public suffix, a name with an empty label, and no name at all.
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
            report.fail(line, "not a name and a domain");
            continue;
        };
        let found = name.parse::<Domain>().ok().and_then(|domain| domain.registrable());
        let outcome = match (&found, expected) {
            (None, "null") => Ok(()),
            (Some(found), expected) if found.as_str() == expected || found.to_unicode() == expected => Ok(()),
            _ => Err(format!("{found:?}, expected {expected}")),
        };
        report.check(name, outcome);
    }
}
