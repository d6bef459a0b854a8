//! Checks requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::access::Shown;
use super::hash::sha256;
use super::{
    AcceptUnsigned, Access, Control, Evidence, Form, Occurrence, Proof, Provider, ReplayGuard, Request, Verified,
    VerifyError,
};

/// For how long a key is remembered whose provider names no time.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Checks the requests of one provider. Clones share the provider and what is remembered.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use posthaste_events::webhook::{Mailgun, Receiver, RecentKeys, Request, VerifyError};
///
/// let receiver = Receiver::new(Mailgun::new("the signing key")?).replay_guard(RecentKeys::new(100_000));
/// let forged = Request::post("https://example.org/hooks", r#"{"signature":{"timestamp":"1","token":"x","signature":"00"}}"#);
/// assert!(matches!(receiver.verify(forged, SystemTime::now()), Err(VerifyError::Encoding { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    provider: Arc<dyn Provider>,
    access: Vec<Access>,
    guard: Option<Arc<dyn ReplayGuard>>,
    limits: Limits,
    origin: Option<String>,
}

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a body. 16 MiB unless set; inbound mail with attachments may need more.
    pub body: usize,
    /// Events in a request. 10 000 unless set: SparkPost sends so many.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 16 * 1024 * 1024,
            events: 10_000,
        }
    }
}

impl Limits {
    /// Sets how many octets a body may have.
    #[must_use]
    pub fn body(mut self, octets: usize) -> Self {
        self.body = octets;
        self
    }

    /// Sets how many events may be in a request.
    #[must_use]
    pub fn events(mut self, events: usize) -> Self {
        self.events = events;
        self
    }
}

impl Receiver {
    /// Takes the provider.
    #[must_use]
    pub fn new(provider: impl Provider) -> Self {
        Self {
            provider: Arc::new(provider),
            access: Vec::new(),
            guard: None,
            limits: Limits::default(),
            origin: None,
        }
    }

