//! Looks at a message before it is sent.

mod alignment;
mod body;
mod context;
mod draft;
mod header;
mod links;
mod unsubscribe;

pub use context::Context;

use posthaste_mime::{Message, RawMessage};

use crate::{Diagnosis, Finding};
use draft::Draft;

/// Looks at a message before it is sent.
///
/// # Examples
///
/// ```
/// use posthaste_doctor::{Code, Context, preflight};
/// use posthaste_mime::Message;
///
/// let message = Message::builder()
///     .from("Ada <ada@example.org>".parse()?)
///     .to("bob@example.net".parse()?)
///     .subject("News")
///     .html("<a href=\"http://example.org/\">Read on</a>")
///     .build()?;
/// let context = Context::new().bulk(true).mail_from("bounce@mail.example.org".parse()?).signed_by("example.org".parse()?);
/// let diagnosis = preflight(&message, &context);
///
/// assert!(diagnosis.has(Code::AlignOk) && diagnosis.has(Code::UnsubscribeMissing));
/// assert!(diagnosis.has(Code::LinkPlain) && diagnosis.has(Code::BodyNoText));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn preflight(message: &Message, context: &Context) -> Diagnosis {
    match Draft::of_message(message) {
        Ok(draft) => look(&draft, context),
        Err(finding) => Diagnosis::new("message", [finding]),
    }
}

/// Looks at a finished message before it is sent: as [`preflight`], and at what only finished ones can get wrong.
///
/// What its DKIM signatures say counts beside the context.
pub fn preflight_raw(message: &RawMessage, context: &Context) -> Diagnosis {
    match Draft::of_raw(message) {
        Ok(draft) => look(&draft, context),
        Err(finding) => Diagnosis::new("message", [finding]),
    }
}

fn look(draft: &Draft, context: &Context) -> Diagnosis {
    let (mut findings, author) = header::check(draft);
    if let Some(author) = &author {
        findings.extend(alignment::check(draft, context, author));
    }
    findings.extend(unsubscribe::check(draft, context));
    findings.extend(body::check(draft, context));
    let links: Vec<Finding> = links::check(draft, author.as_ref());
    findings.extend(links);
    Diagnosis::new("message", findings)
}
