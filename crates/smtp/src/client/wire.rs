//! Replies and commands over a byte stream.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use posthaste_transport::TlsInfo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::alarm::Alarm;
use super::budget::{Budget, Deadline, Step};
use crate::connect::Stream;
use crate::error::{Failed, SmtpError};
use crate::protocol::{ReplyParser, WireReply};
use crate::tls::{Handshake, failure};

/// Octets of replies for which there is room, and the least that one read may use.
const READ_ROOM: usize = 4 * 1024;
const READ_AT_LEAST: usize = 512;
/// Octets of commands for which there is room at least.
const COMMANDS: usize = 256;
/// The largest room that a connection keeps for commands.
const MAX_KEPT: usize = 16 * 1024;
/// Most slices given to one write.
const MAX_SLICES: usize = 64;
/// Most octets given to one write.
const MAX_WRITE: usize = 128 * 1024;
/// Octets of a message that are worth a write of their own.
pub(super) const AT_ONCE: usize = 32 * 1024;

/// A stream with what was read of it and not yet used, and with what is to be written.
///
/// What is written waits until somebody has to wait for an answer: so one write carries the end of a message and the commands
/// of the next.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    inbound: BytesMut,
    parser: ReplyParser,
    outgoing: VecDeque<Bytes>,
    /// Room for commands that are being written, and for those that were, used over and over.
    room: Vec<u8>,
    commands: BytesMut,
    alarm: Alarm,
    /// How many octets wait to be written.
    unsent: usize,
    /// How many octets were ever given to be written,
    queued: u64,
    /// and how many of these the peer may have got.
    tried: u64,
    /// What only the two ends of the TLS session know (RFC 9266).
    channel_binding: Option<Zeroizing<[u8; 32]>>,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            inbound: BytesMut::with_capacity(READ_ROOM),
            parser: ReplyParser::new(),
            outgoing: VecDeque::new(),
            room: Vec::new(),
            commands: BytesMut::new(),
            alarm: Alarm::default(),
            unsent: 0,
            queued: 0,
            tried: 0,
            channel_binding: None,
        }
    }

    /// Returns the `tls-exporter` of the TLS session, if there is one that has it.
    pub(super) fn channel_binding(&self) -> Option<&[u8; 32]> {
        self.channel_binding.as_deref()
    }

    /// Reads one reply. Dropping it loses nothing.
    pub(super) async fn reply(&mut self, step: Step, budget: &Budget) -> Result<WireReply, Failed> {
        self.reply_by(step, budget, &mut None).await
    }

    /// The same for who may stop waiting and begin again: the deadline, which begins if there is none, goes on meanwhile.
    pub(super) async fn reply_by(
        &mut self,
        step: Step,
        budget: &Budget,
        deadline: &mut Option<Deadline>,
    ) -> Result<WireReply, Failed> {
        if let Some(reply) = self.parse().map_err(|error| step.failed(error))? {
            return Ok(reply);
        }
        self.flush(step, budget).await?;
        poll_fn(|context| self.poll_reply(context, step, budget, deadline)).await
    }

    /// Reads until there is a reply, or the `deadline`, which is that of `step` and begins when nothing more is there.
    fn poll_reply(
        &mut self,
        context: &mut Context<'_>,
        step: Step,
        budget: &Budget,
        deadline: &mut Option<Deadline>,
    ) -> Poll<Result<WireReply, Failed>> {
        loop {
            self.inbound.reserve(READ_AT_LEAST);
            let read = pin!(self.stream.read_buf(&mut self.inbound)).poll(context);
            let result = match read {
                Poll::Ready(Ok(0)) => Err(SmtpError::Closed),
                Poll::Ready(Ok(_)) => self.parse(),
                Poll::Ready(Err(error)) => Err(SmtpError::Io(error)),
                Poll::Pending => {
                    return self.alarm.poll(context, step, budget, deadline).map(Err);
                }
            };
            match result {
                Ok(None) => {}
                Ok(Some(reply)) => return Poll::Ready(Ok(reply)),
                Err(error) => return Poll::Ready(Err(step.failed(error))),
            }
        }
    }

    fn parse(&mut self) -> Result<Option<WireReply>, SmtpError> {
        let (used, reply) = self.parser.advance(&self.inbound).map_err(SmtpError::Reply)?;
        self.inbound.advance(used);
        Ok(reply)
    }

    /// Puts `segment` behind what is to be written, and returns how far everything reaches then.
    pub(super) fn queue(&mut self, segment: Bytes) -> u64 {
        if !segment.is_empty() {
            self.unsent += segment.len();
            // No connection carries 2^64 octets.
            self.queued = self
                .queued
                .saturating_add(u64::try_from(segment.len()).unwrap_or(u64::MAX));
            self.outgoing.push_back(segment);
        }
        self.queued
    }

    /// Lends an empty room to write commands in.
    pub(super) fn lend_room(&mut self) -> Vec<u8> {
        let mut room = std::mem::take(&mut self.room);
        room.clear();
        room
    }

    /// Takes back the room that was lent.
    pub(super) fn take_room_back(&mut self, room: Vec<u8>) {
        if room.capacity() <= MAX_KEPT {
            self.room = room;
        }
    }

    /// Puts a copy of `commands` behind what is to be written.
    pub(super) fn queue_commands(&mut self, commands: &[u8]) -> u64 {
        self.commands.reserve(commands.len().max(COMMANDS));
        self.commands.extend_from_slice(commands);
        let commands = self.commands.split().freeze();
        self.queue(commands)
    }

    /// Makes the next replies of what `reply` was made of.
    pub(super) fn recycle(&mut self, reply: WireReply) {
        self.parser.recycle(reply);
    }

    /// Whether the peer may have got the octet with this number.
    pub(super) fn may_have_left(&self, octet: u64) -> bool {
        self.tried >= octet
    }

    /// Writes commands at once, without keeping a copy: they may hold a password.
    pub(super) async fn command(&mut self, line: &[u8], step: Step, budget: &Budget) -> Result<(), Failed> {
        self.flush(step, budget).await?;
        let write = async {
            self.stream.write_all(line).await?;
            self.stream.flush().await
        };
        let written = budget.run(step, write).await?;
        written.map_err(|error| step.failed(SmtpError::Io(error)))
    }

    /// Writes everything. `step` is what it is written for.
    pub(super) async fn flush(&mut self, step: Step, budget: &Budget) -> Result<(), Failed> {
        if self.unsent == 0 {
            return Ok(());
        }
        self.write_down_to(0, step, budget).await?;
        let flushed = budget.run(step, self.stream.flush()).await?;
        flushed.map_err(|error| step.failed(SmtpError::Io(error)))
    }

    /// Writes until no more than `rest` octets wait to be written. Dropping it loses nothing.
    pub(super) async fn write_down_to(&mut self, rest: usize, step: Step, budget: &Budget) -> Result<(), Failed> {
        // A server may be slow to take a message, and has the time of a block for each piece of it.
        let step = if self.unsent > AT_ONCE { Step::Content } else { step };
        // A peer that takes an octet now and then has no more time for it than one that takes none.
        let (mut deadline, mut since) = (None, 0);
        poll_fn(|context| {
            while self.unsent > rest {
                match self.poll_write(context, step) {
                    Poll::Ready(count) => since += count?,
                    Poll::Pending => {
                        return self.alarm.poll(context, step, budget, &mut deadline).map(Err);
                    }
                }
                if since >= AT_ONCE {
                    (deadline, since) = (None, 0);
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Writes once, as much as is taken, and returns how many octets that were.
    fn poll_write(&mut self, context: &mut Context<'_>, step: Step) -> Poll<Result<usize, Failed>> {
        let sent = self
            .queued
            .saturating_sub(u64::try_from(self.unsent).unwrap_or(u64::MAX));
        let reach = |octets: usize| sent.saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let filled = fill(&mut slices, &self.outgoing);
        let stream = Pin::new(&mut *self.stream);
        let written = ready!(match filled {
            // The system takes a little longer for a list of one.
            [only] => stream.poll_write(context, only),
            _ => stream.poll_write_vectored(context, filled),
        });
        // A write that is cancelled has written nothing; one that fails may have written some of what it was given.
        Poll::Ready(match written {
            Ok(0) => Err(step.failed(SmtpError::Closed)),
            Ok(count) => {
                self.tried = self.tried.max(reach(count));
                self.sent(count);
                Ok(count)
            }
            Err(error) => {
                let offered = filled.iter().map(|slice| slice.len()).sum();
                self.tried = self.tried.max(reach(offered));
                Err(step.failed(SmtpError::Io(error)))
            }
        })
    }

    fn sent(&mut self, mut count: usize) {
        self.unsent = self.unsent.saturating_sub(count);
        while let Some(first) = self.outgoing.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.outgoing.pop_front();
        }
    }

    /// Returns a reply that was read already.
    pub(super) fn reply_in_hand(&mut self) -> Result<Option<WireReply>, SmtpError> {
        self.parse()
    }

    /// Returns a reply that is there already, without waiting.
    pub(super) async fn reply_at_hand(&mut self) -> Option<WireReply> {
        loop {
            match self.parse() {
                Ok(None) => {}
                Ok(reply) => return reply,
                Err(_) => return None,
            }
            if !matches!(self.poll_read().await, Poll::Ready(Ok(count)) if count > 0) {
                return None;
            }
        }
    }

    /// Whether the connection is open and the server has said nothing unasked. Does not wait.
    pub(super) async fn is_quiet(&mut self) -> bool {
        self.inbound.is_empty() && !self.parser.is_mid_reply() && self.poll_read().await.is_pending()
    }

    /// Reads what is there, once.
    async fn poll_read(&mut self) -> Poll<io::Result<usize>> {
        let (stream, inbound) = (&mut self.stream, &mut self.inbound);
        poll_fn(|context| {
            let mut room = [0; 1024];
            let mut room = ReadBuf::new(&mut room);
            let poll = Pin::new(&mut *stream).poll_read(context, &mut room);
            inbound.extend_from_slice(room.filled());
            let count = room.filled().len();
            Poll::Ready(poll.map_ok(|()| count))
        })
        .await
    }

    /// Turns to TLS. What was read in clear text and not used ends the session: nothing of it may be taken for an
    /// answer that came through TLS (RFC 3207 §4.2).
    pub(super) async fn start_tls(self, handshake: &Handshake, budget: &Budget) -> Result<(Self, TlsInfo), Failed> {
        if !self.inbound.is_empty() || self.parser.is_mid_reply() {
            return Err(Step::StartTls.failed(SmtpError::Injected));
        }
        let connector = TlsConnector::from(Arc::clone(&handshake.config));
        let stream = budget
            .run(Step::Tls, connector.connect(handshake.name.clone(), self.stream))
            .await?
            .map_err(|error| Step::Tls.failed(failure(error)))?;
        let session = stream.get_ref().1;
        // Before TLS 1.3 it is unique only with an extension that cannot be asked about here (RFC 9266 §4.2).
        let is_unique = session.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        let exported = is_unique.then(|| {
            let room = Zeroizing::new([0; 32]);
            session.export_keying_material(room, b"EXPORTER-Channel-Binding", Some(b""))
        });
        let info = handshake.info(session);
        let secured = Self {
            channel_binding: exported.and_then(Result::ok),
            ..Self::new(Box::new(stream))
        };
        Ok((secured, info))
    }
}

/// Puts the first segments into `slices` and returns those that are filled: no more octets than one write is to have, so that the
/// end of a long message is only offered to the connection once the rest was taken.
fn fill<'a, 'b>(slices: &'a mut [IoSlice<'b>], segments: &'b VecDeque<Bytes>) -> &'a [IoSlice<'b>] {
    let (mut room, mut count) = (MAX_WRITE, 0);
    for (slice, segment) in slices.iter_mut().zip(segments) {
        if room == 0 {
            break;
        }
        let piece = segment.get(..room).unwrap_or(segment);
        *slice = IoSlice::new(piece);
        room -= piece.len();
        count += 1;
    }
    slices.get(..count).unwrap_or_default()
}
