//! What many messages have in common, laid out once.

use std::sync::Arc;

use bytes::Bytes;

use crate::content::{Content, View};
use crate::layout::{self, Constant};
use crate::{Generator, MessageBuilder};

/// Holds what many messages have in common: checked, and laid out once.
///
/// A message made from it costs what is its own: its attachments are encoded already and shared by all messages, its
/// fixed headers and the headers of its parts are written. What it says is exactly what the same setters would have made
/// it say. Clones share everything.
///
/// All messages of a prototype have the same MIME boundary, made from random bits when it is prepared; a message in whose
/// text it stands gets another.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Attachment, ContentType, Message};
///
/// let prototype = Message::builder()
///     .from("Ada <ada@example.org>".parse()?)
///     .attach(Attachment::new("terms.pdf", ContentType::parse("application/pdf")?, &b"%PDF-1.7"[..])?)
///     .prepare()?;
/// for name in ["bob", "carol"] {
///     let message = prototype
///         .message()
///         .to(format!("{name}@example.net").parse()?)
///         .subject(format!("Hello {name}"))
///         .text("The terms have changed.")
///         .build()?;
///     assert_eq!(message.attachments().len(), 1);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Prototype {
    prepared: Arc<Prepared>,
}

struct Prepared {
    content: Content,
    generator: Generator,
    constant: Constant,
}

impl Prototype {
    pub(crate) fn new(content: Content, generator: Generator) -> Self {
        let view = View {
            own: &content,
            base: None,
        };
        let constant = layout::constant(view, generator.next_id());
        Self {
            prepared: Arc::new(Prepared {
                content,
                generator,
                constant,
            }),
        }
    }

    /// Begins a message that has everything that the prototype has. What is set then replaces or adds to it, as in one
    /// builder.
    pub fn message(&self) -> MessageBuilder {
        MessageBuilder::on(self.clone())
    }

    /// Returns the encoded attachments and inline parts that messages share as chunks of their own; those that are read
    /// when they are needed are not among them.
    pub fn shared_chunks(&self) -> impl Iterator<Item = &Bytes> {
        let content = &self.prepared.content;
        let parts = content.inlines.iter().chain(&content.attachments);
        parts.filter_map(|part| part.encoded_in_memory().map(|(_, chunk)| chunk))
    }

    /// Returns the chunks with which the body of a message begins, to which no attachment was added: those of the
    /// attachments, if they come [first](MessageBuilder::attachments_first) and are in memory, else none.
    pub fn leading_chunks(&self) -> impl Iterator<Item = &Bytes> {
        let first = self.prepared.content.attachments_first;
        let attachments = first.then(|| self.prepared.constant.attachments().in_memory());
        attachments.flatten().into_iter().flatten()
    }

    pub(crate) fn content(&self) -> &Content {
        &self.prepared.content
    }

    pub(crate) fn generator(&self) -> &Generator {
        &self.prepared.generator
    }

    pub(crate) fn constant(&self) -> &Constant {
        &self.prepared.constant
    }
}

/// Shows how much there is, not what it says.
impl std::fmt::Debug for Prototype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prototype")
            .field("from", &self.prepared.content.from)
            .field("attachments", &self.prepared.content.attachments.len())
            .field("inlines", &self.prepared.content.inlines.len())
            .finish_non_exhaustive()
    }
}
