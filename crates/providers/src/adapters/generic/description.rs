//! A description as it is read, and what follows from it.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use posthaste_transport::{Capabilities, Disposition, ErrorKind, Feature, TagCharset};
use serde::Deserialize;
use serde_json::Value;
use toml::Value as Toml;
use url::Url;

use super::error::DescriptionError;
use super::shape::Shape;
use super::word::{Field, Form, Named, Scope, Source, Word};
use crate::{Method, Profile};

/// How a provider is spoken to: what [`Generic`](super::Generic) is made of, read from TOML.
///
/// It holds no key. docs/generic-provider.md says what each of its keys means.
///
/// # Examples
///
/// ```
/// use posthaste_providers::Description;
/// use posthaste_transport::Feature;
///
/// let description: Description = r#"
///     name = "acme"
///
///     [request]
///     url = "https://api.acme.example/v1/send"
///
///     [request.json]
///     sender = { email = "{from.email}", name = "{from.name}" }
///     to = { each = "to", as = { email = "{email}", name = "{name}" } }
///     cc = "{cc.emails}"
///     bcc = "{bcc.emails}"
///     subject = "{subject}"
///     plain = "{text}"
///     html = "{html}"
///     tags = "{tags}"
///
///     [answer]
///     id = "/data/id"
/// "#.parse()?;
/// assert!(description.profile().info().capabilities().supports(Feature::Tags));
/// assert!(!description.profile().info().capabilities().supports(Feature::Attachments));
/// # Ok::<(), posthaste_providers::DescriptionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Description {
    pub(super) profile: Profile,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) auth: Auth,
    pub(super) headers: Vec<(String, String)>,
    pub(super) idempotency_header: Option<String>,
    pub(super) body: Body,
    pub(super) answer: Answer,
    pub(super) limits: [usize; 3],
}

/// How a request shows the key.
#[derive(Clone, Debug)]
pub(super) enum Auth {
    None,
    /// A header field, and its value with `{key}` in it.
    Header(String, String),
    /// Basic authentication (RFC 7617): `user:password` with `{key}` in it.
    Basic(String),
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Json(Shape),
    Form(Vec<(String, FormField)>),
}

#[derive(Clone, Debug)]
pub(super) enum FormField {
    Shape(Shape),
    Files(Source),
    /// The whole message, as a file.
    Raw,
}

/// How an answer is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Statuses of an acceptance; all of 2xx if there are none.
    #[serde(default)]
    pub(super) accepted: Vec<u16>,
    /// What an acceptance has beyond its status.
    pub(super) check: Option<Check>,
    pub(super) id: Option<String>,
    pub(super) id_header: Option<String>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) errors: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) at: String,
    pub(super) is: Value,
}

