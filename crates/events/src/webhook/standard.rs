//! Standard Webhooks: what Svix, Resend and many others sign with, and what our own webhooks are signed with.

use std::fmt;
use std::time::SystemTime;

use aws_lc_rs::hmac;

use super::hash::{base64, from_base64, mac};
use super::instant::{read_whole_seconds, seconds_text};
use super::key::Secrets;
use super::{Evidence, KeyError, Request, VerifyError, Window};

/// Names of the header fields: those of the standard, and those of Svix, from which it came.
const NAMES: [[&str; 3]; 2] = [
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

/// Checks signatures of Standard Webhooks, v1: HMAC-SHA256 over id, time and body.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use posthaste_events::webhook::{Request, Signer, SigningSecret, StandardWebhooks};
///
/// let secret = SigningSecret::new("whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG")?;
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_636_800);
///
/// let body = r#"{"type":"email.delivered"}"#;
/// let mut request = Request::post("https://example.org/hooks", body);
/// for (name, value) in Signer::new(secret.clone()).sign("msg_2abc", now, body.as_bytes())? {
///     request = request.header(name, value);
/// }
/// StandardWebhooks::new(secret).check(&request, now)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StandardWebhooks {
    secrets: Secrets,
    window: Window,
}

/// A secret of Standard Webhooks: `whsec_` and base64.
#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// Reads a secret as it is shown, with or without `whsec_`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`] and [`KeyError::Base64`].
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let octets = from_base64(text.strip_prefix("whsec_").unwrap_or(text)).ok_or(KeyError::Base64)?;
        if octets.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self(octets))
    }

    /// Makes a secret of random octets: 24 to 64 of them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`].
    pub fn from_random(octets: &[u8]) -> Result<Self, KeyError> {
        if !(24..=64).contains(&octets.len()) {
            return Err(KeyError::Length { octets: octets.len() });
        }
        Ok(Self(octets.to_vec()))
    }

    /// Writes it as it is shown to the other side. Nothing else shows it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("whsec_{}", base64(&self.0))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret([redacted])")
    }
}

impl StandardWebhooks {
    /// Takes the secret.
    #[must_use]
    pub fn new(secret: SigningSecret) -> Self {
        Self {
            secrets: Secrets::new(hmac::HMAC_SHA256),
            window: Window::FIVE_MINUTES,
        }
        .or_secret(secret)
    }

    /// Takes another secret, while one is changed for the other.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "whoever hands a secret over keeps none")]
    pub fn or_secret(mut self, secret: SigningSecret) -> Self {
        // A `SigningSecret` is never empty.
        let _ = self.secrets.add(&secret.0);
        self
    }

    /// Sets how old a request may be. Five minutes unless set.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Checks a request.
    ///
    /// # Errors
    ///
    /// What is wrong with it. An id with a full stop is refused: it could be taken for a part of the time.
    pub fn check(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        let [id_name, time_name, signature_name] = Self::names(request)?;
        let (id, time) = (request.required(id_name)?, request.required(time_name)?);
        let signatures = request.required(signature_name)?;
        if id.is_empty() || id.contains('.') {
            return Err(VerifyError::Encoding {
                place: id_name,
                expected: "an id without full stops",
            });
        }
        let signed = read_whole_seconds(time).ok_or(VerifyError::Encoding {
            place: time_name,
            expected: "seconds since 1970",
        })?;
        self.window.check(signed, now)?;
        let pieces = [id.as_bytes(), b".", time.as_bytes(), b".", request.body()];
        let mut outcome = Err(VerifyError::Version);
        // Nobody has more keys than a few: each signature costs a MAC.
        for signature in signatures.split_ascii_whitespace().take(16) {
            let Some(signature) = signature.strip_prefix("v1,") else {
                continue;
            };
            let read = from_base64(signature).ok_or(VerifyError::Encoding {
                place: signature_name,
                expected: "base64",
            });
            outcome = read.and_then(|signature| self.secrets.check(&pieces, &signature));
            if outcome.is_ok() {
                break;
            }
        }
        outcome?;
        Ok(Evidence::signature().once(id, self.window.end(signed)))
    }

    /// Chooses the fields that count: both sets may be there, and only one is signed.
    fn names(request: &Request) -> Result<[&'static str; 3], VerifyError> {
        let [standard, svix] = NAMES;
        let is_standard = request.optional(standard[2])?.is_some() || request.optional(svix[2])?.is_none();
        Ok(if is_standard { standard } else { svix })
    }

    /// Returns the id of the set of fields that [`Self::check`] looks at; any, if none is signed.
    pub(super) fn id(request: &Request) -> Option<&str> {
        let [standard, svix] = NAMES;
        match request.field(standard[2]) {
            Some(_) => request.field(standard[0]),
            None => request.field(svix[0]).or_else(|| request.field(standard[0])),
        }
    }
}

