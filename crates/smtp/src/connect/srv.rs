//! Where the submission service of a domain is (RFC 6186, RFC 8314 §5.1).

use std::error::Error;

use crate::tls::Tls;

/// A server that may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    /// The name that its certificate is checked for.
    pub(crate) name: String,
}

/// Why SRV records lead to no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SrvError {
    /// The domain says that it has no such service: the target of its records is `.`.
    #[error("the domain says that it offers no submission of mail")]
    NotOffered,
    /// There are no records that fit.
    #[error("the domain has no SRV records for submission that fit the settings")]
    NoRecords,
    /// They could not be looked up.
    #[error("the SRV records could not be looked up")]
    Lookup(#[source] Box<dyn Error + Send + Sync>),
}

#[cfg(feature = "dns")]
pub(crate) use lookup::places;

#[cfg(feature = "dns")]
mod lookup {
    use posthaste_dns::{Answer, Dnssec, LookupError, RecordType, Resolver, Srv};
    use posthaste_mime::IdSource;

    use super::{Place, SrvError};
    use crate::tls::Tls;

    /// Most servers that are tried.
    const MAX_PLACES: usize = 16;

    /// Looks up the servers of `domain` in the order in which they are to be tried: those with TLS from the first octet before
    /// those with STARTTLS, where the domain does not say otherwise (RFC 8314 §5.1). `configured` says what of it may be used.
    pub(crate) async fn places(
        resolver: &dyn Resolver,
        domain: &str,
        configured: Tls,
        ids: &dyn IdSource,
    ) -> Result<Vec<Place>, SrvError> {
        let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
        let (implicit, explicit) = (
            format!("_submissions._tcp.{domain}"),
            format!("_submission._tcp.{domain}"),
        );
        let ask = async |wanted: bool, name: &str| match wanted {
            true => resolver.lookup(name, RecordType::Srv).await.map(Some),
            false => Ok(None),
        };
        let (implicit, explicit) = tokio::join!(
            ask(configured != Tls::None, &implicit),
            ask(configured != Tls::Implicit, &explicit)
        );
        let mut found = Found::default();
        found.add(implicit, Tls::Implicit, &domain, ids);
        found.add(explicit, configured, &domain, ids);
        found.finish()
    }

    #[derive(Default)]
    struct Found {
        places: Vec<(u16, Place)>,
        is_denied: bool,
        failure: Option<LookupError>,
    }

    impl Found {
        fn add(&mut self, answer: Result<Option<Answer>, LookupError>, tls: Tls, domain: &str, ids: &dyn IdSource) {
            let answer = match answer {
                Ok(Some(answer)) => answer,
                Ok(None) => return,
                Err(error) if error.is_void() => return,
                Err(error) => {
                    self.failure = Some(error);
                    return;
                }
            };
            let is_secure = answer.dnssec() == Dnssec::Secure;
            let random = |most: u32| {
                let drawn = u128::from_le_bytes(ids.next_id()) % (u128::from(most) + 1);
                u32::try_from(drawn).unwrap_or(most)
            };
            for place in Srv::order(answer.srv().cloned(), random) {
                if place.is_none() {
                    self.is_denied = true;
                    continue;
                }
                let is_within = place
                    .target
                    .strip_suffix(domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                // Whoever can change the answer must not choose whose certificate is asked for (RFC 6186 §6).
                let name = match is_secure || is_within {
                    true => place.target.clone(),
                    false => domain.to_owned(),
                };
                let server = Place {
                    host: place.target,
                    port: place.port,
                    tls,
                    name,
                };
                self.places.push((place.priority, server));
            }
        }

        fn finish(mut self) -> Result<Vec<Place>, SrvError> {
            // Those with TLS from the first octet stand first, and stay so within a priority.
            self.places.sort_by_key(|(priority, _)| *priority);
            if !self.places.is_empty() {
                return Ok(self
                    .places
                    .into_iter()
                    .take(MAX_PLACES)
                    .map(|(_, place)| place)
                    .collect());
            }
            Err(match self.failure {
                Some(failure) => SrvError::Lookup(failure.into()),
                None if self.is_denied => SrvError::NotOffered,
                None => SrvError::NoRecords,
            })
        }
    }

    #[cfg(test)]
    mod tests {
        use posthaste_dns::Zone;

