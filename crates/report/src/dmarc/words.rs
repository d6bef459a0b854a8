//! The words of aggregate reports.

use crate::word::words;

words! {
    /// Says what a domain asks to be done with mail that fails: `p`, `sp`, `np`.
    Policy {
        /// Nothing.
        None = "none",
        /// To treat it with suspicion.
        Quarantine = "quarantine",
        /// To refuse it.
        Reject = "reject",
    }
}

words! {
    /// Says what was done with mail by reason of DMARC.
    Disposition {
        /// Nothing: it failed, and nothing was asked for or done.
        None = "none",
        /// Nothing: it passed, under a policy that asks for something (RFC 9990).
        Pass = "pass",
        /// It was treated with suspicion.
        Quarantine = "quarantine",
        /// It was refused.
        Reject = "reject",
    }
}

words! {
    /// Says how alike identifiers must be: `adkim`, `aspf`.
    Alignment {
        /// Of one organisation.
        Relaxed = "r" | "relaxed",
        /// The same.
        Strict = "s" | "strict",
    }
}

words! {
    /// Says how the policy was found.
    DiscoveryMethod {
        /// By the Public Suffix List (RFC 7489).
        Psl = "psl",
        /// By the tree walk (RFC 9989).
        TreeWalk = "treewalk",
    }
}

words! {
    /// Says whether an aligned identifier passed.
    Outcome {
        /// One did.
        Pass = "pass",
        /// None did.
        Fail = "fail",
    }
}

words! {
    /// Says why what was done is not what the policy asks for.
    Override {
        /// Forwarded, by what else is known (RFC 7489 only).
        Forwarded = "forwarded",
        /// Not among the share that the policy is for (RFC 7489 only).
        SampledOut = "sampled_out",
        /// From a forwarder that is trusted.
        TrustedForwarder = "trusted_forwarder",
        /// Through a mailing list.
        MailingList = "mailing_list",
        /// By a policy of the receiver's own.
        LocalPolicy = "local_policy",
        /// As the policy is on trial (RFC 9990).
        PolicyTestMode = "policy_test_mode",
        /// For another reason; the comment may say which.
        Other = "other",
    }
}

words! {
    /// Says what came of a DKIM signature (RFC 8601 §2.7.1).
    DkimWord {
        /// There was none.
        None = "none",
        /// It holds.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// It holds, and is not acceptable to the receiver.
        Policy = "policy",
        /// It could not be processed.
        Neutral = "neutral",
        /// The key could not be had for now.
        TempError = "temperror",
        /// The signature or the key is broken.
        PermError = "permerror",
    }
}

words! {
    /// Says what came of SPF (RFC 8601 §2.7.2).
    SpfWord {
        /// There is no record.
        None = "none",
        /// The record says nothing of the client.
        Neutral = "neutral",
        /// The client may send.
        Pass = "pass",
        /// The client must not send.
        Fail = "fail",
        /// The client should not send.
        SoftFail = "softfail",
        /// The client may send, and the receiver does not accept that.
        Policy = "policy",
        /// The record could not be had for now.
        TempError = "temperror",
        /// The record is broken.
        PermError = "permerror",
    }
}

words! {
    /// Says which identity SPF looked at.
    Scope {
        /// The greeting (RFC 7489 only).
        Helo = "helo",
        /// The reverse-path.
        MailFrom = "mfrom",
    }
}
