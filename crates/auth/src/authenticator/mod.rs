//! One call for all: SPF, DKIM, ARC, iprev and DMARC of a message that came in.

mod author;
mod connection;
mod lookups;
mod report;
mod results;
mod side_by_side;

use std::pin::pin;
use std::sync::Arc;
use std::time::SystemTime;

use posthaste_address::{Domain, EmailAddress};
use posthaste_dns::{Recorder, Resolver};

use crate::dkim::{self, DkimResult, Fields, Verdict};
use crate::{arc, dmarc, iprev, spf};

pub use author::AuthorError;
pub use connection::{Connection, Tls};
pub use lookups::{Check, Lookups};
pub use report::{AuthReport, SesReceipt};

#[cfg(feature = "serde")]
pub(crate) use results::chain;
use side_by_side::both;

/// Authenticates messages. Clones share the resolver.
///
/// # Cost
///
/// SPF, DKIM, ARC and iprev ask the DNS side by side, DMARC after them. All of it is bounded by count: with the default limits, no
/// message and no record can cause more than some 120 questions for each SPF identity, one for each of ten signatures, two for each of fifty ARC sets, eleven for
/// iprev, and eight for each domain that DMARC walks up from, of which there are twenty-one at most. It is not bounded by time, for
/// this crate has no timer: give the resolver a deadline, and wrap the call in your runtime's time-out if the whole is to have one.
/// Dropping the future is safe. Put a [`CachingResolver`](posthaste_dns::CachingResolver) in between where mail comes in often.
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
/// use posthaste_auth::{Authenticator, Connection};
/// use posthaste_auth::dmarc::{DmarcResult, Policy};
/// use posthaste_dns::Zone;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let zone = Zone::parse(
///     "example.org.        TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
///      _dmarc.example.org. TXT \"v=DMARC1; p=reject\"\n",
/// )?;
/// let authenticator = Authenticator::new(Arc::new(zone));
/// let connection = Connection::new("192.0.2.1".parse()?, "mail.example.org", Some("ada@example.org".parse()?));
/// let message = b"From: Ada <ada@example.org>\r\nSubject: Hello\r\n\r\nFirst line\r\n";
///
/// let report = authenticator.authenticate(&connection, message, SystemTime::now()).await;
/// assert_eq!(report.dmarc().result(), DmarcResult::Pass);
/// let field = report.authentication_results("mx.example.net");
/// assert!(field.starts_with("Authentication-Results: mx.example.net;\r\n\tspf=pass smtp.mailfrom=ada@example.org;\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Authenticator {
    resolver: Arc<dyn Resolver>,
    method: dmarc::Method,
    dkim_limits: dkim::Limits,
    spf_limits: spf::Limits,
    arc_limits: arc::Limits,
    keys: Arc<dkim::KeyCache>,
    arc: bool,
    helo: bool,
    iprev: bool,
}

/// How many key records are kept unless told: those of the senders of most mail, in some megabytes.
const KEYS: usize = 1000;

