//! A message as it streams in.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::header::HeaderWatch;
use super::rates::{Meter, Payer};
use super::talk::{Ended, Talk};
use super::{Limits, Verdict};
use crate::protocol::{Body, ChunkDecoder, Command, ContentFault, DataDecoder, LineFault, Mail};

/// The most octets that are read and thrown away, beyond the size limit, of a message that is not taken.
const MAX_DRAIN: usize = 1024 * 1024;

/// A message that a client is sending, read as it comes.
///
/// Nothing is read from the connection that was not asked for: a handler that takes its time slows the client down, and a
/// connection holds no more than 64 KiB of the message at any moment, besides what the handler keeps. Line ends are CR LF,
/// doubled dots are undone, and what came by BDAT cannot be told from what came after DATA.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::{Content, Incomplete};
///
/// async fn size(content: &mut Content<'_>) -> Result<usize, Incomplete> {
///     let mut size = 0;
///     while let Some(piece) = content.next().await? {
///         size += piece.len();
///     }
///     Ok(size)
/// }
/// ```
pub struct Content<'c> {
    talk: &'c mut Talk,
    decoder: Decoder,
    header: HeaderWatch<'c>,
    mail: &'c Mail,
    limits: &'c Limits,
    pulse: &'c Pulse,
    reserved: Reserved<'c>,
    /// What each octet counts against.
    toll: Option<(&'c Meter, Payer)>,
    /// Octets that are not counted yet.
    owed: usize,
    state: State,
    /// What was thrown away.
    drained: usize,
}

/// How the end of a message is found.
pub(super) enum Decoder {
    Data(DataDecoder),
    Bdat(Chunks),
}

/// What comes by BDAT.
pub(super) struct Chunks {
    pub(super) decoder: ChunkDecoder,
    /// Whether the chunk that is being read is the last.
    pub(super) last: bool,
    /// How many commands may still come that bring no octet.
    pub(super) patience: u32,
    /// Whether the client was told that its chunk was taken.
    pub(super) told: bool,
}

enum State {
    Reading,
    Ended,
    Failed(Incomplete, Parting),
}

/// What the client said instead of the next chunk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parting {
    None,
    Reset,
    Quit,
}

/// What a message leads to.
pub(super) enum Settled {
    /// The whole of it was read: what the handler decided counts.
    Handler,
    /// This counts instead.
    Instead(Verdict),
    /// The client gave the message up by a command, to which this is the reply.
    Command(Verdict),
}

/// Why a message did not come whole, or will not be taken. The handler that reads it must not keep it; what it returns is
/// not looked at, because the client is told of this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incomplete {
    /// The message breaks a rule or a limit.
    #[error(transparent)]
    Fault(#[from] ContentFault),
    /// The server refuses it: its header shows a loop or somebody else's address, or there is no memory for it.
    #[error("the server refuses it: {0}")]
    Refused(Verdict),
    /// The client is gone.
    #[error("the client hung up")]
    Disconnected,
    /// The client took too long.
    #[error("the client took too long")]
    TimedOut,
    /// The client gave up the message between two chunks.
    #[error("the client gave it up")]
    Abandoned,
}

impl<'c> Content<'c> {
    #[expect(clippy::too_many_arguments, reason = "one caller, which has them all at hand")]
    pub(super) fn new(
        talk: &'c mut Talk,
        decoder: Decoder,
        header: HeaderWatch<'c>,
        mail: &'c Mail,
        limits: &'c Limits,
        pulse: &'c Pulse,
        memory: &'c Memory,
        toll: Option<(&'c Meter, Payer)>,
    ) -> Self {
        Self {
            talk,
            decoder,
            header,
            mail,
            limits,
            pulse,
            reserved: Reserved { memory, octets: 0 },
            toll,
            owed: 0,
            state: State::Reading,
            drained: 0,
        }
    }

    /// Returns what comes next, at most 64 KiB; `None` is the end of the message, and the only sign that it is whole.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`Incomplete`], again and again once it happened.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Incomplete> {
        let mut piece = BytesMut::new();
        while piece.is_empty() {
            if !self.read(&mut piece).await? {
                return Ok(None);
            }
        }
        Ok(Some(piece.freeze()))
    }

