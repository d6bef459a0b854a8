//! Lines and replies over a byte stream, with deadlines.

use std::future::{Future, poll_fn};
use std::io::{self, Write as _};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::session::Encryption;
use super::verdict::{Verdict, printable};
use crate::connect::Stream;
use crate::protocol::{Command, CommandError, LineFault, LineReader};
use crate::tls::common_name;

/// Octets read at once. They come to lie on the stack; a connection that waits holds no buffer.
const ROOM: usize = 32 * 1024;
/// Replies waiting to be sent are written out before they are more than this.
const MAX_OUTBOUND: usize = 8 * 1024;

/// A stream with what was read and is not used yet, and what is to be written.
///
/// Between two commands of a client both buffers are empty and take no memory. At most [`ROOM`] and a command line are
/// read ahead.
pub(super) struct Talk {
    stream: Box<dyn Stream>,
    inbound: Vec<u8>,
    /// How much of `inbound` was used.
    used: usize,
    outbound: Vec<u8>,
    /// How much of `outbound` was written.
    written: usize,
    lines: LineReader,
    end: Instant,
    /// What binds a login to the TLS session (RFC 9266).
    exporter: Option<Zeroizing<[u8; 32]>>,
}

/// Why nothing more can be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The client is gone.
    Gone,
    /// It said nothing, or took no reply, for too long, or the session's time is up.
    Late,
    /// The server is to stop.
    Stopped,
}

/// A command, or why a line is none.
pub(super) type Heard = Result<Result<Command, CommandError>, LineFault>;

impl Talk {
    /// Talks over `stream` until `end` at the latest.
    pub(super) fn new(stream: Box<dyn Stream>, end: Instant) -> Self {
        Self {
            stream,
            inbound: Vec::new(),
            used: 0,
            outbound: Vec::new(),
            written: 0,
            lines: LineReader::new(),
            end,
            exporter: None,
        }
    }

    /// Reads a command, waiting no longer than `wait` for each piece of it. Replies that wait are sent before the client is
    /// waited for. With `stopped`, the server's end ends the waiting too.
    pub(super) async fn command(
        &mut self,
        limit: usize,
        wait: Duration,
        mut stopped: Option<&mut watch::Receiver<bool>>,
    ) -> Result<Heard, Ended> {
        loop {
            if let Some(heard) = self.take_line(limit, Command::parse) {
                return Ok(heard);
            }
            match &mut stopped {
                None => self.fill(wait).await?,
                Some(stopped) => {
                    self.flush(wait).await?;
                    if *stopped.borrow() {
                        return Err(Ended::Stopped);
                    }
                    tokio::select! {
                        biased;
                        filled = self.fill(wait) => filled?,
                        Ok(_) = stopped.wait_for(|&stop| stop) => return Err(Ended::Stopped),
                    }
                }
            }
        }
    }

    /// Reads a line that may be secret.
    pub(super) async fn line(
        &mut self,
        limit: usize,
        wait: Duration,
    ) -> Result<Result<Zeroizing<Vec<u8>>, LineFault>, Ended> {
        loop {
            if let Some(line) = self.take_line(limit, |line| Zeroizing::new(line.to_vec())) {
                return Ok(line);
            }
            self.fill(wait).await?;
        }
    }

    fn take_line<T>(&mut self, limit: usize, read: impl FnOnce(&[u8]) -> T) -> Option<Result<T, LineFault>> {
        let input = self.inbound.get(self.used..).unwrap_or_default();
        let (used, line) = self.lines.advance(input, limit);
        let line = line.map(|line| line.map(read));
        self.used += used;
        line
    }

    /// Reads what comes next of a message and returns it. [`consume`](Self::consume) says how much of it was used.
    pub(super) async fn input(&mut self, wait: Duration) -> Result<&[u8], Ended> {
        if !self.has_input() {
            self.fill(wait).await?;
        }
        Ok(self.inbound.get(self.used..).unwrap_or_default())
    }

    /// Drops `octets` of the input.
    pub(super) fn consume(&mut self, octets: usize) {
        self.used += octets;
    }

