//! Addresses as providers write them.

use posthaste_address::{EmailAddress, Mailbox};

use crate::Json;

/// Writes `{email_key: address, name_key: name}`, the name only if there is one.
pub(crate) fn object(mailbox: &Mailbox, email_key: &'static str, name_key: &'static str) -> Json {
    Json::object()
        .set(email_key, address(mailbox.address()))
        .set_some(name_key, mailbox.name())
}

/// Writes an address: its domain in A-labels.
pub(crate) fn address(address: &EmailAddress) -> String {
    address.to_string()
}

/// Writes `name <address>` (RFC 5322 §3.4), the name quoted where it has to be and never encoded: JSON and forms carry
/// UTF-8.
pub(crate) fn text(mailbox: &Mailbox) -> String {
    mailbox.to_string()
}

/// Writes several, separated by commas.
pub(crate) fn list<'m>(mailboxes: impl IntoIterator<Item = &'m Mailbox>) -> String {
    mailboxes.into_iter().map(text).collect::<Vec<_>>().join(", ")
}
