//! One template and one message for many.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use posthaste_address::{EmailAddress, Envelope};
use posthaste_auth::dkim::Signer;
use posthaste_mime::{Generator, Message, MessageBuilder, Prototype, Rope};
use posthaste_template::{Program, Template};
use posthaste_transport::{Outbound, SendOptions};
use serde_json::{Map, Value};

use crate::body::BodyHasher;
use crate::stages::Stopwatch;
use crate::{CampaignError, Entry, EntryError, RunBuilder, Stages};

/// Makes one message for each [`Entry`], from a template and from what all messages have in common.
///
/// What is constant is laid out once, when the campaign is prepared: attachments are encoded, fixed headers written. A
/// message then costs one rendering, one pass over its body for the hash and one private-key operation for each key.
/// Clones share everything.
///
/// # Examples
///
/// ```
/// use posthaste_campaign::{Campaign, Entry};
/// use posthaste_mime::Message;
/// use posthaste_template::{Program, Template};
/// use serde_json::json;
///
/// let template = Template::builder().subject("Hello {{name}}").text("{{company}} says hello.").build()?;
/// let campaign = Campaign::builder(template)
///     .message(Message::builder().from("Ada <ada@example.org>".parse()?))
///     .defaults(json!({"company": "Example"}))
///     .prepare()?;
///
/// let mail = campaign.render(&Entry::new("bob@example.net".parse()?).data(json!({"name": "Bob"})))?;
/// assert_eq!(mail.envelope().recipients().len(), 1);
/// assert!(mail.message().is_some_and(|message| message.subject() == Some("Hello Bob")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Campaign {
    prepared: Arc<Prepared>,
}

struct Prepared {
    template: Template,
    prototype: Prototype,
    defaults: Value,
    mail_from: Option<EmailAddress>,
    generator: Generator,
    signing: Option<Signing>,
    stopwatch: Stopwatch,
}

/// What signatures need.
#[derive(Debug)]
struct Signing {
    signer: Signer,
    body: BodyHasher,
}

/// Holds a message that is ready to be sent, and how to send it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mail {
    /// The message in its envelope.
    pub outbound: Outbound,
    /// What the entry asked for: tags, metadata and the like.
    pub options: SendOptions,
    /// How long each stage took; all zero without [`CampaignBuilder::stopwatch`].
    pub stages: Stages,
}

impl Campaign {
    /// Begins a campaign: every message's subject, text and HTML come from `template`.
    pub fn builder(template: Template) -> CampaignBuilder {
        CampaignBuilder {
            template,
            message: MessageBuilder::default(),
            defaults: Value::Object(Map::new()),
            mail_from: None,
            generator: Generator::system(),
            signer: None,
            stopwatch: Stopwatch::default(),
        }
    }

    /// Makes the message of one entry, signed if the campaign has a signer, its bytes laid out.
    ///
    /// A signed message is bytes alone: to change it would break the signature. The entry's options are the caller's to
    /// pass on.
    ///
    /// # Errors
    ///
    /// [`EntryError`]: the template lacks a variable, the message cannot be built or signed.
    pub fn render(&self, entry: &Entry) -> Result<Outbound, EntryError> {
        self.make(entry).map(|(outbound, _)| outbound)
    }

    /// Makes the messages of many entries, on all cores, with bounded memory.
    ///
    /// Entries that their source could not make are passed through as [`EntryError::Input`].
    pub fn run<S, E>(&self, entries: S) -> RunBuilder
    where
        S: Stream<Item = Result<Entry, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        RunBuilder::new(self.clone(), entries)
    }

    /// Returns what all messages have in common.
    #[must_use]
    pub fn prototype(&self) -> &Prototype {
        &self.prepared.prototype
    }

    pub(crate) fn make(&self, entry: &Entry) -> Result<(Outbound, Stages), EntryError> {
        let Prepared {
            template,
            defaults,
            signing,
            stopwatch,
            ..
        } = &*self.prepared;
        if !matches!(entry.data, Value::Object(_) | Value::Null) {
            return Err(EntryError::Data);
        }
        let start = stopwatch.now();
        let rendered = template.render_over(defaults, &entry.data)?;
        let rendered_at = stopwatch.now();
        let mut builder = self.personal(entry).subject(rendered.subject);
        if let Some(text) = rendered.text {
            builder = builder.text(text);
        }
        if let Some(html) = rendered.html {
            builder = builder.html(html);
        }
        let message = builder.build()?;
        let envelope = self.envelope(entry, &message)?;
        let mut stages = Stages {
            render: rendered_at.saturating_sub(start),
            ..Stages::default()
        };
        let Some(signing) = signing else {
            let outbound = Outbound::with_envelope(message, envelope);
            // Here and not in the transport: this is what the workers are for.
            let _ = outbound.rope();
            stages.mime = stopwatch.now().saturating_sub(rendered_at);
            return Ok((outbound, stages));
        };
        let (header, body) = message.to_header_and_body();
        let laid_out_at = stopwatch.now();
        let hash = signing.body.hash(&body)?;
        let hashed_at = stopwatch.now();
        let now = self.prepared.generator.now();
        let signatures = signing.signer.sign_body(&header, hash, now)?;
        stages.mime = laid_out_at.saturating_sub(rendered_at);
        stages.hash = hashed_at.saturating_sub(laid_out_at);
        stages.sign = stopwatch.now().saturating_sub(hashed_at);
        let mut rope = Rope::from(Bytes::from(signatures));
        rope.push(header);
        rope.append(&body);
        Ok((Outbound::raw(envelope, rope), stages))
    }

    fn personal(&self, entry: &Entry) -> MessageBuilder {
        let mut builder = self.prepared.prototype.message().to(entry.to.clone());
        for recipient in &entry.more_to {
            builder = builder.to(recipient.clone());
        }
        for recipient in &entry.cc {
            builder = builder.cc(recipient.clone());
        }
        for recipient in &entry.bcc {
            builder = builder.bcc(recipient.clone());
        }
        for (name, value) in &entry.headers {
            builder = builder.header(name.clone(), value.clone());
        }
        for attachment in &entry.attachments {
            builder = builder.attach(attachment.clone());
        }
        if let Some(unsubscribe) = &entry.list_unsubscribe {
            builder = builder.list_unsubscribe(unsubscribe.clone());
        }
        if let Some(id) = &entry.message_id {
            builder = builder.message_id(id.clone());
        }
        builder
    }
}

