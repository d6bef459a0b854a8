//! The provider-agnostic send trait, its outcome and error model, layers, and in-memory and file transports.
