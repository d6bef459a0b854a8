//! Requests of which somebody knows that they come from the provider.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{Control, Limits, ParseError, Parsed, Provider, Request};

/// A request that was checked. Nothing else can be parsed.
#[derive(Clone)]
pub struct Verified {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) request: Request,
    pub(super) proof: Proof,
    pub(super) limits: Limits,
    pub(super) is_repeated: bool,
    pub(super) probe: Option<Control>,
}

/// How it is known that a request comes from the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// By a signature over the body.
    Signature,
    /// By a signature over a token that came with this body and no other.
    Token,
    /// By credentials.
    Access,
    /// It is not known, and does not matter: nothing is in it.
    Probe,
    /// It is not known, and the caller takes it for this reason.
    Unsigned(Cow<'static, str>),
}

/// Why a request is taken though nobody checked its signature.
///
/// # Examples
///
/// ```
/// use posthaste_events::webhook::AcceptUnsigned;
///
/// let reason = AcceptUnsigned::because("the gateway checks it, and nobody else reaches this port");
/// # let _ = reason;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptUnsigned(pub(super) Cow<'static, str>);

impl AcceptUnsigned {
    /// Takes the reason. It is kept with the request, for logs.
    #[must_use]
    pub fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

impl Verified {
    /// Reads what it says.
    ///
    /// # Errors
    ///
    /// When the body as a whole cannot be read. An event that cannot be read is a [`Problem`](super::Problem) beside the others; one of
    /// an unknown kind is [`Unknown`](crate::event::EventKind::Unknown).
    pub fn parse(&self) -> Result<Parsed, ParseError> {
        if let Some(control) = &self.probe {
            return Ok(Parsed::control(control.clone()));
        }
        self.provider.parse(self)
    }

    /// Returns how it is known that it comes from the provider.
    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Returns the request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the body of the request.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.request.body()
    }

    /// Tells whether the same request came before, as far as the receiver's [`ReplayGuard`](super::ReplayGuard) remembers.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Returns the bounds that the receiver set, for [`Provider::parse`].
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("provider", &self.provider.name())
            .field("proof", &self.proof)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
