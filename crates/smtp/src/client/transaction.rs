//! One message over a session: MAIL, RCPT, DATA and what the answers mean.

use posthaste_mime::Rope;
use posthaste_transport::{
    ContentReader, Fate, OnUnsupported, Outbound, Outcome, Refusal, Reply, SendError, SendOptions,
};

use super::budget::{Budget, Step};
use super::connection::{Connection, refused};
use super::wire::ContentFailed;
use crate::error::{Failed, NAME, SmtpError};
use crate::protocol::{Body, DotStuffer, MailLine, StuffedContent, WireReply, rcpt_line};

/// Most commands sent before their replies are read: their replies fit into any socket's buffers, so that neither side
/// can wait for the other for ever (RFC 2920 §3.1).
const MAX_FLIGHT: usize = 64;

/// A message made ready.
pub(super) struct Job<'a> {
    mail: &'a Outbound,
    content: Content,
    eight_bit: bool,
    size: u64,
    /// Whether delivery notifications are wished for.
    dsn: bool,
    /// Whether they may be left out.
    dsn_may_go: bool,
    pipelining: bool,
}

/// A message's octets.
enum Content {
    /// All of them, looked at and ready.
    Whole(StuffedContent),
    /// To be read, looked at and made ready as they go out.
    Streamed(Rope),
}

/// A send that did not end well, and what is left of its connection.
pub(super) struct Setback {
    pub(super) error: SendError,
    /// Whether the connection can serve the next message.
    pub(super) keep: bool,
    /// Whether the connection had been kept too long and the message can safely go over a fresh one.
    pub(super) try_fresh: bool,
}

/// What the server has answered so far.
#[derive(Default)]
struct Progress {
    /// One for each recipient named so far; `None` is accepted.
    refusals: Vec<Option<Refusal>>,
    mail_refused: Option<WireReply>,
    data: Option<WireReply>,
}

impl<'a> Job<'a> {
    /// Checks the message and doubles its dots, before anything is sent; unless it has to be read, which is too much to do
    /// twice.
    pub(super) fn prepare(
        mail: &'a Outbound,
        keeps_dsn: bool,
        options: &SendOptions,
        pipelining: bool,
    ) -> Result<Self, SendError> {
        let rope = mail.rope();
        let size = rope.len();
        let whole = rope.in_memory().map(|mut chunks| {
            let mut stuffer = DotStuffer::new();
            let pushed = chunks.try_for_each(|chunk| stuffer.push(chunk));
            pushed.and_then(|()| stuffer.finish())
        });
        let (content, eight_bit) = match whole {
            Some(stuffed) => {
                let stuffed = stuffed.map_err(|error| invalid(SmtpError::Content(error)))?;
                let eight_bit = stuffed.is_eight_bit();
                (Content::Whole(stuffed), eight_bit)
            }
            None => (Content::Streamed(rope), mail.needs_8bit()),
        };
        let envelope = mail.envelope();
        let wished = envelope.envelope_id().is_some()
            || envelope.return_content().is_some()
            || envelope
                .recipients()
                .iter()
                .any(|to| to.notify().is_some() || to.original_recipient().is_some());
        Ok(Self {
            mail,
            content,
            eight_bit,
            size,
            dsn: wished && keeps_dsn,
            dsn_may_go: options.on_unsupported() == OnUnsupported::Degrade,
            pipelining,
        })
    }

    /// Opens what has to be read, so that a file which is gone costs no connection.
    pub(super) async fn probe(&self, budget: &Budget) -> Result<(), SendError> {
        let Content::Streamed(rope) = &self.content else {
            return Ok(());
        };
        let probed = match budget.run(Step::Read, ContentReader::probe(rope)).await {
            Ok(probed) => probed.map_err(|error| Step::Read.failed(SmtpError::Source(error))),
            Err(failed) => Err(failed),
        };
        probed.map_err(Failed::not_accepted)
    }

