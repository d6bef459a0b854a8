//! The providers, a file each.

mod postmark;
mod sendgrid;

pub use postmark::Postmark;
pub use sendgrid::SendGrid;
