//! The URL form of an adapter.

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

/// What a URL such as `mailgun://KEY@mg.example.org?region=eu` says, taken apart for an adapter.
///
/// An adapter takes what it knows; what is left over at the end is an error, so that no key is misspelt in silence.
pub struct Settings {
    user: Option<String>,
    password: Option<String>,
    host: Option<String>,
    path: String,
    keys: BTreeMap<String, String>,
}

/// Says what is wrong with a URL. Never repeats it: it holds keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is no URL.
    #[error("not a URL")]
    NotAUrl,
    /// No provider has this scheme.
    #[error("no provider is called {0:?}")]
    UnknownScheme(String),
    /// The provider does not know this key.
    #[error("{provider} has no setting {key:?}")]
    UnknownKey {
        /// The provider's name.
        provider: &'static str,
        /// The key.
        key: String,
    },
    /// Something that has to be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value cannot be what it is.
    #[error("{key} is not {expected}")]
    Value {
        /// Which one.
        key: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The description of a provider is wrong.
    #[cfg(feature = "generic")]
    #[cfg_attr(docsrs, doc(cfg(feature = "generic")))]
    #[error(transparent)]
    Description(#[from] crate::DescriptionError),
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made")]
    Client,
}

impl Settings {
    /// Takes a URL apart. Everything in it is percent-decoded.
    ///
    /// # Errors
    ///
    /// [`SettingsError::NotAUrl`]; [`SettingsError::Value`] if a key stands there twice.
    pub fn parse(url: &str) -> Result<Self, SettingsError> {
        let url = Url::parse(url).map_err(|_| SettingsError::NotAUrl)?;
        let mut keys = BTreeMap::new();
        for (key, value) in url.query_pairs() {
            if keys.insert(key.to_string(), value.to_string()).is_some() {
                return Err(SettingsError::Value {
                    key: key.to_string(),
                    expected: "said once",
                });
            }
        }
        let host = url.host_str().filter(|host| !host.is_empty() && *host != "default");
        Ok(Self {
            user: Some(decoded(url.username())?).filter(|user| !user.is_empty()),
            password: url.password().map(decoded).transpose()?,
            host: host.map(|host| match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            }),
            path: url.path().trim_matches('/').to_owned(),
            keys,
        })
    }

    /// Takes the key of an account, which stands where a user would: `provider://KEY@default`.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Missing`], under the name that the provider gives it.
    pub fn key(&mut self, name: &'static str) -> Result<String, SettingsError> {
        self.user.take().ok_or(SettingsError::Missing(name))
    }

    /// Takes the user, if there is one.
    pub fn user(&mut self) -> Option<String> {
        self.user.take()
    }

    /// Takes the password, if there is one.
    pub fn password(&mut self) -> Option<String> {
        self.password.take()
    }

    /// Takes the host, with its port if it has one; `default` is none.
    pub fn host(&mut self) -> Option<String> {
        self.host.take()
    }

    /// Takes the path, without slashes around it, if there is one.
    pub fn path(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.path)).filter(|path| !path.is_empty())
    }

    /// Takes the value of a key.
    pub fn take(&mut self, key: &str) -> Option<String> {
        self.keys.remove(key)
    }

    /// Takes the value of a key that is `yes`, `true` or `1`, or `no`, `false` or `0`.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Value`] for anything else.
    pub fn take_flag(&mut self, key: &str) -> Result<Option<bool>, SettingsError> {
        self.take(key)
            .map(|value| match value.as_str() {
                "yes" | "true" | "1" => Ok(true),
                "no" | "false" | "0" => Ok(false),
                _ => Err(SettingsError::Value {
                    key: key.to_owned(),
                    expected: "yes or no",
                }),
            })
            .transpose()
    }

    /// Takes the value of a key that is a whole number.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Value`] for anything else.
    pub fn take_number(&mut self, key: &str) -> Result<Option<u64>, SettingsError> {
        self.take(key)
            .map(|value| {
                value.parse().map_err(|_| SettingsError::Value {
                    key: key.to_owned(),
                    expected: "a whole number",
                })
            })
            .transpose()
    }

    /// Ends the taking.
    ///
    /// # Errors
    ///
    /// [`SettingsError::UnknownKey`] for the first that nobody took; user, password, host and path count as keys of these
    /// names.
    pub fn finish(self, provider: &'static str) -> Result<(), SettingsError> {
        let left = self
            .keys
            .into_keys()
            .next()
            .or_else(|| self.user.map(|_| "user".to_owned()))
            .or_else(|| self.password.map(|_| "password".to_owned()))
            .or_else(|| self.host.map(|_| "host".to_owned()))
            .or_else(|| (!self.path.is_empty()).then(|| "path".to_owned()));
        match left {
            Some(key) => Err(SettingsError::UnknownKey { provider, key }),
            None => Ok(()),
        }
    }
}

fn decoded(text: &str) -> Result<String, SettingsError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return Err(SettingsError::NotAUrl),
        }
    }
    String::from_utf8(bytes).map_err(|_| SettingsError::NotAUrl)
}

/// Shows which keys there are, and no value.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("keys", &self.keys.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
