//! `address/*` and `psl/*`.
//!
//! Each class of address has its own reader: an envelope takes what SMTP takes, a header field takes more. Addresses that are
//! to be refused as bad style or as no public name are read with the options for that. A list that the grammar refuses is
//! read leniently.

use posthaste_address::{Address, AddressList, Domain, EmailAddress, Mailbox, ParseOptions, Unreadable};
use serde_json::Value;

use crate::harness::{Input, Report, Set};

/// Where an accepted deviation stands: set, rule, reason.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        ADDRESSES,
        FAKE_A_LABEL,
        "the set lets isemail decide on syntax, and it takes what is Punycode of something: DNS can be asked for it",
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
        STRAY_BRACKET,
        "RFC 5322 §3.4: which of two addresses in one entry is meant would be a guess",
    ),
    (
        LISTS,
        UNCLOSED,
        "RFC 5322 §3.2: what the rest of the list belongs to would be a guess",
    ),
    (
        LISTS,
        CONTROL_IN_LIST,
        "no value may hold one: it could end a header field or a command",
    ),
];

const ADDRESSES: &str = "address/address-cases";
const LISTS: &str = "address/list-parse";

const FAKE_A_LABEL: &str =
    "an address expected to be refused has an `xn--` label that IDNA refuses and Punycode does not";
const BARE_BACKSLASH: &str = "an address expected to be taken has a backslash outside quotes and comments";
const BARE_ROUTE: &str = "an address expected to be taken begins with a source route and has no angle brackets";
const CONTROL: &str = "an address expected to be taken has a control character in it";
const STRAY_BRACKET: &str = "an entry has more than one opening or closing angle bracket";
const UNCLOSED: &str = "a quoted string, a comment or an angle bracket has no end";
const CONTROL_IN_LIST: &str = "a list has a control character in it";

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

/// Not an address; or, when the case says that the matter is one of the options, not one under that option.
fn refused(case: &Value) -> Result<(), String> {
    let (address, note) = (text(case, "address"), text(case, "note"));
    let mut options = with_literals();
    if note.contains("bracketed") && note.contains("not allowed") {
        options = ParseOptions::default();
    } else if note.contains("should have a period") || note.contains("valid top-level domain") {
        options = options.public_domains(true);
    } else if note.to_ascii_lowercase().contains("unicode") {
        options = options.identifiers(true);
    }
    let parsed = EmailAddress::parse_with(address, &options);
    parsed.map_or(Ok(()), |parsed| Err(format!("{address:?} was taken as {parsed}")))
}

/// The rule by which a case of the address set may be answered otherwise.
fn address_deviation(case: &Value) -> Option<&'static str> {
    let address = text(case, "address");
    let (local, domain) = address.rsplit_once('@')?;
    if text(case, "cls") == "invalid" {
        let is_fake = |label: &str| {
            let label = label.to_ascii_lowercase();
            label.starts_with("xn--") && label.parse::<Domain>().is_ok_and(|name| name.to_unicode() == label)
        };
        return domain.split('.').any(is_fake).then_some(FAKE_A_LABEL);
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
        let strict = AddressList::parse_with(list, &with_literals());
        let outcome = match &strict {
            Ok(parsed) => same_list(parsed.iter().map(Ok), case),
            Err(_) => same_list(AddressList::parse_leniently(list, &with_literals()).entries(), case),
        };
        match (outcome, list_deviation(list)) {
            (Err(_), Some(rule)) if strict.is_err() => report.unsupported(name, format!("deviation: {rule}")),
            (outcome, _) => report.check(name, outcome.map_err(|why| format!("{list:?}: {why}"))),
        }
    }
}

/// What a list is made of: an address, or what is none.
type Entry<'a> = Result<&'a Address, &'a Unreadable>;

/// An entry as it is compared: the name of a group, and names with addresses.
type Compared = (Option<String>, Vec<(String, String)>);

/// Compares entry by entry; where the case asks for a flat list, mailbox by mailbox.
fn same_list<'a>(parsed: impl Iterator<Item = Entry<'a>>, case: &Value) -> Result<(), String> {
    let is_flat = case
        .get("options")
        .and_then(|options| options.get("flatten"))
        .and_then(Value::as_bool)
        == Some(true);
    let named = |mailbox: &Mailbox| {
        let name = mailbox.name().unwrap_or_default();
        vec![(name.to_owned(), mailbox.address().to_string())]
    };
    let found: Vec<Compared> = parsed
        .flat_map(|entry| match entry {
            Ok(Address::Group(group)) if !is_flat => {
                let members = group.members().iter().flat_map(named).collect();
                vec![(Some(group.name().to_owned()), members)]
            }
            Ok(address) => address
                .mailboxes()
                .iter()
                .map(|mailbox| (None, named(mailbox)))
                .collect(),
            Err(unreadable) => vec![(None, vec![as_handed_on(unreadable.text())])],
        })
        .collect();
    let expected: Vec<Compared> = array(case, "expected")
        .iter()
        .map(|entry| match entry.get("group") {
            Some(_) => {
                let members = array(entry, "group").iter().map(expected_mailbox).collect();
                (Some(text(entry, "name").to_owned()), members)
            }
            None => (None, vec![expected_mailbox(entry)]),
        })
        .collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found:?}, expected {expected:?}"))
    }
}

fn expected_mailbox(entry: &Value) -> (String, String) {
    let address = text(entry, "address");
    let canonical = envelope_address(address).map_or_else(|_| address.to_owned(), |address| address.to_string());
    (text(entry, "name").to_owned(), canonical)
}

/// What the set expects of an entry that is no address: words as a name, anything with an `@` as an address.
fn as_handed_on(unreadable: &str) -> (String, String) {
    if unreadable.contains('@') {
        (String::new(), unreadable.to_owned())
    } else {
        (unreadable.to_owned(), String::new())
    }
}

/// The rule by which a list may be answered otherwise.
fn list_deviation(list: &str) -> Option<&'static str> {
    let (outside, is_closed) = plain(list);
    if list.contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t')) {
        Some(CONTROL_IN_LIST)
    } else if !is_closed || outside.matches('<').count() > outside.matches('>').count() {
        Some(UNCLOSED)
    } else if outside
        .split([',', ';'])
        .any(|entry| entry.matches('<').count() > 1 || entry.matches('>').count() > 1)
    {
        Some(STRAY_BRACKET)
    } else {
        None
    }
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