impl Campaign {
    /// To all recipients once, from whom bounces go to.
    fn envelope(&self, entry: &Entry, message: &Message) -> Result<Envelope, EntryError> {
        let envelope = message.envelope()?;
        match entry.mail_from.as_ref().or(self.prepared.mail_from.as_ref()) {
            None => Ok(envelope),
            Some(mail_from) => Ok(Envelope::new(
                Some(mail_from.clone()),
                envelope.recipients().iter().cloned(),
            )?),
        }
    }
}

/// Composes a [`Campaign`].
#[derive(Clone)]
#[must_use]
pub struct CampaignBuilder {
    template: Template,
    message: MessageBuilder,
    defaults: Value,
    mail_from: Option<EmailAddress>,
    generator: Generator,
    signer: Option<Signer>,
    stopwatch: Stopwatch,
}

impl CampaignBuilder {
    /// Sets what all messages have in common: the author, fixed headers, attachments, inline pictures. Subject and
    /// bodies are the template's.
    ///
    /// Recipients that are set here, an archive in Bcc say, get every message: they are neither suppressed nor taken for
    /// repeated.
    pub fn message(mut self, message: MessageBuilder) -> Self {
        self.message = message;
        self
    }

    /// Sets a JSON object in which names are looked up that an entry's data lacks.
    pub fn defaults(mut self, defaults: Value) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets where bounces go; without it, to the sender or first author.
    pub fn mail_from(mut self, address: EmailAddress) -> Self {
        self.mail_from = Some(address);
        self
    }

    /// Sets where dates, Message-IDs and boundaries come from, and the time of signatures; without it,
    /// [`Generator::system`].
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = generator.clone();
        self
    }

    /// Signs every message.
    pub fn signer(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Measures the stages of each message with `clock`, which tells the time since any fixed moment.
    pub fn stopwatch(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.stopwatch = Stopwatch::new(clock);
        self
    }

    /// Checks and lays out what is constant.
    ///
    /// # Errors
    ///
    /// [`CampaignError`]: what all messages have in common is not what a message can hold, or the defaults are no object.
    pub fn prepare(self) -> Result<Campaign, CampaignError> {
        if !self.defaults.is_object() {
            return Err(CampaignError::Data);
        }
        let mut message = self.message.generator(&self.generator);
        for text in self.template.text().into_iter().flat_map(Program::constant_texts) {
            message = message.common_text(text);
        }
        for html in self.template.html().into_iter().flat_map(Program::constant_texts) {
            message = message.common_html(html);
        }
        let prototype = message.prepare()?;
        let signing = self.signer.map(|signer| Signing {
            body: BodyHasher::new(&signer, &prototype),
            signer,
        });
        Ok(Campaign {
            prepared: Arc::new(Prepared {
                template: self.template,
                prototype,
                defaults: self.defaults,
                mail_from: self.mail_from,
                generator: self.generator,
                signing,
                stopwatch: self.stopwatch,
            }),
        })
    }
}

/// Shows how it is made up, not what it says.
impl fmt::Debug for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Campaign")
            .field("template", &self.prepared.template.name())
            .field("prototype", &self.prepared.prototype)
            .field("signing", &self.prepared.signing)
            .finish_non_exhaustive()
    }
}

/// Shows how it is made up, not what it says.
impl fmt::Debug for CampaignBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CampaignBuilder")
            .field("template", &self.template.name())
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}
