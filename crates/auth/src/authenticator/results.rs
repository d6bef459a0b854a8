//! A report as Authentication-Results.

use std::error::Error;

use posthaste_address::Domain;

use super::AuthReport;
use crate::authres::{AuthenticationResults, MethodResult};
use crate::dkim::Verdict;
use crate::dmarc::DmarcResult;
use crate::spf::{self, Identity};

impl AuthReport {
    /// The Authentication-Results field to put before the message, its CRLF included, in the name of `authserv_id`.
    ///
    /// It is in ASCII unless the message is internationalised (RFC 8616). Remove forged ones first:
    /// [`strip`](crate::authres::strip).
    #[must_use]
    pub fn authentication_results(&self, authserv_id: &str) -> String {
        self.results(authserv_id).to_string()
    }

    /// The same as a value, to add results of other methods to it, or to seal it.
    #[must_use]
    pub fn results(&self, authserv_id: &str) -> AuthenticationResults {
        let mut field = AuthenticationResults::new(self.name(authserv_id)).with(self.spf_result(&self.spf));
        if let Some(helo) = &self.spf_helo {
            field = field.with(self.spf_result(helo));
        }
        if self.dkim.is_empty() {
            field = field.with(MethodResult::new("dkim", "none"));
        }
        for verdict in &self.dkim {
            field = field.with(dkim_result(verdict));
        }
        if let Some(chain) = &self.arc {
            field = field.with(chain.method_result(Some(self.connection.ip())));
        }
        field = field.with(self.dmarc_result());
        if let Some(iprev) = &self.iprev {
            let mut result = MethodResult::new("iprev", iprev.result().as_str());
            if let Some(name) = iprev.name() {
                result = result.comment(name);
            }
            if let Some(error) = iprev.error() {
                result = result.reason(chain(error));
            }
            field = field.with(result.property("policy", "iprev", iprev.ip()));
        }
        if self.is_international { field } else { field.to_ascii() }
    }

    fn spf_result(&self, report: &spf::Report) -> MethodResult {
        let mut result = MethodResult::new("spf", report.result().as_str());
        if let Some(problem) = report.problem() {
            result = result.reason(chain(problem));
        }
        match (report.identity(), self.connection.mail_from()) {
            (Identity::MailFrom, Some(address)) => result.property("smtp", "mailfrom", address),
            _ => result.property("smtp", "helo", self.name(self.connection.helo())),
        }
    }

    fn dmarc_result(&self) -> MethodResult {
        let dmarc = &self.dmarc;
        let mut result = MethodResult::new("dmarc", dmarc.result().as_str());
        if let Some(record) = dmarc.record().filter(|_| dmarc.result() == DmarcResult::Fail) {
            let testing = if record.is_testing() { ", t=y" } else { "" };
            let tag = dmarc.policy_tag().map_or("p", |tag| tag.as_str());
            let policy = dmarc.policy().map_or("none", |policy| policy.as_str());
            result = result.comment(format_args!(
                "{tag}={policy}{testing}, disposition={}",
                dmarc.disposition()
            ));
        }
        if let Some(error) = self.author {
            result = result.reason(error);
        } else if let Some(error) = dmarc.error() {
            result = result.reason(chain(error));
        }
        if let Some(from) = dmarc.from() {
            result = result.property("header", "from", from);
        }
        if let Some(policy) = dmarc.policy() {
            result = result.property("policy", "published-domain-policy", policy);
        }
        result
    }

    /// A host name as this message may have it: A-labels, unless it is internationalised.
    fn name(&self, name: &str) -> String {
        match name.parse::<Domain>() {
            Ok(domain) if !self.is_international && !name.is_ascii() => domain.as_str().to_owned(),
            _ => name.to_owned(),
        }
    }
}

fn dkim_result(verdict: &Verdict) -> MethodResult {
    let mut result = MethodResult::new("dkim", verdict.result().as_str());
    if let Some(reason) = verdict.reason() {
        result = result.reason(chain(reason));
    }
    if let Some(domain) = verdict.domain() {
        result = result.property("header", "d", domain);
    }
    if let Some(identity) = verdict
        .identity()
        .filter(|identity| Some(*identity) != verdict.domain())
    {
        result = result.property("header", "i", format_args!("@{identity}"));
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

/// An error with what it came from.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