/// Signs our own webhooks as Standard Webhooks says.
///
/// Deliver again with the same id and a new time: the receiver knows by the id that it is the same event.
#[derive(Clone, Debug)]
pub struct Signer {
    keys: Vec<SigningSecret>,
}

impl Signer {
    /// Takes the secret.
    #[must_use]
    pub fn new(secret: SigningSecret) -> Self {
        Self { keys: vec![secret] }
    }

    /// Signs with another secret too, until the receiver has the new one.
    #[must_use]
    pub fn and_secret(mut self, secret: SigningSecret) -> Self {
        self.keys.push(secret);
        self
    }

    /// Returns the header fields to send with a body.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Encoding`] for an id that is empty, or has a full stop or anything that does not belong in a header field.
    pub fn sign(&self, id: &str, time: SystemTime, body: &[u8]) -> Result<[(&'static str, String); 3], VerifyError> {
        let [names, _] = NAMES;
        let is_id = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
        if id.is_empty() || !id.bytes().all(is_id) {
            return Err(VerifyError::Encoding {
                place: "webhook-id",
                expected: "an id without full stops",
            });
        }
        let time = seconds_text(time);
        let signatures: Vec<String> = self
            .keys
            .iter()
            .map(|secret| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
                let tag = mac(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", body]);
                format!("v1,{}", base64(tag.as_ref()))
            })
            .collect();
        Ok([
            (names[0], id.to_owned()),
            (names[1], time),
            (names[2], signatures.join(" ")),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_636_800)
    }

    fn secret(byte: u8) -> SigningSecret {
        SigningSecret::from_random(&[byte; 32]).unwrap()
    }

    fn signed(signer: &Signer, body: &'static str) -> Request {
        let fields = signer.sign("msg_1", now(), body.as_bytes()).unwrap();
        let request = Request::post("https://example.org/", body);
        fields
            .into_iter()
            .fold(request, |request, (name, value)| request.header(name, value))
    }

    #[test]
    fn either_side_may_have_two_keys() {
        let old_and_new = Signer::new(secret(1)).and_secret(secret(2));
        for byte in [1, 2] {
            let receiver = StandardWebhooks::new(secret(byte));
            assert!(receiver.check(&signed(&old_and_new, "{}"), now()).is_ok());
            let both = StandardWebhooks::new(secret(3)).or_secret(secret(byte));
            assert!(both.check(&signed(&Signer::new(secret(byte)), "{}"), now()).is_ok());
        }
        let stranger = StandardWebhooks::new(secret(3));
        assert_eq!(
            stranger.check(&signed(&old_and_new, "{}"), now()),
            Err(VerifyError::WrongSignature)
        );
    }

    #[test]
    fn times_are_checked_both_ways() {
        let receiver = StandardWebhooks::new(secret(1));
        let request = signed(&Signer::new(secret(1)), "{}");
        let second = Duration::from_secs(1);
        let limit = Duration::from_secs(300);
        assert!(receiver.check(&request, now() + limit).is_ok());
        assert!(receiver.check(&request, now() - limit).is_ok());
        let late = receiver.check(&request, now() + limit + second);
        assert_eq!(late, Err(VerifyError::TooOld { age: limit + second }));
        let early = receiver.check(&request, now() - limit - second);
        assert_eq!(early, Err(VerifyError::InFuture { by: limit + second }));
        assert!(
            receiver
                .window(Window::UNBOUNDED)
                .check(&request, now() + limit * 1000)
                .is_ok()
        );
    }

    #[test]
    fn secrets_are_read_and_not_shown() {
        let secret = SigningSecret::new("whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG").unwrap();
        assert_eq!(secret.reveal(), "whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG");
        assert!(!format!("{secret:?}").contains("PBoO"));
        assert_eq!(SigningSecret::new("whsec_").unwrap_err(), KeyError::Empty);
        assert_eq!(SigningSecret::new("whsec_!").unwrap_err(), KeyError::Base64);
        assert_eq!(
            SigningSecret::from_random(&[0; 8]).unwrap_err(),
            KeyError::Length { octets: 8 }
        );
        let signer = Signer::new(secret);
        for id in ["", "a.b", "a\r\nb"] {
            assert!(signer.sign(id, now(), b"").is_err(), "{id:?}");
        }
    }

    #[test]
    fn a_repeated_field_is_refused() {
        let request = signed(&Signer::new(secret(1)), "{}").header("Webhook-Id", "msg_2");
        let refused = StandardWebhooks::new(secret(1)).check(&request, now());
        assert_eq!(refused, Err(VerifyError::RepeatedHeader { name: "webhook-id" }));
    }
}
