//! AUTH, the server's side (RFC 4954): PLAIN (RFC 4616), LOGIN, tokens and SCRAM.

mod bearer;
mod scram;

use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub use self::bearer::BearerToken;
use self::scram::{Channel, Fault, First};
pub use self::scram::{ScramKeys, ScramKeysError};
use super::conversation::{Conversation, Next};
use super::rates::{Meter, Payer};
use super::talk::{Ended, Talk};
use super::{Credentials, Login, StoredLogin, Verdict};
use crate::mechanism::Mechanism;
use crate::secret::Secret;

/// The longest line of an AUTH exchange, CR LF included (RFC 4954 §4.3).
const MAX_LINE: usize = 12_288;

/// Why an exchange ended without a decision of the handler.
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
        let mechanism = match self.choose(talk, mechanism) {
            Ok(mechanism) => mechanism,
            Err(refusal) => return Ok(Next::Reply(refusal)),
        };
        if let Some((meter, payer)) = self.failures()
            && !meter.would_admit(&payer)
        {
            let later = Verdict::defer(454, (7, 0), "too many failed logins, try again later");
            return Ok(self.failed_login(later));
        }
        let login = match mechanism {
            Mechanism::Plain => self.plain(talk, initial).await,
            Mechanism::Login => self.by_steps(talk, initial).await,
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.token(talk, mechanism, initial).await,
            mechanism => self.scram(talk, mechanism, initial).await,
        };
        Ok(match login {
            Ok(Login::Accepted(identity)) => {
                self.session.identity = Some(identity);
                Next::Reply(Verdict::positive(235, (7, 0), "logged in"))
            }
            Ok(Login::Refused) => self.failed_login(wrong()),
            Ok(Login::Unavailable) => Next::Reply(unavailable()),
            Err(Broken::Verdict(verdict)) => self.failed_login(verdict),
            Err(Broken::Ended(ended)) => return Err(ended),
        })
    }

    /// The mechanisms that a client may use now, in the order in which they are announced.
    pub(super) fn mechanisms(&self, talk: &Talk) -> impl Iterator<Item = Mechanism> {
        let settings = &self.shared.settings;
        let offers = self.session.is_secure() || settings.danger_allow_plaintext_auth;
        let all = if offers { settings.mechanisms.as_slice() } else { &[] };
        let binds = talk.exporter().is_some();
        all.iter()
            .copied()
            .filter(move |&mechanism| binds || mechanism != Mechanism::ScramSha256Plus)
    }

    /// Checks that AUTH may come now, with this mechanism.
    fn choose(&self, talk: &Talk, name: &str) -> Result<Mechanism, Verdict> {
        let settings = &self.shared.settings;
        if settings.mechanisms.is_empty() {
            return Err(Verdict::refuse(502, (5, 1), "no logins here"));
        }
        if !self.session.extended {
            return Err(Verdict::refuse(503, (5, 1), "say EHLO first"));
        }
        if self.session.identity.is_some() {
            return Err(Verdict::refuse(503, (5, 1), "logged in already"));
        }
        if self.transaction.is_some() {
            return Err(Verdict::refuse(503, (5, 1), "not inside a transaction"));
        }
        if !self.session.is_secure() && !settings.danger_allow_plaintext_auth {
            return Err(Verdict::refuse(538, (7, 11), "say STARTTLS first"));
        }
        let mut offered = self.mechanisms(talk);
        let chosen = offered.find(|mechanism| mechanism.as_str() == name);
        chosen.ok_or_else(|| Verdict::refuse(504, (5, 4), "mechanism not known"))
    }

    /// Lets the handler decide about a login, but not for ever.
    async fn judge(&self, decision: impl Future<Output = Login>) -> Login {
        let limit = self.shared.settings.limits.handler;
        tokio::time::timeout(limit, decision)
            .await
            .unwrap_or(Login::Unavailable)
    }

    async fn plain(&self, talk: &mut Talk, initial: Option<&str>) -> Result<Login, Broken> {
        let response = self.first(talk, initial, "").await?;
        let mut parts = response.split('\0');
        let (Some(acting), Some(username), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Broken::Verdict(Verdict::refuse(501, (5, 2), "not a PLAIN response")));
        };
        if username.is_empty() || (!acting.is_empty() && acting != username) {
            return Ok(Login::Refused);
        }
        let credentials = Credentials::new(username.to_owned(), Secret::new(password));
        let checking = self.shared.handler.authenticate(&self.session, &credentials);
        Ok(self.judge(checking).await)
    }

    async fn by_steps(&self, talk: &mut Talk, initial: Option<&str>) -> Result<Login, Broken> {
        let username = self.first(talk, initial, "Username:").await?;
        let password = ask(talk, self.wait(), "Password:").await?;
        if username.is_empty() || username.contains('\0') {
            return Ok(Login::Refused);
        }
        let credentials = Credentials::new(username.to_string(), Secret::new(password.as_str()));
        let checking = self.shared.handler.authenticate(&self.session, &credentials);
        Ok(self.judge(checking).await)
    }

    async fn token(&self, talk: &mut Talk, mechanism: Mechanism, initial: Option<&str>) -> Result<Login, Broken> {
        let message = self.first(talk, initial, "").await?;
        let token = match mechanism {
            Mechanism::XOAuth2 => BearerToken::read_xoauth2(&message),
            _ => BearerToken::read(&message),
        };
        let Some(token) = token else {
            return Err(Broken::Verdict(Verdict::refuse(501, (5, 2), "not a token's message")));
        };
        let login = self.judge(self.shared.handler.token(&self.session, &token)).await;
        if login == Login::Refused {
            // The client is told why, and has to say that it has understood (RFC 7628 §3.2.3).
            talk.say_challenge(&STANDARD.encode(r#"{"status":"invalid_token"}"#));
            talk.line(MAX_LINE, self.wait())
                .await
                .map_err(Broken::Ended)?
                .map_err(|_| Broken::Verdict(wrong()))?;
        }
        Ok(login)
    }

    async fn scram(&self, talk: &mut Talk, mechanism: Mechanism, initial: Option<&str>) -> Result<Login, Broken> {
        let bad = |fault| match fault {
            Fault::Message => Broken::Verdict(Verdict::refuse(501, (5, 2), "not a SCRAM message")),
            Fault::Proof => Broken::Verdict(wrong()),
        };
        let message = self.first(talk, initial, "").await?;
        let exporter = talk.exporter().copied();
        let channel = Channel {
            exporter: exporter.as_ref(),
            plus: mechanism == Mechanism::ScramSha256Plus,
            offered_plus: self
                .mechanisms(talk)
                .any(|offered| offered == Mechanism::ScramSha256Plus),
        };
        let first = First::read(&message, &channel).map_err(bad)?;
        let asking = self.shared.handler.stored_login(&self.session, &first.username);
        let stored = tokio::time::timeout(self.shared.settings.limits.handler, asking).await;
        let (keys, identity) = match stored {
            Ok(StoredLogin::Known(keys, identity)) => (keys, Some(identity)),
            Ok(StoredLogin::Unknown) => (ScramKeys::of_nobody(&self.shared.secret, &first.username), None),
            Ok(StoredLogin::Unavailable) | Err(_) => return Ok(Login::Unavailable),
        };
        let challenged = first.answer(keys, &self.shared.ids.next_id());
        let last = ask(talk, self.wait(), &challenged.message).await?;
        let proof = challenged.check(&last).map_err(bad)?;
        let Some(identity) = identity else {
            return Ok(Login::Refused);
        };
        if !ask(talk, self.wait(), &proof).await?.is_empty() {
            return Err(Broken::Verdict(Verdict::refuse(
                501,
                (5, 2),
                "there is nothing more to say",
            )));
        }
        Ok(Login::Accepted(identity))
    }

    /// Returns the initial response, which is asked for with `challenge` if it did not come with the command.
    async fn first(
        &self,
        talk: &mut Talk,
        initial: Option<&str>,
        challenge: &str,
    ) -> Result<Zeroizing<String>, Broken> {
        match initial {
            // RFC 4954 §4: a lone equals sign is an empty response.
            Some("=") => decode(b""),
            Some(initial) => decode(initial.as_bytes()),
            None => ask(talk, self.wait(), challenge).await,
        }
    }

    fn wait(&self) -> Duration {
        self.shared.settings.limits.idle
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

fn unavailable() -> Verdict {
    Verdict::defer(454, (7, 0), "cannot check that now, try again later")
}

/// Asks for a response, which the client may refuse to give with `*`.
async fn ask(talk: &mut Talk, wait: Duration, challenge: &str) -> Result<Zeroizing<String>, Broken> {
    talk.say_challenge(&STANDARD.encode(challenge));
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
