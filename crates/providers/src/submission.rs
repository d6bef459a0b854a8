//! What an adapter encodes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::SystemTime;

use posthaste_address::{Address, EmailAddress, Mailbox};
use posthaste_mime::{Message, Rope};
use posthaste_transport::{
    Content, Disposition, ErrorKind, Feature, Outbound, Plan, SendError, SendOptions, Shortfall, Unsupported,
};
use serde_json::{Map, Value};

use crate::{HttpRequest, Json, Personal};

/// One request's worth of mail, with everything an adapter may want to know, checked against what the provider can do.
///
/// It is a row of [`Copy`](struct@Copy)s: one, if recipients share a message; one each, if not. What is droppable and was dropped by
/// the [`Plan`] is not there any more.
#[derive(Debug)]
pub struct Submission<'a> {
    pub(crate) message: Option<&'a Message>,
    pub(crate) raw: Option<Rope>,
    pub(crate) mail_from: Option<&'a EmailAddress>,
    pub(crate) template: Option<&'a str>,
    pub(crate) data: Option<&'a Map<String, Value>>,
    pub(crate) individual: bool,
    pub(crate) copies: Vec<Copy<'a>>,
    pub(crate) options: &'a SendOptions,
    pub(crate) plan: &'a Plan,
    pub(crate) extra: &'a Map<String, Value>,
    pub(crate) now: SystemTime,
    pub(crate) part: Option<String>,
    pub(crate) boundary: String,
}

/// One message as some recipients see it.
#[derive(Debug, Default)]
pub struct Copy<'a> {
    pub(crate) to: Vec<Cow<'a, Mailbox>>,
    pub(crate) cc: Vec<Cow<'a, Mailbox>>,
    pub(crate) bcc: Vec<Cow<'a, Mailbox>>,
    pub(crate) personal: Option<&'a Personal>,
}

impl<'a> Submission<'a> {
    /// Looks at one message for everybody in its envelope.
    ///
    /// Recipients stand where the headers have them. One that the headers have and the envelope has not, is left out:
    /// fields say who gets it. One that the envelope has and the headers have not, is a `Bcc`.
    pub(crate) fn of_outbound(
        mail: &'a Outbound,
        options: &'a SendOptions,
        plan: &'a Plan,
        extra: &'a Map<String, Value>,
        now: SystemTime,
        boundary: String,
    ) -> Self {
        let raw = (plan.content() == Content::Raw || mail.message().is_none()).then(|| mail.rope());
        Self {
            message: mail.message(),
            raw,
            mail_from: mail.envelope().mail_from(),
            template: None,
            data: None,
            individual: false,
            copies: vec![Copy::of_envelope(mail)],
            options,
            plan,
            extra,
            now,
            part: None,
            boundary,
        }
    }

