//! A client made of bytes, which may do what no client should.

use posthaste_smtp::protocol::{ReplyParser, WireReply};
use posthaste_smtp::server::ServerBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// One conversation with a server in memory.
pub struct Dialog {
    stream: DuplexStream,
    inbound: Vec<u8>,
}

impl Dialog {
    /// Connects and reads the greeting.
    pub async fn start(server: ServerBuilder) -> Result<Self, String> {
        let mut dialog = Self::connect(server)?;
        dialog.expect(&[220]).await?;
        Ok(dialog)
    }

    /// Connects.
    pub fn connect(server: ServerBuilder) -> Result<Self, String> {
        let server = server.build().map_err(|e| e.to_string())?;
        let (stream, other) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move { server.serve_connection(other, None).await });
        Ok(Self {
            stream,
            inbound: Vec::new(),
        })
    }

    /// Writes bytes. A server that has hung up is noticed by the next read.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads one reply; `None` when the server hung up.
    pub async fn reply(&mut self) -> Result<Option<WireReply>, String> {
        let mut parser = ReplyParser::new();
        loop {
            let (used, reply) = parser.advance(&self.inbound).map_err(|e| format!("not a reply: {e}"))?;
            self.inbound.drain(..used);
            if reply.is_some() {
                return Ok(reply);
            }
            let mut room = [0; 4096];
            match self.stream.read(&mut room).await {
                Ok(0) | Err(_) => return Ok(None),
                Ok(count) => self.inbound.extend_from_slice(&room[..count]),
            }
        }
    }

    /// Says nothing more, and reads raw bytes until the server hangs up.
    pub async fn rest(mut self) -> Vec<u8> {
        let _ = self.stream.shutdown().await;
        let _ = self.stream.read_to_end(&mut self.inbound).await;
        self.inbound
    }

    /// Sends a line and reads the reply.
    pub async fn say(&mut self, line: &str) -> Result<Option<WireReply>, String> {
        self.write(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Sends a line and checks the code of the reply.
    pub async fn ask(&mut self, line: &str, codes: &[u16]) -> Result<WireReply, String> {
        self.write(format!("{line}\r\n").as_bytes()).await;
        self.expect(codes)
            .await
            .map_err(|why| format!("{}: {why}", line.chars().take(60).collect::<String>()))
    }

    /// Reads a reply and checks its code.
    pub async fn expect(&mut self, codes: &[u16]) -> Result<WireReply, String> {
        match self.reply().await? {
            Some(reply) if codes.contains(&reply.code()) => Ok(reply),
            Some(reply) => {
                let text: Vec<_> = reply.lines().collect();
                Err(format!(
                    "answered {} {} instead of {codes:?}",
                    reply.code(),
                    text.join(" / ")
                ))
            }
            None => Err(format!("hung up instead of answering {codes:?}")),
        }
    }
}
