//! A span for each send.
//!
//! Right: the trace inside the retry, for a span an attempt; or outside, for one a send.
//!
//! ```text
//! smtp.layer(Trace).layer(Retry::new(policy))
//! ```
//!
//! Wrong: a trace on both sides. The figures of one send stand there twice.
//!
//! ```text
//! smtp.layer(Trace).layer(Retry::new(policy)).layer(Trace)
//! ```

use tracing::{Instrument, debug, debug_span, warn};

use crate::{Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, Transport, TransportInfo};

/// Makes a `tracing` span `posthaste.send` of each send, and an event of its end.
///
/// No address, subject or content is in either: the span has the transport's name and the number of recipients, the event what became
/// of them, or the error's kind and what it left open.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::Trace;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(Trace);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Trace;

impl<T: Transport> Layer<T> for Trace {
    type Transport = Traced<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Traced { inner }
    }
}

/// A transport whose sends are traced; made by [`Trace`].
#[derive(Debug)]
pub struct Traced<T> {
    inner: T,
}

impl<T: Transport> Traced<T> {
    async fn send_traced(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let span = debug_span!(
            "posthaste.send",
            transport = %self.inner.info(),
            recipients = mail.envelope().recipients().len(),
        );
        async {
            let result = self.inner.send(mail, options).await;
            match &result {
                Ok(outcome) => debug!(
                    accepted = outcome.accepted().count(),
                    refused = outcome.refused().count(),
                    attempts = outcome.attempts(),
                    "sent"
                ),
                Err(error) => warn!(
                    kind = ?error.kind(),
                    disposition = ?error.disposition(),
                    attempts = error.attempts(),
                    "not sent"
                ),
            }
            result
        }
        .instrument(span)
        .await
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Traced<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_traced(mail, options))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::testing::mail;
    use crate::{Disposition, ErrorKind, MemoryTransport, Scripted, TransportExt};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_send_is_told_without_anybodys_address() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let memory = MemoryTransport::new();
            let transport = memory.clone().layer(Trace);
            let mail = mail(&["bob@example.net"]);
            assert!(runtime.block_on(transport.send(&mail, &SendOptions::new())).is_ok());
            memory.answer(Scripted::Fail(SendError::new(
                ErrorKind::Throttled,
                Disposition::NotAccepted,
            )));
            assert!(runtime.block_on(transport.send(&mail, &SendOptions::new())).is_err());
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        for part in [
            "posthaste.send",
            "transport=memory",
            "recipients=1",
            "accepted=1",
            "kind=Throttled",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        for secret in ["bob", "example", "Hello", "First line"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
