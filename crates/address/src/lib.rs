//! Email addresses, domains, mailboxes and envelopes: parsed once, valid ever after.
