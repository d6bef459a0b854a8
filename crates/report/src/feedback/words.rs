//! The words of feedback reports.

use crate::word::words;

words! {
    /// Says what a report is about (RFC 5965 §7.3, 6430, 6591).
    FeedbackType {
        /// Unwanted mail.
        Abuse = "abuse",
        /// Mail that failed authentication.
        AuthFailure = "auth-failure",
        /// Mail that pretends: fraud, phishing.
        Fraud = "fraud",
        /// Mail that is wanted after all.
        NotSpam = "not-spam",
        /// Something else.
        Other = "other",
        /// Harmful software.
        Virus = "virus",
    }
}

words! {
    /// Says what failed (RFC 6591 §3.3, RFC 9991).
    AuthFailure {
        /// Author domain signing practices, which are history.
        Adsp = "adsp",
        /// The hash of the body in the DKIM signature.
        BodyHash = "bodyhash",
        /// DMARC: nothing that passed is aligned.
        Dmarc = "dmarc",
        /// The key of the DKIM signature was revoked.
        Revoked = "revoked",
        /// The DKIM signature.
        Signature = "signature",
        /// SPF.
        Spf = "spf",
    }
}

words! {
    /// Says what became of the message (RFC 6591 §3.2.2).
    DeliveryResult {
        /// It was delivered.
        Delivered = "delivered",
        /// It went where unwanted mail goes.
        Spam = "spam",
        /// It went somewhere for a reason of the receiver's.
        Policy = "policy",
        /// It was refused.
        Reject = "reject",
        /// Something else.
        Other = "other",
    }
}

words! {
    /// Says which authenticated identifiers were aligned (RFC 7489 §7.3.1, RFC 9991).
    IdentityAlignment {
        /// None.
        None = "none",
        /// That of a DKIM signature.
        Dkim = "dkim",
        /// That of SPF.
        Spf = "spf",
        /// Both.
        Both = "dkim, spf" | "dkim,spf" | "spf, dkim" | "spf,dkim",
    }
}
