//! Messages one behind the other over one connection.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use posthaste_mime::Rope;
use posthaste_transport::ContentReader;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::budget::{Budget, Deadline, Step};
use super::connection::{Connection, refused};
use super::job::{Content, Flights, MAX_FLIGHT, Plan, Way, invalid, whole_chunk};
use super::pool::Turn;
use super::transaction::{Ended, Setback, Transaction, before_content, given_up};
use super::wire::AT_ONCE;
use crate::error::{Failed, SmtpError};
use crate::protocol::{DotStuffer, WireReply};

/// Octets that may wait for company before they are written.
const MAX_UNSENT: usize = 128 * 1024;
/// Parts of a message that may be under way without a reply.
const MAX_CHUNKS: usize = 4;

/// A connection with the messages that went over it and were not all answered.
pub(super) struct Line {
    pub(super) connection: Box<Connection>,
    sent: VecDeque<Box<Transaction>>,
    /// What became of the message of who drives the connection.
    own: Option<Ended>,
    /// Until when the next reply is awaited, if it was begun to.
    deadline: Option<Deadline>,
    /// Whether the connection can serve further messages.
    pub(super) usable: bool,
    /// Whether those who sent the messages look after their deadlines themselves.
    detached: bool,
}

impl Line {
    pub(super) fn new(connection: Box<Connection>) -> Self {
        Self {
            connection,
            sent: VecDeque::new(),
            own: None,
            deadline: None,
            usable: true,
            detached: false,
        }
    }

    /// Whether every message was answered.
    pub(super) fn is_settled(&self) -> bool {
        self.sent.is_empty()
    }

    /// How many replies are awaited.
    fn awaited(&self) -> usize {
        self.sent.iter().map(|transaction| transaction.awaited.len()).sum()
    }

    /// Whether the commands of another message may go out behind what is under way.
    pub(super) fn has_room(&self) -> bool {
        self.usable && self.awaited() < MAX_FLIGHT && self.connection.extensions.has("PIPELINING")
    }

    /// Sends a message up to its end, behind those that were sent before. What becomes of it is said to who waits for it: now
    /// if it did not get so far, else by [`Self::settle_first`].
    pub(super) async fn send(&mut self, mut transaction: Box<Transaction>) {
        transaction.behind = !self.sent.is_empty();
        transaction.first = !self.connection.reused;
        transaction.security = Some(self.connection.security.clone());
        match self.try_send(&mut transaction).await {
            Ok(()) => self.sent.push_back(transaction),
            Err(ended) => {
                if let Err(setback) = &*ended {
                    self.usable &= setback.keep;
                }
                self.finish(transaction, *ended);
            }
        }
        self.connection.reused = true;
    }

    /// Says what became of a message.
    fn finish(&mut self, transaction: Box<Transaction>, ended: Ended) {
        if let Some(ended) = transaction.finish(ended) {
            self.own = Some(ended);
        }
    }

    /// Takes what became of the message of who drives the connection.
    pub(super) fn take_own(&mut self) -> Option<Ended> {
        self.own.take()
    }

    /// Lets another task drive the connection: `waiter` is told what becomes of the message of who drove it.
    pub(super) fn detach(&mut self, waiter: oneshot::Sender<Turn>) {
        self.detached = true;
        if let Some(transaction) = self.sent.iter_mut().find(|transaction| transaction.is_of_driver()) {
            transaction.hand_to(waiter);
        }
    }

    async fn try_send(&mut self, transaction: &mut Transaction) -> Result<(), Box<Ended>> {
        if let Some(room) = transaction.job.needs_more_than(&self.connection) {
            return Err(Box::new(Err(Setback {
                room: Some(room),
                ..given_up(true)
            })));
        }
        if let Some(job) = transaction.job.downgraded(&self.connection) {
            transaction.job = Arc::new(job);
        }
        // The end of a message ends its transaction, whatever the answer (RFC 5321 §4.1.1.4). But if one by BDAT is refused, not
        // every server forgets it by itself.
        let reset = match self.sent.is_empty() {
            true => self.connection.dirty,
            false => self.sent.iter().any(|sent| sent.chunked),
        };
        let room = self.connection.wire.lend_room();
        let plan = transaction.job.plan(&self.connection, reset, room);
        // An error here leaves the connection as good as before: nothing was sent.
        let plan = plan.map_err(|error| Box::new(Err(Setback::new(invalid(error), true, false))))?;
        transaction.chunked = plan.way != Way::Data;
        let steps = plan.flights.steps(0).count() + 1;
        while !self.sent.is_empty() && self.awaited() + steps > MAX_FLIGHT {
            self.settle_first().await;
        }
        self.check_usable()?;
        let sent = match plan.way {
            Way::Eager => self.send_eagerly(transaction, &plan.flights).await,
            _ => self.send_politely(transaction, &plan).await,
        };
        self.connection.wire.take_room_back(plan.flights.into_room());
        sent
    }

