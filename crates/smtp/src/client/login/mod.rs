//! Logging in: the choice of a mechanism, and its dialogue (RFC 4954).

mod cram;
mod exchange;
mod scram;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_transport::Reply;
use zeroize::Zeroizing;

use self::exchange::{Exchange, Response};
use self::scram::Binding;
pub use self::scram::ScramError;
use super::budget::{Budget, Step};
use super::connection::{Desk, refused};
use super::wire::Wire;
use crate::config::Login;
use crate::error::{Failed, SmtpError};
use crate::mechanism::Mechanism;
use crate::protocol::{Extensions, WireReply};
use crate::secret::Secret;
use crate::token::TokenSource;

/// The most octets of a command line, which an initial response must not exceed (RFC 4954 §4).
const MAX_LINE: usize = 512;

/// Logs in by the best mechanism that both sides have. `refused` is a token that the server has refused before; it is set
/// when that happens.
pub(super) async fn log_in(
    wire: &mut Wire,
    login: &Login,
    refused: &mut Option<Secret>,
    desk: &Desk<'_>,
    budget: &Budget,
) -> Result<(), Failed> {
    let mechanism = choose(wire, desk.extensions, login, &desk.config.mechanisms)?;
    let (username, source) = match login {
        Login::Password { username, password } => {
            return dialogue(wire, desk, (mechanism, username, password), budget).await;
        }
        Login::Token { username, source } => (username, &**source),
    };
    let secret = token(source, refused.as_ref(), budget).await?;
    let result = dialogue(wire, desk, (mechanism, username, &secret), budget).await;
    // A token may have expired; a session in which a login was refused goes on (RFC 4954 §4).
    let failed = match result {
        Ok(()) => return Ok(()),
        Err(failed) if refused.is_some() => return Err(failed),
        Err(failed) => failed,
    };
    if !matches!(&failed.error, SmtpError::Refused(reply) if reply.code() >= 500) {
        return Err(failed);
    }
    let fresh = token(source, Some(refused.insert(secret)), budget).await?;
    if refused.as_ref() == Some(&fresh) {
        return Err(failed);
    }
    dialogue(wire, desk, (mechanism, username, &fresh), budget).await
}

async fn token(source: &dyn TokenSource, refused: Option<&Secret>, budget: &Budget) -> Result<Secret, Failed> {
    let token = budget.run(Step::Auth, source.token(refused)).await?;
    let token = token.map_err(|error| Step::Auth.failed(SmtpError::Token(error)))?;
    // RFC 6750 §2.1; it could end the field that it stands in otherwise.
    let is_plain = !token.expose().is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    match is_plain {
        true => Ok(token),
        false => {
            let odd = "the token is empty, or has characters that no token has";
            Err(Step::Auth.failed(SmtpError::Token(odd.into())))
        }
    }
}

/// The first mechanism in the order of [`Mechanism::ALL`] that is allowed, offered, and fits what there is to log in with.
fn choose(wire: &Wire, extensions: &Extensions, login: &Login, allowed: &[Mechanism]) -> Result<Mechanism, Failed> {
    let has_token = matches!(login, Login::Token { .. });
    let fits = |mechanism: &Mechanism| {
        let binds = *mechanism != Mechanism::ScramSha256Plus || wire.channel_binding().is_some();
        allowed.contains(mechanism) && mechanism.takes_token() == has_token && binds
    };
    let mut ours = Mechanism::ALL.iter().copied().filter(fits);
    if let Some(mechanism) = ours
        .clone()
        .find(|mechanism| extensions.offers_mechanism(mechanism.as_str()))
    {
        return Ok(mechanism);
    }
    let list = |names: Vec<&str>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(" "),
    };
    Err(Step::Auth.failed(SmtpError::NoMechanism {
        offered: list(extensions.parameters("AUTH").collect()),
        ours: list(ours.by_ref().map(Mechanism::as_str).collect()),
    }))
}

