//! Private keys that are somewhere else: in a key management service, in a hardware security module.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use posthaste_address::Domain;

use super::key::Algorithm;
use super::public_key::PublicKey;
use super::selector::Selector;

/// What a [`RemoteKey`] gives: the octets of a signature, some time later.
pub type RemoteSignature<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, KeyServiceError>> + Send + 'a>>;

/// A private key that never leaves the service or the device that it is in.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
/// use posthaste_auth::dkim::{Algorithm, KeyServiceError, PublicKey, RemoteKey, RemoteSignature, Signer, SigningInput};
///
/// #[derive(Debug)]
/// struct Kms {
///     key: String,
///     public: PublicKey,
///     # pair: aws_lc_rs::signature::Ed25519KeyPair,
/// }
/// # impl Kms {
/// # async fn request(&self, _operation: &str, _key: &str, octets: &[u8]) -> Result<Vec<u8>, std::io::Error> {
/// #     Ok(self.pair.sign(octets).as_ref().to_vec())
/// # }
/// # }
///
/// impl RemoteKey for Kms {
///     fn algorithm(&self) -> Algorithm {
///         self.public.algorithm()
///     }
///
///     fn public_key(&self) -> Option<&PublicKey> {
///         Some(&self.public)
///     }
///
///     fn sign<'a>(&'a self, input: &'a SigningInput) -> RemoteSignature<'a> {
///         // With AWS KMS: `MessageType` is DIGEST for an RSA key, and RAW for an Ed25519 key.
///         Box::pin(async move {
///             self.request("Sign", &self.key, input.hash()).await.map_err(KeyServiceError::temporary)
///         })
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
/// # let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32])?;
/// # let der_from_service = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", pair.public_key().as_ref()].concat();
/// let kms = Kms {
///     key: "alias/dkim".into(),
///     public: PublicKey::from_der(&der_from_service)?,
///     # pair,
/// };
/// let signer = Signer::builder("example.org".parse()?).remote_key("s1".parse()?, Arc::new(kms)).build()?;
/// let message = b"From: ada@example.org\r\n\r\nHello\r\n";
/// let fields = signer.sign_async([message.as_slice()], SystemTime::now()).await?;
/// assert!(fields.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RemoteKey: fmt::Debug + Send + Sync {
    /// What it signs with.
    fn algorithm(&self) -> Algorithm;

    /// The public key, if it is known: then every signature is verified before it is used, and a wrong one is an error here and
    /// not at the recipient's.
    fn public_key(&self) -> Option<&PublicKey>;

    /// Signs: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519 (RFC 8463). How long it may take is up to the key: nothing here has a
    /// clock.
    fn sign<'a>(&'a self, input: &'a SigningInput) -> RemoteSignature<'a>;
}

/// What a [`RemoteKey`] signs, in both forms that services take it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningInput {
    pub(crate) domain: Domain,
    pub(crate) selector: Selector,
    pub(crate) header: Vec<u8>,
    pub(crate) hash: [u8; 32],
}

impl SigningInput {
    /// The canonical header: for an RSA key of which a service hashes the message itself.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The SHA-256 of the canonical header: the digest that an RSA key signs, and the message that an Ed25519 key signs (RFC 8463
    /// §3).
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The signature's `d=`.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The signature's `s=`.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }
}

/// Shows whose signature it is, never the header.
impl fmt::Debug for SigningInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningInput")
            .field("domain", &self.domain)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

/// Why a key service gave no signature. Clones share the cause.
#[derive(Clone, Debug, thiserror::Error)]
#[error("key service gave no signature{}", if self.is_temporary() { " for now" } else { "" })]
pub struct KeyServiceError {
    temporary: bool,
    source: Arc<dyn Error + Send + Sync>,
}

impl KeyServiceError {
    /// Makes the error of a service that may answer later: it is not reached, or throttles.
    #[must_use]
    pub fn temporary(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            temporary: true,
            source: source.into().into(),
        }
    }

    /// Makes the error of a service that will not sign: the key is gone, or not ours to use.
    #[must_use]
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            temporary: false,
            source: source.into().into(),
        }
    }

    /// Says whether it is worth asking again later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }
}

/// Equal are clones of one error.
impl PartialEq for KeyServiceError {
    fn eq(&self, other: &Self) -> bool {
        self.temporary == other.temporary && Arc::ptr_eq(&self.source, &other.source)
    }
}

impl Eq for KeyServiceError {}
