//! Validates and adds to Authenticated Received Chains (ARC, RFC 8617): what each hop found of a message before it changed it.
//!
//! A host that passes mail on validates the chain of what comes in, changes the message as it likes, and seals it with what it found:
//!
//! ```
//! use std::time::SystemTime;
//! use posthaste_auth::arc::{self, ChainResult, Sealer};
//! use posthaste_auth::authres::{AuthenticationResults, MethodResult};
//! use posthaste_auth::dkim::SigningKey;
//! use posthaste_dns::Zone;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let key = SigningKey::generate_ed25519()?;
//! let zone = Zone::parse(&format!("s1._domainkey.lists.example. TXT \"{}\"\n", key.dns_record()))?;
//! let sealer = Sealer::builder("lists.example".parse()?).key("s1".parse()?, key).build()?;
//! let now = SystemTime::now();
//!
//! let received = "From: ada@example.org\r\nSubject: Hello\r\n\r\nFirst line\r\n";
//! let chain = arc::validate(received.as_bytes(), &zone, now).await;
//! assert_eq!(chain.result(), ChainResult::None);
//!
//! let results = AuthenticationResults::new("lists.example")
//!     .with(MethodResult::new("dkim", "pass").property("header", "d", "example.org"))
//!     .with(chain.method_result(Some([192, 0, 2, 1].into())));
//! let passed_on = "From: ada@example.org\r\nSubject: [list] Hello\r\n\r\nFirst line\r\n";
//! let sealed = sealer.seal(passed_on.as_bytes(), &results, &chain, now)? + passed_on;
//!
//! let chain = arc::validate(sealed.as_bytes(), &zone, now).await;
//! assert_eq!(chain.result(), ChainResult::Pass);
//! assert_eq!(chain.sets()[0].domain().as_str(), "lists.example");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A chain that passes proves who sealed, not that they say the truth: what its results are worth depends on who they are.
//!
//! # Choices
//!
//! - A failure of DNS is [`ChainResult::TempError`], unless the chain is broken elsewhere for certain.
//! - RSA keys shorter than 1024 bits and `rsa-sha1` do not count (RFC 8301), nor do a body that is signed in part (`l=`), an
//!   ARC-Message-Signature that has expired, or a `t=` in the future.
//! - A chain whose newest set says `cv=fail` is not sealed again (§5.1), nor is one of 50 sets (§4.2.1).

mod chain;
mod keys;
mod message_signature;
mod payload;
mod seal;
mod sealer;
mod structure;
mod validate;

pub use chain::{Chain, ChainResult, FieldKind, Reason, Set};
pub use payload::{Payload, PayloadError};
pub use sealer::{SealError, SealFuture, Sealer, SealerBuilder, SealerError};
pub use validate::{Limits, validate, validate_cached, validate_with};

/// How many sets a chain may have (RFC 8617 §4.2.1).
const MOST_SETS: u8 = 50;
