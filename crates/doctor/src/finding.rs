//! What was found.

use std::fmt;

use posthaste_publish::ZoneRecord;

use crate::{Code, Severity, Source};

/// How many characters of a text are kept: the DNS of others has room for more.
const LONGEST: usize = 600;

/// Says one thing about a name, a field or a link.
///
/// Its texts hold no control characters: what came from the DNS or a message is written out, and cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    subject: String,
    what: String,
    advice: Option<Advice>,
}

/// Says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Publish this record, in place of those of its kind.
    Publish(Box<ZoneRecord>),
    /// Do as it says.
    Text(String),
}

impl Finding {
    pub(crate) fn new(code: Code, subject: &str, what: impl AsRef<str>) -> Self {
        Self {
            code,
            subject: escaped(subject),
            what: escaped(what.as_ref()),
            advice: None,
        }
    }

    pub(crate) fn advise(mut self, text: impl AsRef<str>) -> Self {
        self.advice = Some(Advice::Text(escaped(text.as_ref())));
        self
    }

    pub(crate) fn publish(mut self, name: &str, data: posthaste_dns::Record) -> Self {
        const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
        self.advice = ZoneRecord::new(name, HOUR, data)
            .ok()
            .map(|record| Advice::Publish(Box::new(record)));
        self
    }

    /// Gives the stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Tells how bad it is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Gives what it is about: a name in the DNS, an address, a header field, or a part of the message.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Tells what is there.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Tells why it matters; empty where all is well.
    pub fn why(&self) -> &'static str {
        self.code.why()
    }

    /// Tells what to do.
    pub fn advice(&self) -> Option<&Advice> {
        self.advice.as_ref()
    }

    /// Tells who asks for it.
    pub fn sources(&self) -> &'static [Source] {
        self.code.sources()
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish(record) => f.write_str(&shown(&record.to_string())),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<8}{}: {}", self.severity(), self.code, self.what)?;
        if self.severity() <= Severity::Ok {
            return Ok(());
        }
        if !self.why().is_empty() {
            write!(f, "\n          why: {}", self.why())?;
        }
        match &self.advice {
            Some(Advice::Publish(record)) => write!(f, "\n          publish: {}", shown(&record.to_string()))?,
            Some(Advice::Text(text)) => write!(f, "\n          do: {text}")?,
            None => {}
        }
        let sources: Vec<String> = self.sources().iter().map(Source::to_string).collect();
        if !sources.is_empty() {
            write!(f, "\n          asked for by: {}", sources.join(", "))?;
        }
        Ok(())
    }
}

/// What others published may steer a terminal: control and direction-changing characters are written out.
pub(crate) fn escaped(text: &str) -> String {
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(start) => shown(start) + "…",
        None => shown(text),
    }
}

/// The same, not cut: records to publish must be whole.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let steers = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}');
        if steers {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
