//! Writes policy records.

use std::fmt;

use super::record::{Alignment, Policy, PublicSuffix, Record, ReportAddress};

/// Writes a DMARC policy record (RFC 9989 §4.7).
///
/// # Examples
///
/// ```
/// use posthaste_auth::dmarc::{Policy, Record, ReportAddress};
///
/// let record = Record::builder(Policy::Reject)
///     .subdomain_policy(Policy::Quarantine)
///     .aggregate_reports_to(ReportAddress::new("dmarc@example.org")?)
///     .build();
/// assert_eq!(record.to_string(), "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@example.org");
/// assert_eq!(record.to_string().parse::<Record>()?, record);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordBuilder(Record);

impl RecordBuilder {
    pub(super) fn new(policy: Policy) -> Self {
        Self(Record::of_policy(policy))
    }

    /// Sets the policy for subdomains (`sp=`).
    #[must_use]
    pub fn subdomain_policy(mut self, policy: Policy) -> Self {
        self.0.subdomain_policy = Some(policy);
        self
    }

    /// Sets the policy for subdomains that don't exist (`np=`).
    #[must_use]
    pub fn nonexistent_policy(mut self, policy: Policy) -> Self {
        self.0.nonexistent_policy = Some(policy);
        self
    }

    /// Sets how close the domain of DKIM must be (`adkim=`).
    #[must_use]
    pub fn dkim_alignment(mut self, alignment: Alignment) -> Self {
        self.0.dkim_alignment = alignment;
        self
    }

    /// Sets how close the domain of SPF must be (`aspf=`).
    #[must_use]
    pub fn spf_alignment(mut self, alignment: Alignment) -> Self {
        self.0.spf_alignment = alignment;
        self
    }

    /// Says whether the domain is a public suffix (`psd=`).
    #[must_use]
    pub fn public_suffix(mut self, public_suffix: PublicSuffix) -> Self {
        self.0.public_suffix = public_suffix;
        self
    }

    /// Says that the policy is only being tried out (`t=y`): receivers apply the next weaker one.
    #[must_use]
    pub fn testing(mut self, testing: bool) -> Self {
        self.0.testing = testing;
        self
    }

    /// Adds where aggregate reports go (`rua=`).
    #[must_use]
    pub fn aggregate_reports_to(mut self, address: ReportAddress) -> Self {
        self.0.aggregate.push(address);
        self
    }

    /// Adds where failure reports go (`ruf=`).
    #[must_use]
    pub fn failure_reports_to(mut self, address: ReportAddress) -> Self {
        self.0.failure.push(address);
        self
    }

    /// Says what failure reports are wanted for (`fo=`).
    #[must_use]
    pub fn failure_options(mut self, options: FailureOptions) -> Self {
        self.0.failure_options = options.to_string();
        self
    }

    /// Makes the record.
    #[must_use]
    pub fn build(self) -> Record {
        self.0
    }
}

/// Says what failure reports are wanted for (RFC 9989 §4.7, `fo=`).
///
/// Nothing set is the default: when neither SPF nor DKIM speaks for the domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FailureOptions {
    /// When SPF or DKIM does not speak for the domain (`1`), not only when neither does.
    pub any: bool,
    /// When a DKIM signature fails, whomever it speaks for (`d`).
    pub dkim: bool,
    /// When SPF fails, whomever it speaks for (`s`).
    pub spf: bool,
}

impl FailureOptions {
    /// Sets that one of the two not speaking for the domain is enough.
    #[must_use]
    pub fn any(mut self, wanted: bool) -> Self {
        self.any = wanted;
        self
    }

    /// Sets that failing DKIM signatures are reported.
    #[must_use]
    pub fn dkim(mut self, wanted: bool) -> Self {
        self.dkim = wanted;
        self
    }

    /// Sets that failing SPF is reported.
    #[must_use]
    pub fn spf(mut self, wanted: bool) -> Self {
        self.spf = wanted;
        self
    }
}

impl fmt::Display for FailureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.any { "1" } else { "0" })?;
        for (wanted, letter) in [(self.dkim, ":d"), (self.spf, ":s")] {
            if wanted {
                f.write_str(letter)?;
            }
        }
        Ok(())
    }
}

/// Text is not an address that reports can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address to report to")]
#[non_exhaustive]
pub struct ReportAddressError;

impl ReportAddress {
    /// Makes a place to send reports to: a mail address such as `dmarc@example.org`.
    ///
    /// # Errors
    ///
    /// [`ReportAddressError`], if it has no `@` with something on both sides, or a control character.
    pub fn new(address: impl Into<String>) -> Result<Self, ReportAddressError> {
        let address = address.into();
        let halves = address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if halves && !address.chars().any(|c| c.is_control() || c.is_whitespace()) {
            Ok(Self {
                address,
                max_size: None,
            })
        } else {
            Err(ReportAddressError)
        }
    }

