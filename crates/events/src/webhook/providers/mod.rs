//! The providers, each in a file of its own: how it signs, and what its events say.

mod brevo;
mod mailgun;
mod postmark;
mod resend;
mod sendgrid;
mod ses;

pub use brevo::Brevo;
pub use mailgun::Mailgun;
pub use postmark::Postmark;
pub use resend::Resend;
pub use sendgrid::SendGrid;
pub use ses::Ses;
