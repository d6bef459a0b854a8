//! An SMTP server that says what it is told to say.

mod peer;
mod script;
mod session;
mod subject;

pub use peer::{FakeSmtp, Transaction};
pub use subject::OverSmtp;
