//! One question to everybody: records, what is asked, what is expected.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_dns::{LookupError, Record, RecordType, Zone};
use serde_json::{Value, json};

/// What the DNS holds: records, and questions that fail.
#[derive(Clone, Default)]
pub struct Records {
    records: Vec<(String, Record)>,
    failures: Vec<(String, RecordType, LookupError)>,
}

impl Records {
    pub fn add(&mut self, name: &str, record: Record) {
        self.records.push((name.to_owned(), record));
    }

    pub fn fail(&mut self, name: &str, kind: RecordType, error: LookupError) {
        self.failures.push((name.to_owned(), kind, error));
    }

    /// The zone; a name that no question can hold is no loss.
    pub fn zone(&self) -> Zone {
        let mut zone = Zone::new();
        for (name, record) in &self.records {
            drop(zone.insert(name, record.clone()));
        }
        for (name, kind, error) in &self.failures {
            drop(zone.fail(name, *kind, error.clone()));
        }
        zone
    }

    fn json(&self) -> Value {
        let records = self.records.iter().map(|(name, record)| {
            let data = match record {
                Record::A(address) => json!(address.to_string()),
                Record::Aaaa(address) => json!(address.to_string()),
                Record::Mx { preference, exchange } => json!([preference, exchange]),
                Record::Txt(text) => text.segments().map(|segment| STANDARD.encode(segment)).collect(),
                Record::Ptr(name) | Record::Cname(name) => json!(name),
                other => panic!("{other:?} is in no vector"),
            };
            json!([name, record.kind().as_str(), data])
        });
        let failures = self.failures.iter().map(|(name, kind, error)| {
            let is_timeout = *error == LookupError::Timeout;
            json!([name, kind.as_str(), { "fail": if is_timeout { "timeout" } else { "servfail" } }])
        });
        records.chain(failures).collect()
    }
}

/// What is asked.
pub enum Question {
    Spf {
        ip: IpAddr,
        helo: String,
        mail_from: String,
    },
    Dkim {
        message: Vec<u8>,
        now: u64,
    },
    Arc {
        message: Vec<u8>,
    },
    Dmarc {
        from: String,
        /// Domains with results.
        spf: Vec<(String, String)>,
        dkim: Vec<(String, String)>,
        tree_walk: bool,
    },
}

/// What somebody says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// One word, or one for each signature.
    pub words: Vec<String>,
    /// SPF's explanation.
    pub explanation: Option<String>,
    /// What DMARC wants done with a message that fails.
    pub disposition: Option<String>,
}

impl Answer {
    pub fn word(word: impl Into<String>) -> Self {
        Self {
            words: vec![word.into()],
            ..Self::default()
        }
    }
}

/// What the vectors accept.
#[derive(Default)]
pub struct Expected {
    /// For each word the allowed ones; `*` is any. One word is enough for [`any`](Self::any).
    pub words: Vec<Vec<String>>,
    /// One signature that passes is enough.
    pub any: bool,
    /// The explanation, where the vectors have one.
    pub explanation: Option<Option<String>>,
    pub disposition: Option<String>,
}

impl Expected {
    pub fn word(allowed: &[&str]) -> Self {
        Self {
            words: vec![allowed.iter().map(|&word| word.to_owned()).collect()],
            ..Self::default()
        }
    }
}

pub struct Case {
    pub set: &'static str,
    pub id: String,
    pub records: Records,
    pub question: Question,
    pub expected: Expected,
}

impl Case {
    /// Whether the vectors accept this answer.
    pub fn accepts(&self, answer: &Answer) -> bool {
        let expected = &self.expected;
        let fits = |word: &String, allowed: &Vec<String>| allowed.iter().any(|one| one == "*" || one == word);
        if expected.any {
            return answer.words.iter().any(|word| fits(word, &expected.words[0]));
        }
        let none = ["none".to_owned()];
        // No signature at all is `none`.
        let words: &[String] = if answer.words.is_empty() { &none } else { &answer.words };
        words.len() == expected.words.len()
            && words
                .iter()
                .zip(&expected.words)
                .all(|(word, allowed)| fits(word, allowed))
            && (words != ["fail"]
                || (expected
                    .explanation
                    .as_ref()
                    .is_none_or(|expected| *expected == answer.explanation)
                    && (expected.disposition.is_none() || expected.disposition == answer.disposition)))
    }

    /// The time of the case.
    pub fn now(&self) -> SystemTime {
        match self.question {
            Question::Dkim { now, .. } => UNIX_EPOCH + Duration::from_secs(now),
            _ => SystemTime::now(),
        }
    }

    /// The question for a program in another language.
    pub fn json(&self) -> Value {
        let question = match &self.question {
            Question::Spf { ip, helo, mail_from } => {
                json!({ "spf": { "ip": ip, "helo": helo, "mail_from": mail_from } })
            }
            Question::Dkim { message, now } => json!({ "dkim": { "message": STANDARD.encode(message), "now": now } }),
            Question::Arc { message } => json!({ "arc": { "message": STANDARD.encode(message) } }),
            Question::Dmarc {
                from,
                spf,
                dkim,
                tree_walk,
            } => {
                json!({ "dmarc": { "from": from, "spf": spf, "dkim": dkim, "tree_walk": tree_walk } })
            }
        };
        json!({ "records": self.records.json(), "question": question })
    }
}
