//! A session from its connection to the point where mail can be sent.

use std::sync::Arc;
use std::time::Duration;

use posthaste_transport::{Reply, Security};
use tokio::time::Instant;

use super::budget::{Budget, Step};
use super::login;
use super::wire::Wire;
use super::xclient;
use crate::config::{Login, SmtpConfig};
#[cfg(feature = "dns")]
use crate::connect::places;
use crate::connect::{Connected, Connector, Place, SrvError};
use crate::error::{Failed, SmtpError};
use crate::protocol::{Extensions, WireReply, word};
use crate::secret::Secret;
use crate::tls::{Tls, TlsClient, Trust, is_tls};

/// A session that is ready for a transaction.
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) extensions: Extensions,
    /// How it is protected.
    pub(super) security: Security,
    /// Whether a transaction was begun and not ended: RSET is due.
    pub(super) dirty: bool,
    /// Whether it was used before.
    pub(super) reused: bool,
    pub(super) opened: Instant,
    pub(super) last_used: Instant,
    /// How many messages were tried.
    pub(super) transactions: u32,
}

/// What is needed to open sessions.
#[derive(Debug)]
pub(super) struct Opener {
    pub(super) config: SmtpConfig,
    pub(super) port: u16,
    pub(super) tls: Option<TlsClient>,
    pub(super) login: Option<Login>,
    pub(super) connector: Arc<dyn Connector>,
}

/// How long after its last use a connection counts as one that the server may have closed meanwhile.
const FRESH: Duration = Duration::from_secs(1);

impl Connection {
    /// Whether the server may have closed the connection while nobody looked: then a message must not go out before the server
    /// has answered, for nobody could say whether it arrived.
    pub(super) fn may_be_stale(&self) -> bool {
        self.reused && self.last_used.elapsed() >= FRESH
    }
}

impl Opener {
    /// Connects, greets, secures and logs in.
    pub(super) async fn open(&self, budget: &Budget) -> Result<Box<Connection>, Failed> {
        let mut refused = None;
        let opened = match self.open_once(&mut refused, budget).await {
            // Some servers hang up on who comes with a token that has expired, and then a fresh one cannot be shown there.
            Err(failed) if refused.is_some() && failed.is_connection_lost() => {
                self.open_once(&mut refused, budget).await
            }
            result => result,
        };
        // With TLS 1.3, a server that wants a certificate says so only after the client has done its part of the handshake.
        opened.map_err(|failed| match failed.error {
            SmtpError::Io(error) if is_tls(&error) => Step::Tls.failed(SmtpError::Tls(error)),
            error => Failed { error, ..failed },
        })
    }

    /// `refused_token` is one that the server has refused; it is set when that happens.
    async fn open_once(&self, refused_token: &mut Option<Secret>, budget: &Budget) -> Result<Box<Connection>, Failed> {
        let (place, session) = match self.config.srv {
            true => self.first_of_domain(budget).await?,
            false => {
                let place = Place {
                    host: self.config.host.clone(),
                    port: self.port,
                    tls: self.config.tls,
                    name: self.config.host.clone(),
                };
                let session = self.greet(&place, self.tls.as_ref(), budget).await?;
                (place, session)
            }
        };
        let Session {
            mut wire,
            mut extensions,
            security,
            helo,
        } = session;
        if !self.config.xclient.is_empty() {
            xclient::introduce(&mut wire, &extensions, &self.config.xclient, budget).await?;
            extensions = ehlo(&mut wire, &helo, self.config.lmtp, budget).await?;
        }
        if let Some(login) = &self.login {
            if !security.is_authenticated() && !self.config.danger_allow_plaintext_auth {
                return Err(Step::Auth.failed(match security {
                    Security::ClearText => SmtpError::ClearTextAuth,
                    _ => SmtpError::UnverifiedAuth,
                }));
            }
            let desk = Desk {
                place: &place,
                extensions: &extensions,
                config: &self.config,
            };
            login::log_in(&mut wire, login, refused_token, &desk, budget).await?;
        }
        tracing::debug!(host = %place.host, %security, "smtp session opened");
        let now = Instant::now();
        Ok(Box::new(Connection {
            wire,
            extensions,
            security,
            dirty: false,
            reused: false,
            opened: now,
            last_used: now,
            transactions: 0,
        }))
    }

