//! The transport that the layer makes.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use posthaste_auth::dkim::{SignFuture, Signer};
use posthaste_mime::{Clock, Rope};
use tokio::runtime::Handle;

use super::hashing::{CallOff, Hashing};
use crate::timer::within;
use crate::{
    Disposition, ErrorKind, Outbound, SendError, SendFuture, SendOptions, Timer, TokioTimer, Transport, TransportInfo,
};

/// A transport that signs; made by [`layers::Sign`](super::Sign).
#[derive(Debug)]
pub struct Signed<T> {
    inner: T,
    signer: Arc<Signer>,
    clock: Arc<dyn Clock>,
}

impl<T> Signed<T> {
    pub(super) const fn new(inner: T, signer: Arc<Signer>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, signer, clock }
    }

    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Transport> Signed<T> {
    async fn sign(&self, mail: &Outbound) -> Result<Outbound, SendError> {
        let mut rope = mail.rope();
        let signing = match rope.in_memory() {
            Some(chunks) => self.signer.sign_async(chunks.map(|chunk| &chunk[..]), self.clock.now()),
            None => self.hash_streamed(&rope).await?,
        };
        let signatures = signing.await.map_err(|error| {
            let kind = if error.is_temporary() {
                ErrorKind::Unavailable
            } else {
                ErrorKind::Invalid
            };
            self.failed(kind).with_source(error)
        })?;
        rope.prepend(Bytes::from(signatures));
        Ok(Outbound::raw(mail.envelope().clone(), rope))
    }

    /// Reads and hashes the message where that may block.
    async fn hash_streamed(&self, rope: &Rope) -> Result<SignFuture, SendError> {
        let called_off = CallOff::default();
        let hashing = Hashing {
            signer: Arc::clone(&self.signer),
            clock: Arc::clone(&self.clock),
            called_off: Arc::clone(&called_off.0),
        };
        let chunks = rope.chunks();
        let unreadable = |error: io::Error| self.failed(ErrorKind::Unreadable).with_source(error);
        let runtime = Handle::try_current().map_err(|error| unreadable(io::Error::other(error)))?;
        let hashed = runtime.spawn_blocking(move || hashing.sign(chunks)).await;
        drop(called_off);
        match hashed {
            Ok(Ok(signing)) => Ok(signing),
            Ok(Err(error)) => Err(unreadable(error)),
            // The source panicked, or the runtime ends.
            Err(error) => Err(unreadable(io::Error::other(error))),
        }
    }

    fn failed(&self, kind: ErrorKind) -> SendError {
        SendError::new(kind, Disposition::NotAccepted)
            .with_transport(self.inner.info().name().to_owned())
            .with_detail("signing")
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Signed<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            let timer = TokioTimer::new();
            let start = timer.now();
            let signed = within(&timer, options.deadline(), self.sign(mail)).await;
            let signed = signed.unwrap_or_else(|| Err(self.failed(ErrorKind::Timeout)))?;
            let options = match options.deadline() {
                // What was waited for is read, or asked of a key service.
                Some(deadline) if self.signer.has_remote_keys() || signed.rope().in_memory().is_none() => {
                    let left = deadline.saturating_sub(timer.now().saturating_sub(start));
                    Cow::Owned(options.clone().with_deadline(left))
                }
                _ => Cow::Borrowed(options),
            };
            self.inner.send(&signed, &options).await
        })
    }
}
