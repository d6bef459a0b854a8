//! One client's session: which command may come when, and what it leads to (RFC 5321 §4.1.4).

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use posthaste_address::{EmailAddress, Recipient};
use tokio::sync::watch;
use tokio::time::timeout;

use super::builder::Shared;
use super::talk::{Ended, Talk, from_now};
use super::{Session, Verdict};
use crate::connector::Stream;
use crate::protocol::{Body, Command, CommandError, ForwardPath, LineFault, Mail, Rcpt};

/// How many recipients beyond the limit one client may name before it is hung up on.
const OVERSHOOT: u32 = 1000;

/// One connection from its greeting to its end.
pub(super) struct Conversation {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session,
    pub(super) transaction: Option<Transaction>,
    pub(super) failed_logins: u32,
    stopped: watch::Receiver<bool>,
    idle_commands: u32,
    errors: u32,
    overshoot: u32,
}

/// What was said since MAIL.
pub(super) struct Transaction {
    pub(super) mail: Mail,
    pub(super) recipients: Vec<Recipient>,
}

/// What comes after a command.
pub(super) enum Next {
    /// The reply, then the next command.
    Reply(Verdict),
    /// Nothing more to say; the next command.
    Silent,
    /// The reply, then TLS.
    StartTls,
    /// The reply, then the end.
    Close(Verdict),
}

impl Conversation {
    pub(super) fn new(shared: Arc<Shared>, peer: Option<SocketAddr>, stopped: watch::Receiver<bool>) -> Self {
        Self {
            shared,
            session: Session {
                peer,
                ..Session::default()
            },
            transaction: None,
            failed_logins: 0,
            stopped,
            idle_commands: 0,
            errors: 0,
            overshoot: 0,
        }
    }

    /// Talks until one side has had enough.
    pub(super) async fn run(mut self, stream: Box<dyn Stream>) {
        let shared = Arc::clone(&self.shared);
        let limits = &shared.settings.limits;
        let mut talk = Talk::new(stream, from_now(limits.session));
        if self.shared.settings.implicit_tls {
            let Some(config) = self.shared.tls.clone() else { return };
            match talk.start_tls(config, limits.handshake).await {
                Ok(secured) => talk = secured,
                Err(ended) => return tracing::debug!(?ended, "TLS handshake failed"),
            }
            self.session.secure = true;
        }
        let verdict = self.decide(self.shared.handler.connect(&self.session)).await;
        if verdict.is_silent() {
            return;
        }
        if !verdict.is_accept() || verdict.closes() {
            talk.say(&verdict);
            return talk.close(limits.idle).await;
        }
        talk.say_plain(220, &format!("{} ESMTP", self.shared.hostname));
        if let Some(talk) = self.converse(talk).await {
            talk.close(limits.idle).await;
        }
    }

    /// Reads commands and answers them; returns what is to be closed with a goodbye.
    async fn converse(&mut self, mut talk: Talk) -> Option<Talk> {
        let shared = Arc::clone(&self.shared);
        let limits = &shared.settings.limits;
        loop {
            // A transaction that was begun is finished before the server stops.
            let stopped = if self.transaction.is_none() {
                Some(&mut self.stopped)
            } else {
                None
            };
            let heard = match talk.command(limits.command_line, limits.idle, stopped).await {
                Ok(heard) => heard,
                Err(Ended::Gone) => return None,
                Err(Ended::Late) => {
                    talk.say(&Verdict::goodbye((4, 2), "time is up"));
                    return Some(talk);
                }
                Err(Ended::Stopped) => {
                    talk.say(&Verdict::goodbye((3, 2), "shutting down"));
                    return Some(talk);
                }
            };
            let next = match heard {
                Ok(command) => self.obey(command, &mut talk).await,
                Err(LineFault::TooLong) => Ok(Next::Reply(Verdict::refuse(500, (5, 2), "line too long"))),
                Err(LineFault::Endless) => Ok(Next::Close(Verdict::refuse(500, (5, 2), "line too long"))),
                Err(_) => Ok(Next::Reply(Verdict::refuse(500, (5, 2), "lines end with CR LF"))),
            };
            match next {
                Err(Ended::Late) => {
                    talk.say(&Verdict::goodbye((4, 2), "time is up"));
                    return Some(talk);
                }
                Err(_) => return None,
                Ok(Next::Silent) => {}
                Ok(Next::Reply(verdict)) if verdict.is_silent() => return None,
                Ok(Next::Reply(verdict)) => {
                    talk.say(&verdict);
                    if verdict.closes() {
                        return Some(talk);
                    }
                    if let Some(goodbye) = self.count(&verdict) {
                        talk.say(&goodbye);
                        return Some(talk);
                    }
                }
                Ok(Next::Close(verdict)) => {
                    talk.say(&verdict);
                    return Some(talk);
                }
                Ok(Next::StartTls) => {
                    let config = self.shared.tls.clone()?;
                    talk.say(&Verdict::positive(220, (0, 0), "go ahead"));
                    talk.flush(limits.idle).await.ok()?;
                    talk = talk.start_tls(config, limits.handshake).await.ok()?;
                    // All that was learnt in clear text is forgotten (RFC 3207 §4.2).
                    self.session = Session {
                        peer: self.session.peer,
                        secure: true,
                        ..Session::default()
                    };
                    self.transaction = None;
                }
            }
            talk.relieve(limits.idle).await.ok()?;
        }
    }

