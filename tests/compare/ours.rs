//! posthaste-auth.

use posthaste_address::Domain;
use posthaste_auth::dmarc::{self, Input, Method};
use posthaste_auth::{arc, dkim, spf};

use crate::case::{Answer, Case, Question};

pub async fn answer(case: &Case) -> Option<Answer> {
    let zone = case.records.zone();
    Some(match &case.question {
        Question::Spf { ip, helo, mail_from } => {
            let query = spf::Query::new(*ip, helo, mail_from);
            let report = spf::check_host(&query, &zone, &spf::Limits::default()).await;
            Answer {
                explanation: report.explanation().map(str::to_owned),
                ..Answer::word(report.result().as_str())
            }
        }
        Question::Dkim { message, .. } => signatures(message, &zone, case.now()).await,
        Question::Arc { message } => Answer::word(arc::validate(message, &zone, case.now()).await.result().as_str()),
        Question::Dmarc {
            from,
            spf,
            dkim,
            tree_walk,
        } => {
            let Ok(from) = from.parse::<Domain>() else {
                return Some(Answer::word(dmarc::Report::no_single_from().result().as_str()));
            };
            let method = if *tree_walk {
                Method::TreeWalk
            } else {
                Method::PublicSuffixList
            };
            let mut input = Input::new(from).method(method);
            for (is_spf, results) in [(true, spf), (false, dkim)] {
                for (domain, result) in results {
                    let Ok(domain) = domain.trim_end_matches('.').parse() else {
                        continue;
                    };
                    input = match result.as_str() {
                        "pass" if is_spf => input.spf_pass(domain),
                        "pass" => input.dkim_pass(domain),
                        "temperror" => input.undecided(domain),
                        _ => input,
                    };
                }
            }
            let report = dmarc::evaluate(&input, &zone).await;
            Answer {
                disposition: Some(report.disposition().as_str().to_owned()),
                ..Answer::word(report.result().as_str())
            }
        }
    })
}

/// A word for each signature.
pub async fn signatures(message: &[u8], zone: &posthaste_dns::Zone, now: std::time::SystemTime) -> Answer {
    let verdicts = dkim::verify(message, zone, now).await;
    Answer {
        words: verdicts
            .iter()
            .map(|verdict| verdict.result().as_str().to_owned())
            .collect(),
        ..Answer::default()
    }
}
