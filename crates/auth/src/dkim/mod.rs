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
//! let rsa = SigningKey::generate_rsa_2048()?;
//! let signer = Signer::builder("example.org".parse()?)
//!     .key("r2026".parse()?, rsa)
//!     .key("e2026".parse()?, SigningKey::generate_ed25519()?)
//!     .build()?;
//! for record in signer.dns_records() {
//!     println!("{record}");
//! }
//!
//! let message = b"From: ada@example.org\r\nSubject: Hello\r\n\r\nFirst line\r\n";
//! let fields = signer.sign([message.as_slice()], SystemTime::now())?;
//! assert!(fields.starts_with("DKIM-Signature: v=1; a=rsa-sha256; "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Which way for which keys and bodies:
//!
//! - Keys in files: [`SigningKey::from_pem`], [`SigningKey::from_der`]. Keys in a service or a device: [`RemoteKey`], and
//!   [`Signer::sign_async`].
//! - A body that comes before its header does, or that begins as others do: [`Signer::body`] gives a [`BodyHash`] to feed and to
//!   clone, [`Signer::sign_body`] takes it. What many bodies share and is proven once to be [`CanonicalBytes`] costs SHA-256 alone.
//!
//! What is signed, if nothing else is [asked for](SignerBuilder::headers):
//!
//! | fields | how often |
//! | --- | --- |
//! | From, To, Cc, Subject, Date, Reply-To, Message-ID, MIME-Version, Content-Type | once more than there are |
//! | Sender, List-Unsubscribe, List-Unsubscribe-Post, Content-Transfer-Encoding, Auto-Submitted | if there are any, once more than there are |
//! | In-Reply-To, References, the Resent- fields, the List- fields, Feedback-ID | as often as there are any |
//!
//! Signed once more than there are, a field cannot be added to what was signed (RFC 6376 §8.15). `l=` and `z=` are never written.
//!
//! # Verifying
//!
//! [`verify`] gives a [`Verdict`] for each signature, with the reason where it is not a pass. [`verify_cached`] keeps keys as they were
//! read in a [`KeyCache`], which halves what an RSA signature costs beside its hash.

mod body;
mod canonicalization;
mod der;
mod dns_record;
mod fields;
mod key;
mod key_cache;
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
pub(crate) use canonicalization::push_field;
pub use dns_record::DnsRecord;
pub(crate) use dns_record::record_name;
pub(crate) use fields::{Field, Fields};
pub use key::{Algorithm, KeyError, SigningKey};
pub use key_cache::KeyCache;
pub(crate) use key_cache::Record;
pub use public_key::{KeyRecordError, PublicKey};
pub use remote::{KeyServiceError, RemoteKey, RemoteSignature, SigningInput};
pub use selector::{Selector, SelectorError};
pub(crate) use sign::{HeaderNames, Key, LATEST, check_header, check_names, check_record, is_plausible};
pub use sign::{SignError, SignFuture, Signer, SignerBuilder, SignerError};
pub use signature::SignatureError;
pub(crate) use signature::{algorithm, base64, canonicalizations, domain, header_names, number, selector, times};
pub use tags::TagError;
pub(crate) use tags::Tags;
pub use verify::{DkimResult, Limits, Reason, Verdict, verify, verify_cached, verify_with};
pub(crate) use verify::{canonical_header, push_signature_field, verify_fields};
