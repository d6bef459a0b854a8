//! The pages themselves. Nothing of a mail gets into them unescaped.

use std::fmt::Write;

use bytes::Bytes;
use posthaste_mime::{Base64Alphabet, RawMessage, RawPart, Rope};

use crate::{Outbound, SendOptions};

/// Nothing runs and nothing is loaded; styles and images are those of the page. The frame inherits it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.1rem 1rem .1rem 0}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:1rem}\
iframe{width:100%;height:30rem;border:1px solid #999;background:#fff}";

/// The first words of such elements, in the order of the HTML standard.
const CONNECTING: &[&str] = &[
    "base",
    "link",
    "meta",
    "iframe",
    "embed",
    "object",
    "frame",
    "portal",
    "fencedframe",
];

/// Names in links are not looked up before somebody follows them.
const NO_PREFETCH: &str = "<meta http-equiv=\"x-dns-prefetch-control\" content=\"off\">";

/// The most octets of pictures that a page shows in its HTML.
const MAX_PICTURES: usize = 16 << 20;

/// What the index says of a page.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) file: String,
    subject: String,
    recipients: String,
    length: u64,
}

/// Makes the page of a mail of which `shown` is the beginning, out of `length` octets.
pub(super) fn page(mail: &Outbound, options: &SendOptions, shown: Vec<u8>, length: u64) -> (String, Entry) {
    let source = Bytes::from(shown);
    let message = RawMessage::parse(source.clone()).ok();
    let subject = message
        .as_ref()
        .and_then(|message| message.field("Subject"))
        .map(|field| field.decoded())
        .unwrap_or_default();
    let recipients = mail
        .envelope()
        .recipients()
        .iter()
        .map(|recipient| recipient.address().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let sender = mail.envelope().mail_from().map(ToString::to_string).unwrap_or_default();
    let mut page = head(&subject);
    let mut rows = vec![
        ("From (envelope)", format!("<{sender}>")),
        ("To (envelope)", recipients.clone()),
        ("Size", format!("{length} octets")),
    ];
    if !options.tags().is_empty() {
        rows.push(("Tags", options.tags().join(", ")));
    }
    page.push_str("<table>");
    for (name, value) in rows {
        row(&mut page, name, &value);
    }
    page.push_str("</table>\n<h2>Headers</h2>\n<table>");
    for field in message.iter().flat_map(RawMessage::fields) {
        row(&mut page, field.name(), &field.decoded());
    }
    page.push_str("</table>\n");
    let parts = message
        .as_ref()
        .and_then(|message| message.own_parts().ok())
        .unwrap_or_default();
    bodies(&mut page, &parts);
    page.push_str("<h2>Source</h2>\n");
    let cut = u64::try_from(source.len()).unwrap_or(u64::MAX) < length;
    if cut {
        let _ = writeln!(page, "<p>Only the first {} octets are shown.</p>", source.len());
    }
    let _ = writeln!(
        page,
        "<pre>{}</pre>\n</body></html>",
        escape(&String::from_utf8_lossy(&source))
    );
    let entry = Entry {
        file: String::new(),
        subject,
        recipients,
        length,
    };
    (page, entry)
}

/// Makes the page that lists pages.
pub(super) fn index<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    let mut page = head("Mails");
    page.push_str("<table><tr><th>Subject</th><th>To</th><th>Octets</th></tr>\n");
    for entry in entries {
        let subject = match entry.subject.trim() {
            "" => "(no subject)",
            subject => subject,
        };
        let _ = writeln!(
            page,
            "<tr><td><a href=\"{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            escape(&entry.file),
            escape(subject),
            escape(&entry.recipients),
            entry.length
        );
    }
    page.push_str("</table>\n</body></html>\n");
    page
}

fn head(title: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    )
}

fn row(page: &mut String, name: &str, value: &str) {
    let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value));
}

/// Writes what is read, and lists what is not.
fn bodies(page: &mut String, parts: &[RawPart]) {
    let mut attached = String::new();
    for part in parts.iter().filter(|part| !part.is_multipart()) {
        let text = (!part.is_attachment()).then(|| part.text()).flatten();
        match (part.content_type(), text) {
            ("text/plain", Some(text)) => {
                let _ = writeln!(page, "<h2>Text</h2>\n<pre>{}</pre>", escape(&text));
            }
            ("text/html", Some(html)) => {
                // Without `allow-...` words there are no scripts, forms, pop-ups or ways out of the frame.
                let html = with_pictures(&without_connections(&html), parts);
                let _ = writeln!(
                    page,
                    "<h2>HTML</h2>\n<iframe sandbox=\"\" srcdoc=\"{}{}\"></iframe>",
                    escape(NO_PREFETCH),
                    escape(&html)
                );
            }
            (kind, _) => {
                let name = part.file_name().unwrap_or("(no name)");
                let size = format!("{kind}, {} octets", part.decoded_len());
                row(&mut attached, name, &size);
            }
        }
    }
    if !attached.is_empty() {
        let _ = writeln!(page, "<h2>Attachments</h2>\n<table>{attached}</table>");
    }
}

/// Renames the elements for which browsers open connections although the policy forbids what they load: somebody would learn
/// that the mail was looked at.
fn without_connections(html: &str) -> String {
    let mut shown = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        shown.push_str(before);
        shown.push('<');
        rest = match after.strip_prefix('/') {
            Some(name) => {
                shown.push('/');
                name
            }
            None => after,
        };
        let begins = |name: &&str| {
            rest.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        if CONNECTING.iter().any(begins) {
            shown.push_str("x-");
        }
    }
    shown.push_str(rest);
    shown
}

/// Puts the message's own pictures where the HTML names them by their Content-ID (RFC 2392), as far as there is room.
fn with_pictures(html: &str, parts: &[RawPart]) -> String {
    let mut shown = String::with_capacity(html.len());
    let (mut rest, mut room) = (html, MAX_PICTURES);
    while let Some((before, after)) = rest.split_once("cid:") {
        shown.push_str(before);
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ')' | '>' | '<');
        let (id, behind) = after.split_at(after.find(is_end).unwrap_or(after.len()));
        let picture = parts.iter().find(|part| {
            let field = part.field("Content-ID").map(|field| field.decoded());
            let own = field.as_deref().map(|own| own.trim().trim_matches(['<', '>']));
            part.content_type().starts_with("image/") && own == Some(id)
        });
        match picture.filter(|part| part.decoded_len() <= room) {
            Some(part) => {
                let octets = Rope::from(part.decoded().into_owned());
                room = room.saturating_sub(part.decoded_len());
                let encoded = octets
                    .to_base64(Base64Alphabet::Standard)
                    .to_bytes()
                    .unwrap_or_default();
                let encoded = String::from_utf8_lossy(&encoded);
                let _ = write!(shown, "data:{};base64,{encoded}", part.content_type());
            }
            None => {
                shown.push_str("cid:");
                shown.push_str(id);
            }
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Makes text that is text in an element and in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\0' => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}