    /// What ends a message that another one left no connection for.
    fn check_usable(&self) -> Result<(), Box<Ended>> {
        match self.usable {
            true => Ok(()),
            false => Err(Box::new(Err(Setback::new(
                Step::Mail.failed(SmtpError::Closed).not_accepted(),
                false,
                true,
            )))),
        }
    }

    /// Commands and content in one go.
    async fn send_eagerly(&mut self, transaction: &mut Transaction, flights: &Flights) -> Result<(), Box<Ended>> {
        if !transaction.may_send() {
            return Err(Box::new(Err(given_up(true))));
        }
        // Too late for this message is not too late for those before: who waits for it looks after its deadline.
        let budget = match self.sent.is_empty() {
            true => transaction.budget,
            false => transaction.budget.without_end(),
        };
        let wire = &mut self.connection.wire;
        for number in 0..flights.count() {
            wire.queue_commands(flights.octets(number));
            transaction.awaited.extend(flights.steps(number));
        }
        transaction.awaited.push_back(Step::End);
        let job = Arc::clone(&transaction.job);
        if let Content::Whole(stuffed, rope) = &*job.content {
            for segment in whole_chunk(stuffed, rope) {
                transaction.end = Some(wire.queue(segment));
            }
        }
        if let Err(failed) = wire.write_down_to(MAX_UNSENT, Step::Content, &budget).await {
            return Err(Box::new(Box::pin(self.lose(transaction, failed)).await));
        }
        Ok(())
    }

    /// Commands first, and content once somebody wants it.
    async fn send_politely(&mut self, transaction: &mut Transaction, plan: &Plan) -> Result<(), Box<Ended>> {
        let talked = self.talk(transaction, &plan.flights).await;
        talked.map_err(|failed| Box::new(Err(before_content(failed, &self.connection))))?;
        self.check_usable()?;
        transaction.gate(&self.connection)?;
        if let Some(early) = self.connection.wire.reply_at_hand().await {
            // A reply that is here before the message is no reply to it, and must not be taken for one.
            return Err(Box::new(Err(match early.code() >= 400 {
                true => Setback {
                    keep: false,
                    ..transaction.all_refused(Step::Content, &early)
                },
                false => {
                    let failed = Step::Content.failed(SmtpError::Unexpected(early.code()));
                    before_content(failed, &self.connection)
                }
            })));
        }
        if !transaction.may_send() {
            return Err(Box::new(Err(given_up(plan.way == Way::Chunks))));
        }
        let job = Arc::clone(&transaction.job);
        let budget = transaction.budget;
        let wire = &mut self.connection.wire;
        let result = match (&*job.content, plan.way) {
            (Content::Whole(stuffed, _), Way::Data) => {
                let end = stuffed
                    .segments()
                    .iter()
                    .fold(0, |_, segment| wire.queue(segment.clone()));
                // Some servers take less than all of the end for it.
                let tail = u64::try_from(stuffed.terminator_length()).unwrap_or(u64::MAX);
                transaction.end = Some(end.saturating_sub(tail).saturating_add(1));
                wire.write_down_to(MAX_UNSENT, Step::Content, &budget).await
            }
            (Content::Whole(stuffed, rope), _) => {
                for segment in whole_chunk(stuffed, rope) {
                    transaction.end = Some(wire.queue(segment));
                }
                wire.write_down_to(MAX_UNSENT, Step::Content, &budget).await
            }
            // What happens seldom has its own place, so that the others need not be as large.
            (Content::Streamed(rope), Way::Data) => Box::pin(self.stream(transaction, rope)).await,
            (Content::Streamed(rope), _) => Box::pin(self.stream_chunks(transaction, rope, plan.pipelining)).await,
        };
        match result {
            Ok(()) => {
                if let Some(reply) = transaction.chunk_refused() {
                    return Err(Box::new(Err(transaction.all_refused(Step::Content, reply))));
                }
                let finals = transaction.expected_finals();
                transaction.awaited.extend(std::iter::repeat_n(Step::End, finals));
                Ok(())
            }
            Err(failed) => Err(Box::new(Box::pin(self.lose(transaction, failed)).await)),
        }
    }

