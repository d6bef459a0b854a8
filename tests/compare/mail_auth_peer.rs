//! The crate mail-auth, called as its documentation shows, over a name server on loopback.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use mail_auth::dkim::Signature;
use mail_auth::dmarc::Policy;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, DnsError, Error, MessageAuthenticator, SpfOutput,
    SpfResult,
};

use crate::case::{Answer, Case, Question};
use crate::{ours, responder::Responder};

/// What mail-auth says; nothing where it does not offer what is asked.
pub async fn answer(case: &Case) -> Option<Answer> {
    let responder = Responder::start(case.records.zone()).await;
    let authenticator = authenticator(responder.address);
    match &case.question {
        Question::Spf { ip, helo, mail_from } => {
            let parameters = if mail_from.is_empty() {
                SpfParameters::verify_ehlo(*ip, helo, "unknown")
            } else {
                SpfParameters::verify_mail_from(*ip, helo, "unknown", mail_from)
            };
            let output = authenticator.verify_spf(parameters).await;
            Some(Answer {
                explanation: output.explanation().map(str::to_owned),
                ..Answer::word(spf_word(output.result()))
            })
        }
        Question::Dkim { message, .. } => {
            // Its clock is the system's: where the time decides, there is nothing to compare.
            let zone = case.records.zone();
            let then = ours::signatures(message, &zone, case.now()).await;
            if then != ours::signatures(message, &zone, SystemTime::now()).await {
                return None;
            }
            let Some(message) = AuthenticatedMessage::parse(message) else {
                return Some(Answer::default());
            };
            let verdicts = authenticator.verify_dkim(&message).await;
            Some(Answer {
                words: verdicts
                    .iter()
                    .map(|verdict| dkim_word(verdict.result()).to_owned())
                    .collect(),
                ..Answer::default()
            })
        }
        Question::Arc { message } => {
            let Some(message) = AuthenticatedMessage::parse(message) else {
                return Some(Answer::word("none"));
            };
            let output = authenticator.verify_arc(&message).await;
            Some(Answer::word(match output.result() {
                DkimResult::Pass => "pass",
                DkimResult::None => "none",
                DkimResult::TempError(_) => "temperror",
                _ => "fail",
            }))
        }
        // It has RFC 9989's tree walk alone.
        Question::Dmarc { tree_walk: false, .. } => None,
        Question::Dmarc { from, spf, dkim, .. } => Some(dmarc(&authenticator, from, spf, dkim).await),
    }
}

fn authenticator(address: SocketAddr) -> MessageAuthenticator {
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(at_port).to_vec();
    let server = NameServerConfig::new(address.ip(), true, connections);
    let mut options = ResolverOpts::default();
    options.timeout = Duration::from_millis(300);
    options.attempts = 1;
    options.use_hosts_file = ResolveHosts::Never;
    MessageAuthenticator::new(ResolverConfig::from_parts(None, vec![], vec![server]), options).expect("a resolver")
}

async fn dmarc(
    authenticator: &MessageAuthenticator,
    from: &str,
    spf: &[(String, String)],
    dkim: &[(String, String)],
) -> Answer {
    let message = format!("From: ada@{from}\r\nSubject: Hello\r\n\r\nFirst line\r\n");
    let Some(message) = AuthenticatedMessage::parse(message.as_bytes()) else {
        return Answer::word("permerror");
    };
    let temporary = || Error::Dns(DnsError::Resolver("no answer".to_owned()));
    let signatures: Vec<Signature> = dkim
        .iter()
        .map(|(domain, _)| Signature {
            d: domain.trim_end_matches('.').to_ascii_lowercase(),
            ..Signature::default()
        })
        .collect();
    let outputs: Vec<DkimOutput<'_>> = dkim
        .iter()
        .zip(&signatures)
        .map(|((_, result), signature)| {
            let output = match result.as_str() {
                "pass" => DkimOutput::pass(),
                "temperror" => DkimOutput::temp_err(temporary()),
                _ => DkimOutput::fail(Error::NotAligned),
            };
            output.with_signature(signature)
        })
        .collect();
    let (domain, result) = spf.first().cloned().unwrap_or_default();
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let output = SpfOutput::new(domain.clone()).with_result(match result.as_str() {
        "pass" => SpfResult::Pass,
        "fail" => SpfResult::Fail,
        "softfail" => SpfResult::SoftFail,
        "neutral" => SpfResult::Neutral,
        "temperror" => SpfResult::TempError,
        "permerror" => SpfResult::PermError,
        _ => SpfResult::None,
    });
    let parameters = DmarcParameters::new(&message, &outputs, &domain, &output);
    let report = authenticator.verify_dmarc(parameters).await;
    let result = match report.result() {
        DmarcResult::Pass => "pass",
        DmarcResult::Fail(_) => "fail",
        DmarcResult::TempError(_) => "temperror",
        DmarcResult::PermError(_) => "permerror",
        DmarcResult::None => "none",
    };
    let disposition = match report.policy() {
        Policy::Reject => "reject",
        Policy::Quarantine => "quarantine",
        _ => "none",
    };
    Answer {
        disposition: Some(disposition.to_owned()),
        ..Answer::word(result)
    }
}

fn spf_word(result: SpfResult) -> &'static str {
    match result {
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::Neutral => "neutral",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
        SpfResult::None => "none",
    }
}

fn dkim_word(result: &DkimResult) -> &'static str {
    match result {
        DkimResult::Pass => "pass",
        DkimResult::Neutral(_) => "neutral",
        DkimResult::Fail(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => "temperror",
        DkimResult::None => "none",
    }
}
