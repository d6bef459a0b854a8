//! The trait that everything meets at, what wraps it, and what callers do with it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use posthaste_mime::Message;

use crate::{Outbound, Outcome, SendError, SendOptions, TransportInfo};

/// What [`Transport::send`] returns: a boxed future that may move between threads.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<Outcome, SendError>> + Send + 'a>>;

/// Hands one message to a mail system.
///
/// The contract, which the posthaste-conformance suite checks:
///
/// - [`info`](Self::info) does no I/O and always says the same.
/// - [`send`](Self::send) calls [`plan`](crate::plan) first, and touches nothing if that fails.
/// - `Ok` means that the system took responsibility for the message for at least one recipient, and says which.
/// - `Err` says through [`SendError::disposition`] whether anything may have been accepted. When in doubt, it is
///   [`Ambiguous`](crate::Disposition::Ambiguous).
/// - [`SendOptions::deadline`] bounds the whole call.
/// - One value serves many sends at once, and a send that failed or was dropped does not harm the next.
///
/// It has no default methods, so that a wrapper cannot forget to forward one. See the [guide](crate::guide) for a whole
/// transport.
pub trait Transport: Debug + Send + Sync + 'static {
    /// Describes this transport. Does no I/O.
    fn info(&self) -> TransportInfo;

    /// Sends `mail` once.
    ///
    /// Dropping the future stops the work, and may leave the outcome unknown.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the message was accepted for nobody, or if that cannot be known.
    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a>;
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn info(&self) -> TransportInfo {
        (**self).info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        (**self).send(mail, options)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport + ?Sized> Transport for Box<T> {
    fn info(&self) -> TransportInfo {
        (**self).info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        (**self).send(mail, options)
    }
}

/// Wraps a transport in another one.
///
/// Order is behaviour: the layer added last is the outermost, and sees a send first. Each layer in
/// [`layers`](crate::layers) shows a right and a wrong order.
pub trait Layer<T> {
    /// What comes out.
    type Transport: Transport;

    /// Wraps `inner`.
    fn layer(&self, inner: T) -> Self::Transport;
}

/// Conveniences for callers; implemented for every [`Transport`].
pub trait TransportExt: Transport {
    /// Wraps this transport in `layer`, which then sees every send first.
    fn layer<L: Layer<Self>>(self, layer: L) -> L::Transport
    where
        Self: Sized,
    {
        layer.layer(self)
    }

    /// Sends `message` to the recipients that its headers name, with default options.
    ///
    /// # Errors
    ///
    /// As [`Transport::send`]; also [`Invalid`](crate::ErrorKind::Invalid) if the headers name no sender or nobody to
    /// send to.
    fn send_message(&self, message: Message) -> impl Future<Output = Result<Outcome, SendError>> + Send {
        async move {
            let mail = Outbound::new(message)?;
            self.send(&mail, &SendOptions::default()).await
        }
    }
}

impl<T: Transport + ?Sized> TransportExt for T {}