async fn dialogue(
    wire: &mut Wire,
    desk: &Desk<'_>,
    (mechanism, username, secret): (Mechanism, &str, &Secret),
    budget: &Budget,
) -> Result<(), Failed> {
    let fail = |error| Step::Auth.failed(error);
    let plus = Mechanism::ScramSha256Plus;
    let binding = match wire.channel_binding() {
        Some(exported) if mechanism == plus => Binding::Exporter(exported.to_vec()),
        Some(_) if desk.config.mechanisms.contains(&plus) && !desk.extensions.offers_mechanism(plus.as_str()) => {
            Binding::NotOffered
        }
        _ => Binding::None,
    };
    let nonce = desk.config.ids.next_id();
    let mut exchange = Exchange::new(mechanism, username, secret, &nonce, binding).map_err(fail)?;
    let mut secrets = exchange.secrets();
    let start = format!("AUTH {mechanism} ");
    let mut initial = exchange.initial(&desk.place.host, desk.place.port);
    let fits = |initial: &mut Response| start.len() + initial.len().div_ceil(3) * 4 + 2 <= MAX_LINE;
    let mut reply = match initial.take_if(fits) {
        Some(initial) => say(wire, &start, &initial, &mut secrets, budget).await?,
        None => {
            let line = format!("{}\r\n", start.trim_end());
            wire.command(line.as_bytes(), Step::Auth, budget).await?;
            wire.reply(Step::Auth, budget).await?
        }
    };
    while reply.code() == 334 {
        let challenge = reply.lines().last().unwrap_or_default();
        let response = match initial.take() {
            // It was too long for the command: the empty challenge asks for it.
            Some(initial) => initial,
            None => {
                let challenge = STANDARD.decode(challenge.trim()).unwrap_or_default();
                let response = budget.run(Step::Auth, exchange.respond(&challenge)).await?;
                let response = response.map_err(fail)?;
                response.ok_or_else(|| fail(SmtpError::Unexpected(reply.code())))?
            }
        };
        reply = say(wire, "", &response, &mut secrets, budget).await?;
    }
    match reply.code() {
        235 if exchange.may_succeed() && initial.is_none() => Ok(()),
        // A server that is content too early did not check anything, or has not proved what it must: that is no login.
        code if code < 400 => Err(fail(SmtpError::Unexpected(code))),
        _ => Err(refused_login(&reply, &secrets)),
    }
}

/// What the server says, without the lines in which it repeats a secret.
fn refused_login(reply: &WireReply, secrets: &[Zeroizing<String>]) -> Failed {
    if reply.code() < 400 {
        return refused(Step::Auth, reply);
    }
    let status = reply.enhanced().map_or_else(String::new, |status| format!("{status} "));
    let lines = reply.lines().map(|line| {
        let tells = secrets
            .iter()
            .any(|secret| !secret.is_empty() && line.contains(secret.as_str()));
        match tells {
            true => format!("{status}(a line that repeats the password)"),
            false => line.into_owned(),
        }
    });
    Step::Auth.failed(SmtpError::Refused(Reply::new(reply.code(), lines)))
}

/// Sends `start` and `response` in base64, and reads the reply. What was sent is wiped, and remembered as a secret.
async fn say(
    wire: &mut Wire,
    start: &str,
    response: &[u8],
    secrets: &mut Vec<Zeroizing<String>>,
    budget: &Budget,
) -> Result<WireReply, Failed> {
    let encoded = Zeroizing::new(STANDARD.encode(response));
    let mut line = Zeroizing::new(Vec::with_capacity(start.len() + encoded.len() + 2));
    line.extend_from_slice(start.as_bytes());
    line.extend_from_slice(encoded.as_bytes());
    line.extend_from_slice(b"\r\n");
    secrets.push(encoded);
    wire.command(&line, Step::Auth, budget).await?;
    wire.reply(Step::Auth, budget).await
}
