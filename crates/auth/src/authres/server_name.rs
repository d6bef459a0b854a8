//! Whether two authserv-ids name the same server (RFC 8601 §2.5).

use posthaste_address::Domain;

/// Says whether a field's authserv-id would be taken for ours by any reader: they differ in what they take for a name.
pub(super) fn is_same(found: &str, ours: &str) -> bool {
    // Nothing in an authserv-id may be decoded; a reader that does so all the same may find our name in there.
    found.contains("=?") || name(found) == name(ours)
}

/// The host name in an authserv-id, however it is dressed up: without ports, quotes, final dots and what cannot be seen, in lower
/// case and as A-labels.
fn name(authserv_id: &str) -> String {
    let visible: String = authserv_id.chars().filter(|c| !is_invisible(*c)).collect();
    let name = visible
        .trim_start_matches(|c| !is_of_name(c))
        .split(|c| !is_of_name(c))
        .next()
        .unwrap_or_default();
    let name = name.trim_end_matches(is_dot);
    match name.parse::<Domain>() {
        Ok(domain) => domain.as_str().to_owned(),
        Err(_) => name.to_lowercase(),
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_') || is_dot(c) || is_mark(c)
}

/// The dots of UTS 46.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// The marks that make another letter of the one before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Characters that UTS 46 passes over.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}
