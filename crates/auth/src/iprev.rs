//! Tells whether an address has a name that leads back to it (iprev, RFC 8601 §3).
//!
//! ```
//! use posthaste_auth::iprev::{self, IprevResult};
//! use posthaste_dns::Zone;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let zone = Zone::parse(
//!     "1.2.0.192.in-addr.arpa. PTR mail.example.org.\n\
//!      mail.example.org.       A   192.0.2.1\n",
//! )?;
//! let report = iprev::check("192.0.2.1".parse()?, &zone).await;
//! assert_eq!(report.result(), IprevResult::Pass);
//! assert_eq!(report.name(), Some("mail.example.org"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::net::IpAddr;

use posthaste_dns::{Answer, LookupError, RecordType, Resolver, reverse_name};

/// How many of an address's names are looked at.
pub const NAMES: usize = 10;

/// What came of iprev, in the words of RFC 8601 §2.7.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IprevResult {
    /// A name of the address leads back to it.
    Pass,
    /// None of its names does.
    Fail,
    /// The DNS failed; try again later.
    TempError,
    /// The address has no name.
    PermError,
}

impl IprevResult {
    /// The word in Authentication-Results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for IprevResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    result: IprevResult,
    ip: IpAddr,
    name: Option<String>,
    names: Vec<String>,
    error: Option<LookupError>,
}

impl Report {
    /// The result.
    #[must_use]
    pub fn result(&self) -> IprevResult {
        self.result
    }

    /// The address; IPv4 in IPv6 clothes is IPv4 here.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The name that leads back to the address.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The names that the address claims: the first ten, as the DNS has them, proven or not.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Why the result is an error.
    #[must_use]
    pub fn error(&self) -> Option<&LookupError> {
        self.error.as_ref()
    }
}

/// Looks up the names of an address, and the addresses of those names until one leads back (RFC 8601 §3).
///
/// That is eleven questions at most: one for the names, and one for each of the first ten names. A failure of DNS is
/// [`IprevResult::TempError`], unless another name passes.
pub async fn check(ip: IpAddr, resolver: &dyn Resolver) -> Report {
    let ip = ip.to_canonical();
    let mut report = Report {
        result: IprevResult::Fail,
        ip,
        name: None,
        names: Vec::new(),
        error: None,
    };
    match resolver.lookup(&reverse_name(ip), RecordType::Ptr).await {
        Ok(answer) => report.names = answer.ptr().take(NAMES).map(str::to_owned).collect(),
        Err(error) => {
            let is_temporary = error.is_temporary();
            report.result = if is_temporary {
                IprevResult::TempError
            } else {
                IprevResult::PermError
            };
            report.error = Some(error);
            return report;
        }
    }
    let kind = if ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
    for name in &report.names {
        match resolver.lookup(name, kind).await {
            Ok(answer) if leads_to(&answer, ip) => {
                report.result = IprevResult::Pass;
                report.error = None;
                report.name = Some(name.to_ascii_lowercase());
                break;
            }
            Err(error) if error.is_temporary() => {
                report.result = IprevResult::TempError;
                report.error = Some(error);
            }
            _ => {}
        }
    }
    report
}

fn leads_to(answer: &Answer, ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => answer.a().any(|found| found == ip),
        IpAddr::V6(ip) => answer.aaaa().any(|found| found == ip),
    }
}

#[cfg(test)]
mod tests {
    use posthaste_dns::{Record, Zone};

    use super::*;

    async fn run(zone: &str, ip: &str) -> Report {
        check(ip.parse().unwrap(), &Zone::parse(zone).unwrap()).await
    }

    #[tokio::test]
    async fn names_must_lead_back() {
        let zone = "1.2.0.192.in-addr.arpa. PTR other.example.\n1.2.0.192.in-addr.arpa. PTR Mail.example.\n\
                    other.example. A 192.0.2.9\nmail.example. A 192.0.2.1\n\
                    2.2.0.192.in-addr.arpa. PTR gone.example.\n";
        let report = run(zone, "192.0.2.1").await;
        assert_eq!(
            (report.result(), report.name()),
            (IprevResult::Pass, Some("mail.example"))
        );
        assert_eq!(report.names().len(), 2);
        assert_eq!(run(zone, "::ffff:192.0.2.1").await, report);
        assert_eq!(run(zone, "192.0.2.2").await.result(), IprevResult::Fail);
        let report = run(zone, "192.0.2.3").await;
        assert_eq!(report.result(), IprevResult::PermError);
        assert!(report.error().unwrap().is_nx_domain() && report.names().is_empty());
    }

    #[tokio::test]
    async fn ipv6_is_looked_up_as_such() {
        let reverse = reverse_name("2001:db8::1".parse().unwrap());
        let zone = format!("{reverse}. PTR mail.example.\nmail.example. A 192.0.2.1\nmail.example. AAAA 2001:db8::1\n");
        assert_eq!(run(&zone, "2001:db8::1").await.result(), IprevResult::Pass);
        assert_eq!(run(&zone, "2001:db8::2").await.result(), IprevResult::PermError);
    }

    #[tokio::test]
    async fn dns_failures_are_temporary_unless_another_name_passes() {
        let mut zone = Zone::parse(
            "1.2.0.192.in-addr.arpa. PTR a.example.\n1.2.0.192.in-addr.arpa. PTR b.example.\nb.example. A 192.0.2.9\n",
        )
        .unwrap();
        zone.fail("a.example", RecordType::A, LookupError::Timeout).unwrap();
        zone.fail("4.2.0.192.in-addr.arpa", RecordType::Ptr, LookupError::ServFail)
            .unwrap();
        let report = check([192, 0, 2, 1].into(), &zone).await;
        assert_eq!(
            (report.result(), report.error()),
            (IprevResult::TempError, Some(&LookupError::Timeout))
        );
        let report = check([192, 0, 2, 4].into(), &zone).await;
        assert_eq!(report.result(), IprevResult::TempError);
        zone.insert("b.example", Record::A([192, 0, 2, 1].into())).unwrap();
        let report = check([192, 0, 2, 1].into(), &zone).await;
        assert_eq!((report.result(), report.error()), (IprevResult::Pass, None));
    }

    #[tokio::test]
    async fn a_thousand_names_cost_eleven_questions() {
        let mut zone = Zone::new();
        for number in 0..1_000 {
            zone.insert("1.2.0.192.in-addr.arpa", Record::Ptr(format!("h{number}.example")))
                .unwrap();
        }
        let report = check([192, 0, 2, 1].into(), &zone).await;
        assert_eq!((report.result(), zone.queries()), (IprevResult::Fail, 11));
        assert_eq!(report.names().len(), NAMES);
    }
}
