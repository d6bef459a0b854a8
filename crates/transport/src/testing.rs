//! What this crate's own tests send with, and the time that they send in.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthaste_mime::{Attachment, ContentType, Generator, Message, Source};

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

/// Makes a message to `bob` that streams `source`.
pub(crate) fn streaming(source: impl Source) -> Outbound {
    let generator = Generator::fixed(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000), 1);
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let message = Message::builder()
        .generator(&generator)
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Hello")
        .text("First line")
        .attach(Attachment::from_source("large.bin", kind, source).unwrap())
        .build()
        .unwrap();
    Outbound::new(message).unwrap()
}

/// Bytes that are made up as they are read. Clones share the count of readers.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    len: u64,
    fails_at: u64,
    panics_at: u64,
    /// Mixed into the bytes; adds one each time it is opened if they are to vary.
    seed: Arc<AtomicU64>,
    varies: bool,
    /// How many readers there are.
    pub(crate) open: Arc<AtomicUsize>,
}

impl Generated {
    pub(crate) fn new(len: u64) -> Self {
        Self {
            len,
            fails_at: u64::MAX,
            panics_at: u64::MAX,
            seed: Arc::default(),
            varies: false,
            open: Arc::default(),
        }
    }

    pub(crate) fn failing_at(self, at: u64) -> Self {
        Self { fails_at: at, ..self }
    }

    pub(crate) fn panicking_at(self, at: u64) -> Self {
        Self { panics_at: at, ..self }
    }

    pub(crate) fn varying(self) -> Self {
        Self { varies: true, ..self }
    }
}

impl Source for Generated {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        self.open.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Generating {
            seed: self.seed.fetch_add(u64::from(self.varies), Ordering::SeqCst),
            source: self.clone(),
            at: 0,
        }))
    }
}

struct Generating {
    source: Generated,
    seed: u64,
    at: u64,
}

impl io::Read for Generating {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        assert!(self.at < self.source.panics_at, "the source panics");
        if self.at >= self.source.fails_at {
            return Err(io::Error::other("the disk is gone"));
        }
        let end = self.source.len.min(self.source.fails_at).min(self.source.panics_at);
        let count = out.len().min(usize::try_from(end - self.at).unwrap_or(usize::MAX));
        for (byte, at) in out[..count].iter_mut().zip(self.at..) {
            *byte = (at.wrapping_add(self.seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Drop for Generating {
    fn drop(&mut self) {
        self.source.open.fetch_sub(1, Ordering::SeqCst);
    }
}
