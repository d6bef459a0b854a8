//! One client's session: which command may come when, and what it leads to (RFC 5321 §4.1.4).

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::builder::Shared;
use super::opening::Opened;
use super::talk::{Ended, Talk};
use super::transaction::Transaction;
use super::visitors::Visit;
use super::{Session, Verdict};
use crate::connect::Stream;
use crate::protocol::{Command, CommandError, LineFault};

/// How many recipients beyond the limit one client may name before it is hung up on.
const OVERSHOOT: u32 = 1000;

/// One connection from its greeting to its end.
pub(super) struct Conversation {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session,
    pub(super) transaction: Option<Transaction>,
    pub(super) failed_logins: u32,
    /// How many messages were begun.
    pub(super) messages: u32,
    /// Whether the handler has taken its time over a message.
    pub(super) is_slow: bool,
    pub(super) visit: Option<Visit>,
    stopped: watch::Receiver<bool>,
    idle_commands: u32,
    errors: u32,
    overshoot: u32,
}

/// What comes after a command.
pub(super) enum Next {
    /// The reply, then the next command.
    Reply(Verdict),
    /// One reply for each recipient.
    Replies(Vec<Verdict>),
    /// Nothing more to say; the next command.
    Silent,
    /// The reply, then TLS.
    StartTls,
    /// The reply, then the end.
    Close(Verdict),
}

impl Conversation {
    pub(super) fn new(shared: Arc<Shared>, peer: Option<SocketAddr>, stopped: watch::Receiver<bool>) -> Self {
        let session = Session {
            peer,
            lmtp: shared.settings.lmtp,
            ..Session::default()
        };
        Self {
            shared,
            session,
            transaction: None,
            failed_logins: 0,
            messages: 0,
            is_slow: false,
            visit: None,
            stopped,
            idle_commands: 0,
            errors: 0,
            overshoot: 0,
        }
    }

    /// Takes note that the connection was counted already.
    pub(super) fn counted(mut self, visit: Option<Visit>) -> Self {
        self.visit = visit;
        self
    }

    /// Talks until one side has had enough.
    pub(super) async fn run(mut self: Box<Self>, stream: Box<dyn Stream>) {
        let shared = Arc::clone(&self.shared);
        let wait = shared.settings.limits.idle;
        // What is needed for a moment only shall not be part of what every connection holds.
        let talk = match Box::pin(self.open(stream)).await {
            Opened::Greeted(talk) => self.converse(Box::new(talk)).await,
            Opened::Refused(talk) => Some(Box::new(talk)),
            Opened::Gone => None,
        };
        if let Some(talk) = talk {
            Box::pin(talk.close(wait)).await;
        }
        let _ = timeout(shared.settings.limits.handler, shared.handler.end(&self.session)).await;
    }