    /// Begins a session with the first server of those that SRV records name with which that can be done. One that cannot be
    /// reached, does not prove who it is or wants nobody at the moment leaves the others; what it says of a login does not.
    async fn first_of_domain(&self, budget: &Budget) -> Result<(Place, Session), Failed> {
        let mut why: Option<Failed> = None;
        for place in self.places(budget).await? {
            let named = match &self.tls {
                Some(tls) => match tls.named(&place.name) {
                    Some(named) => Some(named),
                    // It is no name that a certificate could be for.
                    None => continue,
                },
                None => None,
            };
            match self.greet(&place, named.as_ref(), budget).await {
                Ok(session) => return Ok((place, session)),
                Err(failed) => {
                    tracing::debug!(host = %place.host, during = failed.during, error = %failed.error, "smtp server passed over");
                    // What may pass at one server may pass, whatever the others say.
                    if why.as_ref().is_none_or(|why| !why.may_pass()) {
                        why = Some(failed);
                    }
                    if budget.is_over() {
                        break;
                    }
                }
            }
        }
        Err(why.unwrap_or_else(|| Step::Lookup.failed(SmtpError::Srv(SrvError::NoRecords))))
    }

    /// Connects to the server at `place`, greets it and secures the connection.
    async fn greet(&self, place: &Place, tls: Option<&TlsClient>, budget: &Budget) -> Result<Session, Failed> {
        let (mode, trust) = self.requirement(place, budget).await?;
        let connected = self.connect(&place.host, place.port, budget).await?;
        let helo = match (&self.config.helo, connected.local_ip) {
            (Some(name), _) => name.clone(),
            (None, Some(std::net::IpAddr::V4(ip))) => format!("[{ip}]"),
            (None, Some(std::net::IpAddr::V6(ip))) => format!("[IPv6:{ip}]"),
            (None, None) => "[127.0.0.1]".to_owned(),
        };
        let mut wire = Wire::new(connected.stream);
        let mut security = Security::ClearText;
        if let (Tls::Implicit, Some(tls)) = (mode, tls) {
            let (secured, info) = wire.start_tls(&tls.handshake(&trust), budget).await?;
            (wire, security) = (secured, Security::Tls(info));
        }
        let greeting = wire.reply(Step::Greeting, budget).await?;
        if greeting.code() != 220 {
            return Err(refused(Step::Greeting, &greeting));
        }
        let lmtp = self.config.lmtp;
        let mut extensions = ehlo(&mut wire, &helo, lmtp, budget).await?;
        if let (Tls::Required | Tls::Opportunistic, Some(tls)) = (mode, tls)
            && start_tls(&mut wire, &extensions, mode == Tls::Required, budget).await?
        {
            let (secured, info) = wire.start_tls(&tls.handshake(&trust), budget).await?;
            (wire, security) = (secured, Security::Tls(info));
            // What was announced in clear text may have been changed on the way: it is forgotten.
            extensions = ehlo(&mut wire, &helo, lmtp, budget).await?;
        }
        Ok(Session {
            wire,
            extensions,
            security,
            helo,
        })
    }

    async fn connect(&self, host: &str, port: u16, budget: &Budget) -> Result<Connected, Failed> {
        let connected = budget.run(Step::Connect, self.connector.connect(host, port)).await?;
        connected.map_err(|error| Step::Connect.failed(SmtpError::Connect(error)))
    }

    #[cfg(feature = "dns")]
    async fn places(&self, budget: &Budget) -> Result<Vec<Place>, Failed> {
        let config = &self.config;
        let Some(resolver) = &config.resolver else {
            return Ok(Vec::new());
        };
        let asking = places(&**resolver, &config.host, config.tls, &*config.ids);
        let places = budget.run(Step::Lookup, asking).await?;
        places.map_err(|error| Step::Lookup.failed(SmtpError::Srv(error)))
    }

