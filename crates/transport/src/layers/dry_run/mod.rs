//! Does all that a send does but the sending.
//!
//! Right: next to the transport that it stands in for, so that every other layer does its work.
//!
//! ```text
//! smtp.layer(DryRun::new()).layer(Sign::new(signer))
//! ```
//!
//! Wrong: around the other layers, which are never asked then.
//!
//! ```text
//! smtp.layer(Sign::new(signer)).layer(DryRun::new())
//! ```

use crate::timer::within;
use crate::{
    ContentReader, Disposition, ErrorKind, Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, TokioTimer,
    Transport, TransportInfo, plan,
};

#[cfg(test)]
mod tests;

/// Plans a send for the transport inside and makes the message to its last byte, streamed attachments included, but sends
/// nothing; then says that everybody was accepted.
///
/// What the transport cannot do, and what cannot be read, is an error as it would be without it.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::DryRun;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(DryRun::new());
/// assert_eq!(transport.get_ref().sent().len(), 0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DryRun;

impl DryRun {
    /// Sends nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<T: Transport> Layer<T> for DryRun {
    type Transport = DryRunning<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        DryRunning { inner }
    }
}

/// A transport that sends nothing; made by [`DryRun`].
#[derive(Debug)]
pub struct DryRunning<T> {
    inner: T,
}

impl<T> DryRunning<T> {
    /// Returns the transport inside, which is never sent by.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Transport> DryRunning<T> {
    async fn build(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let info = self.inner.info();
        plan(mail, options, &info)?;
        let error = |kind| SendError::new(kind, Disposition::NotAccepted).with_transport(info.name().to_owned());
        let rope = mail.rope();
        let read = async {
            let mut reader = ContentReader::new(&rope);
            while let Some(chunk) = reader.next().await {
                chunk?;
            }
            Ok::<(), std::io::Error>(())
        };
        match within(&TokioTimer::new(), options.deadline(), read).await {
            Some(Ok(())) => Ok(Outcome::accept_all(mail)),
            Some(Err(source)) => Err(error(ErrorKind::Unreadable).with_source(source)),
            None => Err(error(ErrorKind::Timeout)),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for DryRunning<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.build(mail, options))
    }
}
