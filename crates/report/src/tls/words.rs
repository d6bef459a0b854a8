//! The words of TLS reports.

use crate::word::words;

words! {
    /// Says which policy a sender applied (RFC 8460 §4.2).
    PolicyType {
        /// DANE: TLSA records.
        Tlsa = "tlsa",
        /// MTA-STS.
        Sts = "sts",
        /// None.
        NoPolicyFound = "no-policy-found",
    }
}

words! {
    /// Says why connections failed (RFC 8460 §4.3).
    ResultType {
        /// The server offers no STARTTLS.
        StarttlsNotSupported = "starttls-not-supported",
        /// The certificate is for another name.
        CertificateHostMismatch = "certificate-host-mismatch",
        /// The certificate has expired.
        CertificateExpired = "certificate-expired",
        /// The certificate is from nobody who is trusted.
        CertificateNotTrusted = "certificate-not-trusted",
        /// Something else about the certificate or the handshake.
        ValidationFailure = "validation-failure",
        /// The TLSA records are broken, or none matches.
        TlsaInvalid = "tlsa-invalid",
        /// No answer of the DNS could be validated.
        DnssecInvalid = "dnssec-invalid",
        /// The sender requires DANE, and there is none.
        DaneRequired = "dane-required",
        /// The MTA-STS policy could not be fetched.
        StsPolicyFetchError = "sts-policy-fetch-error",
        /// The MTA-STS policy is broken.
        StsPolicyInvalid = "sts-policy-invalid",
        /// The web server with the MTA-STS policy has a certificate that does not hold.
        StsWebpkiInvalid = "sts-webpki-invalid",
    }
}