/// What an error means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) kind: Kind,
    pub(super) accepted: Option<Accepted>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Invalid,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Accepted {
    No,
    Perhaps,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    request: RequestTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    answer: Answer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestTable {
    url: String,
    #[serde(default)]
    method: MethodName,
    auth: Option<AuthTable>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    idempotency_header: Option<String>,
    json: Option<toml::Table>,
    form: Option<toml::Table>,
}

#[derive(Clone, Copy, Default, Deserialize)]
enum MethodName {
    #[default]
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthTable {
    header: Option<String>,
    value: Option<String>,
    basic: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    recipients: Option<u32>,
    to: Option<u32>,
    cc: Option<u32>,
    bcc: Option<u32>,
    message_size: Option<u64>,
    request_size: Option<u64>,
    tags: Option<u32>,
    tag_length: Option<u32>,
    metadata: Option<u32>,
    metadata_key: Option<u32>,
    metadata_value: Option<u32>,
    schedule_hours: Option<u32>,
}

impl FromStr for Description {
    type Err = DescriptionError;

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// [`DescriptionError`], which says where and why: a key is unknown or missing, a value cannot be what it is, or a part of
    /// every message, such as its text, is named nowhere and would be lost.
    fn from_str(text: &str) -> Result<Self, DescriptionError> {
        let file: File = toml::from_str(text).map_err(|error| DescriptionError::syntax(text, &error))?;
        Self::of(file)
    }
}

impl Description {
    /// Reads the file at `path`. May block.
    ///
    /// # Errors
    ///
    /// [`DescriptionError`]: it cannot be read, or as [`Description::from_str`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DescriptionError> {
        let text = std::fs::read_to_string(path).map_err(|error| DescriptionError::File(error.kind()))?;
        text.parse()
    }

    /// Returns the name, and what the provider can do as far as the description can say it.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    fn of(file: File) -> Result<Self, DescriptionError> {
        let File {
            name,
            request,
            limits,
            answer,
        } = file;
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > 40 || !name.chars().all(is_word) {
            let reason = "is not one word of up to 40 letters a to z, digits, `-` and `_`";
            return Err(DescriptionError::at("name", reason));
        }
        let url = checked_url(&request.url)?;
        let auth = auth(request.auth)?;
        for (name, value) in &request.headers {
            let key = format!("request.headers.{name}");
            header_name(name, &key)?;
            printable(value, &key)?;
        }
        if let Some(name) = &request.idempotency_header {
            header_name(name, "request.idempotency_header")?;
        }
        let mut named = Named::default();
        let body = match (request.json, request.form) {
            (Some(json), None) => {
                let key = "request.json";
                Body::Json(Shape::of(&Toml::Table(json), Scope::Message, key, &mut named)?)
            }
            (None, Some(form)) => Body::Form(form_fields(form, &mut named)?),
            _ => return Err(DescriptionError::at("request", "has one of `json` and `form`")),
        };
        if request.idempotency_header.is_some() {
            named.words.insert(Word::IdempotencyKey);
        }
        check_answer(&answer)?;
        check_names(&named)?;
        let mut profile = Profile::new("generic", "Generic", capabilities(&named, &limits)).with_name(name);
        if let Some(size) = limits.request_size {
            profile = profile.with_max_request_size(size);
        }
        let most = |limit: Option<u32>, field| match named.people_all(field) || named.people_all(Field::Recipients) {
            true => limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            // Only the first is written.
            false => usize::from(named.people(field)),
        };
        Ok(Self {
            profile,
            method: match request.method {
                MethodName::Post => Method::Post,
                MethodName::Put => Method::Put,
            },
            url,
            auth,
            headers: request.headers.into_iter().collect(),
            idempotency_header: request.idempotency_header,
            body,
            answer,
            limits: [
                most(limits.to, Field::To),
                most(limits.cc, Field::Cc),
                most(limits.bcc, Field::Bcc),
            ],
        })
    }
}

/// A URL that a key may be sent to.
pub(super) fn checked_url(text: &str) -> Result<String, DescriptionError> {
    let key = "request.url";
    let url = Url::parse(text).map_err(|_| DescriptionError::at(key, "is no URL"))?;
    let is_local = url.host().is_some_and(|host| match host {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => ip.is_loopback(),
    });
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return Err(DescriptionError::at(key, "is not https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(DescriptionError::at(key, "holds a key, which is given elsewhere"));
    }
    Ok(text.to_owned())
}

fn auth(table: Option<AuthTable>) -> Result<Auth, DescriptionError> {
    let Some(AuthTable { header, value, basic }) = table else {
        return Ok(Auth::None);
    };
    let holds_key = |value: &str, key: &str| {
        printable(value, key)?;
        match value.contains("{key}") {
            true => Ok(()),
            false => Err(DescriptionError::at(key, "has no {key} in it")),
        }
    };
    match (header, value, basic) {
        (None, None, Some(basic)) => {
            holds_key(&basic, "request.auth.basic")?;
            match basic.contains(':') {
                true => Ok(Auth::Basic(basic)),
                false => Err(DescriptionError::at("request.auth.basic", "is not user:password")),
            }
        }
        (header, value, None) => {
            let header = header.unwrap_or_else(|| "Authorization".to_owned());
            header_name(&header, "request.auth.header")?;
            let bearer = header.eq_ignore_ascii_case("Authorization");
            let value = value.unwrap_or_else(|| if bearer { "Bearer {key}" } else { "{key}" }.to_owned());
            holds_key(&value, "request.auth.value")?;
            Ok(Auth::Header(header, value))
        }
        _ => Err(DescriptionError::at(
            "request.auth",
            "has `basic`, or `header` and `value`",
        )),
    }
}

fn header_name(name: &str, key: &str) -> Result<(), DescriptionError> {
    // RFC 9110 §5.6.2
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(DescriptionError::at(key, "is no name of a header field"));
    }
    Ok(())
}

