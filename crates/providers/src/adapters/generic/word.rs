//! The placeholders: what a description can name of a message.

use std::collections::BTreeSet;

use posthaste_address::Mailbox;
use posthaste_mime::{Attachment, Base64Alphabet};

use crate::{Copy, Json, Submission, addresses, attachments, moment};

/// What a list is made of, and so which words an item of it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    People(Field),
    /// Header fields beyond those that have words of their own.
    Headers,
    /// The same, with `Reply-To` before them.
    Fields,
    Metadata,
    Attachments,
    Inlines,
    /// Inline parts, then attachments.
    Files,
}

/// Whom a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    From,
    To,
    Cc,
    Bcc,
    ReplyTo,
    /// Everybody who gets the message.
    Recipients,
}

/// How people are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// `Name <address>` of each, separated by commas.
    Joined,
    /// `Name <address>` of each, a list.
    List,
    /// The first one's address.
    Email,
    /// The first one's name.
    Name,
    /// The addresses, a list.
    Emails,
}

/// A placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    People(Field, Form),
    MailFrom,
    Subject,
    Text,
    Html,
    MessageId,
    Raw,
    Tag,
    Tags,
    Metadata,
    Headers,
    ScheduleUnix,
    ScheduleText,
    TrackOpens,
    TrackClicks,
    Stream,
    ConfigurationSet,
    Template,
    Data,
    IdempotencyKey,
    /// Of an item: a person's or a pair's, a file's name.
    ItemName,
    ItemEmail,
    /// `Name <address>`.
    ItemMailbox,
    ItemValue,
    ItemContent,
    ItemType,
    ItemId,
    ItemDisposition,
}

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Message,
    Person,
    Pair,
    File,
}

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    None,
    Person(&'a Mailbox),
    Pair(&'a str, &'a str),
    File(&'a Attachment),
}

/// What is looked at when a request is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) submission: &'a Submission<'a>,
    pub(super) copy: &'a Copy<'a>,
    pub(super) item: Item<'a>,
}

const FIELDS: &[(&str, Field)] = &[
    ("from", Field::From),
    ("to", Field::To),
    ("cc", Field::Cc),
    ("bcc", Field::Bcc),
    ("reply_to", Field::ReplyTo),
    ("recipients", Field::Recipients),
];

const FORMS: &[(&str, Form)] = &[
    ("list", Form::List),
    ("email", Form::Email),
    ("name", Form::Name),
    ("emails", Form::Emails),
];

const WORDS: &[(&str, Word)] = &[
    ("mail_from", Word::MailFrom),
    ("subject", Word::Subject),
    ("text", Word::Text),
    ("html", Word::Html),
    ("message_id", Word::MessageId),
    ("raw", Word::Raw),
    ("tag", Word::Tag),
    ("tags", Word::Tags),
    ("metadata", Word::Metadata),
    ("headers", Word::Headers),
    ("schedule.unix", Word::ScheduleUnix),
    ("schedule.rfc3339", Word::ScheduleText),
    ("track_opens", Word::TrackOpens),
    ("track_clicks", Word::TrackClicks),
    ("stream", Word::Stream),
    ("configuration_set", Word::ConfigurationSet),
    ("template", Word::Template),
    ("data", Word::Data),
    ("idempotency_key", Word::IdempotencyKey),
];

const PERSON: &[(&str, Word)] = &[
    ("email", Word::ItemEmail),
    ("name", Word::ItemName),
    ("mailbox", Word::ItemMailbox),
];

const PAIR: &[(&str, Word)] = &[("name", Word::ItemName), ("value", Word::ItemValue)];

const FILE: &[(&str, Word)] = &[
    ("name", Word::ItemName),
    ("content", Word::ItemContent),
    ("type", Word::ItemType),
    ("id", Word::ItemId),
    ("disposition", Word::ItemDisposition),
];

fn find<T: std::marker::Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
}

