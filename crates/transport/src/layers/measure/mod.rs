//! Figures of sends, for whatever recorder the program has.
//!
//! Right: the measure where the question is. Inside the retry it counts attempts, outside sends.
//!
//! ```text
//! smtp.layer(Measure::new()).layer(Retry::new(policy))
//! ```
//!
//! Wrong: the measure inside a rate limit, to see how long callers wait. The wait is not in it.
//!
//! ```text
//! smtp.layer(Measure::new()).layer(RateLimit::new(..))
//! ```

use std::sync::Arc;

use metrics::{counter, gauge, histogram};

use crate::{
    Fate, Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer, TokioTimer, Transport, TransportInfo,
};

/// Records each send by the `metrics` facade, under names as OpenTelemetry has them:
///
/// | name | kind | labels | what |
/// | --- | --- | --- | --- |
/// | `posthaste.send.duration` | histogram, seconds | `transport`, `outcome`, `error.type` | how long a send took |
/// | `posthaste.send.active` | gauge | `transport` | sends under way |
/// | `posthaste.send.recipients` | counter | `transport`, `fate` | recipients by what became of them |
///
/// `outcome` is `ok`, `not_accepted`, `ambiguous` or `partial`; `error.type` is the error's kind in lower case with `_`, and is not there
/// if there was none; `fate` is `accepted`, `refused` or `unknown`. No label holds anybody's address.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::Measure;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(Measure::new());
/// ```
#[derive(Clone, Debug)]
pub struct Measure {
    timer: Arc<dyn Timer>,
}

impl Measure {
    /// Measures by tokio's clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// Replaces the timer that it measures by.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }
}

impl Default for Measure {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Transport> Layer<T> for Measure {
    type Transport = Measured<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Measured {
            inner,
            timer: Arc::clone(&self.timer),
        }
    }
}

/// A transport whose sends are measured; made by [`Measure`].
#[derive(Debug)]
pub struct Measured<T> {
    inner: T,
    timer: Arc<dyn Timer>,
}

/// Counts a send as under way until it is dropped, as the future of a send may be.
struct Active(String);

impl Active {
    fn new(transport: String) -> Self {
        gauge!("posthaste.send.active", "transport" => transport.clone()).increment(1.0);
        Self(transport)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        gauge!("posthaste.send.active", "transport" => self.0.clone()).decrement(1.0);
    }
}

impl<T: Transport> Measured<T> {
    async fn send_measured(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let name = self.inner.info().name().to_owned();
        let active = Active::new(name.clone());
        let began = self.timer.now();
        let result = self.inner.send(mail, options).await;
        let took = self.timer.now().saturating_sub(began).as_secs_f64();
        drop(active);
        let labels = |outcome: &'static str| [("transport", name.clone()), ("outcome", outcome.to_owned())];
        match &result {
            Ok(_) => histogram!("posthaste.send.duration", &labels("ok")).record(took),
            Err(error) => {
                let [transport, outcome] = labels(match error.disposition() {
                    crate::Disposition::NotAccepted => "not_accepted",
                    crate::Disposition::Ambiguous => "ambiguous",
                    crate::Disposition::Partial => "partial",
                });
                let kind = ("error.type", word(&format!("{:?}", error.kind())));
                histogram!("posthaste.send.duration", &[transport, outcome, kind]).record(took);
            }
        }
        let outcome = match &result {
            Ok(outcome) => Some(outcome),
            Err(error) => error.outcome(),
        };
        let count = |fate: &'static str, recipients: usize| {
            if recipients > 0 {
                let recipients = u64::try_from(recipients).unwrap_or(u64::MAX);
                counter!("posthaste.send.recipients", "transport" => name.clone(), "fate" => fate)
                    .increment(recipients);
            }
        };
        match outcome {
            Some(outcome) => {
                let of = |kind: fn(&Fate) -> bool| outcome.recipients().iter().filter(|one| kind(one.fate())).count();
                count("accepted", of(|fate| matches!(fate, Fate::Accepted)));
                count("refused", of(|fate| matches!(fate, Fate::Refused(_))));
                count("unknown", of(|fate| matches!(fate, Fate::Unknown)));
            }
            None => {
                let sure = matches!(&result, Err(error) if error.disposition() == crate::Disposition::NotAccepted);
                count(
                    if sure { "refused" } else { "unknown" },
                    mail.envelope().recipients().len(),
                );
            }
        }
        result
    }
}

/// Writes `NotAccepted` as `not_accepted`.
fn word(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Measured<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_measured(mail, options))
    }
}

#[cfg(test)]
mod tests;