    /// Reads all that comes, into memory: at most [`Limits::message_size`](super::Limits::message_size) octets. All messages
    /// that a server holds like this share [`Limits::memory`](super::Limits::memory).
    ///
    /// # Errors
    ///
    /// [`Incomplete`]: [`Refused`](Incomplete::Refused) with a reply for now when there is no memory left.
    pub async fn collect(&mut self) -> Result<Bytes, Incomplete> {
        let mut whole = BytesMut::new();
        if let Some(size) = self.mail.size.and_then(|size| usize::try_from(size).ok()) {
            whole.reserve(size.min(self.limits.message_size).min(64 * 1024));
        }
        while self.read(&mut whole).await? {
            if !self.reserved.grow_to(whole.len()) {
                let full = Verdict::defer(452, (3, 1), "too many messages at once, try again later");
                return Err(self.fail(Incomplete::Refused(full), Parting::None));
            }
        }
        Ok(whole.freeze())
    }

    /// Returns what the client said in MAIL: size, kind of body, SMTPUTF8.
    pub fn mail(&self) -> &Mail {
        self.mail
    }

    /// Whether the client said SMTPUTF8 (RFC 6531).
    pub fn is_smtputf8(&self) -> bool {
        self.mail.smtputf8
    }

    /// Whether the client said that there may be octets above 127 (RFC 6152).
    pub fn is_8bit(&self) -> bool {
        self.mail.body == Some(Body::EightBitMime)
    }

    /// Reads on and appends what comes to `room`; false is the end.
    async fn read(&mut self, room: &mut BytesMut) -> Result<bool, Incomplete> {
        if let State::Failed(why, _) = &self.state {
            return Err(why.clone());
        }
        let more = matches!(self.state, State::Reading);
        let waiting = self.pulse.wait();
        let mut step = self.pay().await.map_err(|why| (why, Parting::None));
        if more && step.is_ok() {
            step = self.step(room).await;
        }
        drop(waiting);
        step.map_err(|(why, parting)| self.fail(why, parting))?;
        Ok(more)
    }

    fn fail(&mut self, why: Incomplete, parting: Parting) -> Incomplete {
        self.state = State::Failed(why.clone(), parting);
        why
    }

    async fn step(&mut self, room: &mut BytesMut) -> Result<(), (Incomplete, Parting)> {
        let stays = |why: Incomplete| (why, Parting::None);
        let before = room.len();
        match &mut self.decoder {
            Decoder::Data(decoder) => {
                let input = self
                    .talk
                    .input(self.limits.content)
                    .await
                    .map_err(gone)
                    .map_err(stays)?;
                let used = decoder.advance(input, |piece| room.extend_from_slice(piece));
                self.talk.consume(used);
                self.owed += used;
                if let Some(fault) = decoder.fault() {
                    return Err(stays(fault.into()));
                }
                let done = decoder.is_done();
                self.look(room, before)?;
                if done {
                    self.end()?;
                }
            }
            Decoder::Bdat(chunks) if chunks.decoder.left() == 0 => {
                if chunks.last {
                    chunks.decoder.finish().map_err(Incomplete::from).map_err(stays)?;
                    self.end()?;
                } else {
                    self.next_chunk().await?;
                }
            }
            Decoder::Bdat(chunks) => {
                let input = self
                    .talk
                    .input(self.limits.content)
                    .await
                    .map_err(gone)
                    .map_err(stays)?;
                let used = chunks.decoder.advance(input, |piece| room.extend_from_slice(piece));
                self.talk.consume(used);
                self.owed += used;
                if let Some(fault) = chunks.decoder.fault() {
                    return Err(stays(fault.into()));
                }
                self.look(room, before)?;
            }
        }
        Ok(())
    }