    /// Sends the commands and notes the answers; before the first answer come those to the messages before.
    async fn talk(&mut self, transaction: &mut Transaction, flights: &Flights) -> Result<(), Failed> {
        for number in 0..flights.count() {
            let is_data_alone = flights.steps(number).next() == Some(Step::Data);
            let progress = &transaction.progress;
            if progress.is_sender_refused() || (is_data_alone && progress.is_hopeless()) {
                break;
            }
            self.connection.wire.queue_commands(flights.octets(number));
            if number == 0 {
                while !self.sent.is_empty() {
                    self.settle_first().await;
                }
                if !self.usable {
                    return Ok(());
                }
            }
            for step in flights.steps(number) {
                let reply = self.reply_to(transaction, step).await?;
                if reply.is_closing() {
                    return Err(refused(step, &reply));
                }
                transaction.take(step, reply, &mut self.connection)?;
            }
        }
        Ok(())
    }

    /// Sends a message as it is read. Of what is read, no more than two pieces are in memory. If the message cannot be read to
    /// its end, its end is never written.
    async fn stream(&mut self, transaction: &mut Transaction, rope: &Rope) -> Result<(), Failed> {
        let budget = transaction.budget;
        let unfit = |error| Step::Read.failed(SmtpError::Content(error));
        let wire = &mut self.connection.wire;
        let mut reader = ContentReader::new(rope);
        let mut stuffer = DotStuffer::new();
        while let Some(chunk) = next(&mut reader, transaction, &budget).await? {
            stuffer.push(&chunk).map_err(unfit)?;
            if stuffer.ready_length() >= AT_ONCE {
                for segment in stuffer.take_ready() {
                    wire.queue(segment);
                }
                wire.flush(Step::Content, &budget).await?;
            }
        }
        let rest = stuffer.finish().map_err(unfit)?;
        let end = rest.segments().iter().fold(0, |_, segment| wire.queue(segment.clone()));
        let tail = u64::try_from(rest.terminator_length()).unwrap_or(u64::MAX);
        transaction.end = Some(end.saturating_sub(tail).saturating_add(1));
        Ok(())
    }

    /// The same by BDAT, in chunks of bounded size.
    async fn stream_chunks(&mut self, transaction: &mut Transaction, rope: &Rope, ahead: bool) -> Result<(), Failed> {
        let budget = transaction.budget;
        let unfit = |error| Step::Read.failed(SmtpError::Content(error));
        let most = if ahead { MAX_CHUNKS } else { 0 };
        let mut reader = ContentReader::new(rope);
        // It only looks: a chunk has its octets as they are.
        let mut stuffer = DotStuffer::new();
        let (mut ready, mut length) = (Vec::new(), 0_usize);
        while let Some(chunk) = next(&mut reader, transaction, &budget).await? {
            stuffer.push(&chunk).map_err(unfit)?;
            stuffer.take_ready();
            length += chunk.len();
            ready.push(chunk);
            if length >= AT_ONCE {
                let command = format!("BDAT {length}\r\n");
                self.chunk(command, std::mem::take(&mut ready));
                length = 0;
                transaction.awaited.push_back(Step::Chunk);
                self.connection.wire.flush(Step::Content, &budget).await?;
                self.hear(transaction, most).await?;
                if transaction.chunk_refused().is_some() {
                    return self.hear(transaction, 0).await;
                }
            }
        }
        let complete = stuffer.finish().map_err(unfit)?.terminator_length() == 3;
        if !complete {
            length += 2;
            ready.push(Bytes::from_static(b"\r\n"));
        }
        self.hear(transaction, 0).await?;
        if transaction.chunk_refused().is_none() {
            transaction.end = Some(self.chunk(format!("BDAT {length} LAST\r\n"), ready));
        }
        Ok(())
    }

    fn chunk(&mut self, command: String, octets: Vec<Bytes>) -> u64 {
        let wire = &mut self.connection.wire;
        let end = wire.queue(Bytes::from(command));
        octets.into_iter().fold(end, |_, segment| wire.queue(segment))
    }

