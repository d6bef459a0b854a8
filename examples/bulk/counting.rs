//! A transport that counts.

use std::sync::atomic::{AtomicU64, Ordering};

use posthaste::transport::{Capabilities, Fate, RecipientOutcome, SendFuture, TransportInfo, plan};
use posthaste::{Outbound, Outcome, SendOptions, Transport};

const INFO: TransportInfo = TransportInfo::new("counting", Capabilities::wire());

/// Accepts every message, counts it and forgets it.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Counting {
    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Transport for Counting {
    fn info(&self) -> TransportInfo {
        INFO
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            plan(mail, options, &INFO)?;
            self.messages.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(mail.rope().len(), Ordering::Relaxed);
            let recipients = mail.envelope().recipients().iter();
            let accepted = recipients.map(|to| RecipientOutcome::new(to.address().clone(), Fate::Accepted));
            Outcome::new(accepted).settle("counting")
        })
    }
}