    /// Sends the message.
    pub(super) async fn run(&self, connection: &mut Connection, budget: &Budget) -> Result<Outcome, Setback> {
        let flights = match self.commands(connection) {
            Ok(flights) => flights,
            // Nothing was sent: the connection is as good as before.
            Err(error) => {
                return Err(Setback {
                    error: invalid(error),
                    keep: true,
                    try_fresh: false,
                });
            }
        };
        let mut progress = Progress::default();
        let talked = self.talk(connection, flights, &mut progress, budget).await;
        talked.map_err(|failed| before_content(failed, connection))?;

        if let Some(reply) = &progress.mail_refused {
            // A server that refused the sender and yet waits for a message is not told a word more.
            let keep = !progress.data_is_awaited();
            let nobody = Progress::default();
            return Err(Setback {
                keep,
                ..self.all_refused(Step::Mail, reply, &nobody)
            });
        }
        if progress.accepted() == 0 {
            // If DATA went out with the recipients and the server waits for a message to nobody, it does not get one, not
            // even an empty one.
            return finish(self.outcome(&progress, &Fate::Accepted), !progress.data_is_awaited());
        }
        match &progress.data {
            Some(data) if data.code() == 354 => {}
            Some(data) if data.code() >= 400 => return Err(self.all_refused(Step::Data, data, &progress)),
            other => {
                let code = other.as_ref().map_or(0, WireReply::code);
                return Err(before_content(
                    Step::Data.failed(SmtpError::Unexpected(code)),
                    connection,
                ));
            }
        }
        if let Some(early) = connection.wire.reply_at_hand().await {
            // A reply that is here before the message is no reply to it, and must not be taken for one.
            return Err(match early.code() >= 400 {
                true => Setback {
                    keep: false,
                    ..self.all_refused(Step::Content, &early, &progress)
                },
                false => before_content(Step::Content.failed(SmtpError::Unexpected(early.code())), connection),
            });
        }
        let sent = match &self.content {
            Content::Whole(content) => connection.wire.content(content, budget).await,
            Content::Streamed(rope) => connection.wire.streamed(rope, budget).await,
        };
        if let Err(ContentFailed { failed, maybe_complete }) = sent {
            if failed.is_local() {
                // Without its end, the server has to forget the message when the connection goes (RFC 5321 §4.1.1.4).
                return Err(Setback {
                    try_fresh: false,
                    ..before_content(failed, connection)
                });
            }
            // A server that gives up early often says why before it hangs up.
            if let Some(reply) = connection
                .wire
                .reply_at_hand()
                .await
                .filter(|reply| reply.code() >= 400)
            {
                return Err(Setback {
                    keep: false,
                    ..self.all_refused(Step::Content, &reply, &progress)
                });
            }
            return Err(match maybe_complete {
                true => self.unknown(failed, &progress),
                false => Setback {
                    try_fresh: false,
                    ..before_content(failed, connection)
                },
            });
        }
        let reply = connection.wire.reply(Step::End, budget).await;
        let reply = reply.map_err(|failed| self.unknown(failed, &progress))?;
        if reply.is_positive() {
            connection.dirty = false;
            let mut outcome = self.outcome(&progress, &Fate::Accepted).with_reply(Reply::from(&reply));
            if let Some(id) = queue_id(&reply) {
                outcome = outcome.with_provider_id(id);
            }
            return finish(outcome, true);
        }
        if reply.is_intermediate() {
            return Err(self.unknown(Step::End.failed(SmtpError::Unexpected(reply.code())), &progress));
        }
        Err(self.all_refused(Step::End, &reply, &progress))
    }

