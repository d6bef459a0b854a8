//! A transport that writes each message into a Maildir.

mod disk;
mod name;
mod transport;

pub use transport::FileTransport;
