//! Amazon SNS: the envelope around events of SES, and of those who copied it.

mod certificate;
mod envelope;
mod host;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use certificate::Certificates;
pub use certificate::{CertificateError, CertificateFuture, CertificateSource};
pub(super) use envelope::{Envelope, EnvelopeKind};
use host::Hosts;

use super::{Control, Evidence, Preparation, Request, VerifyError, Window};

/// Checks messages of Amazon SNS, and of services that sign as it does.
///
/// A right signature says only that SNS sent it, for anybody's topic: name the topics that are yours. Certificates come from a
/// [`CertificateSource`], only from URLs of SNS, and are kept. A topic that delivers raw messages signs nothing.
///
/// # Examples
///
/// ```
/// use posthaste_events::webhook::{Receiver, Ses, Sns};
///
/// # fn receiver(source: impl posthaste_events::webhook::CertificateSource) -> Receiver {
/// let sns = Sns::new(["arn:aws:sns:eu-west-1:111122223333:ses-events"]).certificates(source);
/// Receiver::new(Ses::new(sns))
/// # }
/// ```
#[derive(Debug)]
pub struct Sns {
    topics: Vec<String>,
    hosts: Hosts,
    window: Window,
    takes_sha1: bool,
    known: Certificates,
    source: Option<Arc<dyn CertificateSource>>,
}

impl Sns {
    /// Takes the ARNs of the topics that messages may come from.
    ///
    /// Messages may be a day old, because SNS tries for hours and does not sign anew.
    #[must_use]
    pub fn new(topics: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            topics: topics.into_iter().map(Into::into).collect(),
            hosts: Hosts::Amazon,
            window: Window::new(Duration::from_secs(86_400), Duration::from_secs(300)),
            takes_sha1: true,
            known: Certificates::default(),
            source: None,
        }
    }

    /// Fetches certificates from there when they are needed.
    #[must_use]
    pub fn certificates(mut self, source: impl CertificateSource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Takes a certificate that is at hand, in PEM, with its URL.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Url`] if the URL is not one of the service, [`CertificateError::Form`] if it is no certificate.
    pub fn certificate(self, url: &str, pem: &[u8]) -> Result<Self, CertificateError> {
        self.add_certificate(url, pem)?;
        Ok(self)
    }

    /// As [`certificate`](Self::certificate), at any time: for [`VerifyError::CertificateNeeded`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn add_certificate(&self, url: &str, pem: &[u8]) -> Result<(), CertificateError> {
        if !self.hosts.has_certificate(url) {
            return Err(CertificateError::Url);
        }
        self.known.add(url, pem)
    }

    /// Takes certificates and confirmations from these hosts instead of Amazon's: of a service that signs as SNS does.
    #[must_use]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hosts = Hosts::Named(hosts.into_iter().map(|host| host.into().to_ascii_lowercase()).collect());
        self
    }

    /// Sets how old a message may be.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Takes signatures of version 2 only, which have SHA-256. Set the topic's `SignatureVersion` to 2 first.
    #[must_use]
    pub fn without_sha1(mut self) -> Self {
        self.takes_sha1 = false;
        self
    }

    /// Checks a request.
    ///
    /// # Errors
    ///
    /// What is wrong with it; [`VerifyError::CertificateNeeded`] if its certificate is not known yet.
    pub fn check(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        let envelope = Envelope::read(request.body())?;
        let signed = self.check_claims(&envelope, request, now)?;
        let certificate = self.known.get(&envelope.certificate_url);
        let certificate = certificate.ok_or_else(|| VerifyError::CertificateNeeded {
            url: envelope.certificate_url.clone(),
        })?;
        certificate.check(envelope.version, envelope.signed_text().as_bytes(), &envelope.signature)?;
        Ok(Evidence::signature().once(&envelope.id, self.window.end(signed)))
    }

    /// Fetches the certificate of a request, if it is not known and everything else that can be checked before is right.
    pub fn prepare<'a>(&'a self, request: &'a Request, now: SystemTime) -> Option<Preparation<'a>> {
        let source = self.source.as_ref()?;
        let envelope = Envelope::read(request.body()).ok()?;
        self.check_claims(&envelope, request, now).ok()?;
        let url = envelope.certificate_url;
        if self.known.get(&url).is_some() {
            return None;
        }
        Some(Box::pin(async move {
            self.known.may_fetch(&url, now).map_err(VerifyError::Certificate)?;
            let fetched = source.fetch(&url).await;
            let added = fetched.and_then(|pem| self.known.add(&url, &pem));
            added.map_err(|error| {
                self.known.failed(&url, now);
                VerifyError::Certificate(error)
            })
        }))
    }

    /// Checks all that needs no certificate, and returns when it was signed.
    fn check_claims(&self, envelope: &Envelope, request: &Request, now: SystemTime) -> Result<SystemTime, VerifyError> {
        let name = "x-amz-sns-message-type";
        if request
            .optional(name)?
            .is_some_and(|kind| kind != envelope.kind.as_str())
        {
            return Err(VerifyError::Contradiction { name });
        }
        let name = "x-amz-sns-message-id";
        if request.optional(name)?.is_some_and(|id| id != envelope.id) {
            return Err(VerifyError::Contradiction { name });
        }
        if !self.topics.contains(&envelope.topic) {
            return Err(VerifyError::Topic);
        }
        if envelope.version == 1 && !self.takes_sha1 {
            return Err(VerifyError::Version);
        }
        if !self.hosts.has_certificate(&envelope.certificate_url) {
            return Err(VerifyError::CertificateUrl);
        }
        if envelope
            .subscribe_url
            .as_ref()
            .is_some_and(|url| !self.hosts.has_confirmation(url))
        {
            return Err(VerifyError::SubscribeUrl);
        }
        let signed = super::instant::read_text(&envelope.time).ok_or(VerifyError::Encoding {
            place: "Timestamp",
            expected: "a time",
        })?;
        self.window.check(signed, now)?;
        Ok(signed)
    }

    /// Tells whether a subscription may be confirmed at a URL. Of a request that nobody verified too.
    pub(super) fn confirms(&self, envelope: &Envelope) -> Option<Control> {
        let url = envelope
            .subscribe_url
            .clone()
            .filter(|url| self.hosts.has_confirmation(url))?;
        Some(Control::ConfirmSubscription {
            topic: envelope.topic.clone(),
            url,
            token: envelope.token.clone().unwrap_or_default(),
        })
    }
}

impl fmt::Display for EnvelopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