    /// Reads a reply to a message that is not sent yet, as long as somebody waits for what becomes of it.
    async fn reply_to(&mut self, transaction: &mut Transaction, step: Step) -> Result<WireReply, Failed> {
        let budget = transaction.budget;
        let reply = self.connection.wire.reply(step, &budget);
        if !self.detached {
            return reply.await;
        }
        tokio::select! {
            biased;
            reply = reply => reply,
            () = transaction.abandoned() => Err(step.failed(SmtpError::Timeout)),
        }
    }

    /// Reads replies to parts of a message until no more than `rest` are awaited.
    async fn hear(&mut self, transaction: &mut Transaction, rest: usize) -> Result<(), Failed> {
        while transaction.awaited.len() > rest
            && let Some(step) = transaction.awaited.front().copied()
        {
            let reply = self.reply_to(transaction, step).await?;
            transaction.awaited.pop_front();
            if reply.is_closing() {
                return Err(refused(step, &reply));
            }
            transaction.take(step, reply, &mut self.connection)?;
        }
        Ok(())
    }

    /// Reads what is left of the replies to the oldest message, and says what became of it. Dropping it loses nothing.
    pub(super) async fn settle_first(&mut self) {
        self.refuse_early();
        while let Some(step) = self.sent.front().and_then(|first| first.awaited.front().copied()) {
            let reply = match self.detached {
                true => {
                    let sent = &mut self.sent;
                    let Some(budget) = sent.front().map(|first| first.budget.without_end()) else {
                        return;
                    };
                    // When nobody waits any more, neither does this.
                    let all_gone = async {
                        for transaction in sent {
                            transaction.abandoned().await;
                        }
                    };
                    let reply = self.connection.wire.reply_by(step, &budget, &mut self.deadline);
                    tokio::select! {
                        biased;
                        reply = reply => reply,
                        () = all_gone => Err(step.failed(SmtpError::Timeout)),
                    }
                }
                false => {
                    let Some(budget) = self.sent.front().map(|first| first.budget) else {
                        return;
                    };
                    let wire = &mut self.connection.wire;
                    wire.reply_by(step, &budget, &mut self.deadline).await
                }
            };
            self.deadline = None;
            match reply {
                Ok(reply) => self.note(step, reply),
                Err(failed) => Box::pin(self.fail(failed)).await,
            }
        }
        if let Some(first) = self.sent.pop_front() {
            let ended = first.decide();
            if self.detached {
                self.connection.last_used = Instant::now();
            }
            if let Err(setback) = &ended {
                self.usable &= setback.keep;
            }
            self.finish(first, ended);
            if !self.usable {
                self.fail_all(&Step::End.failed(SmtpError::Closed));
            }
        }
    }

    /// A reply that is here before the oldest message has left is no reply to it, and must not be taken for one.
    fn refuse_early(&mut self) {
        let Some(first) = self.sent.front() else { return };
        let wire = &mut self.connection.wire;
        if first.end.is_none_or(|end| wire.may_have_left(end)) {
            return;
        }
        let failed = match wire.reply_in_hand() {
            Ok(None) => return,
            Ok(Some(early)) if early.code() >= 400 => {
                let ended = Err(Setback {
                    keep: false,
                    ..first.all_refused(Step::Content, &early)
                });
                if let Some(first) = self.sent.pop_front() {
                    self.finish(first, ended);
                }
                Step::Content.failed(SmtpError::Closed)
            }
            Ok(Some(early)) => Step::Content.failed(SmtpError::Unexpected(early.code())),
            Err(error) => Step::Content.failed(error),
        };
        self.usable = false;
        self.fail_all(&failed);
    }

