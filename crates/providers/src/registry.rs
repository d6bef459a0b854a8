//! All adapters of this crate, by name: for URLs, tables and suites.

use std::sync::Arc;
use std::time::Duration;

use posthaste_transport::Transport;

use crate::{Adapter, HttpClient, Postmark, Profile, Provider, SendGrid, Settings, SettingsError};

type Make = fn(&mut Settings, Arc<dyn HttpClient>, Duration) -> Result<Arc<dyn Transport>, SettingsError>;

/// One provider of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    profile: &'static Profile,
    make: Make,
}

/// Every provider of this crate, by tier of use.
const ENTRIES: &[Entry] = &[entry::<SendGrid>(), entry::<Postmark>()];

/// What an adapter needs to be made of a URL.
pub trait FromSettings: Adapter + Sized {
    /// The constant data.
    const PROFILE: &'static Profile;

    /// Makes an adapter of what it takes from `settings`.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for what is missing or wrong. What is left over is checked by the caller.
    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError>;
}

const fn entry<A: FromSettings>() -> Entry {
    Entry {
        profile: A::PROFILE,
        make: |settings, client, timeout| {
            let adapter = A::from_settings(settings)?;
            Ok(Arc::new(Provider::with_client(adapter, client).with_timeout(timeout)))
        },
    }
}

impl Entry {
    /// Returns the constant data.
    #[must_use]
    pub const fn profile(&self) -> &'static Profile {
        self.profile
    }
}

/// Returns every provider of this crate.
#[must_use]
pub const fn providers() -> &'static [Entry] {
    ENTRIES
}

/// Makes the transport that `url` names, with `client`.
///
/// The scheme is the provider's name. What stands where a user and a password would, are its keys; `timeout` is known to
/// all, in seconds; the rest is said by each adapter.
///
/// # Errors
///
/// [`SettingsError`], which never repeats the URL.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use posthaste_providers::{ReqwestClient, connect};
///
/// let client = ReqwestClient::new()?;
/// let transport = connect("postmark://TOKEN@default?timeout=10", client.clone())?;
/// assert_eq!(transport.info().name(), "postmark");
/// assert!(connect("postmark://TOKEN@default?tiemout=10", client).is_err());
/// # Ok(())
/// # }
/// ```
pub fn connect(url: &str, client: impl HttpClient) -> Result<Arc<dyn Transport>, SettingsError> {
    let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let entry = ENTRIES
        .iter()
        .find(|entry| entry.profile.info().name() == scheme)
        .ok_or(SettingsError::UnknownScheme(scheme))?;
    let mut settings = Settings::parse(url)?;
    let timeout = Duration::from_secs(settings.take_number("timeout")?.unwrap_or(30));
    let transport = (entry.make)(&mut settings, Arc::new(client), timeout)?;
    settings.finish(entry.profile.title())?;
    Ok(transport)
}