    /// Returns the message, where fields are wanted.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported), if there are only bytes. An adapter that takes bytes asks
    /// [`raw`](Self::raw) first.
    pub fn message(&self) -> Result<&'a Message, SendError> {
        self.message.ok_or_else(|| {
            SendError::unsupported_features(vec![Unsupported::new(Feature::RawMime, Shortfall::Missing)])
        })
    }

    /// Returns the bytes of the whole message, if bytes are what is to be sent: there is no message, or the caller chose
    /// so for what fields cannot say.
    #[must_use]
    pub const fn raw(&self) -> Option<&Rope> {
        self.raw.as_ref()
    }

    /// Returns the bytes of the whole message, made now if they were not asked for.
    #[must_use]
    pub fn bytes(&self) -> Rope {
        match (&self.raw, self.message) {
            (Some(raw), _) => raw.clone(),
            (None, Some(message)) => message.to_rope(),
            (None, None) => Rope::new(),
        }
    }

    /// Returns the envelope sender; `None` is the null sender, or a batch.
    #[must_use]
    pub const fn mail_from(&self) -> Option<&'a EmailAddress> {
        self.mail_from
    }

    /// Returns the envelope sender if it is another than the message's author.
    #[must_use]
    pub fn other_mail_from(&self) -> Option<&'a EmailAddress> {
        let author = self.message.and_then(|message| message.from().first());
        self.mail_from
            .filter(|mail_from| author.is_some_and(|author| author.address() != *mail_from))
    }

    /// Returns the template that is stored at the provider.
    #[must_use]
    pub const fn template(&self) -> Option<&'a str> {
        self.template
    }

    /// Returns the data that all copies share, if it is a batch and has any.
    #[must_use]
    pub fn data(&self) -> Option<&'a Map<String, Value>> {
        self.data.filter(|data| !data.is_empty())
    }

    /// Tells whether each recipient has a copy of their own, even if there is but one.
    #[must_use]
    pub const fn is_individual(&self) -> bool {
        self.individual
    }

    /// Returns the copies, at least one.
    #[must_use]
    pub fn copies(&self) -> &[Copy<'a>] {
        &self.copies
    }

    /// Returns the tags.
    #[must_use]
    pub fn tags(&self) -> &'a [String] {
        if self.plan.keeps(Feature::Tags) {
            self.options.tags()
        } else {
            &[]
        }
    }

    /// Goes through the metadata that all copies share.
    pub fn metadata(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let keeps = self.plan.keeps(Feature::Metadata);
        self.options.metadata().filter(move |_| keeps)
    }

    /// Goes through the metadata of one copy: what all share, with what is personal in its place or behind it.
    #[must_use]
    pub fn metadata_of(&self, copy: &Copy<'a>) -> Vec<(&'a str, &'a str)> {
        let mut all: Vec<_> = self.metadata().collect();
        for (key, value) in copy.personal.into_iter().flat_map(Personal::metadata) {
            match all.iter_mut().find(|(own, _)| *own == key) {
                Some((_, own)) => *own = value,
                None => all.push((key, value)),
            }
        }
        all
    }

    /// Returns the data of one copy: what all share, with what is personal in its place or behind it.
    #[must_use]
    pub fn data_of(&self, copy: &Copy<'a>) -> Map<String, Value> {
        let mut all = self.data.cloned().unwrap_or_default();
        if let Some(personal) = copy.personal {
            for (key, value) in personal.data() {
                all.insert(key.clone(), value.clone());
            }
        }
        all
    }

    /// Returns the header fields beyond the common ones that all copies share: see [`Message::further_fields`].
    #[must_use]
    pub fn headers(&self) -> Vec<(&'a str, Cow<'a, str>)> {
        self.message
            .map(|message| message.further_fields().collect())
            .unwrap_or_default()
    }

    /// Returns the header fields of one copy: what all share, with what is personal in its place or behind it.
    #[must_use]
    pub fn headers_of(&self, copy: &Copy<'a>) -> Vec<(&'a str, Cow<'a, str>)> {
        let mut all = self.headers();
        for (name, value) in copy.personal.into_iter().flat_map(Personal::headers) {
            all.retain(|(own, _)| !own.eq_ignore_ascii_case(name.as_str()));
            all.push((name.as_str(), Cow::Borrowed(value.as_str())));
        }
        all
    }

    /// Returns when it is to go out.
    #[must_use]
    pub const fn schedule(&self) -> Option<SystemTime> {
        self.options.schedule()
    }

    /// Returns whether opens are to be tracked, if that was said.
    #[must_use]
    pub fn track_opens(&self) -> Option<bool> {
        self.options
            .track_opens()
            .filter(|_| self.plan.keeps(Feature::TrackOpens))
    }

    /// Returns whether clicks are to be tracked, if that was said.
    #[must_use]
    pub fn track_clicks(&self) -> Option<bool> {
        self.options
            .track_clicks()
            .filter(|_| self.plan.keeps(Feature::TrackClicks))
    }

    /// Returns the stream.
    #[must_use]
    pub fn stream(&self) -> Option<&'a str> {
        self.options.stream().filter(|_| self.plan.keeps(Feature::Stream))
    }

    /// Returns the configuration set.
    #[must_use]
    pub fn configuration_set(&self) -> Option<&'a str> {
        self.options
            .configuration_set()
            .filter(|_| self.plan.keeps(Feature::ConfigurationSet))
    }

    /// Returns the idempotency key. Where a batch takes several calls each has a key of its own, which is the same whenever
    /// the same batch is sent: a provider that sees one key twice sends once.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<Cow<'a, str>> {
        let key = self
            .options
            .idempotency_key()
            .filter(|_| self.plan.keeps(Feature::IdempotencyKey))?;
        Some(match &self.part {
            None => Cow::Borrowed(key),
            Some(part) => Cow::Owned(format!("{key}-{part}")),
        })
    }

    /// Returns letters and digits that nobody can have guessed who wrote the message: they keep the parts of a form apart.
    #[must_use]
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// Returns the time at which it is sent.
    #[must_use]
    pub const fn now(&self) -> SystemTime {
        self.now
    }

    /// Returns the members that the caller puts over whatever an adapter makes: see
    /// [`Provider::with_extra`](crate::Provider::with_extra).
    #[must_use]
    pub const fn extra(&self) -> &'a Map<String, Value> {
        self.extra
    }

    /// Makes a `POST` of `json`, the caller's extras merged into it.
    #[must_use]
    pub fn post_json(&self, url: impl Into<String>, mut json: Json) -> HttpRequest {
        json.merge(self.extra);
        HttpRequest::post_json(url, &json)
    }

    /// Writes the metadata of one copy as JSON in ASCII, for a header field; `None` if there is none.
    pub(crate) fn metadata_text(&self, copy: &Copy<'a>) -> Option<String> {
        let all = self.metadata_of(copy);
        (!all.is_empty()).then(|| {
            let object: Map<String, Value> = all
                .into_iter()
                .map(|(key, value)| (key.to_owned(), Value::from(value)))
                .collect();
            ascii(&Value::Object(object))
        })
    }

    /// Writes the tags as JSON in ASCII, for a header field; `None` if there are none.
    pub(crate) fn tags_text(&self) -> Option<String> {
        (!self.tags().is_empty()).then(|| ascii(&Value::from(self.tags())))
    }

    /// Reads the bytes of a whole message as text, for providers that take them in a JSON string.
    pub(crate) fn text_of(&self, raw: &Rope) -> Result<String, SendError> {
        let bytes = raw.to_bytes().map_err(|error| {
            SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
                .with_detail("reading the message")
                .with_source(error)
        })?;
        String::from_utf8(bytes.into()).map_err(|_| self.refuse(Feature::RawMime, Shortfall::Charset))
    }

    /// Refuses what has more primary recipients, copies or blind copies than each field may hold.
    pub(crate) fn limit_fields(&self, to: usize, cc: usize, bcc: usize) -> Result<(), SendError> {
        for copy in &self.copies {
            for (asked, at_most) in [(copy.to.len(), to), (copy.cc.len(), cc), (copy.bcc.len(), bcc)] {
                if asked > at_most {
                    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
                    let shortfall = Shortfall::TooMany {
                        asked: number(asked),
                        at_most: number(at_most),
                    };
                    return Err(self.refuse(Feature::Recipients, shortfall));
                }
            }
        }
        Ok(())
    }

    /// Refuses data where nothing is there to put them into.
    pub(crate) fn refuse_data_without_template(&self) -> Result<(), SendError> {
        let has_data = self.data().is_some() || self.copies.iter().any(Copy::has_data);
        if has_data && self.template.is_none() {
            return Err(self.invalid("writing data without a stored template"));
        }
        Ok(())
    }

    /// Refuses the mail for a rule of the provider's that no flag of its capabilities says.
    #[must_use]
    pub fn refuse(&self, feature: Feature, shortfall: Shortfall) -> SendError {
        SendError::unsupported_features(vec![Unsupported::new(feature, shortfall)])
    }

    /// Refuses the mail because something in it is wrong for this provider. Name the field, never its content.
    #[must_use]
    pub fn invalid(&self, detail: impl Into<Cow<'static, str>>) -> SendError {
        SendError::new(ErrorKind::Invalid, Disposition::NotAccepted).with_detail(detail)
    }
}

