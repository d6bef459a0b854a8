//! All adapters of this crate, by name: for URLs, tables and suites.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "generic")]
use crate::Generic;
use crate::driver::{DEFAULT_PARALLEL, DEFAULT_TIMEOUT};
use crate::{
    Adapter, AmazonSes, Azure, BatchTransport, Brevo, Cloudflare, Gmail, HttpClient, MailerSend, Mailgun, Mailjet,
    Mailtrap, Mandrill, MicrosoftGraph, Postal, Postmark, Profile, Provider, Resend, Scaleway, SendGrid, Settings,
    SettingsError, SparkPost, UnisenderGo, ZeptoMail,
};

type Make = fn(&mut Settings, Arc<dyn HttpClient>, Common) -> Result<Arc<dyn BatchTransport>, SettingsError>;

/// What all adapters have.
#[derive(Debug)]
struct Common {
    timeout: Duration,
    parallel: usize,
}

/// One provider of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    profile: &'static Profile,
    make: Make,
}

/// Every provider of this crate, by tier of use.
const ENTRIES: &[Entry] = &[
    entry::<AmazonSes>(),
    entry::<SendGrid>(),
    entry::<Mailgun>(),
    entry::<Postmark>(),
    entry::<Resend>(),
    entry::<Brevo>(),
    entry::<Mailjet>(),
    entry::<MailerSend>(),
    entry::<Mailtrap>(),
    entry::<Azure>(),
    entry::<Scaleway>(),
    entry::<ZeptoMail>(),
    entry::<UnisenderGo>(),
    entry::<Cloudflare>(),
    entry::<SparkPost>(),
    entry::<Mandrill>(),
    entry::<Postal>(),
    entry::<Gmail>(),
    entry::<MicrosoftGraph>(),
];

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
        make: |settings, client, common| Ok(common.provider(A::from_settings(settings)?, client)),
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
/// The scheme is the provider's name, or `generic` for one that a file describes (feature `generic`). What stands where a user and a password would, are its keys; `timeout`, of one request
/// in seconds, and `parallel`, how many requests of a batch are under way at once, are known to all; the rest is said by each
/// adapter.
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
/// use posthaste_transport::Transport;
///
/// let client = ReqwestClient::new()?;
/// let transport = connect("postmark://TOKEN@default?timeout=10", client.clone())?;
/// assert_eq!(transport.info().name(), "postmark");
/// assert!(connect("postmark://TOKEN@default?tiemout=10", client).is_err());
/// # Ok(())
/// # }
/// ```
pub fn connect(url: &str, client: impl HttpClient) -> Result<Arc<dyn BatchTransport>, SettingsError> {
    let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    // What has no scheme is not repeated: it may be a key.
    let is_scheme = url.contains(':') && scheme.len() <= 40 && scheme.bytes().all(|byte| byte.is_ascii_lowercase());
    let unknown = || match is_scheme {
        true => SettingsError::UnknownScheme(scheme.clone()),
        false => SettingsError::NotAUrl,
    };
    let make = make(&scheme).ok_or_else(unknown)?;
    let mut settings = Settings::parse(url)?;
    let common = Common {
        timeout: settings
            .take_number("timeout")?
            .map_or(DEFAULT_TIMEOUT, Duration::from_secs),
        parallel: settings.take_number("parallel")?.map_or(DEFAULT_PARALLEL, |requests| {
            usize::try_from(requests).unwrap_or(usize::MAX)
        }),
    };
    let (make, title) = make;
    let transport = make(&mut settings, Arc::new(client), common)?;
    settings.finish(title)?;
    Ok(transport)
}

/// What makes a transport of a scheme's URLs, and the name that people know it by.
fn make(scheme: &str) -> Option<(Make, &'static str)> {
    let entry = ENTRIES.iter().find(|entry| entry.profile.info().name() == scheme);
    let known = entry.map(|entry| (entry.make, entry.profile.title()));
    #[cfg(feature = "generic")]
    if scheme == "generic" {
        let make: Make = |settings, client, common| Ok(common.provider(Generic::from_settings(settings)?, client));
        return Some((make, "Generic"));
    }
    known
}

impl Common {
    fn provider<A: Adapter>(self, adapter: A, client: Arc<dyn HttpClient>) -> Arc<dyn BatchTransport> {
        let provider = Provider::with_client(adapter, client);
        Arc::new(provider.with_timeout(self.timeout).with_parallel(self.parallel))
    }
}