    /// Sets scheme and host as the provider was told them, `https://example.org`: behind a proxy the server sees others. Mandrill signs
    /// the URL.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Asks for credentials, beside the signature if there is one. Of several that are given, one is enough: so they can be changed.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access.push(access);
        self
    }

    /// Remembers what came, so that it is of no use to those who overheard it; what comes again is
    /// [`is_repeated`](Verified::is_repeated). Where the provider signs no token, a request is known by what is in it.
    #[must_use]
    pub fn replay_guard(mut self, guard: impl ReplayGuard) -> Self {
        self.guard = Some(Arc::new(guard));
        self
    }

    /// Sets bounds on what is read.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns the bounds on what is read.
    #[must_use]
    pub fn bounds(&self) -> Limits {
        self.limits
    }

    /// Returns the URL of a request to a host, path and query behind it, as the provider was told it.
    #[must_use]
    pub fn url(&self, host: &str, path_and_query: &str) -> String {
        match &self.origin {
            Some(origin) => format!("{}{path_and_query}", origin.trim_end_matches('/')),
            None => format!("https://{host}{path_and_query}"),
        }
    }

    /// Returns the provider's name.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.provider.name()
    }

    /// Checks a request with what is at hand.
    ///
    /// # Errors
    ///
    /// What is wrong with it; [`VerifyError::CertificateNeeded`] if something has to be fetched first, as [`receive`](Self::receive) does.
    pub fn verify(&self, request: Request, now: SystemTime) -> Result<Verified, VerifyError> {
        if let Some(probe) = self.admit(&request)? {
            return Ok(self.verified(request, Proof::Probe, false, Some(probe)));
        }
        let evidence = self.provider.verify(&request, now)?;
        if !evidence.is_signed && self.access.is_empty() {
            return Err(VerifyError::Unprotected);
        }
        let is_repeated = self.guard(&evidence, &request, now)?;
        let proof = match (evidence.is_signed, evidence.needs_guard) {
            (true, false) => Proof::Signature,
            (true, true) => Proof::Token,
            (false, _) => Proof::Access,
        };
        Ok(self.verified(request, proof, is_repeated, None))
    }

    /// Checks a request, and fetches first what that needs: the certificate of a provider that signs with one.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub async fn receive(&self, request: Request, now: SystemTime) -> Result<Verified, VerifyError> {
        // Whom nobody let in makes nobody fetch anything.
        if self.admit(&request)?.is_none()
            && let Some(preparation) = self.provider.prepare(&request, now)
        {
            preparation.await?;
        }
        self.verify(request, now)
    }

    /// Takes a request without a look at its signature. Size and credentials are checked.
    ///
    /// # Errors
    ///
    /// [`VerifyError::TooLarge`], and what can be wrong with credentials.
    pub fn accept_unsigned(&self, request: Request, reason: AcceptUnsigned) -> Result<Verified, VerifyError> {
        // A request that lacks its signature looks like one that only asks whether somebody is there.
        let probe = self.admit(&request)?.filter(|_| request.body().is_empty());
        Ok(self.verified(request, Proof::Unsigned(reason.0), false, probe))
    }

    /// Checks what no signature is needed for. `Some` is a request without anything in it.
    pub(super) fn admit(&self, request: &Request) -> Result<Option<Control>, VerifyError> {
        let (size, limit) = (request.body().len(), self.limits.body);
        if size > limit {
            return Err(VerifyError::TooLarge { size, limit });
        }
        let probe = self.provider.probe(request);
        if probe == Some(Control::Ping) {
            return Ok(probe);
        }
        if probe.is_none() && !request.method().eq_ignore_ascii_case("POST") {
            return Err(VerifyError::Method);
        }
        self.check_access(request)?;
        Ok(probe)
    }

    fn check_access(&self, request: &Request) -> Result<(), VerifyError> {
        let shown = self.access.iter().map(|access| access.check(request));
        let best = shown.fold(None, |best, shown| match (best, shown) {
            (Some(Shown::Right), _) | (_, Shown::Right) => Some(Shown::Right),
            (Some(Shown::Wrong), _) | (_, Shown::Wrong) => Some(Shown::Wrong),
            _ => Some(Shown::Nothing),
        });
        match best {
            None | Some(Shown::Right) => Ok(()),
            Some(Shown::Wrong) => Err(VerifyError::WrongCredentials),
            Some(Shown::Nothing) => Err(VerifyError::MissingCredentials),
        }
    }

    /// Tells whether the request came before.
    fn guard(&self, evidence: &Evidence, request: &Request, now: SystemTime) -> Result<bool, VerifyError> {
        let Some(guard) = &self.guard else {
            return if evidence.needs_guard {
                Err(VerifyError::NoReplayGuard)
            } else {
                Ok(false)
            };
        };
        let digest = digest(request);
        let (key, until) = match &evidence.once {
            Some((key, until)) => (key.clone(), *until),
            // What is signed is known by what is in it.
            None if evidence.is_signed => (super::hex(&digest), None),
            None => return Ok(false),
        };
        let until = until.or_else(|| now.checked_add(A_DAY)).unwrap_or(now);
        let key = format!("{}:{key}", self.provider.name());
        match guard.note(&key, digest, until, now) {
            Occurrence::First => Ok(false),
            Occurrence::Again => Ok(true),
            Occurrence::Changed => Err(VerifyError::Replayed),
        }
    }

    fn verified(&self, request: Request, proof: Proof, is_repeated: bool, probe: Option<Control>) -> Verified {
        Verified {
            provider: Arc::clone(&self.provider),
            request,
            proof,
            limits: self.limits,
            is_repeated,
            probe,
        }
    }
}

/// The SHA-256 of what a request has in it. A form in parts that comes again has other boundaries between the same fields.
fn digest(request: &Request) -> [u8; 32] {
    let is_in_parts = request.media_type().as_deref() == Some("multipart/form-data");
    let form = is_in_parts.then(|| Form::read(request).ok()).flatten();
    let Some(form) = form else {
        return sha256(request.body());
    };
    let fields = form.fields().iter().flat_map(|field| {
        let texts = [Some(&field.name), field.file_name.as_ref(), field.content_type.as_ref()];
        let texts = texts.map(|text| sha256(text.map_or(&[], |text| text.as_bytes())));
        texts.into_iter().chain([sha256(&field.value)])
    });
    sha256(&fields.collect::<Vec<_>>().concat())
}
