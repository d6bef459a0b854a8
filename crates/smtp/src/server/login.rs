//! AUTH PLAIN and AUTH LOGIN, the server's side (RFC 4954, RFC 4616).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::conversation::{Conversation, Next};
use super::rates::{Meter, Payer};
use super::talk::{Ended, Talk};
use super::{Credentials, Login, Verdict};
use crate::secret::Secret;

/// The longest line of an AUTH exchange, CR LF included (RFC 4954 §4.3).
const MAX_LINE: usize = 12_288;

/// Why an exchange ended without credentials.
enum Broken {
    Verdict(Verdict),
    Ended(Ended),
}

impl Conversation {
    pub(super) async fn log_in(
        &mut self,
        talk: &mut Talk,
        mechanism: &str,
        initial: Option<&str>,
    ) -> Result<Next, Ended> {
        if let Some(refusal) = self.refuse_login(mechanism) {
            return Ok(Next::Reply(refusal));
        }
        if let Some((meter, payer)) = self.failures()
            && !meter.would_admit(&payer)
        {
            let later = Verdict::defer(454, (7, 0), "too many failed logins, try again later");
            return Ok(self.failed_login(later));
        }
        let wait = self.shared.settings.limits.idle;
        let credentials = match mechanism {
            "PLAIN" => plain(talk, wait, initial).await,
            _ => by_steps(talk, wait, initial).await,
        };
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(Broken::Verdict(verdict)) => return Ok(self.failed_login(verdict)),
            Err(Broken::Ended(ended)) => return Err(ended),
        };
        let checking = self.shared.handler.authenticate(&self.session, &credentials);
        let login = tokio::time::timeout(self.shared.settings.limits.handler, checking)
            .await
            .unwrap_or(Login::Unavailable);
        Ok(match login {
            Login::Accepted(identity) => {
                self.session.identity = Some(identity);
                Next::Reply(Verdict::positive(235, (7, 0), "logged in"))
            }
            Login::Refused => self.failed_login(wrong()),
            Login::Unavailable => Next::Reply(Verdict::defer(454, (7, 0), "cannot check that now, try again later")),
        })
    }

    /// Checks that AUTH may come now.
    fn refuse_login(&self, mechanism: &str) -> Option<Verdict> {
        let settings = &self.shared.settings;
        if !settings.auth {
            return Some(Verdict::refuse(502, (5, 1), "no logins here"));
        }
        if !self.session.extended {
            return Some(Verdict::refuse(503, (5, 1), "say EHLO first"));
        }
        if self.session.identity.is_some() {
            return Some(Verdict::refuse(503, (5, 1), "logged in already"));
        }
        if self.transaction.is_some() {
            return Some(Verdict::refuse(503, (5, 1), "not inside a transaction"));
        }
        if !self.offers_auth() {
            return Some(Verdict::refuse(538, (7, 11), "say STARTTLS first"));
        }
        if !matches!(mechanism, "PLAIN" | "LOGIN") {
            return Some(Verdict::refuse(504, (5, 4), "mechanism not known"));
        }
        None
    }

    /// Where failed logins are counted, and for whom.
    fn failures(&self) -> Option<(&Meter, Payer)> {
        let meter = self.shared.meters.failed_logins.as_ref();
        meter.zip(Payer::address(&self.session))
    }

    fn failed_login(&mut self, verdict: Verdict) -> Next {
        if let Some((meter, payer)) = self.failures() {
            // What counts is that it is counted.
            let _ = meter.admits(&payer);
        }
        self.failed_logins += 1;
        if self.failed_logins > self.shared.settings.limits.failed_logins {
            return Next::Close(Verdict::goodbye((7, 0), "too many failed logins"));
        }
        Next::Reply(verdict)
    }
}

/// The reply to wrong credentials, the same whatever is wrong with them.
fn wrong() -> Verdict {
    Verdict::refuse(535, (7, 8), "user name or password is wrong")
}

async fn plain(talk: &mut Talk, wait: Duration, initial: Option<&str>) -> Result<Credentials, Broken> {
    let response = match initial {
        // RFC 4954 §4: a lone equals sign is an empty response.
        Some("=") => decode(b"")?,
        Some(initial) => decode(initial.as_bytes())?,
        None => ask(talk, wait, "").await?,
    };
    let mut parts = response.split('\0');
    let (Some(acting), Some(username), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Broken::Verdict(Verdict::refuse(501, (5, 2), "not a PLAIN response")));
    };
    if username.is_empty() || (!acting.is_empty() && acting != username) {
        return Err(Broken::Verdict(wrong()));
    }
    Ok(Credentials::new(username.to_owned(), Secret::new(password)))
}

async fn by_steps(talk: &mut Talk, wait: Duration, initial: Option<&str>) -> Result<Credentials, Broken> {
    let username = match initial {
        Some(initial) => decode(initial.as_bytes())?,
        None => ask(talk, wait, "VXNlcm5hbWU6").await?,
    };
    let password = ask(talk, wait, "UGFzc3dvcmQ6").await?;
    if username.is_empty() || username.contains('\0') {
        return Err(Broken::Verdict(wrong()));
    }
    Ok(Credentials::new(username.to_string(), Secret::new(password.as_str())))
}

/// Asks for a response, which the client may refuse to give with `*`.
async fn ask(talk: &mut Talk, wait: Duration, challenge: &str) -> Result<Zeroizing<String>, Broken> {
    talk.say_plain(334, challenge);
    let line = talk.line(MAX_LINE, wait).await.map_err(Broken::Ended)?;
    let line =
        line.map_err(|_| Broken::Verdict(Verdict::refuse(500, (5, 6), "line too long or not ended by CR LF")))?;
    if line.as_slice() == b"*" {
        return Err(Broken::Verdict(Verdict::refuse(501, (7, 0), "cancelled")));
    }
    decode(&line)
}

fn decode(base64: &[u8]) -> Result<Zeroizing<String>, Broken> {
    let octets = STANDARD.decode(base64);
    let text = octets
        .ok()
        .and_then(|octets| String::from_utf8(octets).ok())
        .map(Zeroizing::new);
    text.ok_or_else(|| Broken::Verdict(Verdict::refuse(501, (5, 2), "not base64 of UTF-8")))
}
