//! What tests want to be true of a message and say in one line.

#![expect(clippy::panic, reason = "this is how a test fails")]

use std::fmt::Debug;

use super::{TestMail, TestServer};

/// Assertions: each panics with what it found instead, at the line of the test that called it.
///
/// # Examples
///
/// ```
/// # use posthaste_mime::Message;
/// # use posthaste_smtp::SmtpTransport;
/// # use posthaste_transport::TransportExt;
/// use posthaste_smtp::testing::TestServer;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = TestServer::start().await?;
/// // The program under test sends to server.url().
/// # let message = Message::builder().from("ada@example.org".parse()?).to("bob@example.net".parse()?);
/// # let message = message.subject("Welcome").text("Hello Bob").build()?;
/// # let _ = SmtpTransport::from_url(&server.url())?.send_message(message).await?;
/// server
///     .only_mail()
///     .assert_mail_from("ada@example.org")
///     .assert_recipients(["bob@example.net"])
///     .assert_subject("Welcome")
///     .assert_text_contains("Hello Bob");
/// # Ok(())
/// # }
/// ```
impl TestMail {
    /// Asserts who is the sender of the envelope; an empty text is the null sender.
    #[track_caller]
    pub fn assert_mail_from(&self, expected: &str) -> &Self {
        let sender = self.envelope().mail_from().map(ToString::to_string).unwrap_or_default();
        self.same("MAIL FROM", &sender.as_str(), &expected)
    }

    /// Asserts who are the recipients of the envelope, in their order.
    #[track_caller]
    pub fn assert_recipients<'e>(&self, expected: impl IntoIterator<Item = &'e str>) -> &Self {
        let recipients = self.envelope().recipients().iter();
        let recipients: Vec<String> = recipients.map(|recipient| recipient.address().to_string()).collect();
        let expected: Vec<&str> = expected.into_iter().collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        self.same("recipients", &recipients, &expected)
    }

    /// Asserts the decoded subject.
    #[track_caller]
    pub fn assert_subject(&self, expected: &str) -> &Self {
        self.assert_header("Subject", expected)
    }

    /// Asserts the decoded value of the first field with this name.
    #[track_caller]
    pub fn assert_header(&self, name: &str, expected: &str) -> &Self {
        self.same(name, &self.header(name).as_deref(), &Some(expected))
    }

    /// Asserts that the text holds `expected` somewhere.
    #[track_caller]
    pub fn assert_text_contains(&self, expected: &str) -> &Self {
        self.holds("text", self.text(), expected)
    }

    /// Asserts that the HTML holds `expected` somewhere.
    #[track_caller]
    pub fn assert_html_contains(&self, expected: &str) -> &Self {
        self.holds("HTML", self.html(), expected)
    }

    /// Asserts that there is an attachment of this name.
    #[track_caller]
    pub fn assert_attachment(&self, file_name: &str) -> &Self {
        let attachments = self.attachments();
        let names: Vec<_> = attachments.iter().map(|part| part.file_name()).collect();
        if !names.contains(&Some(file_name)) {
            panic!("no attachment is called {file_name:?}, but {names:?}");
        }
        self
    }

    #[track_caller]
    fn same<T: PartialEq + Debug>(&self, what: &str, found: &T, expected: &T) -> &Self {
        if found != expected {
            panic!("{what}: {found:?} instead of {expected:?}");
        }
        self
    }

    #[track_caller]
    fn holds(&self, what: &str, found: Option<String>, expected: &str) -> &Self {
        match found {
            Some(text) if text.contains(expected) => self,
            found => panic!("{what}: nowhere {expected:?} in {found:?}"),
        }
    }
}

/// Assertions: each panics with what it found instead, at the line of the test that called it.
impl TestServer {
    /// Returns the one message that was taken, and asserts that it is the only one.
    #[track_caller]
    pub fn only_mail(&self) -> TestMail {
        match <[TestMail; 1]>::try_from(self.received()) {
            Ok([mail]) => mail,
            Err(mails) => panic!("{} messages instead of one: {mails:?}", mails.len()),
        }
    }

    /// Asserts how many messages were taken.
    #[track_caller]
    pub fn assert_count(&self, expected: usize) -> &Self {
        let mails = self.received();
        if mails.len() != expected {
            panic!("{} messages instead of {expected}: {mails:?}", mails.len());
        }
        self
    }
}
