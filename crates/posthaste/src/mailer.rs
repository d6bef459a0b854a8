//! A transport with the usual layers around it.

use std::sync::Arc;

use posthaste_mime::Message;
use posthaste_transport::layers::{Retry, RetryPolicy};
use posthaste_transport::{Outbound, Outcome, SendError, SendOptions, Transport, TransportExt};

/// Sends messages through a transport and the layers around it. Clones share all of it.
///
/// The layers stand in this order, whatever order they were asked for in:
///
/// 1. sign: once a message, so that every attempt carries the same bytes;
/// 2. retry: around the limit, so that each attempt is counted as the provider counts it;
/// 3. limit: next to the transport, so that nothing gets by it;
/// 4. the transport.
///
/// For another order, stack the layers yourself with [`TransportExt::layer`] and hand in the result.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: Arc<dyn Transport>,
    options: SendOptions,
}

impl Mailer {
    /// Begins with a transport: one that [`connect`](crate::connect) made, or any other.
    pub fn builder(transport: impl Transport) -> MailerBuilder {
        MailerBuilder {
            transport: Arc::new(transport),
            #[cfg(feature = "sign")]
            signer: None,
            #[cfg(feature = "limit")]
            limit: None,
            retry: None,
            options: SendOptions::default(),
        }
    }

    /// Sends a message to the recipients in its headers and to those of its Bcc.
    ///
    /// # Errors
    ///
    /// [`SendError`]; its [`retry`](SendError::retry) says whether the message may be sent again. A message without a
    /// recipient is refused before anything else.
    pub async fn send(&self, message: Message) -> Result<Outcome, SendError> {
        self.send_with(&Outbound::new(message)?, &self.options).await
    }

    /// Sends mail with an envelope and options of its own.
    ///
    /// # Errors
    ///
    /// As [`Mailer::send`].
    pub async fn send_with(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        self.transport.send(mail, options).await
    }

    /// The options of [`Mailer::send`].
    #[must_use]
    pub fn options(&self) -> &SendOptions {
        &self.options
    }

    /// The outermost layer.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }
}

/// Composes a [`Mailer`].
#[derive(Clone, Debug)]
pub struct MailerBuilder {
    transport: Arc<dyn Transport>,
    #[cfg(feature = "sign")]
    signer: Option<posthaste_auth::dkim::Signer>,
    #[cfg(feature = "limit")]
    limit: Option<posthaste_limit::Limit>,
    retry: Option<RetryPolicy>,
    options: SendOptions,
}

impl MailerBuilder {
    /// Signs every message with DKIM.
    #[cfg(feature = "sign")]
    #[must_use]
    pub fn sign(mut self, signer: posthaste_auth::dkim::Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Holds a send rate, and a quota if `limit` has one, counted in recipients as providers do.
    #[cfg(feature = "limit")]
    #[must_use]
    pub fn limit(mut self, limit: posthaste_limit::Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Tries again after failures that are certain not to have sent anything.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sets the options of [`Mailer::send`].
    #[must_use]
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options;
        self
    }

    /// Stacks the layers.
    #[must_use]
    pub fn build(self) -> Mailer {
        let mut transport = self.transport;
        #[cfg(feature = "limit")]
        if let Some(limit) = self.limit {
            transport = Arc::new(transport.layer(posthaste_transport::layers::RateLimit::new(
                posthaste_limit::Limiter::new(limit),
                (),
            )));
        }
        if let Some(policy) = self.retry {
            transport = Arc::new(transport.layer(Retry::new(policy)));
        }
        #[cfg(feature = "sign")]
        if let Some(signer) = self.signer {
            transport = Arc::new(transport.layer(posthaste_transport::layers::Sign::new(signer)));
        }
        Mailer {
            transport,
            options: self.options,
        }
    }
}
