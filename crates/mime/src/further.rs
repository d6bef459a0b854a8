//! The header fields beyond those that every API has a field of its own for.

use std::borrow::Cow;

use crate::{Message, MessageId};

impl Message {
    /// Goes through the header fields beyond From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID and those of the
    /// parts: In-Reply-To, References, the list's, and those that were set freely; each name with its text, unfolded and
    /// not encoded. For providers that take such fields one by one.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_mime::{HeaderName, HeaderValue, Message, Precedence};
    ///
    /// let message = Message::builder()
    ///     .from("ada@example.org".parse()?)
    ///     .precedence(Precedence::Bulk)
    ///     .header(HeaderName::new("X-Shop")?, HeaderValue::new("caf\u{e9}")?)
    ///     .build()?;
    /// let fields: Vec<_> = message.further_fields().collect();
    /// assert_eq!(fields, [("Precedence", "bulk".into()), ("X-Shop", "caf\u{e9}".into())]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn further_fields(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let ids = |name, ids: &[MessageId]| (!ids.is_empty()).then(|| (name, Cow::Owned(message_ids(ids))));
        let thread = [
            ids("In-Reply-To", self.in_reply_to()),
            ids("References", self.references()),
        ];
        let list_id = self.list_id().map(|list| {
            let id = list.as_str();
            let text = match list.description_text() {
                Some(description) => format!("{} <{id}>", quoted(description)),
                None => format!("<{id}>"),
            };
            ("List-Id", Cow::Owned(text))
        });
        let unsubscribe = self.list_unsubscribe();
        let how = unsubscribe.map(|how| ("List-Unsubscribe", Cow::Owned(uris(how.uris()))));
        let one_click = unsubscribe
            .filter(|how| how.is_one_click())
            .map(|_| ("List-Unsubscribe-Post", Cow::Borrowed("List-Unsubscribe=One-Click")));
        let commands = self
            .list_commands()
            .into_iter()
            .flat_map(|commands| commands.fields())
            .map(|(name, targets)| (name, Cow::Owned(uris(targets.iter().map(String::as_str)))));
        let marks = [
            self.auto_submitted().map(|kind| ("Auto-Submitted", kind.as_str())),
            self.precedence().map(|precedence| ("Precedence", precedence.as_str())),
            self.importance().map(|importance| ("Importance", importance.as_str())),
            self.feedback_id().map(|id| ("Feedback-ID", id.as_str())),
        ];
        let marks = marks
            .into_iter()
            .flatten()
            .map(|(name, value)| (name, Cow::Borrowed(value)));
        let free = self
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
        thread
            .into_iter()
            .flatten()
            .chain(list_id)
            .chain(how)
            .chain(one_click)
            .chain(commands)
            .chain(marks)
            .chain(free)
    }
}

fn message_ids(ids: &[MessageId]) -> String {
    ids.iter()
        .map(|id| format!("<{}>", id.as_str()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Writes URIs as RFC 2369 §2 does; none at all is the `NO` of List-Post.
fn uris<'u>(uris: impl Iterator<Item = &'u str>) -> String {
    let list: Vec<String> = uris.map(|uri| format!("<{uri}>")).collect();
    if list.is_empty() {
        "NO".to_owned()
    } else {
        list.join(", ")
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use crate::{AutoSubmitted, HeaderName, HeaderValue, ListCommands, ListId, ListUnsubscribe, Message, MessageId};

    #[test]
    fn they_are_what_the_message_writes() {
        let message = Message::builder()
            .from("ada@example.org".parse().unwrap())
            .to("bob@example.net".parse().unwrap())
            .subject("Hello")
            .in_reply_to(MessageId::parse("<a@example.org>").unwrap())
            .references([
                MessageId::parse("<b@example.org>").unwrap(),
                MessageId::parse("<a@example.org>").unwrap(),
            ])
            .list_id(
                ListId::new("news.example.org")
                    .unwrap()
                    .description("The \"News\"")
                    .unwrap(),
            )
            .list_unsubscribe(
                ListUnsubscribe::new(["https://example.org/u", "mailto:u@example.org"])
                    .unwrap()
                    .one_click()
                    .unwrap(),
            )
            .list_commands(
                ListCommands::new()
                    .help(["https://example.org/h"])
                    .unwrap()
                    .no_posting(),
            )
            .auto_submitted(AutoSubmitted::Generated)
            .header(HeaderName::new("X-A").unwrap(), HeaderValue::new("1").unwrap())
            .text("text")
            .build()
            .unwrap();
        let fields: Vec<String> = message
            .further_fields()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        // The same fields, with the same text, stand in the bytes.
        let bytes = message.to_bytes().unwrap();
        let written = String::from_utf8_lossy(&bytes).replace("\r\n ", " ");
        for field in &fields {
            assert!(written.contains(&format!("{field}\r\n")), "{field} in {written}");
        }
        assert_eq!(fields.len(), 9);
    }

    #[test]
    fn a_plain_message_has_none() {
        let message = Message::builder()
            .from("ada@example.org".parse().unwrap())
            .to("bob@example.net".parse().unwrap())
            .subject("Hello")
            .text("text")
            .build()
            .unwrap();
        assert_eq!(message.further_fields().count(), 0);
    }
}
