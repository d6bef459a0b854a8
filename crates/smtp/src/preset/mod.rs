//! Services by their names: where they listen, how TLS begins there, and what they want to hear.

mod services;

use std::borrow::Cow;

use crate::config::{ConfigError, SmtpConfig};
use crate::mechanism::Mechanism;
use crate::tls::Tls;
use services::SERVICES;

/// What stands in a host's name for a region or a tenant.
const REGION: &str = "{region}";

/// Knows a service: its host, port and kind of TLS, and what it wants as a user name.
///
/// They are data, and vendors change theirs: what a preset says can be set anew, like any setting. `docs/smtp-presets.md` has
/// the table.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{Preset, SmtpConfig, SmtpTransport, Tls};
///
/// let gmail = Preset::for_domain("gmail.com").ok_or("no such preset")?;
/// assert_eq!((gmail.host(), gmail.port(), gmail.tls()), ("smtp.gmail.com", 465, Tls::Implicit));
///
/// // The user name is always the same here, so the key is all it takes.
/// let transport = SmtpConfig::preset("sendgrid")?.password("SG.key").build()?;
/// let the_same = SmtpTransport::from_url("smtp+sendgrid://:SG.key@default")?;
/// // Some are in many regions.
/// let ses = SmtpTransport::from_url("smtp+ses://user:password@eu-west-1:587")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    name: &'static str,
    host: &'static str,
    port: u16,
    tls: Tls,
    others: &'static [(u16, Tls)],
    user: PresetUser,
    login: bool,
    tokens: bool,
    aliases: &'static [&'static str],
    domains: &'static [&'static str],
    note: &'static str,
}

/// What a service takes for a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresetUser {
    /// Each user's own.
    Own,
    /// Always this.
    Fixed(&'static str),
    /// The password, which is a token, once more.
    Password,
}

impl Preset {
    /// Every one: first those that send for programs, then those that have mailboxes, or catch mail in tests.
    pub const ALL: &'static [Self] = SERVICES;

    const fn new(name: &'static str, host: &'static str, port: u16, tls: Tls) -> Self {
        Self {
            name,
            host,
            port,
            tls,
            others: &[],
            user: PresetUser::Own,
            login: false,
            tokens: false,
            aliases: &[],
            domains: &[],
            note: "",
        }
    }

    const fn also(mut self, others: &'static [(u16, Tls)]) -> Self {
        self.others = others;
        self
    }

    const fn user(mut self, user: &'static str) -> Self {
        self.user = PresetUser::Fixed(user);
        self
    }

    const fn token_twice(mut self) -> Self {
        self.user = PresetUser::Password;
        self
    }

    const fn login(mut self) -> Self {
        self.login = true;
        self
    }

    const fn tokens(mut self) -> Self {
        self.tokens = true;
        self
    }