impl Source {
    /// Reads what stands at `each`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "headers" => Self::Headers,
            "fields" => Self::Fields,
            "metadata" => Self::Metadata,
            "attachments" => Self::Attachments,
            "inlines" => Self::Inlines,
            "files" => Self::Files,
            name => Self::People(find(FIELDS, name)?),
        })
    }

    /// Which words an item knows.
    pub(super) const fn scope(self) -> Scope {
        match self {
            Self::People(_) => Scope::Person,
            Self::Headers | Self::Fields | Self::Metadata => Scope::Pair,
            Self::Attachments | Self::Inlines | Self::Files => Scope::File,
        }
    }

    /// Does `make` for each item.
    pub(super) fn for_each(self, view: View<'_>, mut make: impl FnMut(View<'_>)) {
        match self {
            Self::People(field) => {
                for person in field.people(view) {
                    make(View {
                        item: Item::Person(person),
                        ..view
                    });
                }
            }
            Self::Headers | Self::Fields => {
                let answers = (self == Self::Fields).then(|| Field::ReplyTo.people(view));
                let answers = answers.filter(|answers| !answers.is_empty()).map(addresses::list);
                if let Some(answers) = &answers {
                    make(View {
                        item: Item::Pair("Reply-To", answers),
                        ..view
                    });
                }
                for (name, value) in view.submission.headers_of(view.copy) {
                    make(View {
                        item: Item::Pair(name, &value),
                        ..view
                    });
                }
            }
            Self::Metadata => {
                for (name, value) in view.submission.metadata_of(view.copy) {
                    make(View {
                        item: Item::Pair(name, value),
                        ..view
                    });
                }
            }
            Self::Attachments | Self::Inlines | Self::Files => {
                for file in self.files(view) {
                    make(View {
                        item: Item::File(file),
                        ..view
                    });
                }
            }
        }
    }

    /// The files of a list of files.
    pub(super) fn files<'a>(self, view: View<'a>) -> impl Iterator<Item = &'a Attachment> {
        let message = view.submission.message().ok();
        let inlines = message.filter(|_| matches!(self, Self::Inlines | Self::Files));
        let attachments = message.filter(|_| matches!(self, Self::Attachments | Self::Files));
        let inlines = inlines.into_iter().flat_map(|message| message.inlines());
        inlines.chain(attachments.into_iter().flat_map(|message| message.attachments()))
    }
}

impl Field {
    fn people<'a>(self, view: View<'a>) -> Vec<&'a Mailbox> {
        let message = || view.submission.message().ok();
        match self {
            Self::From => message().map_or_else(Vec::new, |message| message.from().iter().collect()),
            Self::To => view.copy.to().collect(),
            Self::Cc => view.copy.cc().collect(),
            Self::Bcc => view.copy.bcc().collect(),
            Self::ReplyTo => message().map_or_else(Vec::new, |message| message.reply_to().iter().collect()),
            Self::Recipients => view.copy.everybody().collect(),
        }
    }
}

impl Word {
    /// Reads what stands between the braces.
    pub(super) fn parse(name: &str, scope: Scope) -> Option<Self> {
        let items = match scope {
            Scope::Message => &[][..],
            Scope::Person => PERSON,
            Scope::Pair => PAIR,
            Scope::File => FILE,
        };
        find(items, name).or_else(|| find(WORDS, name)).or_else(|| {
            let (field, form) = match name.split_once('.') {
                None => (name, Form::Joined),
                Some((field, form)) => (field, find(FORMS, form)?),
            };
            Some(Self::People(find(FIELDS, field)?, form))
        })
    }

    /// Whether it is written as text, so that it can stand among other text.
    pub(super) const fn is_text(self) -> bool {
        !matches!(
            self,
            Self::People(_, Form::List | Form::Emails)
                | Self::Raw
                | Self::Tags
                | Self::Metadata
                | Self::Headers
                | Self::TrackOpens
                | Self::TrackClicks
                | Self::Data
                | Self::ItemContent
        )
    }