impl<'a> Copy<'a> {
    fn of_envelope(mail: &'a Outbound) -> Self {
        let mut left: HashSet<&EmailAddress> = mail
            .envelope()
            .recipients()
            .iter()
            .map(|recipient| recipient.address())
            .collect();
        // Each once, where it stands first: providers refuse repetitions.
        let mut take = |mailboxes: &mut dyn Iterator<Item = &'a Mailbox>| -> Vec<Cow<'a, Mailbox>> {
            mailboxes
                .filter(|mailbox| left.remove(mailbox.address()))
                .map(Cow::Borrowed)
                .collect()
        };
        let (mut to, mut cc, mut bcc) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(message) = mail.message() {
            to = take(&mut message.to().iter().flat_map(Address::mailboxes));
            cc = take(&mut message.cc().iter().flat_map(Address::mailboxes));
            bcc = take(&mut message.bcc().iter());
        }
        let others = mail.envelope().recipients().iter().map(|recipient| recipient.address());
        bcc.extend(
            others
                .filter(|address| left.remove(*address))
                .map(|address| Cow::Owned(Mailbox::new(address.clone()))),
        );
        Self {
            to,
            cc,
            bcc,
            personal: None,
        }
    }

    pub(crate) fn of_personal(message: &'a Message, personal: &'a Personal) -> Self {
        Self {
            to: vec![Cow::Borrowed(personal.mailbox())],
            cc: message
                .cc()
                .iter()
                .flat_map(Address::mailboxes)
                .map(Cow::Borrowed)
                .collect(),
            bcc: message.bcc().iter().map(Cow::Borrowed).collect(),
            personal: Some(personal),
        }
    }

    /// Goes through the primary recipients.
    pub fn to(&self) -> impl ExactSizeIterator<Item = &Mailbox> + Clone {
        self.to.iter().map(AsRef::as_ref)
    }

    /// Goes through those who get a copy.
    pub fn cc(&self) -> impl ExactSizeIterator<Item = &Mailbox> + Clone {
        self.cc.iter().map(AsRef::as_ref)
    }

    /// Goes through those who get a copy that nobody sees.
    pub fn bcc(&self) -> impl ExactSizeIterator<Item = &Mailbox> + Clone {
        self.bcc.iter().map(AsRef::as_ref)
    }

    /// Goes through all recipients: primary ones, then copies, then blind copies.
    pub fn everybody(&self) -> impl Iterator<Item = &Mailbox> + Clone {
        self.to().chain(self.cc()).chain(self.bcc())
    }

    /// Tells whether the copy has data of its own.
    pub(crate) fn has_data(&self) -> bool {
        self.personal.is_some_and(|personal| !personal.data().is_empty())
    }

    /// Tells whether the copy has metadata of its own.
    pub(crate) fn has_metadata(&self) -> bool {
        self.personal.is_some_and(|personal| personal.metadata().len() > 0)
    }

    /// Returns what is this copy's recipient's own, in a batch.
    #[must_use]
    pub const fn personal(&self) -> Option<&'a Personal> {
        self.personal
    }
}

/// Writes JSON in ASCII.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}
