//! Where the time goes.

use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

/// Tells how long the stages of a message took, or of many; all zero if nobody measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stages {
    /// Rendering subject, text and HTML.
    pub render: Duration,
    /// Checking, encoding and laying out the message.
    pub mime: Duration,
    /// Hashing its body.
    pub hash: Duration,
    /// Hashing its header, and the private-key operations.
    pub sign: Duration,
}

impl Stages {
    /// Returns the sum.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.render + self.mime + self.hash + self.sign
    }
}

impl AddAssign for Stages {
    fn add_assign(&mut self, other: Self) {
        self.render += other.render;
        self.mime += other.mime;
        self.hash += other.hash;
        self.sign += other.sign;
    }
}

impl Sum for Stages {
    fn sum<I: Iterator<Item = Self>>(stages: I) -> Self {
        stages.fold(Self::default(), |mut sum, stages| {
            sum += stages;
            sum
        })
    }
}

/// Measures with a clock that was passed in, or not at all.
#[derive(Clone, Default)]
pub(crate) struct Stopwatch(Option<Arc<dyn Fn() -> Duration + Send + Sync>>);

impl Stopwatch {
    pub(crate) fn new(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(clock)))
    }

    pub(crate) fn now(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |clock| clock())
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stopwatch({})", if self.0.is_some() { "on" } else { "off" })
    }
}
