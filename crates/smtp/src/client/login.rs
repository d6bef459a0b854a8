//! AUTH PLAIN and AUTH LOGIN (RFC 4954, RFC 4616).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_transport::Reply;
use zeroize::{Zeroize, Zeroizing};

use super::budget::{Budget, Step};
use super::connection::refused;
use super::wire::Wire;
use crate::error::{Failed, SmtpError};
use crate::protocol::{Extensions, WireReply};
use crate::secret::Secret;

/// Logs in by the first mechanism that both sides have.
pub(super) async fn log_in(
    wire: &mut Wire,
    extensions: &Extensions,
    username: &str,
    password: &Secret,
    budget: &Budget,
) -> Result<(), Failed> {
    let reply = if extensions.offers_mechanism("PLAIN") {
        plain(wire, username, password, budget).await?
    } else if extensions.offers_mechanism("LOGIN") {
        by_steps(wire, username, password, budget).await?
    } else {
        let offered = extensions.parameters("AUTH").collect::<Vec<_>>().join(" ");
        let offered = if offered.is_empty() { "none".to_owned() } else { offered };
        return Err(Step::Auth.failed(SmtpError::NoMechanism { offered }));
    };
    if reply.code() == 235 {
        Ok(())
    } else {
        Err(refused_login(&reply, username, password))
    }
}

/// What the server says, without the lines in which it repeats the password.
fn refused_login(reply: &WireReply, username: &str, password: &Secret) -> Failed {
    if reply.code() < 400 {
        return refused(Step::Auth, reply);
    }
    let secrets = [
        Zeroizing::new(password.expose().to_owned()),
        Zeroizing::new(STANDARD.encode(password.expose())),
        Zeroizing::new(STANDARD.encode(plain_response(username, password).as_bytes())),
    ];
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

fn plain_response(username: &str, password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(format!("\0{username}\0{}", password.expose()))
}

async fn plain(wire: &mut Wire, username: &str, password: &Secret, budget: &Budget) -> Result<WireReply, Failed> {
    let response = plain_response(username, password);
    exchange(wire, b"AUTH PLAIN ", response.as_bytes(), budget).await
}

async fn by_steps(wire: &mut Wire, username: &str, password: &Secret, budget: &Budget) -> Result<WireReply, Failed> {
    wire.command(b"AUTH LOGIN\r\n", Step::Auth, budget).await?;
    let mut reply = wire.reply(Step::Auth, budget).await?;
    for answer in [username, password.expose()] {
        if reply.code() != 334 {
            // A server that is content after the name alone did not check a password: that is no login.
            let premature = reply.is_positive();
            let failed = if premature {
                Step::Auth.failed(SmtpError::Unexpected(reply.code()))
            } else {
                refused_login(&reply, username, password)
            };
            return Err(failed);
        }
        reply = exchange(wire, b"", answer.as_bytes(), budget).await?;
    }
    Ok(reply)
}

/// Sends `start` and `response` in base64, and reads the reply. What was sent is wiped.
async fn exchange(wire: &mut Wire, start: &[u8], response: &[u8], budget: &Budget) -> Result<WireReply, Failed> {
    let mut encoded = Zeroizing::new(STANDARD.encode(response));
    let mut line = Zeroizing::new(Vec::with_capacity(start.len() + encoded.len() + 2));
    line.extend_from_slice(start);
    line.extend_from_slice(encoded.as_bytes());
    line.extend_from_slice(b"\r\n");
    encoded.zeroize();
    wire.command(&line, Step::Auth, budget).await?;
    wire.reply(Step::Auth, budget).await
}
