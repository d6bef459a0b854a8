//! Where links lead.

use std::net::IpAddr;

use posthaste_address::Domain;

use super::{draft::Draft, header::same_organisation};
use crate::lookup::starts_with;
use crate::{Code, Finding};

/// How many links are looked at.
const MOST: usize = 500;

/// Services that hide where a link leads.
const SHORTENERS: [&str; 12] = [
    "bit.ly",
    "tinyurl.com",
    "goo.gl",
    "t.co",
    "ow.ly",
    "is.gd",
    "buff.ly",
    "rebrand.ly",
    "cutt.ly",
    "shorturl.at",
    "t.ly",
    "rb.gy",
];

struct Link {
    uri: String,
    /// What the reader sees, if it is known.
    shown: Option<String>,
}

pub(super) fn check(draft: &Draft, author: Option<&Domain>) -> Vec<Finding> {
    let mut links = draft.html.as_deref().map(anchors).unwrap_or_default();
    links.extend(draft.text.as_deref().map(bare).unwrap_or_default());
    links.truncate(MOST);
    links.iter().flat_map(|link| judged(link, author)).collect()
}

/// The anchors of an HTML text, with what they show.
fn anchors(html: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for piece in html.split('<').skip(1) {
        let Some((tag, after)) = piece.split_once('>') else {
            continue;
        };
        let is_anchor = starts_with(tag, "a") && tag.chars().nth(1).is_some_and(char::is_whitespace);
        if is_anchor && links.len() < MOST {
            if let Some(uri) = attribute(tag, "href") {
                links.push(Link {
                    uri: uri.trim().replace("&amp;", "&"),
                    shown: Some(after.to_owned()),
                });
            }
        } else if !is_anchor
            && !starts_with(tag, "/a")
            && let Some(shown) = links.last_mut().and_then(|link| link.shown.as_mut())
            && shown.len() < 200
            && !shown.ends_with('\u{0}')
        {
            shown.push_str(after);
        } else if starts_with(tag, "/a")
            && let Some(shown) = links.last_mut().and_then(|link| link.shown.as_mut())
        {
            // Ends what it shows.
            shown.push('\u{0}');
        }
    }
    links
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.match_indices(name).find_map(|(at, _)| {
        let before = lower.get(..at)?.chars().next_back()?;
        let rest = tag.get(at + name.len()..)?.trim_start();
        (before.is_whitespace() || matches!(before, '"' | '\'')).then(|| rest.strip_prefix('='))?
    })?;
    let value = at.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next(),
        _ => value.split_whitespace().next(),
    }
}

/// The links in plain text.
fn bare(text: &str) -> Vec<Link> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')'));
    words
        .filter(|word| starts_with(word, "http://") || starts_with(word, "https://"))
        .take(MOST)
        .map(|word| Link {
            uri: word.trim_end_matches(['.', ',', ';', ':', '!', '?']).to_owned(),
            shown: None,
        })
        .collect()
}

/// The user part and the host of an http or https URI.
fn authority(uri: &str) -> Option<(Option<&str>, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let host = match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some((user, host))
}

fn judged(link: &Link, author: Option<&Domain>) -> Vec<Finding> {
    let Some((user, host)) = authority(&link.uri) else {
        return Vec::new();
    };
    let uri = link.uri.as_str();
    let mut findings = Vec::new();
    let mut push = |code, what: &str, advice: &str| findings.push(Finding::new(code, "links", what).advise(advice));
    if starts_with(uri, "http:") {
        push(Code::LinkPlain, uri, "link with https");
    }
    if user.is_some() {
        push(Code::LinkUser, uri, "take out what stands before the `@`");
    }
    let is_number =
        host.parse::<IpAddr>().is_ok() || (!host.is_empty() && host.bytes().all(|octet| octet.is_ascii_digit()));
    if is_number {
        push(Code::LinkAddress, uri, "link to a host name");
        return findings;
    }
    let Ok(domain) = host.parse::<Domain>() else {
        return findings;
    };
    if SHORTENERS.contains(&domain.registrable().as_ref().unwrap_or(&domain).as_str()) {
        push(Code::LinkShortener, uri, "link to where it leads");
    }
    if is_homograph(&domain.to_unicode()) {
        push(
            Code::LinkHomograph,
            &format!("{} is {domain}", domain.to_unicode()),
            "link to a name in one script",
        );
    }
    if let Some(shown) = link.shown.as_deref().and_then(shown_domain)
        && !same_organisation(&shown, &domain)
    {
        push(
            Code::LinkMismatch,
            &format!("the text says {shown}, it leads to {domain}"),
            "show where it leads, or words",
        );
    }
    if author.is_some_and(|author| !same_organisation(author, &domain)) {
        push(
            Code::LinkForeign,
            domain.as_str(),
            "link through a host of the author's domain",
        );
    }
    findings
}

/// The domain that the text of a link shows, if it is one.
fn shown_domain(text: &str) -> Option<Domain> {
    let text = text.split('\u{0}').next()?.trim();
    let host = match authority(text) {
        Some((_, host)) => host,
        None => text.split(['/', '?', ':']).next()?,
    };
    if !host.contains('.') || host.contains(|c: char| c.is_whitespace() || c == '@') {
        return None;
    }
    host.parse::<Domain>().ok().filter(|domain| {
        // `v1.2` and `notes.txt` are no domains of anybody.
        domain.registrable().is_some() && (text.contains("://") || text.starts_with("www.") || is_known_suffix(domain))
    })
}

fn is_known_suffix(domain: &Domain) -> bool {
    let top = domain.as_str().rsplit('.').next().unwrap_or_default();
    ["com", "org", "net", "edu", "gov", "info", "io", "co", "app", "dev"].contains(&top) || top.len() == 2
}

/// Latin letters beside Cyrillic or Greek ones in one label, or nothing but letters that look Latin.
fn is_homograph(name: &str) -> bool {
    let is_foreign = |c: char| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}');
    let looks_latin = |c: char| "аеорсухіјѕһԁԛԝ".contains(c);
    name.split('.').any(|label| {
        let foreign = label.chars().filter(|c| is_foreign(*c)).count();
        let latin = label.chars().any(|c| c.is_ascii_alphabetic());
        foreign > 0 && (latin || label.chars().filter(|c| is_foreign(*c)).all(looks_latin))
    })
}