    /// Sets the largest report that is welcome, in octets.
    #[must_use]
    pub fn with_max_size(mut self, octets: u64) -> Self {
        self.max_size = Some(octets);
        self
    }

    /// Gives the domain of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Writes the URI.
impl fmt::Display for ReportAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mailto:")?;
        for octet in self.address.bytes() {
            // RFC 6068 §2, and RFC 9989 §4.7: `,`, `!` and `;` mean something in a record.
            if octet.is_ascii_alphanumeric() || b"-._~@+$&'()*:/=".contains(&octet) {
                write!(f, "{}", char::from(octet))?;
            } else {
                write!(f, "%{octet:02X}")?;
            }
        }
        let Some(octets) = self.max_size else { return Ok(()) };
        let units = [(40, "t"), (30, "g"), (20, "m"), (10, "k")];
        let whole = |shift: u32| octets > 0 && octets.is_multiple_of(1_u64 << shift);
        match units.into_iter().find(|(shift, _)| whole(*shift)) {
            Some((shift, unit)) => write!(f, "!{}{unit}", octets >> shift),
            None => write!(f, "!{octets}"),
        }
    }
}

/// Writes the record. Tags that say what holds anyway are left out.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=DMARC1; p={}", self.policy)?;
        for (tag, policy) in [("sp", self.subdomain_policy), ("np", self.nonexistent_policy)] {
            if let Some(policy) = policy {
                write!(f, "; {tag}={policy}")?;
            }
        }
        for (tag, alignment) in [("adkim", self.dkim_alignment), ("aspf", self.spf_alignment)] {
            if alignment == Alignment::Strict {
                write!(f, "; {tag}=s")?;
            }
        }
        for (tag, addresses) in [("rua", &self.aggregate), ("ruf", &self.failure)] {
            for (index, address) in addresses.iter().enumerate() {
                if index == 0 {
                    write!(f, "; {tag}={address}")?;
                } else {
                    write!(f, ",{address}")?;
                }
            }
        }
        if self.failure_options != "0" {
            write!(f, "; fo={}", self.failure_options)?;
        }
        match self.public_suffix {
            PublicSuffix::Yes => f.write_str("; psd=y")?,
            PublicSuffix::No => f.write_str("; psd=n")?,
            PublicSuffix::Unknown => {}
        }
        if self.testing {
            f.write_str("; t=y")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let record: Record = text.parse().unwrap();
        assert_eq!(record.to_string(), text);
    }

    #[test]
    fn what_is_read_is_written_again() {
        check("v=DMARC1; p=none");
        check("v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; aspf=s");
        check(
            "v=DMARC1; p=none; rua=mailto:a@b.example!10m,mailto:c%2Cd@e.example!1; ruf=mailto:f@g.example; fo=1:d:s",
        );
        check("v=DMARC1; p=quarantine; psd=y; t=y");
        check("v=DMARC1; p=quarantine; psd=n");
    }

    #[test]
    fn what_is_not_known_is_not_written_again() {
        for (text, options) in [
            ("v=DMARC1; p=none; fo=S:x:1:s", "s:1"),
            ("v=DMARC1; p=none; fo=0\u{1b}[2J:1\r\n\r\nbody", "0"),
            ("v=DMARC1; p=none; fo=\"", "0"),
            // §4.8: names of tags are in any case, only what `v` says is not.
            ("V=DMARC1; P=none; FO=1", "1"),
        ] {
            let record: Record = text.parse().unwrap();
            assert_eq!(record.failure_options(), options, "{text:?}");
            assert!(!record.to_string().contains(char::is_control), "{text:?}");
        }
        assert_eq!(
            "v=dmarc1; p=none".parse::<Record>(),
            Err(crate::dmarc::RecordError::Version)
        );
    }

    #[test]
    fn what_is_built_reads_back() {
        let address = ReportAddress::new("a;b,c!d%e+f@example.org")
            .unwrap()
            .with_max_size(3 << 30);
        let record = Record::builder(Policy::Quarantine)
            .nonexistent_policy(Policy::Reject)
            .dkim_alignment(Alignment::Strict)
            .spf_alignment(Alignment::Strict)
            .public_suffix(PublicSuffix::No)
            .testing(true)
            .failure_reports_to(address.clone())
            .aggregate_reports_to(address)
            .failure_options(FailureOptions::default().any(true).dkim(true).spf(true))
            .build();
        let text = record.to_string();
        assert_eq!(text.parse::<Record>().as_ref(), Ok(&record), "{text}");
        assert!(text.contains("mailto:a%3Bb%2Cc%21d%25e+f@example.org!3g"), "{text}");
    }

    #[test]
    fn addresses_are_checked() {
        for wrong in ["", "example.org", "@example.org", "a@", "a b@c", "a@b\r\n"] {
            assert_eq!(ReportAddress::new(wrong), Err(ReportAddressError), "{wrong:?}");
        }
        assert_eq!(ReportAddress::new("a@b@c.example").unwrap().domain(), "c.example");
    }
}
