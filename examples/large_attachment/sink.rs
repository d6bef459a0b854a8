//! An SMTP server that counts what it is sent and keeps nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The counts of a server on loopback, which runs until the runtime ends.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
    messages: Arc<AtomicU64>,
}

impl Sink {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self {
            address: listener.local_addr()?,
            bytes: Arc::default(),
            messages: Arc::default(),
        };
        let counts = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counts = counts.clone();
                tokio::spawn(async move { counts.serve(stream).await });
            }
        });
        Ok(sink)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many bytes of messages came, whole or not, the final dots left out.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many messages came to their end.
    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        stream.write_all(b"220 sink.example\r\n").await?;
        let mut line = String::new();
        loop {
            line.clear();
            if (&mut stream).take(1000).read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let verb = line.split_ascii_whitespace().next().unwrap_or_default();
            let reply: &[u8] = match verb {
                "EHLO" => b"250-sink.example\r\n250-PIPELINING\r\n250 SIZE\r\n",
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    self.count(&mut stream).await?;
                    b"250 counted\r\n"
                }
                "QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            stream.write_all(reply).await?;
        }
    }

    /// Counts up to the final dot. The client waits for its answer, so nothing stands behind it.
    async fn count(&self, stream: &mut BufReader<TcpStream>) -> io::Result<()> {
        const END: &[u8] = b"\r\n.\r\n";
        let mut tail = Vec::with_capacity(2 * END.len());
        loop {
            let read = stream.fill_buf().await?;
            let count = read.len();
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            tail.extend_from_slice(read.get(count.saturating_sub(END.len())..).unwrap_or_default());
            tail.drain(..tail.len().saturating_sub(END.len()));
            stream.consume(count);
            self.bytes
                .fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            if tail == END {
                // The dot and its line end.
                self.bytes.fetch_sub(3, Ordering::Relaxed);
                self.messages.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
        }
    }
}
