//! The keys that URLs and variables share.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use posthaste_transport::TlsVersion;

use super::timeouts::Phase;
use super::{ConfigError, DeliverBy};
use crate::connect::IpChoice;
use crate::mechanism::Mechanism;
use crate::tls::Tls;

/// One setting that text can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Preset,
    Host,
    Port,
    Username,
    Password,
    Token,
    Mechanisms,
    Tls,
    MinimumTls,
    ClientCertificate,
    PrivateKeyFile,
    Roots,
    PlatformRoots,
    Helo,
    Pipelining,
    Chunking,
    Overlap,
    Lmtp,
    DeliverBy,
    DangerAllowPlaintextAuth,
    Connections,
    MessagesPerConnection,
    ConnectionLifetime,
    IdleTimeout,
    Ip,
    Bind,
    Proxy,
    Socket,
    Srv,
    Timeout(Phase),
}

const KEYS: [(&str, Key); 38] = [
    ("preset", Key::Preset),
    ("host", Key::Host),
    ("port", Key::Port),
    ("username", Key::Username),
    ("password", Key::Password),
    ("token", Key::Token),
    ("mechanisms", Key::Mechanisms),
    ("tls", Key::Tls),
    ("minimum_tls", Key::MinimumTls),
    ("client_certificate", Key::ClientCertificate),
    ("client_key", Key::PrivateKeyFile),
    ("roots", Key::Roots),
    ("platform_roots", Key::PlatformRoots),
    ("helo", Key::Helo),
    ("pipelining", Key::Pipelining),
    ("chunking", Key::Chunking),
    ("overlap", Key::Overlap),
    ("lmtp", Key::Lmtp),
    ("deliver_by", Key::DeliverBy),
    ("danger_allow_plaintext_auth", Key::DangerAllowPlaintextAuth),
    ("connections", Key::Connections),
    ("messages_per_connection", Key::MessagesPerConnection),
    ("connection_lifetime", Key::ConnectionLifetime),
    ("idle_timeout", Key::IdleTimeout),
    ("ip", Key::Ip),
    ("bind", Key::Bind),
    ("proxy", Key::Proxy),
    ("socket", Key::Socket),
    ("srv", Key::Srv),
    ("connect_timeout", Key::Timeout(Phase::Connect)),
    ("tls_timeout", Key::Timeout(Phase::Tls)),
    ("greeting_timeout", Key::Timeout(Phase::Greeting)),
    ("command_timeout", Key::Timeout(Phase::Command)),
    ("mail_timeout", Key::Timeout(Phase::Mail)),
    ("rcpt_timeout", Key::Timeout(Phase::Rcpt)),
    ("data_timeout", Key::Timeout(Phase::Data)),
    ("block_timeout", Key::Timeout(Phase::Block)),
    ("end_timeout", Key::Timeout(Phase::End)),
];

impl Key {
    /// Whether a URL has its own place for this.
    pub(super) fn is_in_authority(self) -> bool {
        matches!(
            self,
            Self::Preset | Self::Host | Self::Port | Self::Username | Self::Password
        )
    }

    pub(super) fn read<T: FromStr + Expected>(self, value: &str) -> Result<T, ConfigError> {
        value.parse().map_err(|_| self.error(T::EXPECTED))
    }

    pub(super) fn tls(self, value: &str) -> Result<Tls, ConfigError> {
        match value {
            "none" => Ok(Tls::None),
            "opportunistic" => Ok(Tls::Opportunistic),
            "required" => Ok(Tls::Required),
            "implicit" => Ok(Tls::Implicit),
            _ => Err(self.error("none, opportunistic, required or implicit")),
        }
    }

    pub(super) fn mechanisms(self, value: &str) -> Result<Vec<Mechanism>, ConfigError> {
        let names = value.split(',').map(|name| Mechanism::from_name(name.trim()));
        names
            .collect::<Option<_>>()
            .ok_or_else(|| self.error("names as scram-sha-256,plain,login"))
    }

    pub(super) fn ip(self, value: &str) -> Result<IpChoice, ConfigError> {
        IpChoice::from_name(value).ok_or_else(|| self.error("any, v4, v6, prefer-v4 or prefer-v6"))
    }

    /// Reads one address, or one of each version with a comma between.
    pub(super) fn addresses(self, value: &str) -> Result<Vec<IpAddr>, ConfigError> {
        let addresses = value.split(',').map(str::parse).collect::<Result<Vec<IpAddr>, _>>();
        let fits = |found: &Vec<IpAddr>| match found.as_slice() {
            [first, second] => first.is_ipv4() != second.is_ipv4(),
            found => found.len() == 1,
        };
        addresses
            .ok()
            .filter(fits)
            .ok_or_else(|| self.error("an IP address, or one of each version with a comma between"))
    }

    pub(super) fn duration(self, value: &str) -> Result<Duration, ConfigError> {
        duration(value).ok_or_else(|| self.error("a duration as 500ms, 30s or 5m"))
    }

    pub(super) fn error(self, expected: &'static str) -> ConfigError {
        let key = KEYS
            .iter()
            .find(|(_, key)| *key == self)
            .map_or("key", |(name, _)| name);
        ConfigError::Value { key, expected }
    }
}

/// Reads `500ms`, `30s`, `5m` or a number of seconds.
pub(crate) fn duration(value: &str) -> Option<Duration> {
    let (digits, unit): (&str, fn(u32) -> Duration) = if let Some(digits) = value.strip_suffix("ms") {
        (digits, |n| Duration::from_millis(n.into()))
    } else if let Some(digits) = value.strip_suffix('m') {
        (digits, |n| Duration::from_secs(u64::from(n) * 60))
    } else {
        (value.strip_suffix('s').unwrap_or(value), |n| {
            Duration::from_secs(n.into())
        })
    };
    digits.parse().ok().map(unit)
}

/// What an error says that a value should have been.
pub(super) trait Expected {
    const EXPECTED: &'static str;
}

impl Expected for bool {
    const EXPECTED: &'static str = "true or false";
}

impl Expected for DeliverBy {
    const EXPECTED: &'static str = "a time as 120;R or 86400;NT";
}

impl Expected for TlsVersion {
    const EXPECTED: &'static str = "1.2 or 1.3";
}

impl Expected for u16 {
    const EXPECTED: &'static str = "a number from 0 to 65535";
}

impl Expected for u32 {
    const EXPECTED: &'static str = "a number from 0 to 4294967295";
}

impl FromStr for Key {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        KEYS.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, key)| *key)
            .ok_or_else(|| {
                let known = KEYS
                    .iter()
                    .filter(|(_, key)| !key.is_in_authority())
                    .map(|(name, _)| format!("`{name}`"));
                ConfigError::UnknownKey {
                    key: name.to_owned(),
                    known: known.collect::<Vec<_>>().join(", "),
                }
            })
    }
}
