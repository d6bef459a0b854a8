//! Ways to log in.

use std::fmt;

/// A SASL mechanism, as client and server log in by (RFC 4954).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// SCRAM-SHA-256 bound to the TLS connection (RFC 7677, RFC 9266): who sits between cannot pass it on. Over TLS 1.3.
    ScramSha256Plus,
    /// SCRAM-SHA-256 (RFC 7677): the server learns that the password is known, and not the password.
    ScramSha256,
    /// A token, as RFC 7628 has it.
    OAuthBearer,
    /// A token, in the form that came before RFC 7628.
    XOAuth2,
    /// A digest of the password and a challenge (RFC 2195). Who reads it can try out passwords at leisure, and the server has
    /// to keep the password itself: it is not used unless it is asked for.
    CramMd5,
    /// User name and password in one go (RFC 4616).
    Plain,
    /// User name and password one after the other.
    Login,
}

impl Mechanism {
    /// Every mechanism, the preferred ones first.
    pub const ALL: &'static [Self] = &[
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::OAuthBearer,
        Self::XOAuth2,
        Self::CramMd5,
        Self::Plain,
        Self::Login,
    ];

    /// The mechanisms that are used unless others are chosen: all but CRAM-MD5.
    pub const DEFAULT: &'static [Self] = &[
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::OAuthBearer,
        Self::XOAuth2,
        Self::Plain,
        Self::Login,
    ];

    /// Returns the name that servers announce.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
            Self::CramMd5 => "CRAM-MD5",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// Finds the mechanism with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name))
    }

    /// Whether it sends a token, and not a password.
    pub fn takes_token(self) -> bool {
        matches!(self, Self::OAuthBearer | Self::XOAuth2)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for &mechanism in Mechanism::ALL {
            assert_eq!(
                Mechanism::from_name(&mechanism.to_string().to_lowercase()),
                Some(mechanism)
            );
        }
        assert_eq!(Mechanism::from_name("GSSAPI"), None);
        assert!(!Mechanism::DEFAULT.contains(&Mechanism::CramMd5));
        assert_eq!(Mechanism::DEFAULT.len() + 1, Mechanism::ALL.len());
    }
}
