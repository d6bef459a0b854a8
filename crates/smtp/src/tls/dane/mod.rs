//! DANE: what a domain's TLSA records ask of its mail servers (RFC 6698, RFC 7671, RFC 7672).

mod record;
mod verifier;

pub use record::TlsaRecord;
pub use verifier::{DaneError, DaneVerifier};

use crate::tls::requirement::TlsRequirement;

/// What looking up the TLSA records of a server came to, at `_25._tcp.` and its host name.
///
/// Whether an answer is validated is for the resolver to say (DNSSEC, the AD bit). Ask for these records only when the
/// address of the server is validated too, and take [`Self::Insecure`] when it is not (RFC 7672 §2.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsaAnswer {
    /// A validated answer: the records, or that there are none.
    Secure(Vec<TlsaRecord>),
    /// An answer from a zone that is not signed.
    Insecure,
    /// No answer that could be believed: a time-out, SERVFAIL, or a signature that does not hold.
    Failed,
}

/// What the TLSA records of a server mean (RFC 7672 §2.2).
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{Dane, SmtpConfig, Tls, TlsaAnswer, TlsaRecord};
///
/// # fn lookup(_: &str) -> TlsaAnswer { TlsaAnswer::Secure(vec![TlsaRecord::new(3, 1, 1, [0xab; 32])]) }
/// let answer = lookup("_25._tcp.mx1.example.net");
/// let dane = Dane::from_answer(answer)?.with_name("example.net");
/// let transport = SmtpConfig::new("mx1.example.net")
///     .port(25)
///     .tls(Tls::Opportunistic)
///     .tls_policy(dane.requirement())
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Dane {
    /// The server must be authenticated by its records.
    Authenticate(DaneVerifier),
    /// There are records, and none can be used: TLS is a must, whatever the certificate.
    Encrypt,
    /// There are no records, or none that are safe from being forged: TLS is used as without DANE.
    Absent,
}

impl Dane {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// [`DaneError::Lookup`] for a lookup that failed: nothing must be sent to this server, for an attacker who suppresses
    /// the records would win otherwise (RFC 7672 §2.1.2). Later may be better.
    pub fn from_answer(answer: TlsaAnswer) -> Result<Self, DaneError> {
        let records = match answer {
            TlsaAnswer::Failed => return Err(DaneError::Lookup),
            TlsaAnswer::Insecure => return Ok(Self::Absent),
            TlsaAnswer::Secure(records) if records.is_empty() => return Ok(Self::Absent),
            TlsaAnswer::Secure(records) => records,
        };
        Ok(DaneVerifier::new(records).map_or(Self::Encrypt, Self::Authenticate))
    }

    /// Adds a name that a certificate of a DANE-TA authority may have besides that of the server: the domain of the recipient,
    /// and the server's name before a CNAME was followed (RFC 7672 §3.2.2).
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        match self {
            Self::Authenticate(verifier) => Self::Authenticate(verifier.with_name(name)),
            other => other,
        }
    }

    /// Returns what this asks of a connection.
    pub fn requirement(self) -> TlsRequirement {
        match self {
            Self::Authenticate(verifier) => TlsRequirement::checked_by(verifier),
            Self::Encrypt => TlsRequirement::encrypted(),
            Self::Absent => TlsRequirement::opportunistic(),
        }
    }
}
