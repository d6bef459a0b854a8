//! What a transport says of itself.

use std::borrow::Cow;
use std::fmt;

use crate::Capabilities;

/// Names a transport and lists what it can do.
///
/// # Examples
///
/// ```
/// use posthaste_transport::{Capabilities, Feature, TransportInfo};
///
/// const INFO: TransportInfo = TransportInfo::new("pigeon", Capabilities::wire().with_max_recipients(1));
/// assert_eq!(INFO.name(), "pigeon");
/// assert!(INFO.capabilities().supports(Feature::RawMime));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportInfo {
    name: Cow<'static, str>,
    capabilities: Capabilities,
}

impl TransportInfo {
    /// Describes the transport `name`, in one lower-case word.
    #[must_use]
    pub const fn new(name: &'static str, capabilities: Capabilities) -> Self {
        Self {
            name: Cow::Borrowed(name),
            capabilities,
        }
    }

    /// Replaces the name, for one that is only known when the program runs.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Replaces the capabilities.
    #[must_use]
    pub const fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Returns the name, which errors carry too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the transport can do.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
}

impl fmt::Display for TransportInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