    #[cfg(not(feature = "dns"))]
    #[expect(clippy::unused_async, reason = "it asks where there is somebody to ask")]
    async fn places(&self, _: &Budget) -> Result<Vec<Place>, Failed> {
        Ok(Vec::new())
    }

    /// Asks the policy how TLS is used and certificates are judged.
    async fn requirement(&self, place: &Place, budget: &Budget) -> Result<(Tls, Trust), Failed> {
        let Some(policy) = &self.config.tls_policy else {
            return Ok((place.tls, Trust::Ordinary));
        };
        let asking = policy.requirement(&place.host, place.port);
        let requirement = budget.run(Step::Policy, asking).await?;
        let requirement = requirement.map_err(|error| Step::Policy.failed(SmtpError::Policy(error)))?;
        Ok(requirement.applied_to(place.tls))
    }
}

/// A session in which nobody has logged in.
struct Session {
    wire: Wire,
    extensions: Extensions,
    security: Security,
    /// The name that was said in EHLO.
    helo: String,
}

/// Where somebody logs in.
pub(super) struct Desk<'a> {
    pub(super) place: &'a Place,
    pub(super) extensions: &'a Extensions,
    pub(super) config: &'a SmtpConfig,
}

/// Asks for TLS and returns whether it may begin; going on without is an answer only if it is not required.
async fn start_tls(wire: &mut Wire, extensions: &Extensions, required: bool, budget: &Budget) -> Result<bool, Failed> {
    if !extensions.has("STARTTLS") {
        if !required {
            return Ok(false);
        }
        let offered = extensions.keywords().collect::<Vec<_>>().join(", ");
        let offered = if offered.is_empty() {
            "no extension".to_owned()
        } else {
            offered
        };
        return Err(Step::StartTls.failed(SmtpError::NoStartTls { offered }));
    }
    wire.command(b"STARTTLS\r\n", Step::StartTls, budget).await?;
    let reply = wire.reply(Step::StartTls, budget).await?;
    match reply.code() {
        220 => Ok(true),
        _ if required || reply.is_closing() => Err(refused(Step::StartTls, &reply)),
        _ => Ok(false),
    }
}

/// Sends EHLO, or HELO to a server that does not know it (RFC 5321 §3.2), or LHLO (RFC 2033 §4.1), and returns what was
/// announced.
async fn ehlo(wire: &mut Wire, helo: &str, lmtp: bool, budget: &Budget) -> Result<Extensions, Failed> {
    let verb: &[u8] = if lmtp { b"LHLO " } else { b"EHLO " };
    let reply = hello(wire, verb, helo, budget).await?;
    if reply.is_positive() {
        return Ok(Extensions::from_reply(&reply));
    }
    if lmtp || !matches!(reply.code(), 500 | 502 | 504) {
        return Err(refused(Step::Ehlo, &reply));
    }
    let reply = hello(wire, b"HELO ", helo, budget).await?;
    if reply.is_positive() {
        Ok(Extensions::default())
    } else {
        Err(refused(Step::Ehlo, &reply))
    }
}

async fn hello(wire: &mut Wire, verb: &[u8], helo: &str, budget: &Budget) -> Result<WireReply, Failed> {
    let mut line = verb.to_vec();
    word(&mut line, "the EHLO name", helo).map_err(|error| Step::Ehlo.failed(SmtpError::Command(error)))?;
    line.extend_from_slice(b"\r\n");
    wire.command(&line, Step::Ehlo, budget).await?;
    wire.reply(Step::Ehlo, budget).await
}

/// Makes the failure that `reply` means: a refusal, or an answer that has no meaning here.
pub(super) fn refused(step: Step, reply: &WireReply) -> Failed {
    if reply.code() >= 400 {
        step.failed(SmtpError::Refused(Reply::from(reply)))
    } else {
        step.failed(SmtpError::Unexpected(reply.code()))
    }
}
