//! Signs and verifies DomainKeys Identified Mail (DKIM, RFC 6376) with RSA-SHA256 (RFC 8301) and Ed25519-SHA256 (RFC 8463).
//!
//! # Signing
//!
//! A [`Signer`] holds one key or several; it hashes a message's body once for all of them, over any sequence of chunks, and
//! gives the header fields to put in front.
//!
//! ```
//! use std::time::SystemTime;
//! use posthaste_auth::dkim::{Signer, SigningKey};
//!
//! let key = SigningKey::generate_ed25519()?;
//! println!("s1._domainkey.example.org. TXT {}", key.dns_record());
//! let signer = Signer::builder("example.org".parse()?).key("s1".parse()?, key).build()?;
//!
//! let message = b"From: ada@example.org\r\nSubject: Hello\r\n\r\nFirst line\r\n";
//! let fields = signer.sign([message.as_slice()], SystemTime::now())?;
//! assert!(fields.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Verifying
//!
//! [`verify`] gives a [`Verdict`] for each signature, with the reason where it is not a pass.

mod body;
mod canonicalization;
mod der;
mod dns_record;
mod fields;
mod key;
mod names;
mod public_key;
mod remote;
mod scan;
mod selector;
mod sign;
mod signature;
mod tags;
mod verify;

pub use body::{BodyHash, CanonicalBytes};
pub use canonicalization::Canonicalization;
pub use dns_record::DnsRecord;
pub(crate) use fields::Fields;
pub use key::{Algorithm, KeyError, SigningKey};
pub use public_key::{KeyRecordError, PublicKey};
pub use remote::{KeyServiceError, RemoteKey, RemoteSignature, SigningInput};
pub use selector::{Selector, SelectorError};
pub use sign::{SignError, SignFuture, Signer, SignerBuilder, SignerError};
pub use signature::SignatureError;
pub use tags::TagError;
pub use verify::{DkimResult, Limits, Reason, Verdict, verify, verify_with};