    const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn with_domains(mut self, domains: &'static [&'static str]) -> Self {
        self.domains = domains;
        self
    }

    const fn with_note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// Finds a service by its name or another one of its names: case does not count, nor what is no letter or digit.
    pub fn find(name: &str) -> Option<Self> {
        let mut presets = Self::ALL.iter();
        let found = presets.find(|preset| {
            let mut names = std::iter::once(&preset.name).chain(preset.aliases);
            names.any(|known| letters(known).eq(letters(name)))
        });
        found.copied()
    }

    /// Finds the service that has the mailboxes of a domain.
    pub fn for_domain(domain: &str) -> Option<Self> {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let mut presets = Self::ALL.iter();
        let found = presets.find(|preset| preset.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)));
        found.copied()
    }

    /// Returns its name, in lower case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns its host; with `{region}` in it for one that takes [a region](Self::takes_region).
    pub fn host(&self) -> &'static str {
        self.host
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns when TLS begins at its port.
    pub fn tls(&self) -> Tls {
        self.tls
    }

    /// Returns its further ports, and when TLS begins there.
    pub fn other_ports(&self) -> &'static [(u16, Tls)] {
        self.others
    }

    /// Says what it takes for a user name.
    pub fn username(&self) -> PresetUser {
        self.user
    }

    /// Says whether it is to be logged in to by [`Mechanism::Login`], of all that take a password.
    pub fn wants_login(&self) -> bool {
        self.login
    }

    /// Says whether it would rather have tokens than passwords, or takes no passwords from most of its users.
    pub fn prefers_tokens(&self) -> bool {
        self.tokens
    }

    /// Says whether its host's name depends on a region, or on what stands in place of one.
    pub fn takes_region(&self) -> bool {
        self.host.contains(REGION)
    }

    /// Returns its further names.
    pub fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// Returns the domains whose mailboxes it has.
    pub fn domains(&self) -> &'static [&'static str] {
        self.domains
    }

    /// Returns what else is to be known; empty if nothing is.
    pub fn note(&self) -> &'static str {
        self.note
    }

    /// Starts the settings of a transport to it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it takes a region and there is none, or the other way round, or the region is not of letters, digits
    /// and hyphens.
    pub fn config(&self, region: Option<&str>) -> Result<SmtpConfig, ConfigError> {
        let invalid = |reason| ConfigError::Invalid {
            setting: "region",
            reason,
        };
        let host = match (self.takes_region(), region) {
            (false, None) => Cow::Borrowed(self.host),
            (false, Some(_)) => return Err(invalid("this service has none")),
            (true, None) => return Err(ConfigError::Missing("region")),
            (true, Some(region)) => {
                let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                if region.is_empty() || region.len() > 63 || !region.bytes().all(good) {
                    return Err(invalid("it is not of letters, digits and hyphens"));
                }
                Cow::Owned(self.host.replace(REGION, region))
            }
        };
        let mut config = SmtpConfig::new(host).port(self.port).tls(self.tls);
        config.preset = Some(*self);
        if self.login {
            config = config.mechanisms([Mechanism::OAuthBearer, Mechanism::XOAuth2, Mechanism::Login]);
        }
        Ok(config)
    }

    /// Says when TLS begins at `port`, if it is one of the service's.
    pub(crate) fn tls_at(&self, port: u16) -> Option<Tls> {
        let mut ports = std::iter::once((self.port, self.tls)).chain(self.others.iter().copied());
        ports.find(|(known, _)| *known == port).map(|(_, tls)| tls)
    }
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_and_domain_is_that_of_one_service() {
        let mut seen = BTreeSet::new();
        for preset in Preset::ALL {
            for name in std::iter::once(&preset.name).chain(preset.aliases) {
                assert!(seen.insert(letters(name).collect::<String>()), "{name}");
                assert_eq!(Preset::find(name), Some(*preset), "{name}");
            }
            let is_scheme = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
            assert!(preset.name.bytes().all(is_scheme), "{}", preset.name);
        }
        let mut seen = BTreeSet::new();
        for domain in Preset::ALL.iter().flat_map(|preset| preset.domains) {
            assert!(seen.insert(domain), "{domain}");
        }
    }

    #[test]
    fn every_one_makes_settings_that_can_be_used() {
        for preset in Preset::ALL {
            let region = preset.takes_region().then_some("eu-west-1");
            let config = preset.config(region).unwrap();
            assert!(!config.host.contains('{'), "{}", preset.name);
            assert_eq!((config.port, config.tls), (Some(preset.port), preset.tls));
            config.platform_roots(false).build().map_or_else(
                // Without any roots there is no TLS; everything else was looked at before.
                |error| {
                    assert!(
                        matches!(
                            error,
                            ConfigError::Certificate(_) | ConfigError::Tls(_) | ConfigError::Missing(_)
                        ),
                        "{error}"
                    )
                },
                drop,
            );
            let ports = preset.others.iter().map(|(port, _)| *port).chain([preset.port]);
            assert_eq!(
                ports.clone().collect::<BTreeSet<_>>().len(),
                ports.count(),
                "{}",
                preset.name
            );
            for (port, tls) in preset.others {
                assert_eq!(*port == 465 || *port == 2465, *tls == Tls::Implicit, "{}", preset.name);
            }
        }
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        for (name, found) in [
            ("Gmail", "gmail"),
            ("Outlook.com", "hotmail"),
            ("OUTLOOK", "hotmail"),
            ("Google Mail", "gmail"),
            ("SendinBlue", "brevo"),
            ("", ""),
            ("gmai", ""),
        ] {
            assert_eq!(Preset::find(name).map_or("", |preset| preset.name()), found, "{name}");
        }
        assert_eq!(
            Preset::for_domain("GoogleMail.com.").map(|preset| preset.name()),
            Some("gmail")
        );
        assert!(Preset::for_domain("example.org").is_none() && Preset::for_domain("").is_none());
    }

    #[test]
    fn regions_are_asked_for_where_there_are_any() {
        let ses = Preset::find("ses").unwrap();
        assert!(matches!(ses.config(None), Err(ConfigError::Missing("region"))));
        for region in ["", "eu west", "x.evil.example/", "a@b", &"x".repeat(64)] {
            assert!(
                matches!(ses.config(Some(region)), Err(ConfigError::Invalid { .. })),
                "{region}"
            );
        }
        let gmail = Preset::find("gmail").unwrap();
        assert!(matches!(
            gmail.config(Some("eu-west-1")),
            Err(ConfigError::Invalid { .. })
        ));
    }
}
