use std::time::Duration;

/// Says whether `n` are admitted, and if not, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use = "a decision that is not looked at limits nothing"]
pub enum Decision {
    /// All `n` are admitted and counted, by the rate and by the quota.
    Admitted,
    /// None is admitted and nothing is counted. The same request is admitted after this wait if nobody else is first.
    Wait(Duration),
    /// None is admitted, and no wait helps: `n` is more than the burst or the quota.
    Never,
}

impl Decision {
    /// Returns whether all were admitted.
    #[must_use]
    pub fn is_admitted(self) -> bool {
        matches!(self, Self::Admitted)
    }

    /// Returns how long to wait: nothing if admitted, `None` if no wait helps.
    #[must_use]
    pub fn wait(self) -> Option<Duration> {
        match self {
            Self::Admitted => Some(Duration::ZERO),
            Self::Wait(wait) => Some(wait),
            Self::Never => None,
        }
    }
}

/// What a key has left at one moment. Looking takes nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub(crate) rate_left: Option<u32>,
    pub(crate) quota_left: Option<u32>,
    pub(crate) next_in: Duration,
    pub(crate) full_in: Duration,
}

impl Allowance {
    /// What is left where nothing is limited.
    pub(crate) const fn boundless() -> Self {
        Self {
            rate_left: None,
            quota_left: None,
            next_in: Duration::ZERO,
            full_in: Duration::ZERO,
        }
    }

    /// Returns how many the rate would admit at once, or `None` if there is no rate.
    #[must_use]
    pub fn rate_left(&self) -> Option<u32> {
        self.rate_left
    }

    /// Returns how many the rolling 24 hours have left, or `None` if there is no quota.
    #[must_use]
    pub fn quota_left(&self) -> Option<u32> {
        self.quota_left
    }

    /// Returns how many would be admitted at once by rate and quota together, or `None` if there is no limit at all.
    #[must_use]
    pub fn available(&self) -> Option<u32> {
        match (self.rate_left, self.quota_left) {
            (Some(rate), Some(quota)) => Some(rate.min(quota)),
            (rate, quota) => rate.or(quota),
        }
    }

    /// Returns the time until one would be admitted: zero if now.
    #[must_use]
    pub fn next_in(&self) -> Duration {
        self.next_in
    }

    /// Returns the time until burst and quota are whole again if nothing more is taken: zero if they are.
    #[must_use]
    pub fn full_in(&self) -> Duration {
        self.full_in
    }
}
