//! The value that is configured.

use std::sync::Arc;

use posthaste_auth::dkim::Signer;
use posthaste_mime::Clock;

use super::Signed;
use crate::clock::SystemClock;
use crate::{Layer, Transport};

/// Puts DKIM signatures in front of a message (RFC 6376). Clones share the keys.
///
/// What goes on is bytes: the signature fields, and behind them the message's own chunks, shared and not copied. So the
/// transport inside has to take [`RawMime`](crate::Feature::RawMime). A message that cannot be signed is not sent: the error
/// is [`Invalid`](crate::ErrorKind::Invalid), nothing accepted.
///
/// Keys in a key service are waited for, as long as the [deadline](crate::SendOptions::with_deadline) lets; a service that may
/// answer later is [`Unavailable`](crate::ErrorKind::Unavailable).
///
/// A message with streamed attachments is read twice: once here, to hash it, on one of tokio's blocking threads and
/// piece by piece; and once by the transport. If it gives other bytes the second time, the transport fails before it has
/// sent all of it, so what arrives is what was signed.
///
/// Right: `transport.layer(Retry::new(..)).layer(Sign::new(..))`, which signs once. Wrong: the other way round, which signs every
/// attempt; or a layer that edits the message inside this one, which breaks the signature.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dkim::{Selector, Signer, SigningKey};
/// use posthaste_transport::layers::Sign;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let selector: Selector = "s2026".parse()?;
/// let signer = Signer::builder("example.org".parse()?).key(selector, SigningKey::generate_ed25519()?).build()?;
/// let transport = MemoryTransport::new().layer(Sign::new(signer));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sign {
    signer: Arc<Signer>,
    clock: Arc<dyn Clock>,
}

impl Sign {
    /// Signs by `signer`.
    #[must_use]
    pub fn new(signer: impl Into<Arc<Signer>>) -> Self {
        Self {
            signer: signer.into(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Replaces the clock that signatures are dated by.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl<T: Transport> Layer<T> for Sign {
    type Transport = Signed<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Signed::new(inner, Arc::clone(&self.signer), Arc::clone(&self.clock))
    }
}