    /// Counts what a client may not do without end.
    fn count(&mut self, verdict: &Verdict) -> Option<Verdict> {
        // A client with more recipients than fit sends the message to those that did, and the others again.
        let is_overshoot = verdict.code() == 452;
        self.overshoot += u32::from(is_overshoot);
        self.errors += u32::from(!verdict.is_accept() && !is_overshoot);
        let limits = &self.shared.settings.limits;
        if self.errors > limits.errors || self.overshoot > OVERSHOOT {
            return Some(Verdict::goodbye((7, 0), "too many errors"));
        }
        if self.idle_commands > limits.idle_commands {
            return Some(Verdict::goodbye((7, 0), "too many commands without a message"));
        }
        None
    }

    async fn obey(&mut self, command: Result<Command, CommandError>, talk: &mut Talk) -> Result<Next, Ended> {
        let command = match command {
            Ok(command) => command,
            Err(error) => {
                self.idle_commands += 1;
                let (code, status) = (error.code(), error.enhanced());
                let verdict = Verdict::refuse(code, status, error.to_string());
                return Ok(if error == CommandError::Http {
                    Next::Close(verdict)
                } else {
                    Next::Reply(verdict)
                });
            }
        };
        if !matches!(
            command,
            Command::Mail(_) | Command::Rcpt(_) | Command::Data | Command::Bdat { length: 1.., .. }
        ) {
            self.idle_commands += 1;
        }
        Ok(Next::Reply(match command {
            Command::Ehlo(name) => {
                self.greet(name, true);
                talk.say_lines(250, &self.announcement());
                return Ok(self.silent());
            }
            Command::Helo(name) => {
                self.greet(name, false);
                talk.say_plain(250, self.shared.hostname.as_str());
                return Ok(self.silent());
            }
            Command::Mail(mail) => self.mail(mail).await,
            Command::Rcpt(rcpt) => self.rcpt(rcpt).await,
            Command::Data => return Box::pin(self.data(talk)).await,
            Command::Bdat { length, last } => return Box::pin(self.bdat(talk, length, last)).await,
            Command::Rset => {
                self.transaction = None;
                Verdict::accept()
            }
            Command::Noop => Verdict::accept(),
            Command::Quit => return Ok(Next::Close(Verdict::positive(221, (0, 0), "goodbye"))),
            Command::Help => Verdict::positive(214, (0, 0), "see RFC 5321"),
            Command::Vrfy => Verdict::positive(252, (5, 0), "cannot verify, send a message and see"),
            Command::Expn => Verdict::refuse(502, (5, 1), "not implemented"),
            Command::StartTls => return Ok(self.start_tls(talk)),
            Command::Auth { mechanism, initial } => {
                let initial = initial.as_ref().map(|initial| initial.as_base64());
                return Box::pin(self.log_in(talk, &mechanism, initial)).await;
            }
        }))
    }

    /// After a reply that was already queued: the client's commands still count.
    fn silent(&mut self) -> Next {
        match self.count(&Verdict::accept()) {
            Some(goodbye) => Next::Close(goodbye),
            None => Next::Silent,
        }
    }

    fn greet(&mut self, name: String, extended: bool) {
        self.session.helo = Some(name);
        self.session.extended = extended;
        self.transaction = None;
    }

    fn announcement(&self) -> Vec<String> {
        let settings = &self.shared.settings;
        let mut lines = vec![
            self.shared.hostname.to_string(),
            "PIPELINING".to_owned(),
            format!("SIZE {}", settings.limits.message_size),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
            "CHUNKING".to_owned(),
        ];
        if settings.dsn {
            lines.push("DSN".to_owned());
        }
        if self.session.secure {
            lines.push("REQUIRETLS".to_owned());
        } else if self.shared.tls.is_some() {
            lines.push("STARTTLS".to_owned());
        }
        if self.offers_auth() {
            lines.push("AUTH PLAIN LOGIN".to_owned());
        }
        lines
    }

    pub(super) fn offers_auth(&self) -> bool {
        let settings = &self.shared.settings;
        settings.auth && (self.session.secure || settings.danger_allow_plaintext_auth)
    }

