//! What a provider's webhooks are like.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::SystemTime;

use super::{Control, ParseError, Parsed, Request, Verified, VerifyError};

/// What has to be there before a request can be checked, as a certificate that is fetched.
pub type Preparation<'a> = Pin<Box<dyn Future<Output = Result<(), VerifyError>> + Send + 'a>>;

/// How one provider signs its webhooks, and what they say. A [`Receiver`](super::Receiver) does the rest.
///
/// Implement it for a provider that this crate does not know. [`Sns`](super::Sns), [`StandardWebhooks`](super::StandardWebhooks) and
/// [`Access`](super::Access) have what many of them share.
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Returns its name in a word.
    fn name(&self) -> &'static str;

    /// Answers a request that asks whether somebody is there, without any event in it: `None` if it is no such request.
    fn probe(&self, _request: &Request) -> Option<Control> {
        None
    }

    /// Gets what [`verify`](Self::verify) will need; `None` if all is there.
    fn prepare<'a>(&'a self, _request: &'a Request, _now: SystemTime) -> Option<Preparation<'a>> {
        None
    }

    /// Checks the signature of a request, and when it was signed.
    ///
    /// # Errors
    ///
    /// What is wrong with it. A provider that signs nothing returns [`Evidence::none`].
    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError>;

    /// Reads a request that was verified.
    ///
    /// # Errors
    ///
    /// When the body as a whole cannot be read. An event that cannot be read is a [`Problem`](super::Problem) beside the others; one of
    /// an unknown kind is [`Unknown`](crate::event::EventKind::Unknown).
    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError>;
}

/// What a provider's check showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub(super) is_signed: bool,
    pub(super) once: Option<(String, Option<SystemTime>)>,
    pub(super) needs_guard: bool,
}

impl Evidence {
    /// Says that the signature over the body is right.
    #[must_use]
    pub fn signature() -> Self {
        Self {
            is_signed: true,
            once: None,
            needs_guard: false,
        }
    }

    /// Says that the provider signs nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            is_signed: false,
            once: None,
            needs_guard: false,
        }
    }

    /// Adds what the request is known by, and until when it would be taken again.
    #[must_use]
    pub fn once(mut self, key: impl Into<String>, until: Option<SystemTime>) -> Self {
        self.once = Some((key.into(), until));
        self
    }

    /// Says that the signature does not cover the body, so that only a [`ReplayGuard`](super::ReplayGuard) makes it worth something.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.needs_guard = true;
        self
    }
}
