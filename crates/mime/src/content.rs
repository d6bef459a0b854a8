//! What a message says, as far as it was said.

use posthaste_address::{Address, Mailbox};

use crate::{
    Attachment, AutoSubmitted, Calendar, Charset, FeedbackId, Flowed, HeaderName, HeaderValue, Importance,
    ListCommands, ListId, ListUnsubscribe, MessageId, Precedence, Report,
};

/// Holds what was set, of a message or of a prototype.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) from: Vec<Mailbox>,
    pub(crate) sender: Option<Mailbox>,
    pub(crate) reply_to: Vec<Mailbox>,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) bcc: Vec<Mailbox>,
    pub(crate) subject: Option<String>,
    pub(crate) in_reply_to: Vec<MessageId>,
    pub(crate) references: Vec<MessageId>,
    pub(crate) list_id: Option<ListId>,
    pub(crate) list_unsubscribe: Option<ListUnsubscribe>,
    pub(crate) list_commands: Option<ListCommands>,
    pub(crate) auto_submitted: Option<AutoSubmitted>,
    pub(crate) precedence: Option<Precedence>,
    pub(crate) importance: Option<Importance>,
    pub(crate) feedback_id: Option<FeedbackId>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) amp: Option<String>,
    pub(crate) calendar: Option<Calendar>,
    pub(crate) report: Option<Report>,
    pub(crate) text_from_html: bool,
    pub(crate) flowed: Option<Flowed>,
    pub(crate) subject_charset: Option<Charset>,
    pub(crate) text_charset: Option<Charset>,
    pub(crate) html_charset: Option<Charset>,
    pub(crate) inlines: Vec<Attachment>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) attachments_first: bool,
    /// What text and HTML bodies are said to have word for word.
    pub(crate) common_text: Vec<String>,
    pub(crate) common_html: Vec<String>,
}

impl Content {
    /// Puts what `base` holds before what was added to it, list by list.
    ///
    /// A list to which nothing was added stays empty: the message reads it from its base.
    pub(crate) fn add_to(&mut self, base: &Self) {
        put_before(&mut self.from, &base.from);
        put_before(&mut self.reply_to, &base.reply_to);
        put_before(&mut self.to, &base.to);
        put_before(&mut self.cc, &base.cc);
        put_before(&mut self.bcc, &base.bcc);
        put_before(&mut self.in_reply_to, &base.in_reply_to);
        put_before(&mut self.references, &base.references);
        put_before(&mut self.headers, &base.headers);
        put_before(&mut self.inlines, &base.inlines);
        put_before(&mut self.attachments, &base.attachments);
        self.attachments_first |= base.attachments_first;
        self.text_from_html |= base.text_from_html;
    }

    /// Takes over what `base` holds and this does not.
    pub(crate) fn inherit(&mut self, base: &Self) {
        self.add_to(base);
        take(&mut self.from, &base.from);
        take(&mut self.reply_to, &base.reply_to);
        take(&mut self.to, &base.to);
        take(&mut self.cc, &base.cc);
        take(&mut self.bcc, &base.bcc);
        take(&mut self.in_reply_to, &base.in_reply_to);
        take(&mut self.references, &base.references);
        take(&mut self.headers, &base.headers);
        take(&mut self.inlines, &base.inlines);
        take(&mut self.attachments, &base.attachments);
        self.common_text.splice(0..0, base.common_text.iter().cloned());
        self.common_html.splice(0..0, base.common_html.iter().cloned());
        self.sender = self.sender.take().or_else(|| base.sender.clone());
        self.subject = self.subject.take().or_else(|| base.subject.clone());
        self.list_id = self.list_id.take().or_else(|| base.list_id.clone());
        self.list_unsubscribe = self.list_unsubscribe.take().or_else(|| base.list_unsubscribe.clone());
        self.list_commands = self.list_commands.take().or_else(|| base.list_commands.clone());
        self.auto_submitted = self.auto_submitted.or(base.auto_submitted);
        self.precedence = self.precedence.or(base.precedence);
        self.importance = self.importance.or(base.importance);
        self.feedback_id = self.feedback_id.take().or_else(|| base.feedback_id.clone());
        self.text = self.text.take().or_else(|| base.text.clone());
        self.html = self.html.take().or_else(|| base.html.clone());
        self.amp = self.amp.take().or_else(|| base.amp.clone());
        self.calendar = self.calendar.take().or_else(|| base.calendar.clone());
        self.report = self.report.take().or_else(|| base.report.clone());
        self.flowed = self.flowed.or(base.flowed);
        self.subject_charset = self.subject_charset.or(base.subject_charset);
        self.text_charset = self.text_charset.or(base.text_charset);
        self.html_charset = self.html_charset.or(base.html_charset);
    }
}

fn take<T: Clone>(own: &mut Vec<T>, base: &[T]) {
    if own.is_empty() {
        own.extend_from_slice(base);
    }
}

fn put_before<T: Clone>(added: &mut Vec<T>, base: &[T]) {
    if !added.is_empty() && !base.is_empty() {
        added.splice(0..0, base.iter().cloned());
    }
}

/// Reads a message's content: its own, or else that of the prototype it was made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) own: &'a Content,
    pub(crate) base: Option<&'a Content>,
}

impl<'a> View<'a> {
    /// Returns a list: complete if the message has one of its own, else its base's.
    pub(crate) fn list<T>(self, of: fn(&Content) -> &[T]) -> &'a [T] {
        match self.base {
            Some(base) if of(self.own).is_empty() => of(base),
            _ => of(self.own),
        }
    }

    /// Returns a thing of which there is one.
    pub(crate) fn one<T: ?Sized>(self, of: fn(&Content) -> Option<&T>) -> Option<&'a T> {
        of(self.own).or_else(|| self.base.and_then(of))
    }

    /// Tells whether the base has such a list and the message added nothing to it.
    pub(crate) fn is_inherited<T>(self, of: fn(&Content) -> &[T]) -> bool {
        of(self.own).is_empty() && self.base.is_some_and(|base| !of(base).is_empty())
    }
}
