//! Tokens instead of passwords.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::secret::Secret;

/// What [`TokenSource::token`] returns.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Secret, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// Gives OAuth 2.0 access tokens to log in with.
///
/// It is asked each time a connection logs in, so it should keep a token for as long as it is valid. A [`Secret`] is a source
/// that has one token for ever.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{Secret, SmtpConfig, TokenFuture, TokenSource};
///
/// #[derive(Debug)]
/// struct Refreshing; // a refresh token, a client for the token endpoint, the last access token
///
/// impl TokenSource for Refreshing {
///     fn token<'a>(&'a self, refused: Option<&'a Secret>) -> TokenFuture<'a> {
///         Box::pin(async move {
///             // Fetch a token if there is none, if the last one expires soon, or if it is the one that was refused.
///             # let _ = refused;
///             Ok(Secret::new("ya29..."))
///         })
///     }
/// }
///
/// let transport = SmtpConfig::new("smtp.example.org").token_source("ada@example.org", Refreshing).build()?;
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
pub trait TokenSource: Debug + Send + Sync + 'static {
    /// Gives a token. `refused` is one that the server has just refused: another one is tried once.
    ///
    /// # Errors
    ///
    /// Whatever kept it from having one. The send is then not accepted, and its error has this one as a source: it must not
    /// hold secrets.
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> TokenFuture<'a>;
}

impl TokenSource for Secret {
    fn token<'a>(&'a self, _refused: Option<&'a Secret>) -> TokenFuture<'a> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: TokenSource + ?Sized> TokenSource for Arc<T> {
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> TokenFuture<'a> {
        (**self).token(refused)
    }
}
