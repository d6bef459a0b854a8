//! What each mechanism says (RFC 4422 §5), without a wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::cram;
use super::scram::{Binding, Proof, Scram, ScramError};
use crate::error::SmtpError;
use crate::mechanism::Mechanism;
use crate::secret::Secret;

/// An answer to the server.
pub(super) type Response = Zeroizing<Vec<u8>>;

/// One login under way.
pub(super) struct Exchange<'a> {
    pub(super) mechanism: Mechanism,
    username: &'a str,
    secret: &'a Secret,
    state: State,
}

enum State {
    /// PLAIN, whose first message is all there is.
    Said,
    /// CRAM-MD5: whether its challenge was answered.
    Cram(bool),
    /// LOGIN: how many of its two answers were given.
    Login(u8),
    ScramFirst(Scram),
    ScramFinal(Proof),
    /// The server has proved itself.
    ScramDone,
    /// A token was sent; whatever the server says further is a refusal.
    Token,
    TokenRefused,
}

impl<'a> Exchange<'a> {
    /// Begins. `host` and `port` are the server's; `nonce` is random.
    pub(super) fn new(
        mechanism: Mechanism,
        username: &'a str,
        secret: &'a Secret,
        nonce: &[u8],
        binding: Binding,
    ) -> Result<Self, SmtpError> {
        let state = match mechanism {
            Mechanism::Plain => State::Said,
            Mechanism::CramMd5 => State::Cram(false),
            Mechanism::Login => State::Login(0),
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => State::Token,
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                State::ScramFirst(Scram::new(username, nonce, binding).map_err(SmtpError::Scram)?)
            }
        };
        Ok(Self {
            mechanism,
            username,
            secret,
            state,
        })
    }

    /// The initial response, if the mechanism has one.
    pub(super) fn initial(&self, host: &str, port: u16) -> Option<Response> {
        let (username, secret) = (self.username, self.secret.expose());
        let text = match (&self.state, self.mechanism) {
            (State::Said, _) => format!("\0{username}\0{secret}"),
            (State::ScramFirst(scram), _) => scram.first(),
            (State::Token, Mechanism::XOAuth2) => format!("user={username}\x01auth=Bearer {secret}\x01\x01"),
            (State::Token, _) => {
                let authorization = username.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={authorization},\x01host={host}\x01port={port}\x01auth=Bearer {secret}\x01\x01")
            }
            _ => return None,
        };
        Some(Zeroizing::new(text.into_bytes()))
    }

    /// Answers a challenge; `None` if the mechanism has nothing more to say.
    pub(super) async fn respond(&mut self, challenge: &[u8]) -> Result<Option<Response>, SmtpError> {
        let (state, response) = match std::mem::replace(&mut self.state, State::Said) {
            State::Cram(false) => {
                let answer = cram::answer(self.username, self.secret.expose(), challenge);
                (State::Cram(true), answer.into_bytes())
            }
            State::Login(0) => (State::Login(1), self.username.as_bytes().to_vec()),
            State::Login(1) => (State::Login(2), self.secret.expose().as_bytes().to_vec()),
            State::ScramFirst(scram) => {
                let first = text(challenge)?.to_owned();
                let password = self.secret.clone();
                let answering = tokio::task::spawn_blocking(move || scram.answer(&first, password.expose()));
                let proof = match answering.await {
                    Ok(proof) => proof.map_err(SmtpError::Scram)?,
                    Err(ended) => match ended.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => return Err(SmtpError::Closed),
                    },
                };
                let message = proof.message.clone();
                (State::ScramFinal(proof), message.into_bytes())
            }
            State::ScramFinal(proof) => {
                proof.check(text(challenge)?).map_err(SmtpError::Scram)?;
                (State::ScramDone, Vec::new())
            }
            // The challenge says why; the answer only ends the exchange (RFC 7628 §3.2.3).
            State::Token if self.mechanism == Mechanism::XOAuth2 => (State::TokenRefused, Vec::new()),
            State::Token => (State::TokenRefused, vec![1]),
            State::Said | State::Cram(_) | State::Login(_) | State::ScramDone | State::TokenRefused => return Ok(None),
        };
        self.state = state;
        Ok(Some(Zeroizing::new(response)))
    }

    /// Whether the server may say now that the login worked: it has seen all that it needs, and proved what it must.
    pub(super) fn may_succeed(&self) -> bool {
        matches!(
            self.state,
            State::Said | State::Cram(true) | State::Login(2) | State::ScramDone | State::Token
        )
    }

    /// The texts that no error may repeat, besides the responses themselves.
    pub(super) fn secrets(&self) -> Vec<Zeroizing<String>> {
        let secret = self.secret.expose();
        vec![
            Zeroizing::new(secret.to_owned()),
            Zeroizing::new(STANDARD.encode(secret)),
        ]
    }
}

fn text(challenge: &[u8]) -> Result<&str, SmtpError> {
    std::str::from_utf8(challenge).map_err(|_| SmtpError::Scram(ScramError::Message))
}
