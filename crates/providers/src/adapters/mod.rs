//! The providers, a file each.

mod azure;
mod brevo;
mod cloudflare;
#[cfg(feature = "generic")]
mod generic;
mod gmail;
mod graph;
mod mailbox;
mod mailersend;
mod mailgun;
mod mailjet;
mod mailtrap;
mod mandrill;
mod postal;
mod postmark;
mod resend;
mod scaleway;
mod sendgrid;
mod ses;
mod sparkpost;
mod unisender;
mod zeptomail;

#[cfg(test)]
mod testing;

pub use azure::Azure;
pub use brevo::Brevo;
pub use cloudflare::Cloudflare;
#[cfg(feature = "generic")]
pub use generic::{Description, DescriptionError, Generic};
pub use gmail::Gmail;
pub use graph::MicrosoftGraph;
pub use mailersend::MailerSend;
pub use mailgun::Mailgun;
pub use mailjet::Mailjet;
pub use mailtrap::Mailtrap;
pub use mandrill::Mandrill;
pub use postal::Postal;
pub use postmark::Postmark;
pub use resend::Resend;
pub use scaleway::Scaleway;
pub use sendgrid::SendGrid;
pub use ses::{AmazonSes, AwsCredentials, AwsKeys, CredentialsError, SesContent};
pub use sparkpost::SparkPost;
pub use unisender::UnisenderGo;
pub use zeptomail::ZeptoMail;
