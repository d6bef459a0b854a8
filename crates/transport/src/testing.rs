//! What this crate's own tests send with, and the time that they send in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthaste_mime::{Generator, Message};

use crate::{Outbound, Sleep, Timer};

/// Makes a message from `ada` to those addresses.
pub(crate) fn mail(recipients: &[&str]) -> Outbound {
    let generator = Generator::fixed(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000), 1);
    let mut builder = Message::builder()
        .generator(&generator)
        .from("ada@example.org".parse().unwrap());
    for recipient in recipients {
        builder = builder.to(recipient.parse().unwrap());
    }
    Outbound::new(builder.subject("Hello").text("First line").build().unwrap()).unwrap()
}

/// A clock that stands still until somebody sleeps, and a list of those sleeps. Clones share both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopwatch(Arc<Mutex<(Duration, Vec<Duration>)>>);

impl Stopwatch {
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.lock().unwrap().0 += by;
    }
}

impl Timer for Stopwatch {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let this = self.clone();
        Box::pin(async move {
            let mut state = this.0.lock().unwrap();
            state.0 += duration;
            state.1.push(duration);
        })
    }
}