    /// What it stands for; `None` if the message has nothing of the kind.
    pub(super) fn value(self, view: View<'_>) -> Option<Json> {
        let View { submission, copy, item } = view;
        let message = || submission.message().ok();
        // A template at the provider brings its own.
        let own = || message().filter(|_| submission.template().is_none());
        let some = |text: &str| Some(Json::from(text));
        let filled = |json: Json| (!json.is_empty()).then_some(json);
        match self {
            Self::People(field, form) => {
                let people = field.people(view);
                let first = people.first()?;
                Some(match form {
                    Form::Joined => Json::from(addresses::list(people)),
                    Form::List => Json::array(people.into_iter().map(addresses::text)),
                    Form::Email => Json::from(addresses::address(first.address())),
                    Form::Name => Json::from(first.name()?),
                    Form::Emails => Json::array(people.into_iter().map(|person| addresses::address(person.address()))),
                })
            }
            Self::MailFrom => submission
                .other_mail_from()
                .map(|address| addresses::address(address).into()),
            Self::Subject => own()?.subject().map(Json::from),
            Self::Text => own()?.text().map(Json::from),
            Self::Html => own()?.html().map(Json::from),
            Self::MessageId => some(message()?.message_id().as_str()),
            Self::Raw => Some(Json::Base64(submission.bytes().to_base64(Base64Alphabet::Standard))),
            Self::Tag => submission.tags().first().map(Json::from),
            Self::Tags => filled(Json::array(submission.tags())),
            Self::Metadata => filled(submission.metadata_of(copy).into_iter().collect()),
            Self::Headers => filled(submission.headers_of(copy).into_iter().collect()),
            Self::ScheduleUnix => {
                let since = submission.schedule()?.duration_since(std::time::UNIX_EPOCH);
                Some(Json::from(since.unwrap_or_default().as_secs()))
            }
            Self::ScheduleText => submission.schedule().map(|time| moment::to_second(time).into()),
            Self::TrackOpens => submission.track_opens().map(Json::from),
            Self::TrackClicks => submission.track_clicks().map(Json::from),
            Self::Stream => submission.stream().map(Json::from),
            Self::ConfigurationSet => submission.configuration_set().map(Json::from),
            Self::Template => submission.template().map(Json::from),
            Self::Data => filled(submission.data_of(copy).into()),
            Self::IdempotencyKey => submission.idempotency_key().map(Json::from),
            Self::ItemName => match item {
                Item::Person(person) => person.name().map(Json::from),
                Item::Pair(name, _) => some(name),
                Item::File(file) => Some(attachments::name(file).into()),
                Item::None => None,
            },
            Self::ItemValue => match item {
                Item::Pair(_, value) => some(value),
                _ => None,
            },
            Self::ItemEmail => match item {
                Item::Person(person) => Some(addresses::address(person.address()).into()),
                _ => None,
            },
            Self::ItemMailbox => match item {
                Item::Person(person) => Some(addresses::text(person).into()),
                _ => None,
            },
            Self::ItemContent => file(item).map(|file| Json::Base64(file.to_base64())),
            Self::ItemType => file(item).map(|file| file.content_type().to_string().into()),
            Self::ItemId => file(item)?.content_id().map(|id| id.as_str().into()),
            Self::ItemDisposition => file(item).map(|file| match file.content_id() {
                Some(_) => "inline".into(),
                None => "attachment".into(),
            }),
        }
    }
}

const fn file(item: Item<'_>) -> Option<&Attachment> {
    match item {
        Item::File(file) => Some(file),
        _ => None,
    }
}

/// What a description names: what it can say is what its provider can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) words: BTreeSet<Word>,
    pub(super) lists: BTreeSet<Source>,
}

impl Named {
    pub(super) fn word(&self, word: Word) -> bool {
        self.words.contains(&word)
    }

    pub(super) fn list(&self, source: Source) -> bool {
        self.lists.contains(&source)
    }

    /// Whether these people are named, in any form.
    pub(super) fn people(&self, field: Field) -> bool {
        let form = |form| self.word(Word::People(field, form));
        self.people_all(field) || form(Form::Email)
    }

    /// Whether all of them are, not only the first.
    pub(super) fn people_all(&self, field: Field) -> bool {
        let form = |form| self.word(Word::People(field, form));
        form(Form::Joined) || form(Form::List) || form(Form::Emails) || self.list(Source::People(field))
    }
}
