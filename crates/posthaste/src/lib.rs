//! Send email from Rust: messages, templates, DKIM, limits and transports, composed.
