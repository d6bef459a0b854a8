//! Authenticates mail.

pub mod dkim;
pub mod dmarc;
pub mod spf;
