//! The tree of parts.

use bytes::Bytes;
use memchr::memmem::Finder;

use super::boundary::{DELIMITER_MARK, Multipart, amp, calendar, html, text};
use super::headers::plain;
use super::{Constant, Layout, Shared};
use crate::body::{self, CommonLines, Transfer};
use crate::fold::Field;
use crate::readable::{Body, Written};
use crate::rope::{Piece, Rope};
use crate::{Attachment, Report, charset, parameter};

impl<'a> Layout<'a> {
    /// Writes mixed(body, attachments), or the body alone if there are no attachments; or report(body, report, what comes
    /// back).
    pub(super) fn body(&mut self) {
        if let Some(report) = self.content.one(|content| content.report.as_ref()) {
            return self.report(report);
        }
        if self.content.list(|content| &content.attachments).is_empty() {
            return self.readable();
        }
        self.begin(Multipart::Mixed, "mixed");
        let first = self.content.own.attachments_first || self.content.base.is_some_and(|base| base.attachments_first);
        if first {
            self.attachments();
        }
        if self.alternatives() > 0 {
            self.delimiter(Multipart::Mixed);
            self.readable();
        }
        if !first {
            self.attachments();
        }
        self.end(Multipart::Mixed);
    }

    /// Writes the report in its three parts (RFC 6522 §3).
    pub(super) fn report(&mut self, report: &Report) {
        self.begin(Multipart::Report, report.multipart());
        self.delimiter(Multipart::Report);
        self.readable();
        self.delimiter(Multipart::Report);
        match report.file() {
            Some(file) => self.attachment(file, "attachment"),
            None => self.seven_bit(report.essence(), report.field_bytes()),
        }
        if let Some(returned) = report.returned() {
            self.delimiter(Multipart::Report);
            self.seven_bit(returned.essence(), returned.octets());
        }
        self.end(Multipart::Report);
    }

    /// Writes a part that is written as it is.
    pub(super) fn seven_bit(&mut self, essence: &str, octets: &Bytes) {
        self.write(["Content-Type: ", essence, "\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"]);
        self.share(Piece::Held(octets.clone()));
    }

    /// How many bodies there are that say the same.
    pub(super) fn alternatives(&self) -> usize {
        let content = self.content;
        usize::from(text(content).is_some())
            + usize::from(html(content).is_some())
            + usize::from(amp(content).is_some())
            + usize::from(calendar(content).is_some())
    }

    /// Writes alternative(text, amp, html, calendar), or the one of them that there is; an empty text if there is none.
    pub(super) fn readable(&mut self) {
        let content = self.content;
        let several = self.alternatives() > 1;
        if several {
            self.begin(Multipart::Alternative, "alternative");
        }
        let text = text(content).or_else(|| (self.alternatives() == 0).then_some(""));
        if let Some(text) = text {
            self.alternative(several);
            self.text(text);
        }
        if let Some(amp) = amp(content) {
            self.alternative(several);
            self.typed_text("text/x-amp-html; charset=utf-8", amp, &[]);
        }
        if let Some(html) = html(content) {
            self.alternative(several);
            self.html(html);
        }
        if let Some(calendar) = calendar(content) {
            self.alternative(several);
            let type_line = format!("text/calendar; method={}; charset=utf-8", calendar.method());
            self.typed_text(&type_line, calendar.as_str(), &[]);
        }
        if several {
            self.end(Multipart::Alternative);
        }
    }

    pub(super) fn alternative(&mut self, several: bool) {
        if several {
            self.delimiter(Multipart::Alternative);
        }
    }

    /// Writes related(html, inline parts), or the HTML alone if there are none (RFC 2387).
    pub(super) fn html(&mut self, html: &str) {
        if self.content.list(|content| &content.inlines).is_empty() {
            return self.html_text(html);
        }
        self.begin(Multipart::Related, "related; type=\"text/html\"");
        self.delimiter(Multipart::Related);
        self.html_text(html);
        self.inlines();
        self.end(Multipart::Related);
    }

    pub(super) fn text(&mut self, text: &str) {
        match self.readable.and_then(|readable| readable.text.as_ref()) {
            Some(written) => self.written(written),
            None => self.typed_text(
                "text/plain; charset=utf-8",
                text,
                self.common(|constant| &constant.common_text),
            ),
        }
    }

