//! The name of a report's file (RFC 9990 §3.5.2; RFC 7489 §7.2.1.1; RFC 8460 §5.1).

use std::fmt;
use std::time::SystemTime;

use posthaste_address::Domain;

use crate::instant;

/// Names the file of a report: `receiver!domain!begin!end.xml.gz`, with an id before the last dot if there is one.
///
/// TLS-RPT names its files in the same way, with `json` for `xml` (RFC 8460 §5.1).
///
/// # Examples
///
/// ```
/// use posthaste_report::FileName;
///
/// let name = FileName::parse("mail.receiver.example!example.com!1013662812!1013749130.xml.gz").unwrap();
/// assert_eq!(name.policy_domain(), "example.com");
/// assert_eq!(name.to_string(), "mail.receiver.example!example.com!1013662812!1013749130.xml.gz");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    receiver: String,
    policy_domain: String,
    begin: u64,
    end: u64,
    id: Option<String>,
    extension: String,
}

impl FileName {
    /// Reads a name; `None` if it is not of the form. Nothing of the contents is to be believed by it.
    pub fn parse(name: &str) -> Option<Self> {
        const EXTENSIONS: [&str; 5] = [".xml.gz", ".json.gz", ".xml", ".json", ".zip"];
        let extension = EXTENSIONS.into_iter().find(|extension| name.ends_with(extension))?;
        let parts: Vec<&str> = name.strip_suffix(extension)?.splitn(6, '!').collect();
        let (receiver, policy_domain, begin, end, id) = match *parts.as_slice() {
            [receiver, domain, begin, end] => (receiver, domain, begin, end, None),
            [receiver, domain, begin, end, id] if is_id(id) => (receiver, domain, begin, end, Some(id)),
            _ => return None,
        };
        let is_domain = |text: &str| text.parse::<Domain>().is_ok_and(|domain| !domain.is_literal());
        if !is_domain(receiver) || !is_domain(policy_domain) {
            return None;
        }
        Some(Self {
            receiver: receiver.to_owned(),
            policy_domain: policy_domain.to_owned(),
            begin: crate::xml::number(begin)?,
            end: crate::xml::number(end)?,
            id: id.map(str::to_owned),
            extension: extension.to_owned(),
        })
    }

    pub(crate) fn new(
        receiver: &Domain,
        policy_domain: &Domain,
        (begin, end): (u64, u64),
        extension: &'static str,
    ) -> Self {
        Self {
            receiver: receiver.as_str().to_owned(),
            policy_domain: policy_domain.as_str().to_owned(),
            begin,
            end,
            id: None,
            extension: extension.to_owned(),
        }
    }

    /// Sets the id, which tells reports of several systems of one receiver apart: letters and digits. `None` if it is not.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Option<Self> {
        self.id = is_id(id).then(|| id.to_owned());
        self.id.is_some().then_some(self)
    }

    /// Returns the domain of the receiver that reports.
    pub fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Returns the domain that the report is about.
    pub fn policy_domain(&self) -> &str {
        &self.policy_domain
    }

    /// Returns where the period begins.
    pub fn begin(&self) -> Option<SystemTime> {
        instant::from_seconds(self.begin)
    }

    /// Returns where the period ends.
    pub fn end(&self) -> Option<SystemTime> {
        instant::from_seconds(self.end)
    }

    /// Returns the id.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}!{}!{}!{}",
            self.receiver, self.policy_domain, self.begin, self.end
        )?;
        if let Some(id) = &self.id {
            write!(f, "!{id}")?;
        }
        f.write_str(&self.extension)
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
