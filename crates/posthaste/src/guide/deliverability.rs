//! Signing, and what a domain must publish so that its mail is believed.
//!
//! Receivers ask three things of a mail: does SPF allow the address that it came from to use this envelope sender, does
//! a DKIM signature of the From domain hold, and does the domain publish a DMARC policy that ties both to the From header.
//!
//! ```
//! use posthaste::dkim::{Signer, SigningKey};
//! use posthaste::Mailer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Two keys: some receivers don't verify Ed25519 yet, and all of them verify RSA.
//! let rsa = SigningKey::generate_rsa_2048()?;
//! let ed25519 = SigningKey::generate_ed25519()?;
//!
//! let signer = Signer::builder("example.org".parse()?)
//!     .key("rsa1".parse()?, rsa)
//!     .key("ed1".parse()?, ed25519)
//!     .build()?;
//! for record in signer.dns_records() {
//!     println!("{record}"); // a line for the zone file, in strings of at most 255 octets
//! }
//! let mailer = Mailer::builder(posthaste::connect("memory://")?).sign(signer).build();
//! # let _ = mailer;
//! # Ok(())
//! # }
//! ```
//!
//! Keep a key from one start to the next: [`SigningKey::from_pem`](crate::dkim::SigningKey::from_pem) reads the PEM files
//! that other tools write.
//!
//! Bulk mail needs a way out that works with one click (RFC 8058):
//! [`MessageBuilder::list_unsubscribe`](crate::MessageBuilder::list_unsubscribe) writes both header fields, and the signer
//! covers them.
