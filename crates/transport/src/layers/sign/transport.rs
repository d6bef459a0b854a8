//! The transport that the layer makes.

use std::sync::Arc;

use bytes::Bytes;
use posthaste_auth::dkim::Signer;
use posthaste_mime::Clock;

use crate::{Disposition, ErrorKind, Outbound, SendError, SendFuture, SendOptions, Transport, TransportInfo};

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
    fn sign(&self, mail: &Outbound) -> Result<Outbound, SendError> {
        let mut rope = mail.rope();
        let whole = match rope.in_memory() {
            Some(_) => Bytes::new(),
            None => rope.to_bytes().map_err(|error| self.invalid(error))?,
        };
        let signatures = match rope.in_memory() {
            Some(chunks) => self.signer.sign(chunks.map(|chunk| &chunk[..]), self.clock.now()),
            None => self.signer.sign([&whole[..]], self.clock.now()),
        };
        let signatures = signatures.map_err(|error| self.invalid(error))?;
        rope.prepend(Bytes::from(signatures));
        Ok(Outbound::raw(mail.envelope().clone(), rope))
    }

    fn invalid(&self, error: impl std::error::Error + Send + Sync + 'static) -> SendError {
        SendError::new(ErrorKind::Invalid, Disposition::NotAccepted)
            .with_transport(self.inner.info().name().to_owned())
            .with_detail("signing")
            .with_source(error)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Signed<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            let signed = self.sign(mail)?;
            self.inner.send(&signed, options).await
        })
    }
}
