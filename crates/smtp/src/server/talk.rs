//! Lines and replies over a byte stream, with deadlines.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::verdict::{Verdict, printable};
use crate::connector::Stream;
use crate::protocol::{LineFault, LineReader};

/// Octets read at once while commands come: what an idle connection costs.
const COMMAND_ROOM: usize = 2 * 1024;
/// Octets read at once while a message comes.
const CONTENT_ROOM: usize = 32 * 1024;
/// Replies waiting to be sent are written out before they are more than this.
const MAX_OUTBOUND: usize = 8 * 1024;

/// A stream with what was read and is not used yet, and what is to be written.
pub(super) struct Talk {
    stream: Box<dyn Stream>,
    inbound: BytesMut,
    outbound: Vec<u8>,
    lines: LineReader,
    idle: Duration,
    end: Instant,
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

impl Talk {
    pub(super) fn new(stream: Box<dyn Stream>, idle: Duration, end: Instant) -> Self {
        Self {
            stream,
            inbound: BytesMut::new(),
            outbound: Vec::new(),
            lines: LineReader::new(),
            idle,
            end,
        }
    }

    /// Reads a line. Replies that wait are sent before the client is waited for. With `stopped`, the server's end ends the
    /// waiting too.
    pub(super) async fn line(
        &mut self,
        limit: usize,
        stopped: Option<&mut watch::Receiver<bool>>,
    ) -> Result<Result<BytesMut, LineFault>, Ended> {
        let stop = async {
            if let Some(stopped) = stopped
                && stopped.wait_for(|&stop| stop).await.is_ok()
            {
                return;
            }
            std::future::pending().await
        };
        let line = async {
            loop {
                if let Some(line) = self.lines.next_line(&mut self.inbound, limit) {
                    return Ok(line);
                }
                self.fill(COMMAND_ROOM).await?;
            }
        };
        tokio::select! {
            line = line => line,
            () = stop => Err(Ended::Stopped),
        }
    }

    /// Reads what comes next of a message into the buffer and returns it.
    pub(super) async fn input(&mut self) -> Result<&mut BytesMut, Ended> {
        if self.inbound.is_empty() {
            self.fill(CONTENT_ROOM).await?;
        }
        Ok(&mut self.inbound)
    }

    async fn fill(&mut self, room: usize) -> Result<(), Ended> {
        self.flush().await?;
        self.inbound.reserve(room);
        let read = timeout_at(self.deadline(), self.stream.read_buf(&mut self.inbound)).await;
        match read.map_err(|_| Ended::Late)? {
            Ok(0) | Err(_) => Err(Ended::Gone),
            Ok(_) => Ok(()),
        }
    }

    /// Whether the client has said more already.
    pub(super) fn has_input(&self) -> bool {
        !self.inbound.is_empty()
    }

    /// Queues the reply of a verdict.
    pub(super) fn say(&mut self, verdict: &Verdict) {
        self.outbound.extend_from_slice(verdict.to_string().as_bytes());
        self.outbound.extend_from_slice(b"\r\n");
    }

    /// Queues a reply without an enhanced status code.
    pub(super) fn say_plain(&mut self, code: u16, text: &str) {
        self.say_lines(code, &[text.to_owned()]);
    }

    /// Queues a reply of several lines, without an enhanced status code.
    pub(super) fn say_lines(&mut self, code: u16, lines: &[String]) {
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            let separator = if index == last { ' ' } else { '-' };
            self.outbound
                .extend_from_slice(format!("{code}{separator}{}\r\n", printable(line)).as_bytes());
        }
    }

    /// Sends queued replies if they have become many: a client that never waits must not make them grow.
    pub(super) async fn relieve(&mut self) -> Result<(), Ended> {
        if self.outbound.len() > MAX_OUTBOUND {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Sends what is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        let deadline = self.deadline();
        let write = async {
            self.stream.write_all(&self.outbound).await?;
            self.stream.flush().await
        };
        timeout_at(deadline, write)
            .await
            .map_err(|_| Ended::Late)?
            .map_err(|_| Ended::Gone)?;
        self.outbound.clear();
        Ok(())
    }

    /// Turns to TLS. Nothing that was said before counts after.
    pub(super) async fn start_tls(self, config: Arc<rustls::ServerConfig>) -> Result<Self, Ended> {
        let deadline = self.deadline();
        let handshake = TlsAcceptor::from(config).accept(self.stream);
        let stream = timeout_at(deadline, handshake)
            .await
            .map_err(|_| Ended::Late)?
            .map_err(|_| Ended::Gone)?;
        Ok(Self::new(Box::new(stream), self.idle, self.end))
    }

    /// Sends what is queued and ends the stream, TLS with its own goodbye.
    pub(super) async fn close(mut self) {
        if self.flush().await.is_ok() {
            // The client has been told all there is; how it takes the end no longer matters.
            let _ = timeout_at(self.deadline(), self.stream.shutdown()).await;
        }
    }

    fn deadline(&self) -> Instant {
        from_now(self.idle).min(self.end)
    }
}

/// Returns the moment after `time`; a time so long that no clock has it is a year.
pub(super) fn from_now(time: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + time.min(YEAR)
}
