//! Tokens: OAUTHBEARER (RFC 7628) and XOAUTH2.

use crate::secret::Secret;

/// A token as a client gave it. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct BearerToken {
    username: Option<String>,
    token: Secret,
}

impl BearerToken {
    /// Returns as whom the client wants to log in; `None` leaves it to the token. A token of somebody else must not be
    /// accepted.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Returns the token.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Reads the one message of OAUTHBEARER.
    pub(super) fn read(message: &str) -> Option<Self> {
        let (header, fields) = message.split_once('\x01')?;
        let mut parts = header.split(',');
        let (Some("n" | "y"), Some(authorization), Some(""), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let username = match authorization.strip_prefix("a=") {
            Some(name) => Some(name.replace("=2C", ",").replace("=3D", "=")),
            None if authorization.is_empty() => None,
            None => return None,
        };
        Some(Self {
            username,
            token: token(fields)?,
        })
    }

    /// Reads the one message of XOAUTH2.
    pub(super) fn read_xoauth2(message: &str) -> Option<Self> {
        let (user, fields) = message.split_once('\x01')?;
        let username = user.strip_prefix("user=").filter(|user| !user.is_empty())?;
        Some(Self {
            username: Some(username.to_owned()),
            token: token(fields)?,
        })
    }
}

/// Finds the token among fields, each of which a control character ends; another one ends them all.
fn token(fields: &str) -> Option<Secret> {
    let fields = fields.strip_suffix("\x01\x01")?;
    let mut found = None;
    for field in fields.split('\x01') {
        let (key, value) = field.split_once('=')?;
        if key == "auth" {
            let (scheme, token) = value.split_once(' ')?;
            let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
            if !scheme.eq_ignore_ascii_case("Bearer") || !is_token || found.is_some() {
                return None;
            }
            found = Some(Secret::new(token));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tokens() {
        let token =
            BearerToken::read("n,a=a=2Cb@example.org,\x01host=x\x01port=587\x01auth=Bearer t0k=en\x01\x01").unwrap();
        assert_eq!(
            (token.username(), token.token().expose()),
            (Some("a,b@example.org"), "t0k=en")
        );
        assert_eq!(
            BearerToken::read("n,,\x01auth=bearer t\x01\x01").unwrap().username(),
            None
        );
        let token = BearerToken::read_xoauth2("user=ada\x01auth=Bearer t\x01\x01").unwrap();
        assert_eq!((token.username(), token.token().expose()), (Some("ada"), "t"));
        assert!(!format!("{token:?}").contains("\"t\""));
    }

    #[test]
    fn refuses_what_is_none() {
        for message in [
            "",
            "n,,",
            "n,,\x01\x01",
            "n,,\x01auth=Bearer t\x01",
            "n,,\x01auth=Basic t\x01\x01",
            "n,,\x01auth=Bearer \x01\x01",
            "n,,\x01auth=Bearer a b\x01\x01",
            "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
            "n,x,\x01auth=Bearer t\x01\x01",
            "p=tls-exporter,,\x01auth=Bearer t\x01\x01",
            "\x01auth=Bearer t\x01\x01",
        ] {
            assert!(BearerToken::read(message).is_none(), "{message:?}");
        }
        for message in [
            "user=\x01auth=Bearer t\x01\x01",
            "auth=Bearer t\x01\x01",
            "user=ada\x01auth=Bearer t",
        ] {
            assert!(BearerToken::read_xoauth2(message).is_none(), "{message:?}");
        }
    }
}
