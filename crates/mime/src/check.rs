//! What is looked at before a message is made.

use std::collections::HashSet;

use posthaste_address::{Address, Mailbox};

use crate::content::{Content, View};
use crate::text::refuse_controls;
use crate::{Attachment, BuildProblem, ContentId, HeaderName};

/// Finds what no message could hold in what was set; what it was added to has been looked at before.
pub(crate) fn values(content: &Content, problems: &mut Vec<BuildProblem>) {
    addresses(content, problems);
    if let Some(subject) = &content.subject {
        text("Subject", subject, problems);
    }
    headers(content, problems);
    for part in &content.inlines {
        problems.extend(part.check_type().err().map(BuildProblem::from));
    }
    if content.inlines.iter().any(|inline| inline.content_id().is_none()) {
        problems.push(BuildProblem::InlineWithoutContentId);
    }
}

/// Finds what a finished message lacks.
pub(crate) fn whole(message: View<'_>, problems: &mut Vec<BuildProblem>) {
    match message.list(|content| &content.from) {
        [] => problems.push(BuildProblem::MissingFrom),
        [_] => {}
        _ if message.one(|content| content.sender.as_ref()).is_none() => problems.push(BuildProblem::MissingSender),
        _ => {}
    }
    let inlines = message.list(|content| &content.inlines);
    if !inlines.is_empty() && message.one(|content| content.html.as_deref()).is_none() {
        problems.push(BuildProblem::InlineWithoutHtml);
    }
    if message.one(|content| content.amp.as_ref()).is_some()
        && message.one(|content| content.text.as_deref()).is_none()
        && message.one(|content| content.html.as_deref()).is_none()
    {
        problems.push(BuildProblem::AmpWithoutAlternative);
    }
    if message.one(|content| content.report.as_ref()).is_some()
        && !message.list(|content| &content.attachments).is_empty()
    {
        problems.push(BuildProblem::ReportWithAttachments);
    }
    headers_set_twice(message, problems);
    let own = message.own;
    if !own.inlines.is_empty() || !own.attachments.is_empty() {
        content_ids(message, problems);
    }
}

/// Finds free headers that are set by their own methods too.
pub(crate) fn headers_set_twice(message: View<'_>, problems: &mut Vec<BuildProblem>) {
    let headers = message.list(|content| &content.headers);
    if headers.is_empty() {
        return;
    }
    let commands = message.one(|content| content.list_commands.as_ref());
    let lists = commands
        .into_iter()
        .flat_map(|commands| commands.fields().map(|(name, _)| name));
    let others = [
        (
            "Precedence",
            message.one(|content| content.precedence.as_ref()).is_some(),
        ),
        (
            "Importance",
            message.one(|content| content.importance.as_ref()).is_some(),
        ),
        (
            "Feedback-ID",
            message.one(|content| content.feedback_id.as_ref()).is_some(),
        ),
    ];
    for set in others
        .into_iter()
        .filter(|(_, set)| *set)
        .map(|(name, _)| name)
        .chain(lists)
    {
        let again = headers.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(set));
        problems.extend(again.map(|(name, _)| BuildProblem::Repeated { name: name.clone() }));
    }
}

/// Finds Content-IDs that stand for two parts.
pub(crate) fn content_ids(message: View<'_>, problems: &mut Vec<BuildProblem>) {
    let mut seen: HashSet<&ContentId> = HashSet::new();
    let inlines = message.list(|content| &content.inlines);
    let parts = inlines.iter().chain(message.list(|content| &content.attachments));
    for id in parts.filter_map(Attachment::content_id) {
        if !seen.insert(id) {
            problems.push(BuildProblem::RepeatedContentId { id: id.clone() });
        }
    }
}

fn text(field: &'static str, text: &str, problems: &mut Vec<BuildProblem>) {
    problems.extend(refuse_controls(field, text, true).err().map(BuildProblem::from));
}

fn names(field: &'static str, mailboxes: &[Mailbox], problems: &mut Vec<BuildProblem>) {
    for name in mailboxes.iter().filter_map(Mailbox::name) {
        text(field, name, problems);
    }
}

fn addresses(content: &Content, problems: &mut Vec<BuildProblem>) {
    names("From", &content.from, problems);
    names("Sender", content.sender.as_slice(), problems);
    names("Reply-To", &content.reply_to, problems);
    for (field, addresses) in [("To", &content.to), ("Cc", &content.cc)] {
        for address in addresses {
            if let Address::Group(group) = address {
                text(field, group.name(), problems);
            }
            names(field, address.mailboxes(), problems);
        }
    }
}

fn headers(content: &Content, problems: &mut Vec<BuildProblem>) {
    let mut seen: HashSet<&HeaderName> = HashSet::new();
    for (name, _) in &content.headers {
        if let Some(instead) = name.reserved() {
            problems.push(BuildProblem::Reserved {
                name: name.clone(),
                instead,
            });
        } else if !name.may_repeat() && !seen.insert(name) {
            problems.push(BuildProblem::Repeated { name: name.clone() });
        }
    }
}
