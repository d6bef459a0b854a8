//! Who writes bounces: mail systems, and how they name themselves.

use posthaste_mime::RawMessage;

/// How much the From field and the reverse-path look like those of a mail system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    None,
    /// The reverse-path is null, or it comes from the postmaster.
    Some,
    /// It comes from MAILER-DAEMON, or names the recipients that failed.
    Sure,
}

pub(super) fn from_mail_system(mail: &RawMessage) -> Trust {
    let from = mail
        .field("from")
        .map(|field| field.decoded().to_ascii_lowercase())
        .unwrap_or_default();
    let sure = [
        "mailer-daemon",
        "mailer_daemon",
        "mail-daemon",
        "mail delivery s",
        "mail deliver system",
        "mdaemon",
    ];
    if mail.field("x-failed-recipients").is_some() || sure.iter().any(|name| from.contains(name)) {
        return Trust::Sure;
    }
    let some = [
        "postmaster",
        "post_master",
        "mail administrator",
        "maildelivery",
        "mail delivery",
        "mail-system",
    ];
    let is_null = mail
        .field("return-path")
        .is_some_and(|field| field.value().trim_ascii() == b"<>");
    if is_null || some.iter().any(|name| from.contains(name)) {
        return Trust::Some;
    }
    Trust::None
}
