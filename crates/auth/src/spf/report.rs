//! What a check found.

use std::{fmt, net::IpAddr};

use super::Problem;

/// Is what SPF says of a host and a sender (RFC 7208 §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Result {
    /// The domain says nothing, or there is no domain.
    None,
    /// The domain says that it does not say.
    Neutral,
    /// The host may send for the domain.
    Pass,
    /// The host may not.
    Fail,
    /// The host probably may not.
    SoftFail,
    /// The DNS failed; try again later.
    TempError,
    /// What the domain publishes is wrong.
    PermError,
}

impl Result {
    /// Gives the result as headers write it (RFC 8601 §2.7.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }

    /// Finds the result that is written like this, in any case.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        [
            Self::None,
            Self::Neutral,
            Self::Pass,
            Self::Fail,
            Self::SoftFail,
            Self::TempError,
            Self::PermError,
        ]
        .into_iter()
        .find(|result| word.eq_ignore_ascii_case(result.as_str()))
    }
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names the part of the SMTP session that was checked (RFC 7208 §2.3–2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identity {
    /// The reverse-path.
    MailFrom,
    /// The name in the greeting, because the reverse-path is empty.
    Helo,
}

impl Identity {
    /// Gives the identity as `Received-SPF` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MailFrom => "mailfrom",
            Self::Helo => "helo",
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Holds the result of a check and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub(super) result: Result,
    pub(super) identity: Identity,
    pub(super) ip: IpAddr,
    pub(super) sender: String,
    pub(super) helo: String,
    pub(super) domain: String,
    pub(super) mechanism: Option<String>,
    pub(super) explanation: Option<String>,
    pub(super) problem: Option<Problem>,
    pub(super) lookups: usize,
    pub(super) void_lookups: usize,
}

impl Report {
    /// Gives the result.
    pub fn result(&self) -> Result {
        self.result
    }

    /// Tells whose domain was checked.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Gives the address that was checked; IPv4 in IPv6 clothes is IPv4 here.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Gives the sender that was checked: the reverse-path, or `postmaster@` and the name in the greeting.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// Gives the domain that was checked.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Gives the term that decided, as the record has it; `None` when none did.
    pub fn mechanism(&self) -> Option<&str> {
        self.mechanism.as_deref()
    }

    /// Gives what the domain has to say to the refused (RFC 7208 §6.2): one line of printable ASCII. It is a stranger's
    /// text; say so when it is passed on (§8.4).
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    /// Tells what went wrong, when the result is `none`, `temperror` or `permerror`.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Counts the terms that asked the DNS.
    pub fn lookups(&self) -> usize {
        self.lookups
    }

    /// Counts those of them that found nothing.
    pub fn void_lookups(&self) -> usize {
        self.void_lookups
    }

    /// Writes the header field `Received-SPF` (RFC 7208 §9.1), folded and with its line ends, to go on top of a message
    /// that `receiver` checked.
    pub fn received_spf(&self, receiver: &str) -> String {
        let mechanism = self.mechanism.as_deref().unwrap_or("default");
        let mut field = format!(
            "Received-SPF: {} ({})\r\n client-ip={}; envelope-from={};\r\n helo={}; receiver={}; identity={};\r\n",
            self.result,
            self.comment(),
            word(&self.ip.to_string()),
            word(&self.sender),
            word(&self.helo),
            word(receiver),
            self.identity,
        );
        match &self.problem {
            Some(problem) => field.push_str(&format!(" problem={}\r\n", word(&problem.to_string()))),
            None => field.push_str(&format!(" mechanism={}\r\n", word(mechanism))),
        }
        field
    }

    fn comment(&self) -> &'static str {
        match self.result {
            Result::None => "no policy applies to this sender",
            Result::Neutral => "the sender's domain takes no position on this host",
            Result::Pass => "the sender's domain permits this host",
            Result::Fail => "the sender's domain does not permit this host",
            Result::SoftFail => "the sender's domain discourages this host",
            Result::TempError => "the policy could not be looked up",
            Result::PermError => "the policy of the sender's domain is in error",
        }
    }
}

/// Longest value in a header field, in octets; names and addresses are shorter.
const MAX_WORD: usize = 320;

/// Writes a value as a dot-atom when it is one, otherwise as a quoted string without what no header may hold.
fn word(value: &str) -> String {
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet);
    let dots = value.starts_with('.') || value.ends_with('.') || value.contains("..");
    if !value.is_empty() && value.len() <= MAX_WORD && value.bytes().all(atom) && !dots {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if quoted.len() >= MAX_WORD {
            break;
        }
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}