fn printable(value: &str, key: &str) -> Result<(), DescriptionError> {
    match value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        true => Ok(()),
        false => Err(DescriptionError::at(key, "is not printable ASCII")),
    }
}

fn form_fields(form: toml::Table, named: &mut Named) -> Result<Vec<(String, FormField)>, DescriptionError> {
    let fields = form.into_iter().map(|(name, value)| {
        let key = format!("request.form.{name}");
        let field = match value.get("file").filter(|_| value.is_table()) {
            None => FormField::Shape(Shape::of(&value, Scope::Message, &key, named)?),
            Some(file) => match (file.as_str(), file.as_str().and_then(Source::parse)) {
                _ if value.as_table().is_some_and(|table| table.len() != 1) => {
                    return Err(DescriptionError::at(key, "has `file`, and so nothing else"));
                }
                (Some("raw"), _) => {
                    named.words.insert(Word::Raw);
                    FormField::Raw
                }
                (_, Some(source)) if source.scope() == Scope::File => {
                    named.lists.insert(source);
                    // A file goes with its name alone.
                    named.words.extend([Word::ItemContent, Word::ItemName]);
                    FormField::Files(source)
                }
                _ => {
                    let reason = "is not \"attachments\", \"inlines\", \"files\" or \"raw\"";
                    return Err(DescriptionError::at(format!("{key}.file"), reason));
                }
            },
        };
        Ok((name, field))
    });
    fields.collect()
}

fn check_answer(answer: &Answer) -> Result<(), DescriptionError> {
    let pointers = [
        ("answer.id", answer.id.as_deref()),
        ("answer.code", answer.code.as_deref()),
        ("answer.message", answer.message.as_deref()),
        ("answer.check.at", answer.check.as_ref().map(|check| check.at.as_str())),
    ];
    for (key, pointer) in pointers {
        if pointer.is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            return Err(DescriptionError::at(
                key,
                "is no JSON pointer (RFC 6901): it begins with `/`",
            ));
        }
    }
    if let Some(odd) = answer.accepted.iter().find(|status| !(200..300).contains(*status)) {
        let reason = format!("has {odd}, which is no status of success");
        return Err(DescriptionError::at("answer.accepted", reason));
    }
    if let Some(name) = &answer.id_header {
        header_name(name, "answer.id_header")?;
    }
    for (number, rule) in answer.errors.iter().enumerate() {
        let key = format!("answer.errors.{number}");
        if rule.status.is_none() && rule.code.is_none() {
            return Err(DescriptionError::at(key, "has neither `status` nor `code`"));
        }
        if rule.code.is_some() && answer.code.is_none() {
            return Err(DescriptionError::at(
                key,
                "has a code, and `answer.code` does not say where codes stand",
            ));
        }
    }
    Ok(())
}

/// What every message may have has to be named, or it would be lost in silence.
fn check_names(named: &Named) -> Result<(), DescriptionError> {
    let missing = |what: &str| {
        let reason = format!("names no {{{what}}}, which would be lost");
        Err(DescriptionError::at("request", reason))
    };
    if named.word(Word::Raw) {
        // The header of the message says the rest, but not who gets it.
        return match named.people_all(Field::Recipients) {
            true => Ok(()),
            false => missing("recipients"),
        };
    }
    // Mail with copies is refused if they are not named.
    for (field, name) in [(Field::From, "from"), (Field::To, "to")] {
        if !named.people(field) {
            return missing(name);
        }
    }
    for (word, name) in [(Word::Subject, "subject"), (Word::Text, "text"), (Word::Html, "html")] {
        if !named.word(word) {
            return missing(name);
        }
    }
    let has_files = [Source::Attachments, Source::Inlines, Source::Files]
        .iter()
        .any(|source| named.list(*source));
    if has_files && !named.word(Word::ItemContent) {
        return Err(DescriptionError::at("request", "lists files without their {content}"));
    }
    Ok(())
}