    pub(super) fn html_text(&mut self, html: &str) {
        match self.readable.and_then(|readable| readable.html.as_ref()) {
            Some(written) => self.written(written),
            None => self.typed_text(
                "text/html; charset=utf-8",
                html,
                self.common(|constant| &constant.common_html),
            ),
        }
    }

    /// Writes a body that is not as it was given.
    pub(super) fn written(&mut self, written: &Written) {
        self.write(["Content-Type: ", written.type_line(), "\r\n"]);
        match written.body() {
            Body::Utf8(text) => self.encoded(text, &[]),
            Body::Octets(octets) => {
                self.marked |= Finder::new(DELIMITER_MARK).find(octets).is_some();
                let before = self.out.len();
                charset::write_octets(octets, &mut self.out);
                if let Some(counted) = &mut self.counted {
                    *counted += u64::try_from(self.out.len() - before).unwrap_or(u64::MAX);
                    self.out.truncate(before);
                }
            }
        }
    }

    pub(super) fn typed_text(&mut self, type_line: &str, text: &str, common: &[CommonLines]) {
        self.write(["Content-Type: ", type_line, "\r\n"]);
        self.encoded(text, common);
    }

    /// What bodies have in common in messages of the prototype, if there is one.
    pub(super) fn common(&self, of: fn(&Constant) -> &[CommonLines]) -> &'a [CommonLines] {
        self.constant.map_or(&[], of)
    }

    /// Writes `Content-Transfer-Encoding`, an empty line and the body.
    pub(super) fn encoded(&mut self, text: &str, common: &[CommonLines]) {
        let transfer = match &mut self.counted {
            Some(counted) => {
                let (transfer, length) = body::encoded_len(text);
                *counted += u64::try_from(length).unwrap_or(u64::MAX);
                transfer
            }
            None => body::write_encoded(text, common, &mut self.out),
        };
        self.marked |= transfer == Transfer::SevenBit && text.contains(DELIMITER_MARK);
    }

    pub(super) fn attachments(&mut self) {
        match self.constant {
            Some(constant) if self.content.is_inherited(|content| &content.attachments) => {
                self.constant(&constant.attachments);
            }
            _ => {
                for attachment in self.content.list(|content| &content.attachments) {
                    self.delimiter(Multipart::Mixed);
                    self.attachment(attachment, "attachment");
                }
            }
        }
    }

    pub(super) fn inlines(&mut self) {
        match self.constant {
            Some(constant) if self.content.is_inherited(|content| &content.inlines) => {
                self.constant(&constant.inlines);
            }
            _ => {
                for inline in self.content.list(|content| &content.inlines) {
                    self.delimiter(Multipart::Related);
                    self.attachment(inline, "inline");
                }
            }
        }
    }

    /// Has `parts` stand here; the line break before their first delimiter is the header's last one if nothing else is
    /// between.
    pub(super) fn constant(&mut self, parts: &'a Rope) {
        self.write(["\r\n"]);
        match &mut self.counted {
            Some(counted) => *counted = counted.saturating_add(parts.len()),
            None => self.shared.push((self.out.len(), Shared::Constant(parts))),
        }
    }

    pub(super) fn attachment(&mut self, attachment: &Attachment, disposition: &str) {
        let out = &mut self.out;
        let content_type = attachment.content_type();
        let mut field = Field::begin(out, "Content-Type");
        field.word_and(content_type.essence(), 1);
        for (name, value) in content_type.parameters() {
            parameter::write(&mut field, name, value, name == "name");
        }
        field.end();
        let mut field = Field::begin(out, "Content-Disposition");
        field.word_and(disposition, 1);
        if let Some(file_name) = attachment.file_name() {
            parameter::write(&mut field, "filename", file_name.as_str(), true);
        }
        field.end();
        if let Some(id) = attachment.content_id() {
            plain(out, "Content-ID", &id.to_string());
        }
        if let Some(description) = attachment.description_text() {
            let mut field = Field::begin(out, "Content-Description");
            field.unstructured(description);
            field.end();
        }
        if let Some(counted) = &mut self.counted {
            let head = attachment.transfer().head();
            *counted = counted.saturating_add(attachment.encoded_len());
            out.extend_from_slice(head);
            return;
        }
        let (transfer, encoded) = attachment.encoded();
        out.extend_from_slice(transfer.head());
        self.shared.push((self.out.len(), Shared::Encoded(encoded)));
    }
}