impl Authenticator {
    /// Asks `resolver`.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            method: dmarc::Method::default(),
            dkim_limits: dkim::Limits::default(),
            spf_limits: spf::Limits::default(),
            arc_limits: arc::Limits::default(),
            keys: Arc::new(dkim::KeyCache::new(KEYS)),
            arc: true,
            helo: true,
            iprev: true,
        }
    }

    /// Sets how DMARC finds organisational domains.
    #[must_use]
    pub fn dmarc_method(mut self, method: dmarc::Method) -> Self {
        self.method = method;
        self
    }

    /// Sets how much work DKIM may cause.
    #[must_use]
    pub fn dkim_limits(mut self, limits: dkim::Limits) -> Self {
        self.dkim_limits = limits;
        self
    }

    /// Sets how much work SPF may cause.
    #[must_use]
    pub fn spf_limits(mut self, limits: spf::Limits) -> Self {
        self.spf_limits = limits;
        self
    }

    /// Sets how much work ARC may cause.
    #[must_use]
    pub fn arc_limits(mut self, limits: arc::Limits) -> Self {
        self.arc_limits = limits;
        self
    }

    /// Sets where public keys are kept as they were read, for DKIM and ARC: a cache of its own for 1000 records, unless told. Clones
    /// share it.
    #[must_use]
    pub fn key_cache(mut self, keys: Arc<dkim::KeyCache>) -> Self {
        self.keys = keys;
        self
    }

    /// Sets whether ARC is validated, as it is unless told. DMARC does not depend on it.
    #[must_use]
    pub fn arc(mut self, check: bool) -> Self {
        self.arc = check;
        self
    }

    /// Sets whether SPF looks at HELO even if there is a reverse-path, as it does unless told (RFC 7208 §2.3). DMARC does not
    /// depend on it.
    #[must_use]
    pub fn helo(mut self, check: bool) -> Self {
        self.helo = check;
        self
    }

    /// Sets whether the client's name is looked up, as it is unless told.
    #[must_use]
    pub fn iprev(mut self, check: bool) -> Self {
        self.iprev = check;
        self
    }

    /// Evaluates SPF, DKIM, ARC, iprev and DMARC of a raw message, whose line ends are CRLF. It never fails: what cannot be evaluated is said so in the report.
    pub async fn authenticate(&self, connection: &Connection, message: &[u8], now: SystemTime) -> AuthReport {
        let resolver = &*self.resolver;
        let record = || Recorder::new(resolver);
        let (for_spf, for_helo, for_dkim) = (record(), record(), record());
        let (for_arc, for_iprev, for_dmarc) = (record(), record(), record());
        let (ip, helo) = (connection.ip(), connection.helo());
        let sender = connection.mail_from().map(ToString::to_string).unwrap_or_default();

        let mail_from = spf::Query::new(ip, helo, &sender).at(now);
        let spf = spf::check_host(&mail_from, &for_spf, &self.spf_limits);
        let spf_helo = async {
            let is_other = self.helo && !sender.is_empty();
            let greeting = spf::Query::new(ip, helo, "").at(now);
            if is_other {
                Some(spf::check_host(&greeting, &for_helo, &self.spf_limits).await)
            } else {
                None
            }
        };
        let fields = Fields::parse(message);
        let dkim = dkim::verify_fields(&fields, message, &for_dkim, now, &self.dkim_limits, &self.keys);
        let chain = async {
            if self.arc {
                Some(arc::validate_cached(message, &for_arc, now, &self.arc_limits, &self.keys).await)
            } else {
                None
            }
        };
        let iprev = async {
            if self.iprev {
                Some(iprev::check(ip, &for_iprev).await)
            } else {
                None
            }
        };
        // Pinned where they stand, and run by reference: they are large, and each move would copy them.
        let (((spf, spf_helo), iprev), (dkim, arc)) = {
            let (spf, spf_helo, iprev) = (pin!(spf), pin!(spf_helo), pin!(iprev));
            let (dkim, chain) = (pin!(dkim), pin!(chain));
            let addresses = both(both(spf, spf_helo), iprev);
            both(addresses, both(dkim, chain)).await
        };

        let author = author::domain(&fields);
        let dmarc = match &author {
            Ok(from) => dmarc::evaluate(&self.input(from.clone(), &spf, &dkim), &for_dmarc).await,
            Err(_) => dmarc::Report::no_single_from(),
        };
        let header = message.get(..fields.body_offset()).unwrap_or_default();
        AuthReport {
            connection: connection.clone(),
            is_international: is_international(connection, header),
            author: author.err(),
            spf,
            spf_helo,
            dkim,
            arc,
            iprev,
            dmarc,
            lookups: [
                Lookups::new(Check::Spf, for_spf),
                Lookups::new(Check::SpfHelo, for_helo),
                Lookups::new(Check::Dkim, for_dkim),
                Lookups::new(Check::Arc, for_arc),
                Lookups::new(Check::Iprev, for_iprev),
                Lookups::new(Check::Dmarc, for_dmarc),
            ]
            .into(),
        }
    }

    fn input(&self, from: Domain, spf: &spf::Report, dkim: &[Verdict]) -> dmarc::Input {
        let mut input = dmarc::Input::new(from).method(self.method);
        if let Ok(domain) = spf.domain().parse::<Domain>() {
            input = match spf.result() {
                spf::Result::Pass => input.spf_pass(domain),
                spf::Result::TempError => input.undecided(domain),
                _ => input,
            };
        }
        for verdict in dkim {
            if let Some(domain) = verdict.domain().cloned() {
                input = match verdict.result() {
                    DkimResult::Pass => input.dkim_pass(domain),
                    DkimResult::TempError => input.undecided(domain),
                    _ => input,
                };
            }
        }
        input
    }
}

/// Says whether fields of this message may be written in UTF-8 (RFC 6532).
fn is_international(connection: &Connection, header: &[u8]) -> bool {
    connection.mail_from().is_some_and(EmailAddress::needs_smtputf8)
        || (!header.is_ascii() && std::str::from_utf8(header).is_ok())
}
