//! What both databases are told.

use std::time::Duration;

use posthaste_address::KeyRules;

/// Sets up a list in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SqlSettings {
    pub(super) rules: KeyRules,
    pub(super) timeout: Duration,
    pub(super) connections: u32,
}

impl Default for SqlSettings {
    /// The default [`KeyRules`], five seconds, ten connections.
    fn default() -> Self {
        Self {
            rules: KeyRules::default(),
            timeout: Duration::from_secs(5),
            connections: 10,
        }
    }
}

impl SqlSettings {
    /// Sets when two addresses are one. Every program that uses the same tables must say the same.
    pub fn with_rules(self, rules: KeyRules) -> Self {
        Self { rules, ..self }
    }

    /// Sets how long one call may take, waiting for a connection included; five seconds unless set.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets how many connections there may be; ten unless set, and at least one.
    pub fn with_connections(self, connections: u32) -> Self {
        Self {
            connections: connections.max(1),
            ..self
        }
    }
}
