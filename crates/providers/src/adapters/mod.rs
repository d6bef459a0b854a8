//! The providers, a file each.

mod brevo;
mod mailgun;
mod postmark;
mod resend;
mod sendgrid;
mod ses;

#[cfg(test)]
mod testing;

pub use brevo::Brevo;
pub use mailgun::Mailgun;
pub use postmark::Postmark;
pub use resend::Resend;
pub use sendgrid::SendGrid;
pub use ses::{AmazonSes, AwsCredentials, AwsKeys, CredentialsError, SesContent};