        use super::*;

        #[derive(Debug)]
        struct Zeros;

        impl IdSource for Zeros {
            fn next_id(&self) -> [u8; 16] {
                [0; 16]
            }
        }

        async fn look_up(records: &str, configured: Tls) -> Result<Vec<(String, u16, Tls, String)>, SrvError> {
            let zone = Zone::parse(&format!("$ORIGIN example.org.\n{records}")).unwrap();
            let places = places(&zone, "Example.ORG", configured, &Zeros).await?;
            let places = places.into_iter();
            Ok(places
                .map(|place| (place.host, place.port, place.tls, place.name))
                .collect())
        }

        fn hosts(places: Vec<(String, u16, Tls, String)>) -> Vec<String> {
            places
                .into_iter()
                .map(|(host, port, tls, _)| format!("{host}:{port} {tls:?}"))
                .collect()
        }

        const BOTH: &str = "_submission._tcp SRV 10 1 587 one\n\
                            _submission._tcp SRV 5 1 2587 early\n\
                            _submissions._tcp SRV 10 1 465 one\n\
                            _submissions._tcp SRV 20 1 465 two\n";

        #[tokio::test]
        async fn priority_decides_and_then_tls_from_the_first_octet() {
            let found = look_up(BOTH, Tls::Required).await.unwrap();
            assert_eq!(
                hosts(found),
                [
                    "early.example.org:2587 Required",
                    "one.example.org:465 Implicit",
                    "one.example.org:587 Required",
                    "two.example.org:465 Implicit",
                ]
            );
        }

        #[tokio::test]
        async fn what_the_settings_rule_out_is_not_asked_for() {
            let found = look_up(BOTH, Tls::Implicit).await.unwrap();
            assert!(found.iter().all(|(.., tls, _)| *tls == Tls::Implicit) && found.len() == 2);
            let found = look_up(BOTH, Tls::None).await.unwrap();
            assert!(found.iter().all(|(.., tls, _)| *tls == Tls::None) && found.len() == 2);
            let only_clear = "_submission._tcp SRV 0 0 587 one";
            assert!(matches!(
                look_up(only_clear, Tls::Implicit).await,
                Err(SrvError::NoRecords)
            ));
        }

        #[tokio::test]
        async fn a_host_elsewhere_has_to_prove_that_it_speaks_for_the_domain() {
            let elsewhere = "_submissions._tcp SRV 0 0 465 mail.example.net.\n";
            let name =
                |found: Vec<(String, u16, Tls, String)>| found.into_iter().map(|(.., name)| name).next().unwrap();
            assert_eq!(name(look_up(elsewhere, Tls::Required).await.unwrap()), "example.org");
            let secure = format!("{elsewhere}$DNSSEC _submissions._tcp secure\n");
            assert_eq!(name(look_up(&secure, Tls::Required).await.unwrap()), "mail.example.net");
            for (target, expected) in [
                ("mail.example.org.", "mail.example.org"),
                ("example.org.", "example.org"),
                ("notexample.org.", "example.org"),
            ] {
                let record = format!("_submissions._tcp SRV 0 0 465 {target}\n");
                assert_eq!(
                    name(look_up(&record, Tls::Required).await.unwrap()),
                    expected,
                    "{target}"
                );
            }
        }

        #[tokio::test]
        async fn no_service_no_records_and_no_answer_are_three_things() {
            let denied = "_submission._tcp SRV 0 0 0 .\n";
            assert!(matches!(
                look_up(denied, Tls::Required).await,
                Err(SrvError::NotOffered)
            ));
            let other = format!("{denied}_submissions._tcp SRV 0 0 465 mail\n");
            assert_eq!(look_up(&other, Tls::Required).await.unwrap().len(), 1);
            assert!(matches!(
                look_up("@ A 192.0.2.1\n", Tls::Required).await,
                Err(SrvError::NoRecords)
            ));
            let failing = format!("{denied}$FAIL _submissions._tcp servfail\n");
            assert!(matches!(
                look_up(&failing, Tls::Required).await,
                Err(SrvError::Lookup(_))
            ));
            let half = "_submission._tcp SRV 0 0 587 mail\n$FAIL _submissions._tcp timeout\n";
            assert_eq!(look_up(half, Tls::Required).await.unwrap().len(), 1);
        }
    }
}