/// What the provider can do, as far as the description can say it.
fn capabilities(named: &Named, limits: &LimitsTable) -> Capabilities {
    let raw = named.word(Word::Raw);
    let files = |source| raw || named.list(source) || named.list(Source::Files);
    let answers = [Form::Joined, Form::List, Form::Emails];
    let answers = answers.map(|form| named.word(Word::People(Field::ReplyTo, form)));
    let several_answers =
        raw || answers.contains(&true) || named.list(Source::People(Field::ReplyTo)) || named.list(Source::Fields);
    let headers = named.word(Word::Headers) || named.list(Source::Headers) || named.list(Source::Fields);
    let metadata = named.word(Word::Metadata) || named.list(Source::Metadata);
    let has = [
        (Feature::EnvelopeRecipients, true),
        (Feature::RawMime, raw),
        (Feature::MultipleFrom, raw),
        (Feature::Amp, raw),
        (Feature::SpecialParts, raw),
        (Feature::EnvelopeSender, named.word(Word::MailFrom)),
        (Feature::CustomHeaders, raw || headers),
        (Feature::PersonalHeaders, headers && !raw),
        (Feature::Attachments, files(Source::Attachments)),
        // A picture that the text names by its id has to have one.
        (
            Feature::InlineParts,
            raw || (files(Source::Inlines) && (named.word(Word::ItemId) || named.list(Source::Inlines))),
        ),
        (Feature::StoredTemplate, named.word(Word::Template) && !raw),
        (
            Feature::PersonalData,
            named.word(Word::Template) && named.word(Word::Data) && !raw,
        ),
        (Feature::Tags, named.word(Word::Tag) || named.word(Word::Tags)),
        (Feature::Metadata, metadata),
        (Feature::PersonalMetadata, metadata),
        (
            Feature::Schedule,
            named.word(Word::ScheduleUnix) || named.word(Word::ScheduleText),
        ),
        (Feature::TrackOpens, named.word(Word::TrackOpens)),
        (Feature::TrackClicks, named.word(Word::TrackClicks)),
        (Feature::Stream, named.word(Word::Stream)),
        (Feature::ConfigurationSet, named.word(Word::ConfigurationSet)),
        (Feature::IdempotencyKey, named.word(Word::IdempotencyKey)),
    ];
    let mut can = has
        .into_iter()
        .filter(|(_, has)| *has)
        .fold(Capabilities::none(), |can, (feature, _)| can.with(feature));
    if !several_answers {
        can = can.with_max_reply_to(u32::from(named.people(Field::ReplyTo)));
    }
    if let Some(recipients) = limits.recipients {
        can = can.with_max_recipients(recipients);
    }
    if let Some(size) = limits.message_size {
        can = can.with_max_message_size(size);
    }
    let tags = if named.word(Word::Tags) { limits.tags } else { Some(1) };
    if tags.is_some() || limits.tag_length.is_some() {
        can = can.with_tag_limits(
            tags.unwrap_or(u32::MAX),
            limits.tag_length.unwrap_or(u32::MAX),
            TagCharset::Any,
        );
    }
    if limits.metadata.is_some() || limits.metadata_key.is_some() || limits.metadata_value.is_some() {
        let most = |limit: Option<u32>| limit.unwrap_or(u32::MAX);
        can = can.with_metadata_limits(
            most(limits.metadata),
            most(limits.metadata_key),
            most(limits.metadata_value),
        );
    }
    if let Some(hours) = limits.schedule_hours {
        can = can.with_max_schedule(std::time::Duration::from_secs(u64::from(hours) * 3600));
    }
    can
}

impl From<Kind> for ErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Invalid => Self::Invalid,
            Kind::Rejected => Self::Rejected,
            Kind::Throttled => Self::Throttled,
            Kind::Unauthorized => Self::Unauthorized,
            Kind::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Accepted> for Disposition {
    fn from(accepted: Accepted) -> Self {
        match accepted {
            Accepted::No => Self::NotAccepted,
            Accepted::Perhaps => Self::Ambiguous,
        }
    }
}
