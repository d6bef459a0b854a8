//! One call for all: SPF, DKIM and DMARC of a message that came in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use posthaste_address::{AddressList, Domain, EmailAddress};
use posthaste_dns::Resolver;

use crate::authres::{AuthenticationResults, MethodResult};
use crate::dkim::{self, DkimResult, Fields, Verdict};
use crate::{dmarc, spf};

/// How a message came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    ip: IpAddr,
    helo: String,
    mail_from: Option<EmailAddress>,
}

impl Connection {
    /// The client's address, the name it gave in HELO or EHLO, and the reverse-path; `None` is the null one.
    pub fn new(ip: IpAddr, helo: impl Into<String>, mail_from: Option<EmailAddress>) -> Self {
        Self {
            ip,
            helo: helo.into(),
            mail_from,
        }
    }
}

/// Authenticates messages. Clones share the resolver.
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
}

impl Authenticator {
    /// Asks `resolver`.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            method: dmarc::Method::default(),
            dkim_limits: dkim::Limits::default(),
            spf_limits: spf::Limits::default(),
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

    /// Evaluates SPF, DKIM and DMARC of a raw message. It never fails: what cannot be evaluated is said so in the report.
    pub async fn authenticate(&self, connection: &Connection, message: &[u8], now: SystemTime) -> AuthReport {
        let sender = connection
            .mail_from
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let query = spf::Query::new(connection.ip, &connection.helo, &sender).at(now);
        let spf = spf::check_host(&query, &*self.resolver, &self.spf_limits).await;
        let dkim = dkim::verify_with(message, &*self.resolver, now, &self.dkim_limits).await;
        let dmarc = match from_domain(message) {
            Some(from) => dmarc::evaluate(&self.input(from, &spf, &dkim), &*self.resolver).await,
            None => dmarc::Report::no_single_from(),
        };
        AuthReport {
            connection: connection.clone(),
            spf,
            dkim,
            dmarc,
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

/// The one domain that the From field names (RFC 9989 §5.3.1).
fn from_domain(message: &[u8]) -> Option<Domain> {
    let fields = Fields::parse(message);
    let mut from = fields.iter().filter(|field| field.is(b"From"));
    let (field, None) = (from.next()?, from.next()) else {
        return None;
    };
    let value = String::from_utf8_lossy(field.value());
    let list: AddressList = value.trim_end().parse().ok()?;
    let mut domains = list.mailboxes().map(|mailbox| mailbox.address().domain());
    let first = domains.next()?;
    (domains.all(|domain| domain == first) && !first.is_literal()).then(|| first.clone())
}

/// What came of SPF, DKIM and DMARC.
#[derive(Clone, Debug)]
pub struct AuthReport {
    connection: Connection,
    spf: spf::Report,
    dkim: Vec<Verdict>,
    dmarc: dmarc::Report,
}

impl AuthReport {
    /// Whether the client may send for the domain of the reverse-path, or of HELO where that is null.
    #[must_use]
    pub fn spf(&self) -> &spf::Report {
        &self.spf
    }

    /// What came of each signature, from the top to the bottom; none for a message that is not signed.
    #[must_use]
    pub fn dkim(&self) -> &[Verdict] {
        &self.dkim
    }

    /// What the From domain wants done.
    #[must_use]
    pub fn dmarc(&self) -> &dmarc::Report {
        &self.dmarc
    }

    /// The Authentication-Results field to put before the message, its CRLF included, in the name of `authserv_id`.
    ///
    /// Remove forged ones first: [`strip`](crate::authres::strip).
    #[must_use]
    pub fn authentication_results(&self, authserv_id: &str) -> String {
        let mut field = AuthenticationResults::new(authserv_id).with(self.spf_result());
        if self.dkim.is_empty() {
            field = field.with(MethodResult::new("dkim", "none"));
        }
        // Signatures beyond the limit were not looked at, and one of them says so for all.
        let is_skipped = |verdict: &&Verdict| verdict.reason() == Some(&dkim::Reason::TooManySignatures);
        let skipped = self.dkim.iter().find(is_skipped);
        for verdict in self.dkim.iter().filter(|verdict| !is_skipped(verdict)).chain(skipped) {
            field = field.with(dkim_result(verdict));
        }
        field.with(self.dmarc_result()).to_string()
    }

    fn spf_result(&self) -> MethodResult {
        let result = MethodResult::new("spf", self.spf.result().as_str());
        match &self.connection.mail_from {
            Some(address) => result.property("smtp", "mailfrom", address),
            None => result.property("smtp", "helo", &self.connection.helo),
        }
    }

    fn dmarc_result(&self) -> MethodResult {
        let mut result = MethodResult::new("dmarc", self.dmarc.result().as_str());
        if let Some(from) = self.dmarc.from() {
            result = result.property("header", "from", from);
        }
        if let Some(policy) = self.dmarc.policy() {
            result = result.property("policy", "published-domain-policy", policy);
        }
        result
    }
}

fn dkim_result(verdict: &Verdict) -> MethodResult {
    let mut result = MethodResult::new("dkim", verdict.result().as_str());
    if let Some(reason) = verdict.reason() {
        result = result.reason(reason);
    }
    if let Some(domain) = verdict.domain() {
        result = result.property("header", "d", domain);
    }
    if let Some(selector) = verdict.selector() {
        result = result.property("header", "s", selector);
    }
    if let Some(algorithm) = verdict.algorithm() {
        result = result.property("header", "a", algorithm);
    }
    if let Some(prefix) = verdict.signature_prefix() {
        result = result.property("header", "b", prefix);
    }
    result
}