    /// Reads commands and answers them; returns what is to be closed with a goodbye.
    async fn converse(&mut self, mut talk: Box<Talk>) -> Option<Box<Talk>> {
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
                    if !self.answer(&verdict, &mut talk).await {
                        return Some(talk);
                    }
                }
                Ok(Next::Replies(verdicts)) => match verdicts.as_slice() {
                    verdicts if verdicts.iter().any(Verdict::is_silent) => return None,
                    [verdict] => {
                        if !self.answer(verdict, &mut talk).await {
                            return Some(talk);
                        }
                    }
                    verdicts => {
                        if !self.answer_all(verdicts, &mut talk) {
                            return Some(talk);
                        }
                    }
                },
                Ok(Next::Close(verdict)) => {
                    talk.say(&verdict);
                    return Some(talk);
                }
                Ok(Next::StartTls) => {
                    let config = self.shared.tls.clone()?;
                    talk.say(&Verdict::positive(220, (0, 0), "go ahead"));
                    talk.flush(limits.idle).await.ok()?;
                    let (secured, encryption) = Box::pin((*talk).start_tls(config, limits.handshake)).await.ok()?;
                    talk = Box::new(secured);
                    // All that was learnt in clear text is forgotten (RFC 3207 §4.2).
                    self.session = Session {
                        peer: self.session.peer,
                        proxy: self.session.proxy,
                        lmtp: self.session.lmtp,
                        early: self.session.early,
                        encryption: Some(encryption),
                        ..Session::default()
                    };
                    self.transaction = None;
                }
            }
            talk.relieve(limits.idle).await.ok()?;
        }
    }

    /// Gives the reply for each recipient; false is that they were the last. All are given, whatever they are: a recipient without
    /// one would get the message again. Together they are no more than one error.
    fn answer_all(&mut self, verdicts: &[Verdict], talk: &mut Talk) -> bool {
        for verdict in verdicts {
            talk.say(verdict);
        }
        let goodbye = verdicts
            .iter()
            .find(|verdict| !verdict.is_accept())
            .and_then(|refusal| self.count(refusal));
        let closes = verdicts.iter().any(Verdict::closes);
        if let (Some(goodbye), false) = (&goodbye, closes) {
            talk.say(goodbye);
        }
        !closes && goodbye.is_none()
    }

    /// Gives a reply; false is that it was the last one.
    async fn answer(&mut self, verdict: &Verdict, talk: &mut Talk) -> bool {
        let goodbye = self.count(verdict);
        let delay = self.delay(verdict);
        if !delay.is_zero() {
            // Who is told no again and again waits longer and longer; one who stops the server does not.
            let pause = async {
                let _ = timeout(delay, self.stopped.wait_for(|&stop| stop)).await;
            };
            talk.meanwhile(self.shared.settings.limits.idle, pin!(pause)).await;
        }
        talk.say(verdict);
        if let (Some(goodbye), false) = (&goodbye, verdict.closes()) {
            talk.say(goodbye);
        }
        !verdict.closes() && goodbye.is_none()
    }

    /// Returns how long a refusal is held back.
    fn delay(&self, verdict: &Verdict) -> Duration {
        const MOST: Duration = Duration::from_secs(30);
        let limits = &self.shared.settings.limits;
        if verdict.is_accept() {
            return Duration::ZERO;
        }
        let beyond = self.errors.saturating_sub(limits.tarpit_after);
        limits.tarpit.saturating_mul(beyond).min(MOST)
    }

    /// Counts what a client may not do without end.
    fn count(&mut self, verdict: &Verdict) -> Option<Verdict> {
        // A client with more recipients than fit, now or in a time, sends the message to those that did, and the others again.
        let is_overshoot = matches!(verdict.code(), 450 | 452);
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
                // The chunk that follows must not be taken for commands.
                return Ok(if error == CommandError::Http || error.is_of_bdat() {
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
        let idle = self.shared.settings.limits.idle;
        Ok(Next::Reply(match command {
            Command::Ehlo(_) | Command::Helo(_) if self.session.lmtp => Verdict::refuse(500, (5, 1), "say LHLO"),
            Command::Lhlo(_) if !self.session.lmtp => Verdict::refuse(500, (5, 1), "say EHLO"),
            Command::Ehlo(name) | Command::Lhlo(name) => return Ok(self.greet(name, true, talk).await),
            Command::Helo(name) => return Ok(self.greet(name, false, talk).await),
            Command::Mail(mail) => talk.meanwhile(idle, pin!(self.mail(mail))).await,
            Command::Rcpt(rcpt) => talk.meanwhile(idle, pin!(self.rcpt(rcpt))).await,
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

    async fn greet(&mut self, name: String, extended: bool, talk: &mut Talk) -> Next {
        self.session.helo = Some(name);
        self.session.extended = extended;
        self.session.early |= talk.hears_now().await;
        self.transaction = None;
        let decision = self.decide(self.shared.handler.ehlo(&self.session));
        let verdict = talk.meanwhile(self.shared.settings.limits.idle, pin!(decision)).await;
        self.session.early |= talk.hears_now().await;
        if !verdict.is_accept() {
            self.session.helo = None;
            return Next::Reply(verdict);
        }
        if extended {
            let lines = self.announcement(talk);
            talk.say_lines(250, &lines);
        } else {
            talk.say_plain(250, self.shared.hostname.as_str());
        }
        // The reply is given; the client's commands still count.
        match self.count(&verdict) {
            Some(goodbye) => Next::Close(goodbye),
            None => Next::Silent,
        }
    }

    fn announcement(&self, talk: &Talk) -> Vec<String> {
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
        let mut limits = format!("LIMITS RCPTMAX={}", settings.limits.recipients);
        if let Some(messages) = settings.limits.messages {
            limits.push_str(&format!(" MAILMAX={messages}"));
        }
        lines.push(limits);
        if self.session.is_secure() {
            if settings.require_tls_extension {
                lines.push("REQUIRETLS".to_owned());
            }
        } else if self.shared.tls.is_some() {
            lines.push("STARTTLS".to_owned());
        }
        let mut mechanisms = self.mechanisms(talk).peekable();
        if mechanisms.peek().is_some() {
            lines.push(mechanisms.fold("AUTH".to_owned(), |line, mechanism| format!("{line} {mechanism}")));
        }
        lines
    }

    fn start_tls(&mut self, talk: &Talk) -> Next {
        if self.shared.tls.is_none() {
            return Next::Reply(Verdict::refuse(502, (5, 1), "TLS is not available"));
        }
        if self.session.is_secure() {
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