    /// Writes every command, in the flights that they go out in.
    fn commands(&self, connection: &Connection) -> Result<Vec<Flight>, SmtpError> {
        let (mail, dsn) = self.mail_line(connection)?;
        let pipelining = self.pipelining && connection.extensions.has("PIPELINING");
        let at_once = if pipelining { MAX_FLIGHT } else { 1 };
        let mut flights = Vec::new();
        if connection.dirty {
            place(&mut flights, at_once, Step::Rset).extend_from_slice(b"RSET\r\n");
        }
        mail.encode(place(&mut flights, at_once, Step::Mail))
            .map_err(SmtpError::Command)?;
        for recipient in self.mail.envelope().recipients() {
            rcpt_line(place(&mut flights, at_once, Step::Rcpt), recipient, dsn).map_err(SmtpError::Command)?;
        }
        place(&mut flights, at_once, Step::Data).extend_from_slice(b"DATA\r\n");
        Ok(flights)
    }

    /// Chooses the parameters of MAIL by what the message needs and the server offers, and says whether DSN is used.
    fn mail_line(&self, connection: &Connection) -> Result<(MailLine<'_>, bool), SmtpError> {
        let extensions = &connection.extensions;
        let need = |needed: bool, extension: &'static str| match needed && !extensions.has(extension) {
            true => Err(SmtpError::MissingExtension { extension }),
            false => Ok(needed),
        };
        let envelope = self.mail.envelope();
        let smtputf8 = need(self.mail.needs_smtputf8(), "SMTPUTF8")?;
        let eight_bit = need(self.eight_bit, "8BITMIME")?;
        let require_tls = need(envelope.require_tls(), "REQUIRETLS")?;
        if require_tls && !connection.secure {
            return Err(SmtpError::MissingExtension { extension: "TLS" });
        }
        let dsn = match need(self.dsn, "DSN") {
            Err(_) if self.dsn_may_go => false,
            needed => needed?,
        };
        if let Some(limit) = extensions.size_limit().filter(|&limit| self.size > limit) {
            return Err(SmtpError::TooBig { size: self.size, limit });
        }
        let line = MailLine {
            path: envelope.mail_from(),
            size: extensions.has("SIZE").then_some(self.size),
            body: eight_bit.then_some(Body::EightBitMime),
            smtputf8,
            return_content: envelope.return_content().filter(|_| dsn),
            envelope_id: envelope.envelope_id().filter(|_| dsn),
            require_tls,
            auth: None,
        };
        Ok((line, dsn))
    }

    /// Sends the commands and notes the answers, up to and with that to DATA.
    async fn talk(
        &self,
        connection: &mut Connection,
        flights: Vec<Flight>,
        progress: &mut Progress,
        budget: &Budget,
    ) -> Result<(), Failed> {
        for flight in flights {
            let is_data_alone = matches!(flight.steps.as_slice(), [Step::Data]);
            if progress.mail_refused.is_some() || (is_data_alone && progress.accepted() == 0) {
                break;
            }
            let first = flight.steps.first().copied().unwrap_or(Step::Mail);
            connection.wire.command(&flight.octets, first, budget).await?;
            for step in flight.steps {
                let reply = connection.wire.reply(step, budget).await?;
                if reply.is_closing() {
                    return Err(refused(step, &reply));
                }
                match step {
                    Step::Rset if reply.is_positive() => connection.dirty = false,
                    Step::Mail if reply.is_positive() => connection.dirty = true,
                    Step::Mail if reply.code() >= 400 => progress.mail_refused = Some(reply),
                    Step::Rcpt if reply.is_positive() => progress.refusals.push(None),
                    Step::Rcpt if reply.code() >= 400 => {
                        progress.refusals.push(Some(Refusal::from_reply(Reply::from(&reply))));
                    }
                    Step::Data => progress.data = Some(reply),
                    _ => return Err(refused(step, &reply)),
                }
            }
        }
        Ok(())
    }

    /// Makes the outcome, every accepted recipient having the fate `undecided`.
    fn outcome(&self, progress: &Progress, undecided: &Fate) -> Outcome {
        let mut refusals = progress.refusals.iter();
        Outcome::decide(self.mail, |_| match refusals.next() {
            Some(Some(refusal)) => Fate::Refused(refusal.clone()),
            _ => undecided.clone(),
        })
    }

    /// One reply refuses the message for everybody who was not refused before.
    fn all_refused(&self, step: Step, reply: &WireReply, progress: &Progress) -> Setback {
        let shared = Reply::from(reply);
        let outcome = self.outcome(progress, &Fate::Refused(Refusal::from_reply(shared.clone())));
        let error = SendError::from_reply(shared)
            .with_transport(NAME)
            .with_detail(step.during())
            .with_outcome(outcome);
        Setback {
            error,
            keep: !reply.is_closing(),
            try_fresh: false,
        }
    }

    /// The end of the message may have arrived, and no answer says what became of it.
    fn unknown(&self, failed: Failed, progress: &Progress) -> Setback {
        let error = SendError::from_outcome(failed.kind(), self.outcome(progress, &Fate::Unknown));
        let error = failed.describe(error);
        Setback {
            error,
            keep: false,
            try_fresh: false,
        }
    }
}

