//! A message made ready, and the commands that carry it over a session at hand.

use std::sync::Arc;

use bytes::Bytes;
use posthaste_mime::Rope;
use posthaste_transport::{ContentReader, Disposition, ErrorKind, OnUnsupported, Outbound, SendError, SendOptions};

use super::budget::{Budget, Step};
use super::connection::Connection;
use super::downgrade::to_seven_bit;
use super::hold::date_time;
use super::split::Room;
use crate::config::DeliverBy;
use crate::error::{Failed, NAME, SmtpError};
use crate::protocol::{Body, DotStuffer, MailLine, StuffedContent, rcpt_line};

/// Most commands whose replies are not read yet: these fit into any socket's buffers, so that neither side can wait for the
/// other for ever (RFC 2920 §3.1).
pub(super) const MAX_FLIGHT: usize = 64;

/// The largest message that goes out together with its commands, before anybody has said that they want it.
const MAX_EAGER: u64 = 256 * 1024;

/// A message made ready.
pub(super) struct Job {
    pub(super) mail: Outbound,
    pub(super) content: Arc<Content>,
    eight_bit: bool,
    size: u64,
    /// Whether delivery notifications are wished for.
    dsn: bool,
    /// Whether they may be left out.
    dsn_may_go: bool,
    /// Until when the server is to hold it.
    hold: Option<String>,
    manner: Manner,
}

/// What of the protocol may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) pipelining: bool,
    pub(super) chunking: bool,
    pub(super) lmtp: bool,
    pub(super) deliver_by: Option<DeliverBy>,
}

/// A message's octets.
pub(super) enum Content {
    /// All of them, looked at: ready for DATA, and as they are.
    Whole(StuffedContent, Rope),
    /// To be read, looked at and made ready as they go out.
    Streamed(Rope),
}

/// How a message's octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// After DATA and its reply, with dots doubled.
    Data,
    /// By BDAT, after the replies to the recipients.
    Chunks,
    /// By BDAT, in one go with the commands.
    Eager,
}

/// What is said over one session.
pub(super) struct Plan {
    pub(super) way: Way,
    /// Whether several commands may be under way.
    pub(super) pipelining: bool,
    /// The commands, up to and without BDAT.
    pub(super) flights: Flights,
}

/// Commands, and those of them that go out together.
pub(super) struct Flights {
    octets: Vec<u8>,
    /// Where each but the last ends, in octets.
    ends: Vec<usize>,
    /// How many commands there are in one that is full.
    at_once: usize,
    /// The steps of all: RSET or none, MAIL, as many RCPT, DATA or none.
    reset: bool,
    recipients: usize,
    data: bool,
}

impl Job {
    /// Checks the message and doubles its dots, before anything is sent; unless it has to be read, which is too much to do
    /// twice.
    pub(super) fn prepare(
        mail: &Outbound,
        keeps_dsn: bool,
        options: &SendOptions,
        manner: Manner,
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
                (Content::Whole(stuffed, rope), eight_bit)
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
        let hold = options.schedule().map(|time| {
            let early = || {
                SendError::new(ErrorKind::Invalid, Disposition::NotAccepted)
                    .with_transport(NAME)
                    .with_detail("writing the time to send at")
            };
            date_time(time).ok_or_else(early)
        });
        Ok(Self {
            mail: mail.clone(),
            content: Arc::new(content),
            eight_bit,
            size,
            dsn: wished && keeps_dsn,
            dsn_may_go: options.on_unsupported() == OnUnsupported::Degrade,
            hold: hold.transpose()?,
            manner,
        })
    }

    /// The same message to some of its recipients.
    pub(super) fn to(&self, mail: Outbound) -> Self {
        Self {
            mail,
            content: Arc::clone(&self.content),
            hold: self.hold.clone(),
            ..*self
        }
    }

    /// The same message in 7 bits, if the server at hand takes no others and the message allows it.
    pub(super) fn downgraded(&self, connection: &Connection) -> Option<Self> {
        let Content::Whole(_, rope) = &*self.content else {
            return None;
        };
        if !self.eight_bit || self.mail.needs_smtputf8() || connection.extensions.has("8BITMIME") {
            return None;
        }
        let octets: Vec<u8> = rope.in_memory()?.flatten().copied().collect();
        let rope = Rope::from(to_seven_bit(&Bytes::from(octets))?);
        let mut stuffer = DotStuffer::new();
        rope.in_memory()?.try_for_each(|chunk| stuffer.push(chunk)).ok()?;
        let stuffed = stuffer.finish().ok()?;
        Some(Self {
            content: Arc::new(Content::Whole(stuffed, rope.clone())),
            eight_bit: false,
            size: rope.len(),
            mail: self.mail.clone(),
            hold: self.hold.clone(),
            ..*self
        })
    }

    /// What the server has room for, if that is less than this message takes.
    pub(super) fn needs_more_than(&self, connection: &Connection) -> Option<Room> {
        let most = |limit: Option<u32>| {
            limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(usize::MAX)
        };
        let room = Room {
            recipients: most(connection.extensions.max_recipients()),
            domains: most(connection.extensions.max_recipient_domains()),
        };
        (!room.holds(&self.mail)).then_some(room)
    }

