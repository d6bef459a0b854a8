//! Replies and commands over a byte stream.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Buf, Bytes, BytesMut};
use posthaste_mime::Rope;
use posthaste_transport::ContentReader;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::budget::{Budget, Step};
use crate::connector::Stream;
use crate::error::{Failed, SmtpError};
use crate::protocol::{DotStuffer, ReplyParser, StuffedContent, WireReply};

/// Most slices given to one write.
const MAX_SLICES: usize = 64;
/// Most octets given to one write.
const MAX_WRITE: usize = 128 * 1024;
/// Octets of a message that is being read which are worth a write.
const AT_ONCE: usize = 32 * 1024;

/// A stream with what was read of it and not yet used.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    inbound: BytesMut,
    parser: ReplyParser,
    /// What only the two ends of the TLS session know (RFC 9266).
    channel_binding: Option<Zeroizing<[u8; 32]>>,
}

/// How sending a message's content failed.
pub(super) struct ContentFailed {
    pub(super) failed: Failed,
    /// Whether the server may have got the end of the message.
    pub(super) maybe_complete: bool,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            inbound: BytesMut::new(),
            parser: ReplyParser::new(),
            channel_binding: None,
        }
    }

    /// Returns the `tls-exporter` of the TLS session, if there is one that has it.
    pub(super) fn channel_binding(&self) -> Option<&[u8; 32]> {
        self.channel_binding.as_deref()
    }

    /// Reads one reply.
    pub(super) async fn reply(&mut self, step: Step, budget: &Budget) -> Result<WireReply, Failed> {
        let reply = budget.run(step, self.read_reply()).await?;
        reply.map_err(|error| step.failed(error))
    }

    async fn read_reply(&mut self) -> Result<WireReply, SmtpError> {
        loop {
            if let Some(reply) = self.parse()? {
                return Ok(reply);
            }
            self.inbound.reserve(2048);
            if self.stream.read_buf(&mut self.inbound).await.map_err(SmtpError::Io)? == 0 {
                return Err(SmtpError::Closed);
            }
        }
    }

    fn parse(&mut self) -> Result<Option<WireReply>, SmtpError> {
        let (used, reply) = self.parser.advance(&self.inbound).map_err(SmtpError::Reply)?;
        self.inbound.advance(used);
        Ok(reply)
    }

    /// Writes whole commands.
    pub(super) async fn command(&mut self, line: &[u8], step: Step, budget: &Budget) -> Result<(), Failed> {
        let write = async {
            self.stream.write_all(line).await?;
            self.stream.flush().await
        };
        budget
            .run(step, write)
            .await?
            .map_err(|error| step.failed(SmtpError::Io(error)))
    }

    /// Writes a message, piece by piece without copying it, and says how far it may have got.
    pub(super) async fn content(&mut self, content: &StuffedContent, budget: &Budget) -> Result<(), ContentFailed> {
        let end = content.wire_length() - content.terminator_length();
        self.segments(content.segments(), Some(end), budget).await?;
        let flushed = match budget.run(Step::Content, self.stream.flush()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Step::Content.failed(SmtpError::Io(error)),
            Err(failed) => failed,
        };
        Err(ContentFailed {
            failed: flushed,
            maybe_complete: true,
        })
    }

    /// Writes a message as it is read, and says how far it may have got. Of what is read, no more than two pieces are in
    /// memory. If the message cannot be read to its end, its end is never written.
    pub(super) async fn streamed(&mut self, rope: &Rope, budget: &Budget) -> Result<(), ContentFailed> {
        let incomplete = |failed| ContentFailed {
            failed,
            maybe_complete: false,
        };
        let unfit = |error| incomplete(Step::Read.failed(SmtpError::Content(error)));
        let mut reader = ContentReader::new(rope);
        let mut stuffer = DotStuffer::new();
        while let Some(chunk) = budget.run(Step::Read, reader.next()).await.map_err(incomplete)? {
            let chunk = chunk.map_err(|error| incomplete(Step::Read.failed(SmtpError::Source(error))))?;
            stuffer.push(&chunk).map_err(unfit)?;
            if stuffer.ready_length() >= AT_ONCE {
                self.segments(&stuffer.take_ready(), None, budget).await?;
            }
        }
        self.content(&stuffer.finish().map_err(unfit)?, budget).await
    }

    /// Writes `segments`, of which the server may take what stands behind `end` octets for the end of the message.
    async fn segments(&mut self, segments: &[Bytes], end: Option<usize>, budget: &Budget) -> Result<(), ContentFailed> {
        let reaches_end = |octets: usize| end.is_some_and(|end| octets > end);
        let length: usize = segments.iter().map(Bytes::len).sum();
        let mut cursor = Cursor { segments, offset: 0 };
        let mut written = 0;
        while written < length {
            let (slices, count) = cursor.slices();
            let tried = written + slices.iter().take(count).map(|slice| slice.len()).sum::<usize>();
            let vectored = slices.get(..count).unwrap_or(&slices);
            // A write that is cancelled has written nothing; one that fails may have written some of what it was given.
            let (error, maybe_complete) = match budget.run(Step::Content, self.stream.write_vectored(vectored)).await {
                Ok(Ok(0)) => (Step::Content.failed(SmtpError::Closed), reaches_end(written)),
                Ok(Ok(count)) => {
                    written += count;
                    cursor.advance(count);
                    continue;
                }
                Ok(Err(error)) => (Step::Content.failed(SmtpError::Io(error)), reaches_end(tried)),
                Err(failed) => (failed, reaches_end(written)),
            };
            return Err(ContentFailed {
                failed: error,
                maybe_complete,
            });
        }
        Ok(())
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
    pub(super) async fn start_tls(
        self,
        config: Arc<rustls::ClientConfig>,
        name: ServerName<'static>,
        budget: &Budget,
    ) -> Result<Self, Failed> {
        if !self.inbound.is_empty() || self.parser.is_mid_reply() {
            return Err(Step::StartTls.failed(SmtpError::Injected));
        }
        let handshake = TlsConnector::from(config).connect(name, self.stream);
        let stream = budget
            .run(Step::Tls, handshake)
            .await?
            .map_err(|error| Step::Tls.failed(SmtpError::Tls(error)))?;
        let session = stream.get_ref().1;
        // Before TLS 1.3 it is unique only with an extension that cannot be asked about here (RFC 9266 §4.2).
        let is_unique = session.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        let exported = is_unique.then(|| {
            let room = Zeroizing::new([0; 32]);
            session.export_keying_material(room, b"EXPORTER-Channel-Binding", Some(b""))
        });
        Ok(Self {
            channel_binding: exported.and_then(Result::ok),
            ..Self::new(Box::new(stream))
        })
    }
}

/// A place in a row of segments.
struct Cursor<'a> {
    segments: &'a [Bytes],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Returns the next slices and how many they are: no more octets than one write is to have, so that the end of a long
    /// message is only offered to the connection once the rest was taken.
    fn slices(&self) -> ([IoSlice<'a>; MAX_SLICES], usize) {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let (mut skip, mut room, mut count) = (self.offset, MAX_WRITE, 0);
        for (slice, segment) in slices.iter_mut().zip(self.segments) {
            if room == 0 {
                break;
            }
            let rest = segment.get(skip..).unwrap_or_default();
            let piece = rest.get(..room).unwrap_or(rest);
            *slice = IoSlice::new(piece);
            room -= piece.len();
            skip = 0;
            count += 1;
        }
        (slices, count)
    }

    fn advance(&mut self, count: usize) {
        self.offset += count;
        while let Some((first, rest)) = self.segments.split_first()
            && self.offset >= first.len()
        {
            self.offset -= first.len();
            self.segments = rest;
        }
    }
}
