//! Header fields, in the order in which they are written.

use super::Layout;
use crate::charset;
use crate::fold::Field;
use crate::message::Finished;

impl Layout<'_> {
    pub(super) fn headers(&mut self, message: &Finished) {
        let content = self.content;
        let own = content.own;
        match self.constant {
            Some(constant) if own.from.is_empty() && own.sender.is_none() && own.reply_to.is_empty() => {
                self.out.extend_from_slice(&constant.authors);
            }
            _ => self.authors(),
        }
        let out = &mut self.out;
        for (name, addresses) in [
            ("To", content.list(|content| &content.to)),
            ("Cc", content.list(|content| &content.cc)),
        ] {
            if !addresses.is_empty() {
                let mut field = Field::begin(out, name);
                field.addresses(addresses);
                field.end();
            }
        }
        if let Some(subject) = content.one(|content| content.subject.as_deref()) {
            let mut field = Field::begin(out, "Subject");
            match content.one(|content| content.subject_charset.as_ref()) {
                Some(subject_charset) => charset::unstructured(&mut field, subject, *subject_charset),
                None => field.unstructured(subject),
            }
            field.end();
        }
        plain(out, "Date", &message.date_text);
        // One word, which stays beside the name.
        for piece in ["Message-ID: <", message.message_id.as_str(), ">\r\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
        for (name, ids) in [
            ("In-Reply-To", content.list(|content| &content.in_reply_to)),
            ("References", content.list(|content| &content.references)),
        ] {
            if !ids.is_empty() {
                let mut field = Field::begin(out, name);
                for id in ids {
                    field.word(&id.to_string());
                }
                field.end();
            }
        }
        self.list_headers();
        match self.constant {
            Some(constant) if content.is_inherited(|content| &content.headers) => {
                self.out.extend_from_slice(&constant.headers);
            }
            _ => self.free_headers(),
        }
        self.out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }

    pub(super) fn authors(&mut self) {
        let (content, out) = (self.content, &mut self.out);
        let from = content.list(|content| &content.from);
        if !from.is_empty() {
            let mut field = Field::begin(out, "From");
            field.mailboxes(from);
            field.end();
        }
        if let Some(sender) = content.one(|content| content.sender.as_ref()) {
            let mut field = Field::begin(out, "Sender");
            field.mailbox(sender);
            field.end();
        }
        let reply_to = content.list(|content| &content.reply_to);
        if !reply_to.is_empty() {
            let mut field = Field::begin(out, "Reply-To");
            field.mailboxes(reply_to);
            field.end();
        }
    }

    pub(super) fn list_headers(&mut self) {
        let (content, out) = (self.content, &mut self.out);
        if let Some(list) = content.one(|content| content.list_id.as_ref()) {
            let mut field = Field::begin(out, "List-Id");
            if let Some(description) = list.description_text() {
                field.phrase(description);
            }
            field.word(&format!("<{}>", list.as_str()));
            field.end();
        }
        if let Some(unsubscribe) = content.one(|content| content.list_unsubscribe.as_ref()) {
            uri_field(out, "List-Unsubscribe", unsubscribe.uris());
            if unsubscribe.is_one_click() {
                plain(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
            }
        }
        if let Some(commands) = content.one(|content| content.list_commands.as_ref()) {
            for (name, uris) in commands.fields() {
                uri_field(out, name, uris.iter().map(String::as_str));
            }
        }
        if let Some(auto_submitted) = content.one(|content| content.auto_submitted.as_ref()) {
            plain(out, "Auto-Submitted", auto_submitted.as_str());
        }
        if let Some(precedence) = content.one(|content| content.precedence.as_ref()) {
            plain(out, "Precedence", precedence.as_str());
        }
        if let Some(importance) = content.one(|content| content.importance.as_ref()) {
            plain(out, "Importance", importance.as_str());
        }
        if let Some(id) = content.one(|content| content.feedback_id.as_ref()) {
            plain(out, "Feedback-ID", id.as_str());
        }
    }

    pub(super) fn free_headers(&mut self) {
        for (name, value) in self.content.list(|content| &content.headers) {
            let mut field = Field::begin(&mut self.out, name.as_str());
            if value.is_structured() {
                field.words(value.as_str());
            } else {
                field.unstructured(value.as_str());
            }
            field.end();
        }
    }
}

pub(super) fn uri_field<'u>(out: &mut Vec<u8>, name: &str, uris: impl Iterator<Item = &'u str>) {
    let mut field = Field::begin(out, name);
    let mut uris = uris.peekable();
    if uris.peek().is_none() {
        field.words("NO");
    }
    while let Some(uri) = uris.next() {
        field.word_and(&format!("<{uri}>"), 1);
        if uris.peek().is_some() {
            field.glue_byte(b',');
        }
    }
    field.end();
}

pub(super) fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut field = Field::begin(out, name);
    field.words(value);
    field.end();
}