    /// Opens what has to be read, so that a file which is gone costs no connection.
    pub(super) async fn probe(&self, budget: &Budget) -> Result<(), SendError> {
        let Content::Streamed(rope) = &*self.content else {
            return Ok(());
        };
        let probed = match budget.run(Step::Read, ContentReader::probe(rope)).await {
            Ok(probed) => probed.map_err(|error| Step::Read.failed(SmtpError::Source(error))),
            Err(failed) => Err(failed),
        };
        probed.map_err(Failed::not_accepted)
    }

    /// Whether each recipient has a reply of its own to the message (RFC 2033 §4.2).
    pub(super) fn is_lmtp(&self) -> bool {
        self.manner.lmtp
    }

    /// Chooses what is said over `connection`, and writes it into `room`; `reset` if it may not stand before a transaction.
    pub(super) fn plan(&self, connection: &Connection, reset: bool, room: Vec<u8>) -> Result<Plan, SmtpError> {
        let (mail, dsn) = self.mail_line(connection)?;
        let pipelining = self.manner.pipelining && connection.extensions.has("PIPELINING");
        let at_once = if pipelining { MAX_FLIGHT } else { 1 };
        let recipients = self.mail.envelope().recipients();
        let whole = matches!(*self.content, Content::Whole(..));
        // LMTP's replies to BDAT could only be counted after those to the recipients.
        let way = match self.manner.chunking && !self.manner.lmtp && connection.extensions.has("CHUNKING") {
            false => Way::Data,
            true if pipelining
                && whole
                && self.size <= MAX_EAGER
                && recipients.len() + 3 <= MAX_FLIGHT
                && !connection.may_be_stale() =>
            {
                Way::Eager
            }
            true => Way::Chunks,
        };
        let mut flights = Flights {
            octets: room,
            ends: Vec::new(),
            at_once,
            reset,
            recipients: recipients.len(),
            data: way == Way::Data,
        };
        let mut place = Place {
            flights: &mut flights,
            count: 0,
        };
        if reset {
            place.next().extend_from_slice(b"RSET\r\n");
        }
        mail.encode(place.next()).map_err(SmtpError::Command)?;
        for recipient in recipients {
            rcpt_line(place.next(), recipient, dsn).map_err(SmtpError::Command)?;
        }
        if way == Way::Data {
            place.next().extend_from_slice(b"DATA\r\n");
        }
        Ok(Plan {
            way,
            pipelining,
            flights,
        })
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
        if require_tls && !connection.security.is_authenticated() {
            return Err(SmtpError::MissingExtension { extension: "TLS" });
        }
        let dsn = match need(self.dsn, "DSN") {
            Err(_) if self.dsn_may_go => false,
            needed => needed?,
        };
        need(self.hold.is_some(), "FUTURERELEASE")?;
        need(self.manner.deliver_by.is_some(), "DELIVERBY")?;
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
            hold_until: self.hold.as_deref(),
            deliver_by: self.manner.deliver_by,
        };
        Ok((line, dsn))
    }
}

/// The last BDAT and all of a message behind it.
pub(super) fn whole_chunk(stuffed: &StuffedContent, rope: &Rope) -> impl Iterator<Item = Bytes> {
    // The end that DATA would complete the last line with is longer than a dot alone.
    let complete = stuffed.terminator_length() == 3;
    let end = Bytes::from_static(if complete { b"" } else { b"\r\n" });
    let size = rope.len().saturating_add(if complete { 0 } else { 2 });
    let command = Bytes::from(format!("BDAT {size} LAST\r\n"));
    let chunks = rope.in_memory().map(|chunks| chunks.cloned().collect::<Vec<_>>());
    std::iter::once(command)
        .chain(chunks.unwrap_or_default())
        .chain(std::iter::once(end))
}

impl Flights {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len() + 1
    }

    /// The commands of a flight, counted from 0.
    pub(super) fn octets(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before).copied());
        let end = self.ends.get(number).copied();
        self.octets
            .get(start.unwrap_or(0)..end.unwrap_or(self.octets.len()))
            .unwrap_or_default()
    }

    /// The steps of a flight, counted from 0.
    pub(super) fn steps(&self, number: usize) -> impl Iterator<Item = Step> + use<> {
        let reset = self.reset.then_some(Step::Rset);
        let recipients = std::iter::repeat_n(Step::Rcpt, self.recipients);
        let data = self.data.then_some(Step::Data);
        let steps = reset.into_iter().chain([Step::Mail]).chain(recipients).chain(data);
        steps.skip(number.saturating_mul(self.at_once)).take(self.at_once)
    }

    /// Gives the room back that the commands were written in.
    pub(super) fn into_room(self) -> Vec<u8> {
        self.octets
    }
}

/// Where the next command is to be written.
struct Place<'a> {
    flights: &'a mut Flights,
    /// How many commands there are in the last flight.
    count: usize,
}

impl Place<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        if self.count == self.flights.at_once {
            self.flights.ends.push(self.flights.octets.len());
            self.count = 0;
        }
        self.count += 1;
        &mut self.flights.octets
    }
}

/// An error of what was to be sent, before anything was.
pub(super) fn invalid(error: SmtpError) -> SendError {
    Failed {
        during: "preparing the message",
        error,
    }
    .not_accepted()
}
