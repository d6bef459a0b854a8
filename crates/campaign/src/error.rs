//! Why there is no message for an entry, or no campaign at all.

use posthaste_address::EnvelopeError;
use posthaste_auth::dkim::SignError;
use posthaste_mime::BuildError;
use posthaste_template::RenderError;

/// Says why an entry gets no message. The others do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The source of entries could not make one of what it read.
    #[error("the entry cannot be read")]
    Input(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The data is not an object, so no variable has a value in it.
    #[error("the entry's data is not a JSON object")]
    Data,
    /// The template cannot be rendered with the entry's data.
    #[error("the template cannot be rendered")]
    Render(#[from] RenderError),
    /// The message cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// There is nobody to send the message to.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The message cannot be signed.
    #[error("the message cannot be signed")]
    Sign(#[from] SignError),
    /// An attachment could not be read.
    #[error("an attachment cannot be read")]
    Read(#[from] std::io::Error),
    /// The runtime shut down, or the worker failed, before the message was made: make it again.
    #[error("the message was not made")]
    Interrupted,
}

/// Says why a campaign cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// What all messages have in common cannot stand in one.
    #[error(transparent)]
    Message(#[from] BuildError),
    /// The defaults are not an object.
    #[error("the default data is not a JSON object")]
    Data,
}
