//! DKIM signing and verification, SPF, DMARC and Authentication-Results.

pub mod spf;