    /// Notes the reply to the oldest message's `step`.
    fn note(&mut self, step: Step, reply: WireReply) {
        let Some(first) = self.sent.front_mut() else { return };
        first.awaited.pop_front();
        let is_last = step == Step::End && first.awaited.is_empty();
        if reply.is_closing() && !is_last {
            // What stands behind this in the session was not looked at (RFC 5321 §3.8).
            let failed = refused(step, &reply);
            self.usable = false;
            if step == Step::End {
                // LMTP: those after this one have no reply.
                let result = first.take(step, reply, &mut self.connection);
                self.fail_all(&result.err().unwrap_or(failed));
                return;
            }
            let Some(first) = self.sent.pop_front() else { return };
            let try_fresh = first.behind || !first.first;
            self.finish(first, Err(Setback::new(failed.not_accepted(), false, try_fresh)));
            self.forget_rest();
            return;
        }
        let closing = reply.is_closing();
        if let Err(failed) = first.take(step, reply, &mut self.connection) {
            self.usable = false;
            self.fail_all(&failed);
        } else if closing {
            self.usable = false;
            if let Some(first) = self.sent.pop_front() {
                let ended = first.decide();
                self.finish(first, ended);
            }
            self.forget_rest();
        }
    }

    /// The server said that it closes the connection, before it came to these: another connection may do better.
    fn forget_rest(&mut self) {
        for transaction in std::mem::take(&mut self.sent) {
            let failed = Step::Mail.failed(SmtpError::Closed);
            self.finish(transaction, Err(Setback::new(failed.not_accepted(), false, true)));
        }
    }

    /// Says what became of every message when the connection is lost.
    async fn fail(&mut self, failed: Failed) {
        self.usable = false;
        self.hear_last().await;
        self.fail_all(&failed);
    }

    /// Takes the replies that are there although the connection is lost: they count.
    async fn hear_last(&mut self) {
        while let Some(step) = self.sent.front().and_then(|first| first.awaited.front().copied())
            && let Some(reply) = self.connection.wire.reply_at_hand().await
        {
            let Some(first) = self.sent.front() else { return };
            let wire = &self.connection.wire;
            let has_left = first.end.is_some_and(|end| wire.may_have_left(end));
            if step == Step::End && !has_left {
                // It is no reply to a message that has not left; but a server that gives up early often says why before it
                // hangs up.
                if reply.code() >= 400 {
                    let ended = Err(Setback {
                        keep: false,
                        ..first.all_refused(Step::Content, &reply)
                    });
                    if let Some(first) = self.sent.pop_front() {
                        self.finish(first, ended);
                    }
                }
                return;
            }
            self.note(step, reply);
            if let Some(first) = self.sent.pop_front_if(|first| first.awaited.is_empty()) {
                let ended = first.decide();
                self.finish(first, ended);
            }
        }
    }

    fn fail_all(&mut self, failed: &Failed) {
        for transaction in std::mem::take(&mut self.sent) {
            let left = transaction
                .end
                .is_some_and(|end| self.connection.wire.may_have_left(end));
            let ended = transaction.lost(failed.alike(), left);
            self.finish(transaction, ended);
        }
    }

    /// What became of a message that was being sent when the connection was lost, or the message could not be read. Those before
    /// it are lost too, as far as they were not answered.
    async fn lose(&mut self, transaction: &mut Transaction, failed: Failed) -> Ended {
        if failed.is_local() {
            // Without its end, the server has to forget the message when the connection goes (RFC 5321 §4.1.1.4).
            return Err(Setback::new(failed.not_accepted(), false, false));
        }
        self.usable = false;
        self.hear_last().await;
        while self.sent.is_empty()
            && let Some(reply) = self.connection.wire.reply_at_hand().await
        {
            match transaction.awaited.pop_front() {
                Some(step) if step != Step::End => {
                    if reply.is_closing() || transaction.take(step, reply, &mut self.connection).is_err() {
                        break;
                    }
                }
                // A server that gives up early often says why before it hangs up.
                _ if reply.code() >= 400 => {
                    return Err(Setback {
                        keep: false,
                        ..transaction.all_refused(Step::Content, &reply)
                    });
                }
                _ => break,
            }
        }
        self.fail_all(&failed);
        let left = transaction
            .end
            .is_some_and(|end| self.connection.wire.may_have_left(end));
        transaction.lost(failed, left)
    }
}

/// Reads the next piece, as long as somebody waits for what becomes of the message.
async fn next(
    reader: &mut ContentReader,
    transaction: &mut Transaction,
    budget: &Budget,
) -> Result<Option<Bytes>, Failed> {
    let read = tokio::select! {
        biased;
        read = budget.run(Step::Read, reader.next()) => read?,
        () = transaction.abandoned() => return Err(Step::Read.failed(SmtpError::Timeout)),
    };
    let chunk = read.transpose();
    chunk.map_err(|error| Step::Read.failed(SmtpError::Source(error)))
}
