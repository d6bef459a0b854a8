//! What goes wrong while a message is sealed.

use crate::dkim::SignError;

/// Why a message is not sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The message cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The chain that was validated is not this message's.
    #[error("the chain that was validated is not that of this message")]
    OtherChain,
    /// The results say `arc=none` though there is a chain, or `arc=pass` though there is none.
    #[error("the results are not those of this chain")]
    Contradiction,
    /// The chain could not be validated for now. Seal the message once it could.
    #[error("the chain could not be validated for now")]
    Undecided,
    /// Another host sealed the chain as broken: nothing is added to it (RFC 8617 §5.1, step 2).
    #[error("the chain was sealed as broken already")]
    AlreadyFailed,
    /// The chain has as many sets as it may have (RFC 8617 §4.2.1).
    #[error("the chain has as many sets as it may have")]
    TooManySets,
}

impl SealError {
    /// Says whether sealing the same message again later may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Undecided => true,
            Self::Sign(error) => error.is_temporary(),
            _ => false,
        }
    }
}
