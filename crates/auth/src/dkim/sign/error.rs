//! What goes wrong while a message is signed.

use crate::dkim::remote::KeyServiceError;
use crate::dkim::selector::Selector;

/// Why a message is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message has no From field (RFC 6376 §5.4).
    #[error("message has no From field")]
    NoFrom,
    /// The header section has line ends that are not CRLF, so that nobody could say where it ends (RFC 6376 §5.3).
    #[error("header section has line ends that are not CRLF")]
    LineEnds,
    /// The header section begins with white space: behind a signature field it would be a part of that.
    #[error("header section begins with white space")]
    FirstLine,
    /// The header section has a line that is no field (RFC 6376 §5.3): verifiers would refuse it.
    #[error("header section has a line that is no field")]
    StrayLine,
    /// What was given as the header section goes on behind the empty line that ends it.
    #[error("header section goes on behind its empty line")]
    HeaderEnd,
    /// The body was hashed in another canonical form than the signer's.
    #[error("body was hashed in another canonical form than the signer's")]
    Canonicalization,
    /// The time is before 1970, or later than a signature can say.
    #[error("time of signing is before 1970, or later than a signature can say")]
    Time,
    /// The private-key operation failed.
    #[error("the private-key operation failed")]
    Key,
    /// The signer has a key in a key service, which cannot be waited for here: sign with [`Signer::sign_async`].
    ///
    /// [`Signer::sign_async`]: super::Signer::sign_async
    #[error("key `{0}` is in a key service: sign asynchronously")]
    RemoteKey(Selector),
    /// A key service gave no signature.
    #[error("key `{selector}` did not sign")]
    KeyService {
        /// The key's name.
        selector: Selector,
        /// What the service says.
        source: KeyServiceError,
    },
    /// A key service gave a signature that is not this key's: it does not verify, or has another length.
    #[error("key service gave a wrong signature for key `{0}`")]
    WrongSignature(Selector),
}

impl SignError {
    /// Says whether signing the same message again later may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::KeyService { source, .. } if source.is_temporary())
    }
}
