//! What happens on a connection before its first command: PROXY header, TLS, greeting.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::conversation::Conversation;
use super::rates::Payer;
use super::session::Encryption;
use super::talk::{Talk, from_now};
use super::verdict::Verdict;
use crate::connect::Stream;
use crate::protocol::{ProxyHeader, ProxyParse};

/// What became of the opening.
pub(super) enum Opened {
    /// The client was greeted.
    Greeted(Talk),
    /// It was told why not.
    Refused(Talk),
    /// Nobody is there to be told.
    Gone,
}

impl Conversation {
    /// Does all that comes before the first command.
    pub(super) async fn open(&mut self, mut stream: Box<dyn Stream>) -> Opened {
        let shared = Arc::clone(&self.shared);
        let (settings, limits) = (&shared.settings, &shared.settings.limits);
        if self.session.peer.is_some_and(|peer| settings.trusts_proxy(peer.ip())) {
            match timeout(limits.handshake, proxy_header(&mut stream)).await {
                Ok(Ok(header)) => self.speak_for(&header),
                other => {
                    tracing::warn!(peer = ?self.session.peer, ?other, "a load balancer sent no PROXY header");
                    return Opened::Gone;
                }
            }
        }
        let mut talk = Talk::new(stream, from_now(limits.session));
        if settings.implicit_tls {
            let Some(config) = self.shared.tls.clone() else {
                return Opened::Gone;
            };
            match talk.start_tls(config, limits.handshake).await {
                Ok((secured, encryption)) => {
                    talk = secured;
                    self.session.encryption = Some(encryption);
                }
                Err(ended) => {
                    tracing::debug!(?ended, "TLS handshake failed");
                    return Opened::Gone;
                }
            }
        }
        if let Some(refusal) = self.turn_away() {
            talk.say(&refusal);
            return Opened::Refused(talk);
        }
        self.session.early = talk.hears_now().await;
        if talk.hears(limits.greet_pause).await {
            talk.say(&Verdict::refuse(554, (5, 0), "you talk before your turn"));
            return Opened::Refused(talk);
        }
        let verdict = self.decide(self.shared.handler.connect(&self.session)).await;
        if verdict.is_silent() {
            return Opened::Gone;
        }
        if !verdict.is_accept() || verdict.closes() {
            talk.say(&verdict);
            return Opened::Refused(talk);
        }
        let protocol = if settings.lmtp { "LMTP" } else { "ESMTP" };
        talk.say_plain(220, &format!("{} {protocol}", self.shared.hostname));
        Opened::Greeted(talk)
    }

    /// Believes a load balancer.
    fn speak_for(&mut self, header: &ProxyHeader) {
        if header.is_local() {
            // It speaks for itself, to see whether we live.
            return;
        }
        // A client of whom it does not say where it comes from has not the rights of the balancer.
        self.session.proxy = std::mem::replace(&mut self.session.peer, header.source());
        self.session.encryption = header.tls().map(|tls| {
            Box::new(Encryption {
                version: tls.version().map(str::to_owned),
                cipher: tls.cipher().map(str::to_owned),
                server_name: header.server_name().map(str::to_owned),
                client_name: tls.common_name().map(str::to_owned),
                client_certificate: None,
                by_proxy: true,
            })
        });
    }

    /// Refuses a client that has too many connections, or too many in a time.
    fn turn_away(&mut self) -> Option<Verdict> {
        let limits = &self.shared.settings.limits;
        if let (Some(_), Some(peer)) = (self.session.proxy, self.session.peer_ip()) {
            self.visit = self.shared.visitors.admit(peer, limits.connections_per_ip);
            if self.visit.is_none() {
                return Some(Verdict::goodbye((3, 2), "too many connections"));
            }
        }
        let meter = self.shared.meters.connections.as_ref()?;
        let payer = Payer::address(&self.session)?;
        (!meter.admits(&payer)).then(|| Verdict::goodbye((7, 0), "too many connections, try again later"))
    }
}

/// Reads a PROXY header, and not an octet more.
async fn proxy_header(stream: &mut Box<dyn Stream>) -> io::Result<ProxyHeader> {
    let mut input = Vec::new();
    loop {
        match ProxyHeader::parse(&input).map_err(io::Error::other)? {
            ProxyParse::Complete(header, _) => return Ok(header),
            ProxyParse::Needs(count) => {
                let before = input.len();
                input.resize(before + count, 0);
                stream.read_exact(input.get_mut(before..).unwrap_or_default()).await?;
            }
        }
    }
}
