//! Ids of events that have none of their own.

use aws_lc_rs::digest;

/// Makes an id of what makes an event what it is: 128 bits of a SHA-256 over the parts, each with its length in front, as 32 hexadecimal
/// digits. For providers of one's own that give their events no id that stays.
///
/// # Examples
///
/// ```
/// use posthaste_events::event::derive_id;
///
/// let id = derive_id("example", &["opened", "message 1", "bob@example.net", "2026-01-02T03:04:05Z"]);
/// assert_eq!(id.len(), 32);
/// assert_ne!(id, derive_id("example", &["opened", "message 1", "bob@example.net", "2026-01-02T03:04:06Z"]));
/// ```
#[must_use]
pub fn derive_id(provider: &str, parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in std::iter::once(&provider).chain(parts) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        context.update(&length.to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    crate::webhook::hex(digest.as_ref().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::derive_id;

    #[test]
    fn says_the_same_of_the_same_and_of_nothing_else() {
        let id = derive_id("x", &["a", "bc"]);
        assert_eq!(id, derive_id("x", &["a", "bc"]));
        assert_eq!(id.len(), 32);
        assert_ne!(id, derive_id("x", &["ab", "c"]));
        assert_ne!(id, derive_id("y", &["a", "bc"]));
        assert_ne!(id, derive_id("x", &["a", "bc", ""]));
    }
}
