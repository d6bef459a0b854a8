//! How many connections there are, and for how long.

use std::time::Duration;

/// The bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolConfig {
    /// How many may be open at once.
    pub(crate) connections: u16,
    /// How many messages each may carry.
    pub(crate) messages: u32,
    /// How long each may be open.
    pub(crate) lifetime: Duration,
    /// How long each may wait for the next message.
    pub(crate) idle: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            connections: 8,
            messages: 100,
            lifetime: Duration::from_secs(300),
            idle: Duration::from_secs(60),
        }
    }
}
