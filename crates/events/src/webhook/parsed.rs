//! What a request said.

use bytes::Bytes;

use super::ParseError;
use crate::event::Event;
use crate::inbound::Inbound;

/// What a request said.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Parsed {
    /// What happened to messages.
    pub events: Vec<Event>,
    /// Mail that came in.
    pub inbound: Vec<Inbound>,
    /// What the provider wants of the receiver, beside being answered.
    pub control: Option<Control>,
    /// Events that could not be read. The others are there.
    pub problems: Vec<Problem>,
}

/// What a provider wants of the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// It asks whether somebody is there: answer 200.
    Ping,
    /// It sends no more until the subscription is confirmed: GET the URL, if this subscription is wanted.
    ConfirmSubscription {
        /// What was subscribed to.
        topic: String,
        /// Where to confirm: of a host of the provider's, over https. Follow no redirect away from it.
        url: String,
        /// The token, for those who confirm through the provider's API.
        token: String,
    },
    /// The subscription was ended.
    Unsubscribed {
        /// What was subscribed to.
        topic: String,
    },
    /// It wants an answer of a certain form.
    Reply {
        /// Header fields to answer with.
        headers: Vec<(&'static str, String)>,
        /// The body to answer with.
        body: Bytes,
    },
}

/// An event that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Its place among the events of the request, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub error: ParseError,
}

impl Parsed {
    /// Makes what holds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes what holds nothing but a wish of the provider.
    #[must_use]
    pub fn control(control: Control) -> Self {
        Self {
            control: Some(control),
            ..Self::default()
        }
    }

    /// Makes what holds nothing but a mail.
    #[must_use]
    pub fn inbound(mail: Inbound) -> Self {
        Self {
            inbound: vec![mail],
            ..Self::default()
        }
    }

    /// Adds an event, or what is wrong with it.
    pub fn push(&mut self, index: usize, event: Result<Event, ParseError>) {
        match event {
            Ok(event) => self.events.push(event),
            Err(error) => self.problems.push(Problem { index, error }),
        }
    }
}