    async fn fill(&mut self, wait: Duration) -> Result<(), Ended> {
        self.flush(wait).await?;
        let deadline = self.deadline(wait);
        let read = poll_fn(|context| self.poll_fill(context));
        match timeout_at(deadline, read).await.map_err(|_| Ended::Late)? {
            Ok(0) | Err(_) => Err(Ended::Gone),
            Ok(_) => Ok(()),
        }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if !self.has_input() {
            self.inbound.clear();
        } else if self.used > 0 {
            self.inbound.drain(..self.used);
        }
        self.used = 0;
        let mut room = [const { MaybeUninit::uninit() }; ROOM];
        let mut room = ReadBuf::uninit(&mut room);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut room);
        if polled.is_pending() {
            // Nobody knows how long this will be.
            if self.inbound.is_empty() {
                self.inbound = Vec::new();
            }
            if self.outbound.is_empty() {
                self.outbound = Vec::new();
            }
        }
        ready!(polled)?;
        self.inbound.extend_from_slice(room.filled());
        Poll::Ready(Ok(room.filled().len()))
    }

    /// Whether the client has said more already.
    pub(super) fn has_input(&self) -> bool {
        self.used < self.inbound.len()
    }

    /// Queues the reply of a verdict.
    pub(super) fn say(&mut self, verdict: &Verdict) {
        // Writing to memory does not fail.
        let _ = write!(self.outbound, "{verdict}\r\n");
    }

    /// Queues a reply without an enhanced status code.
    pub(super) fn say_plain(&mut self, code: u16, text: &str) {
        self.say_line(code, ' ', text);
    }

    /// Queues a challenge of a login, which is in base64 already.
    pub(super) fn say_challenge(&mut self, challenge: &str) {
        let _ = write!(self.outbound, "334 {challenge}\r\n");
    }

    /// Queues a reply of several lines, without an enhanced status code.
    pub(super) fn say_lines(&mut self, code: u16, lines: &[String]) {
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            self.say_line(code, if index == last { ' ' } else { '-' }, line);
        }
    }

    fn say_line(&mut self, code: u16, separator: char, text: &str) {
        let _ = write!(self.outbound, "{code}{separator}{}\r\n", printable(text));
    }

    /// Sends queued replies if they have become many: a client that never waits must not make them grow.
    pub(super) async fn relieve(&mut self, wait: Duration) -> Result<(), Ended> {
        if self.outbound.len() > MAX_OUTBOUND {
            self.flush(wait).await
        } else {
            Ok(())
        }
    }

    /// Sends what is queued, in one write if the stream takes it. Where it is dropped, the next call goes on.
    pub(super) async fn flush(&mut self, wait: Duration) -> Result<(), Ended> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        let deadline = self.deadline(wait);
        let write = async {
            while let Some(rest @ [_, ..]) = self.outbound.get(self.written..) {
                match self.stream.write(rest).await? {
                    0 => return Err(io::Error::from(io::ErrorKind::WriteZero)),
                    count => self.written += count,
                }
            }
            self.stream.flush().await
        };
        timeout_at(deadline, write)
            .await
            .map_err(|_| Ended::Late)?
            .map_err(|_| Ended::Gone)?;
        self.outbound.clear();
        self.written = 0;
        Ok(())
    }

    /// Turns to TLS. Nothing that was said before counts after.
    pub(super) async fn start_tls(
        self,
        config: Arc<rustls::ServerConfig>,
        wait: Duration,
    ) -> Result<(Self, Box<Encryption>), Ended> {
        let deadline = self.deadline(wait);
        let handshake = TlsAcceptor::from(config).accept(self.stream);
        let stream = timeout_at(deadline, handshake)
            .await
            .map_err(|_| Ended::Late)?
            .map_err(|_| Ended::Gone)?;
        let (_, tls) = stream.get_ref();
        let shown = tls.peer_certificates().and_then(<[_]>::first);
        let encryption = Encryption {
            version: tls
                .protocol_version()
                .and_then(|version| version.as_str())
                .map(str::to_owned),
            cipher: tls
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map(str::to_owned),
            server_name: tls.server_name().map(str::to_owned),
            client_name: shown.and_then(|shown| common_name(shown)),
            client_certificate: shown.map(|shown| shown.to_vec()),
            ..Encryption::default()
        };
        // Before TLS 1.3 it is unique only with an extension that cannot be asked about here (RFC 9266 §4.2).
        let is_unique = tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        let exporter = is_unique.then(|| {
            let room = Zeroizing::new([0; 32]);
            tls.export_keying_material(room, b"EXPORTER-Channel-Binding", Some(b""))
        });
        let talk = Self {
            exporter: exporter.and_then(Result::ok),
            ..Self::new(Box::new(stream), self.end)
        };
        Ok((talk, Box::new(encryption)))
    }

    /// Returns what binds a login to the TLS session, if there is one that has it.
    pub(super) fn exporter(&self) -> Option<&[u8; 32]> {
        self.exporter.as_deref()
    }

    /// Whether the client says something in this time.
    pub(super) async fn hears(&mut self, time: Duration) -> bool {
        !time.is_zero() && (self.has_input() || self.fill(time).await.is_ok())
    }

    /// Whether the client has said something already, without waiting for it. Nothing is lost of what it says.
    pub(super) async fn hears_now(&mut self) -> bool {
        if self.has_input() {
            return true;
        }
        let look = poll_fn(|context| Poll::Ready(self.poll_fill(context)));
        matches!(look.await, Poll::Ready(Ok(1..)))
    }

    /// Waits for `work`. If that takes time, what is queued is sent meanwhile: it may say that a message was taken, and who does
    /// not hear that sends it again.
    ///
    /// It is given pinned, and what is seldom needed has its own place: every connection has room for the largest of its steps.
    pub(super) async fn meanwhile<T>(&mut self, wait: Duration, mut work: Pin<&mut impl Future<Output = T>>) -> T {
        let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
        match first.await {
            Poll::Ready(done) => done,
            // Whether it could be sent is seen when the next reply is.
            Poll::Pending => tokio::join!(work, Box::pin(self.flush(wait))).0,
        }
    }

    /// Sends what is queued and ends the stream, TLS with its own goodbye.
    pub(super) async fn close(mut self, wait: Duration) {
        if self.flush(wait).await.is_ok() {
            // The client has been told all there is; how it takes the end no longer matters.
            let _ = timeout_at(self.deadline(wait), self.stream.shutdown()).await;
        }
    }

    fn deadline(&self, wait: Duration) -> Instant {
        from_now(wait).min(self.end)
    }
}

/// Returns the moment after `time`; a time so long that no clock has it is a year.
pub(super) fn from_now(time: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + time.min(YEAR)
}