    /// Waits until what was read is within the client's rate: it is read from no faster.
    async fn pay(&mut self) -> Result<(), Incomplete> {
        let Some((meter, payer)) = &self.toll else {
            return Ok(());
        };
        while self.owed > 0 {
            let (left, wait) = meter.take(payer, self.owed);
            self.owed = left;
            if wait > self.limits.content {
                let full = Verdict::defer(450, (7, 1), "too many octets, try again later");
                return Err(Incomplete::Refused(full));
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    fn look(&mut self, room: &BytesMut, before: usize) -> Result<(), (Incomplete, Parting)> {
        let piece = room.get(before..).unwrap_or_default();
        self.header
            .look(piece)
            .map_err(|verdict| (Incomplete::Refused(verdict), Parting::None))
    }

    fn end(&mut self) -> Result<(), (Incomplete, Parting)> {
        self.header
            .finish()
            .map_err(|verdict| (Incomplete::Refused(verdict), Parting::None))?;
        self.state = State::Ended;
        Ok(())
    }

    /// Tells the client that its chunk was taken, and waits for the next one.
    async fn next_chunk(&mut self) -> Result<(), (Incomplete, Parting)> {
        let Decoder::Bdat(chunks) = &mut self.decoder else {
            return Ok(());
        };
        let refused = |verdict: Verdict| (Incomplete::Refused(verdict.and_close()), Parting::None);
        if !chunks.told {
            self.talk.say(&Verdict::accept_with("chunk taken"));
            chunks.told = true;
        }
        loop {
            let heard = self.talk.command(self.limits.command_line, self.limits.idle, None);
            let heard = heard.await.map_err(|ended| (gone(ended), Parting::None))?;
            let reply = match heard {
                Ok(Ok(Command::Bdat { length, last })) => {
                    if length > u64::try_from(self.limits.message_size).unwrap_or(u64::MAX) {
                        return Err(refused(Verdict::refuse(552, (3, 4), "message too big")));
                    }
                    if length > 0 || last || chunks.patience > 0 {
                        chunks.patience -= u32::from(length == 0 && !last);
                        chunks.last = last;
                        chunks.told = false;
                        chunks.decoder.begin(length);
                        let fault = chunks.decoder.fault();
                        return fault.map_or(Ok(()), |fault| Err((fault.into(), Parting::None)));
                    }
                    Verdict::accept()
                }
                Ok(Ok(Command::Rset)) => return Err((Incomplete::Abandoned, Parting::Reset)),
                Ok(Ok(Command::Quit)) => return Err((Incomplete::Abandoned, Parting::Quit)),
                Ok(Ok(Command::Noop)) => Verdict::accept(),
                Ok(Ok(_)) => Verdict::refuse(503, (5, 1), "the message was begun with BDAT"),
                Ok(Err(error)) => {
                    let verdict = Verdict::refuse(error.code(), error.enhanced(), error.to_string());
                    match error.is_of_bdat() {
                        true => return Err(refused(verdict)),
                        false => verdict,
                    }
                }
                Err(LineFault::Endless) => return Err(refused(Verdict::refuse(500, (5, 2), "line too long"))),
                Err(_) => Verdict::refuse(500, (5, 2), "not a command line"),
            };
            if chunks.patience == 0 {
                return Err(refused(Verdict::goodbye((7, 0), "too many commands without a message")));
            }
            chunks.patience -= 1;
            self.talk.say(&reply);
            let relieved = self.talk.relieve(self.limits.idle).await;
            relieved.map_err(|ended| (gone(ended), Parting::None))?;
        }
    }

    /// Reads what the handler did not, as far as the session has to stay in step, and says what counts.
    pub(super) async fn settle(mut self, accepted: bool) -> Result<Settled, Ended> {
        let state = std::mem::replace(&mut self.state, State::Ended);
        let verdict = match state {
            State::Ended => return Ok(Settled::Handler),
            State::Failed(Incomplete::Disconnected, _) => return Err(Ended::Gone),
            State::Failed(Incomplete::TimedOut, _) => return Err(Ended::Late),
            State::Failed(_, Parting::Reset) => return Ok(Settled::Command(Verdict::accept())),
            State::Failed(_, Parting::Quit) => {
                let goodbye = Verdict::positive(221, (0, 0), "goodbye").and_close();
                return Ok(Settled::Command(goodbye));
            }
            State::Failed(Incomplete::Refused(verdict), _) if verdict.closes() => return Ok(Settled::Command(verdict)),
            State::Failed(Incomplete::Refused(verdict), _) => Some(verdict),
            // A fault that smells of smuggling ends the session: what follows it may be meant for another server's eyes.
            State::Failed(Incomplete::Fault(fault @ ContentFault::BareLineEnd), _) => {
                Some(Verdict::refuse(554, (6, 0), fault.to_string()).and_close())
            }
            State::Failed(Incomplete::Fault(ContentFault::TooBig), _) => {
                Some(Verdict::refuse(552, (3, 4), "message too big"))
            }
            State::Failed(Incomplete::Fault(fault), _) => Some(Verdict::refuse(554, (6, 0), fault.to_string())),
            State::Failed(Incomplete::Abandoned, Parting::None) => Some(Verdict::accept()),
            State::Reading if matches!(&self.decoder, Decoder::Bdat(chunks) if chunks.told) => {
                // The client was told that its chunk was taken, and awaits no other reply.
                let goodbye = Verdict::goodbye((3, 0), "the message was not read to its end, try again later");
                return Ok(Settled::Command(goodbye));
            }
            State::Reading => None,
        };
        let read_on = self.drain().await?;
        let verdict = match (verdict, self.decoder.fault()) {
            (Some(verdict), _) => verdict,
            (None, Some(ContentFault::BareLineEnd)) => {
                Verdict::refuse(554, (6, 0), ContentFault::BareLineEnd.to_string()).and_close()
            }
            // Who did not read the message to its end cannot have stored it.
            (None, _) if accepted => {
                Verdict::defer(451, (3, 0), "the message was not read to its end, try again later")
            }
            (None, _) if read_on => return Ok(Settled::Handler),
            (None, _) => Verdict::refuse(552, (3, 4), "message too big"),
        };
        Ok(Settled::Instead(if read_on { verdict } else { verdict.and_close() }))
    }

    /// Throws away what still comes of the message or the chunk; false is that it has become too much.
    async fn drain(&mut self) -> Result<bool, Ended> {
        let most = self.limits.message_size.saturating_add(MAX_DRAIN);
        while !self.decoder.is_in_step() {
            let input = self.talk.input(self.limits.content).await?;
            let used = match &mut self.decoder {
                Decoder::Data(decoder) => decoder.advance(input, |_| ()),
                Decoder::Bdat(chunks) => chunks.decoder.advance(input, |_| ()),
            };
            self.talk.consume(used);
            self.drained += used;
            if self.drained > most {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Decoder {
    /// Whether what comes next is a command.
    fn is_in_step(&self) -> bool {
        match self {
            Self::Data(decoder) => decoder.is_done(),
            Self::Bdat(chunks) => chunks.decoder.left() == 0,
        }
    }

    fn fault(&self) -> Option<ContentFault> {
        match self {
            Self::Data(decoder) => decoder.fault(),
            Self::Bdat(chunks) => chunks.decoder.fault(),
        }
    }
}

fn gone(ended: Ended) -> Incomplete {
    match ended {
        Ended::Late => Incomplete::TimedOut,
        Ended::Gone | Ended::Stopped => Incomplete::Disconnected,
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("is_complete", &matches!(self.state, State::Ended))
            .finish_non_exhaustive()
    }
}

/// What a message's reader does, for who watches over the time that its handler takes.
#[derive(Default)]
pub(super) struct Pulse {
    state: AtomicU8,
    stood_still: AtomicBool,
}

/// A reader that waits for the client. Dropped, it goes on, or was given up.
struct Waiting<'p>(&'p Pulse);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state.store(Pulse::WENT_ON, Ordering::Relaxed);
    }
}

impl Pulse {
    const STILL: u8 = 0;
    const WENT_ON: u8 = 1;
    const WAITS: u8 = 2;

    fn wait(&self) -> Waiting<'_> {
        self.state.store(Self::WAITS, Ordering::Relaxed);
        Waiting(self)
    }

    /// Whether the handler waits for the client, which has its own deadline, or has read on since this was asked last.
    pub(super) fn beats(&self) -> bool {
        let went_on = self
            .state
            .compare_exchange(Self::WENT_ON, Self::STILL, Ordering::Relaxed, Ordering::Relaxed);
        went_on.map_or_else(|state| state == Self::WAITS, |_| true)
    }

    /// Whether the handler has waited for anything but the client.
    pub(super) fn stood_still(&self) -> bool {
        self.stood_still.load(Ordering::Relaxed)
    }

    /// Waits for `work`, but not for ever if it stands still.
    pub(super) async fn watch<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut work = std::pin::pin!(std::future::poll_fn(|context| {
            let poll = work.as_mut().poll(context);
            if poll.is_pending() && self.state.load(Ordering::Relaxed) != Self::WAITS {
                self.stood_still.store(true, Ordering::Relaxed);
            }
            poll
        }));
        loop {
            match tokio::time::timeout(limit, &mut work).await {
                Ok(done) => return Some(done),
                Err(_) if self.beats() => {}
                Err(_) => return None,
            }
        }
    }
}

/// The memory that whole messages may take, all connections together.
#[derive(Debug)]
pub(super) struct Memory {
    used: AtomicUsize,
    limit: usize,
}

impl Memory {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
        }
    }
}

/// A message's part of the memory, given back when it is dropped.
struct Reserved<'c> {
    memory: &'c Memory,
    octets: usize,
}

impl Reserved<'_> {
    fn grow_to(&mut self, octets: usize) -> bool {
        let more = octets.saturating_sub(self.octets);
        let before = self.memory.used.fetch_add(more, Ordering::Relaxed);
        self.octets += more;
        before.saturating_add(more) <= self.memory.limit
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.octets, Ordering::Relaxed);
    }
}
