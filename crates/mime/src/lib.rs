//! Builds RFC 5322 messages and MIME trees that cannot be injected into.