impl Progress {
    fn accepted(&self) -> usize {
        self.refusals.iter().filter(|refusal| refusal.is_none()).count()
    }

    fn data_is_awaited(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.code() < 400)
    }
}

/// Commands that go out together, and the step of each.
#[derive(Default)]
struct Flight {
    octets: Vec<u8>,
    steps: Vec<Step>,
}

/// Returns where the next command is to be written: in the last flight, or in a new one if that is full.
fn place(flights: &mut Vec<Flight>, at_once: usize, step: Step) -> &mut Vec<u8> {
    let mut flight = flights.pop().unwrap_or_default();
    if flight.steps.len() >= at_once {
        flights.push(std::mem::take(&mut flight));
    }
    flight.steps.push(step);
    &mut flights.push_mut(flight).octets
}

/// Turns an outcome into what the send returns.
fn finish(outcome: Outcome, keep: bool) -> Result<Outcome, Setback> {
    outcome.settle(NAME).map_err(|error| Setback {
        error,
        keep,
        try_fresh: false,
    })
}

/// A failure before any of the message was sent: it reached nobody. If the connection had been kept and is gone, a fresh
/// one may do better.
fn before_content(failed: Failed, connection: &Connection) -> Setback {
    let try_fresh = connection.reused && failed.is_connection_lost();
    Setback {
        error: failed.not_accepted(),
        keep: false,
        try_fresh,
    }
}

/// An error of what was to be sent, before anything was.
fn invalid(error: SmtpError) -> SendError {
    Failed {
        during: "preparing the message",
        error,
    }
    .not_accepted()
}

/// Finds the id that a server gave the message, in the forms that the common servers use.
fn queue_id(reply: &WireReply) -> Option<String> {
    let text = reply.lines().last()?.into_owned();
    let lower = text.to_ascii_lowercase();
    let start = ["queued as ", "queued mail for delivery as ", "id="]
        .iter()
        .find_map(|mark| lower.find(mark).map(|at| at + mark.len()))?;
    let id = text.get(start..)?.split_ascii_whitespace().next()?;
    let id = id.trim_matches(['<', '>', '.', ',', ';', '(', ')']);
    let plain = !id.is_empty() && id.len() <= 200 && id.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ReplyParser;

    #[test]
    fn finds_queue_ids() {
        for (line, id) in [
            ("250 2.0.0 Ok: queued as 4Bx3\r\n", Some("4Bx3")),
            ("250 2.0.0 Ok: queued as <A1>.\r\n", Some("A1")),
            ("250 OK id=1rxYz-000\r\n", Some("1rxYz-000")),
            ("250 OK\r\n", None),
            ("250 queued as \u{e9}\r\n", None),
        ] {
            let reply = ReplyParser::new().advance(line.as_bytes()).unwrap().1.unwrap();
            assert_eq!(queue_id(&reply).as_deref(), id, "{line}");
        }
    }
}
