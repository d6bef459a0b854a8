//! Asks, and tells nothing apart from no answer.

use posthaste_dns::{Answer, LookupError, RecordType, Resolver};

use crate::{Code, Finding};

/// Looks up: `None` is that there is nothing, a finding that nobody can say.
pub(crate) async fn look(resolver: &dyn Resolver, name: &str, kind: RecordType) -> Result<Option<Answer>, Finding> {
    match resolver.lookup(name, kind).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_temporary() => Err(failed(name, kind, &error)),
        Err(_) => Ok(None),
    }
}

pub(crate) fn failed(name: &str, kind: RecordType, error: &LookupError) -> Finding {
    let code = match error {
        LookupError::Bogus => Code::DnssecBogus,
        _ => Code::DnsFailed,
    };
    Finding::new(code, name, format!("{kind} could not be looked up: {error}")).advise(match code {
        Code::DnssecBogus => "renew the zone's signatures, or take the DS record at the parent away",
        _ => "ask again later; if it stays, look at the name servers",
    })
}

/// Gives the texts at a name.
pub(crate) fn texts(answer: &Option<Answer>) -> Vec<String> {
    let texts = answer.iter().flat_map(Answer::txt);
    texts.map(|text| text.to_text().into_owned()).collect()
}

pub(crate) fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}
