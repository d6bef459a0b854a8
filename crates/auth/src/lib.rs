//! Authenticates mail.

pub mod dkim;
pub mod spf;