    fn start_tls(&mut self, talk: &Talk) -> Next {
        if self.shared.tls.is_none() {
            return Next::Reply(Verdict::refuse(502, (5, 1), "TLS is not available"));
        }
        if self.session.secure {
            return Next::Reply(Verdict::refuse(503, (5, 1), "TLS is active"));
        }
        if self.transaction.is_some() {
            return Next::Reply(Verdict::refuse(503, (5, 1), "not inside a transaction"));
        }
        if talk.has_input() {
            // Commands slipped in behind STARTTLS would be taken for the client's own, sent through TLS.
            return Next::Close(Verdict::refuse(501, (5, 2), "nothing may follow STARTTLS"));
        }
        Next::StartTls
    }

    async fn mail(&mut self, mail: Mail) -> Verdict {
        let settings = &self.shared.settings;
        if self.session.helo.is_none() {
            return Verdict::refuse(503, (5, 1), "say EHLO first");
        }
        if self.transaction.is_some() {
            return Verdict::refuse(503, (5, 1), "a sender was named already");
        }
        if settings.require_tls && !self.session.secure {
            return Verdict::refuse(530, (7, 0), "say STARTTLS first");
        }
        if settings.require_auth && self.session.identity.is_none() {
            return Verdict::refuse(530, (7, 0), "log in first");
        }
        let notification = mail.return_content.is_some() || mail.envelope_id.is_some();
        if (notification && !settings.dsn) || (mail.require_tls && !self.session.secure) {
            return unrecognised();
        }
        if mail.body == Some(Body::BinaryMime) {
            return Verdict::refuse(501, (5, 4), "BINARYMIME is not offered");
        }
        let size_limit = u64::try_from(settings.limits.message_size).unwrap_or(u64::MAX);
        if mail.size.is_some_and(|size| size > size_limit) {
            return Verdict::refuse(552, (3, 4), "message too big");
        }
        if let Some(refusal) = self.refuse_sender(mail.path.as_ref()) {
            return refusal;
        }
        let verdict = self.decide(self.shared.handler.mail(&self.session, &mail)).await;
        if verdict.is_accept() {
            self.transaction = Some(Transaction {
                mail,
                recipients: Vec::new(),
            });
        }
        verdict
    }

    /// Refuses a sender that is not the client's.
    fn refuse_sender(&self, sender: Option<&EmailAddress>) -> Option<Verdict> {
        let identity = self.session.identity.as_ref()?;
        let theirs = sender.is_none_or(|sender| identity.may_send_as(sender));
        (!theirs).then(|| Verdict::refuse(553, (7, 1), "not your address"))
    }

    async fn rcpt(&mut self, rcpt: Rcpt) -> Verdict {
        let settings = &self.shared.settings;
        let Some(transaction) = &self.transaction else {
            return Verdict::refuse(503, (5, 1), "say MAIL first");
        };
        if rcpt.non_ascii && !transaction.mail.smtputf8 {
            return Verdict::refuse(553, (6, 7), "address needs SMTPUTF8");
        }
        if (rcpt.notify.is_some() || rcpt.original_recipient.is_some()) && !settings.dsn {
            return unrecognised();
        }
        if transaction.recipients.len() >= settings.limits.recipients {
            return Verdict::defer(452, (5, 3), "too many recipients");
        }
        let address = match rcpt.path {
            ForwardPath::Address(address) => address,
            ForwardPath::Postmaster => match format!("postmaster@{}", self.shared.hostname).parse() {
                Ok(address) => address,
                Err(_) => return Verdict::refuse(550, (1, 1), "no postmaster here"),
            },
        };
        let is_local = |address: &EmailAddress| match &settings.local_domains {
            Some(domains) => domains.contains(address.domain()) || *address.domain() == self.shared.hostname,
            None => true,
        };
        if self.session.identity.is_none() && !is_local(&address) {
            return Verdict::relay_denied();
        }
        let mut recipient = Recipient::from(address);
        if let Some(notify) = rcpt.notify {
            recipient = recipient.with_notify(notify);
        }
        if let Some(original) = rcpt.original_recipient {
            recipient = recipient.with_original_recipient(original);
        }
        let verdict = self.decide(self.shared.handler.rcpt(&self.session, &recipient)).await;
        if verdict.is_accept()
            && let Some(transaction) = &mut self.transaction
        {
            transaction.recipients.push(recipient);
        }
        verdict
    }

    /// Waits for a decision of the handler, but not for ever.
    pub(super) async fn decide(&self, decision: impl Future<Output = Verdict>) -> Verdict {
        timeout(self.shared.settings.limits.handler, decision)
            .await
            .unwrap_or_else(|_| undecided())
    }

    /// A message was delivered: the client does useful work.
    pub(super) fn delivered(&mut self) {
        self.idle_commands = 0;
    }
}

/// The reply when the handler took too long.
pub(super) fn undecided() -> Verdict {
    Verdict::defer(451, (3, 0), "no decision in time, try again later")
}

fn unrecognised() -> Verdict {
    Verdict::refuse(555, (5, 4), "parameter not recognised")
}
