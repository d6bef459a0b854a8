//! Credentials that come with a request, for providers that sign nothing.

use std::fmt;

use super::Request;
use super::hash::{from_base64, same, sha256};

/// Credentials that a provider was told to send: in a URL, in a header field.
///
/// Secrets are kept as digests, and compared in constant time.
#[derive(Clone)]
pub struct Access {
    place: Place,
    digest: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Basic,
    Bearer,
    Header(String),
    Query(String),
}

/// What a request has to show for an [`Access`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Right,
    Wrong,
    Nothing,
}

impl Access {
    /// Asks for a user name and a password: `https://user:password@example.org/hooks` as the provider was told.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self::new(Place::Basic, format!("{user}:{password}").as_bytes())
    }

    /// Asks for a token in `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self::new(Place::Bearer, token.as_bytes())
    }

    /// Asks for a header field.
    #[must_use]
    pub fn header(name: &str, value: &str) -> Self {
        Self::new(Place::Header(name.to_owned()), value.as_bytes())
    }

    /// Asks for a parameter in the query of the URL. Servers and proxies write URLs into their logs: prefer a header field.
    #[must_use]
    pub fn query(name: &str, value: &str) -> Self {
        Self::new(Place::Query(name.to_owned()), value.as_bytes())
    }

    fn new(place: Place, secret: &[u8]) -> Self {
        Self {
            place,
            digest: sha256(secret),
        }
    }

    pub(super) fn check(&self, request: &Request) -> Shown {
        let shown = match &self.place {
            Place::Basic => authorization(request, "basic").map(|token| from_base64(token).unwrap_or_default()),
            Place::Bearer => authorization(request, "bearer").map(|token| token.as_bytes().to_vec()),
            Place::Header(name) => request.field(name).map(|value| value.as_bytes().to_vec()),
            Place::Query(name) => request.query(name).map(String::into_bytes),
        };
        match shown {
            // An empty secret would be shown by everybody.
            Some(shown) if !shown.is_empty() && same(&sha256(&shown), &self.digest) => Shown::Right,
            Some(_) => Shown::Wrong,
            None => Shown::Nothing,
        }
    }
}

fn authorization<'a>(request: &'a Request, scheme: &str) -> Option<&'a str> {
    let (found, token) = request.field("authorization")?.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then_some(token.trim())
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({:?})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::hash::base64;

    fn basic_field(user: &str, password: &str) -> String {
        format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
    }

    #[test]
    fn shown_in_its_place_and_nowhere_else() {
        let bare = || Request::post("https://example.org/", "");
        let basic = Access::basic("u", "p:q");
        assert_eq!(basic.check(&bare()), Shown::Nothing);
        assert_eq!(
            basic.check(&bare().header("authorization", basic_field("u", "p:q"))),
            Shown::Right
        );
        assert_eq!(
            basic.check(&bare().header("authorization", basic_field("u", "p"))),
            Shown::Wrong
        );
        assert_eq!(basic.check(&bare().header("authorization", "Basic !")), Shown::Wrong);
        assert_eq!(
            basic.check(&bare().header("authorization", "Bearer u:p:q")),
            Shown::Nothing
        );
        assert_eq!(
            Access::bearer("t").check(&bare().header("Authorization", "bearer t")),
            Shown::Right
        );
        assert_eq!(
            Access::header("X-Token", "t").check(&bare().header("x-token", "t")),
            Shown::Right
        );
        assert_eq!(
            Access::header("X-Token", "").check(&bare().header("x-token", "")),
            Shown::Wrong
        );
        let url = Request::post("https://example.org/?a=1&key=a%20b+c#x", "");
        assert_eq!(Access::query("key", "a b c").check(&url), Shown::Right);
        assert_eq!(Access::query("a", "2").check(&url), Shown::Wrong);
        assert!(!format!("{basic:?}").contains("p:q"));
    }
}
