//! Sends everything to somebody else: for staging.
//!
//! Right: next to the transport. Nothing further in can add a recipient, and layers further out (suppression, limits) see the
//! real ones.
//!
//! ```text
//! smtp.layer(Redirect::to([tester])).layer(Retry::new(policy))
//! ```
//!
//! Wrong: outside a layer that chooses recipients or transports by them, which then sees the testers only; or in one arm of a
//! failover, whose other arm sends to real people.
//!
//! ```text
//! Failover::new([smtp.layer(Redirect::to([tester])), ses])
//! ```

use std::sync::Arc;

use bytes::Bytes;
use posthaste_address::{Domain, EmailAddress, Recipient};

use crate::{
    Disposition, ErrorKind, Fate, Feature, Layer, Outbound, Outcome, RecipientOutcome, SendError, SendFuture,
    SendOptions, Transport, TransportInfo,
};

#[cfg(test)]
mod tests;

/// The most original recipients that the header field lists.
const MAX_LISTED: usize = 100;

/// Replaces every recipient of the envelope by given ones, except those at domains that may pass.
///
/// - Where the transport takes finished bytes, one `X-Original-Recipient` field for each replaced recipient (a hundred at most)
///   is put in front of the message. The visible headers stay as they are.
/// - A transport that reads the recipients from the headers would reach real people, so one without
///   [`Feature::EnvelopeRecipients`] is refused as [`Unsupported`](ErrorKind::Unsupported), nothing sent.
/// - The outcome is told for the real recipients: one that was replaced is accepted if anybody was in its place.
/// - Without anybody to send to, a send with a recipient to replace fails as [`Invalid`](ErrorKind::Invalid).
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::Redirect;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let redirect = Redirect::to(["tester@example.org".parse()?]).with_allowed_domain("example.org".parse()?);
/// let transport = MemoryTransport::new().layer(redirect);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redirect {
    to: Arc<[EmailAddress]>,
    allowed: Vec<Domain>,
}

impl Redirect {
    /// Sends to these instead.
    #[must_use]
    pub fn to(addresses: impl IntoIterator<Item = EmailAddress>) -> Self {
        Self {
            to: addresses.into_iter().collect(),
            allowed: Vec::new(),
        }
    }

    /// Lets recipients at `domain` pass; not those at its subdomains.
    #[must_use]
    pub fn with_allowed_domain(mut self, domain: Domain) -> Self {
        self.allowed.push(domain);
        self
    }

    fn passes(&self, address: &EmailAddress) -> bool {
        self.allowed.contains(address.domain())
    }
}

impl<T: Transport> Layer<T> for Redirect {
    type Transport = Redirecting<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Redirecting {
            inner,
            redirect: self.clone(),
        }
    }
}

/// A transport that sends to somebody else; made by [`Redirect`].
#[derive(Debug)]
pub struct Redirecting<T> {
    inner: T,
    redirect: Redirect,
}

impl<T> Redirecting<T> {
    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Transport> Redirecting<T> {
    async fn send_elsewhere(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let replaced: Vec<&EmailAddress> = mail
            .envelope()
            .recipients()
            .iter()
            .map(Recipient::address)
            .filter(|address| !self.redirect.passes(address))
            .collect();
        if replaced.is_empty() {
            return self.inner.send(mail, options).await;
        }
        let elsewhere = self.readdress(mail, &replaced)?;
        match self.inner.send(&elsewhere, options).await {
            Ok(outcome) => self.told(mail, &outcome).settle(self.inner.info().name().to_owned()),
            Err(error) => Err(match error.outcome() {
                Some(outcome) => {
                    let told = self.told(mail, outcome);
                    error.with_outcome(told)
                }
                None => error,
            }),
        }
    }

    fn readdress(&self, mail: &Outbound, replaced: &[&EmailAddress]) -> Result<Outbound, SendError> {
        let info = self.inner.info();
        let error = |kind, detail: &'static str| {
            SendError::new(kind, Disposition::NotAccepted)
                .with_transport(info.name().to_owned())
                .with_detail(detail)
        };
        if self.redirect.to.is_empty() {
            return Err(error(ErrorKind::Invalid, "redirecting to nobody"));
        }
        if !info.capabilities().supports(Feature::EnvelopeRecipients) {
            let detail = "redirecting: it reads the recipients from the headers";
            return Err(error(ErrorKind::Unsupported, detail));
        }
        let mut recipients: Vec<Recipient> = Vec::new();
        let passing = mail
            .envelope()
            .recipients()
            .iter()
            .filter(|recipient| self.redirect.passes(recipient.address()));
        let instead = self.redirect.to.iter().cloned().map(Recipient::from);
        for recipient in passing.cloned().chain(instead) {
            if recipients.iter().all(|known| known.address() != recipient.address()) {
                recipients.push(recipient);
            }
        }
        let envelope = mail.envelope().with_recipients(recipients)?;
        if !info.capabilities().supports(Feature::RawMime) {
            return Ok(mail.readdressed(envelope));
        }
        let mut rope = mail.rope();
        let fields: String = replaced
            .iter()
            .take(MAX_LISTED)
            .map(|address| format!("X-Original-Recipient: {}\r\n", ascii(address)))
            .collect();
        rope.prepend(Bytes::from(fields));
        Ok(Outbound::raw(envelope, rope))
    }

    /// Tells for the real recipients what became of those in their place.
    fn told(&self, mail: &Outbound, outcome: &Outcome) -> Outcome {
        let of = |address: &EmailAddress| {
            outcome
                .recipients()
                .iter()
                .find(|recipient| recipient.address() == address)
                .map(|recipient| recipient.fate().clone())
        };
        let fates: Vec<Fate> = self.redirect.to.iter().filter_map(of).collect();
        let best = fates
            .iter()
            .find(|fate| fate.is_accepted())
            .or_else(|| fates.iter().find(|fate| **fate == Fate::Unknown))
            .or(fates.first());
        let recipients = mail.envelope().recipients().iter().map(|recipient| {
            let address = recipient.address();
            let fate = if self.redirect.passes(address) {
                of(address)
            } else {
                best.cloned()
            };
            RecipientOutcome::new(address.clone(), fate.unwrap_or(Fate::Unknown))
        });
        outcome.with_recipients(recipients)
    }
}

/// A header section stays ASCII: the local part's other characters are shown as `\u{..}`.
fn ascii(address: &EmailAddress) -> String {
    address
        .to_string()
        .chars()
        .map(|character| {
            if character.is_ascii_graphic() || character == ' ' {
                character.to_string()
            } else {
                character.escape_unicode().to_string()
            }
        })
        .collect()
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Redirecting<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_elsewhere(mail, options))
    }
}
