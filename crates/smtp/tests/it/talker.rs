//! A client that says whatever it is told to.

use std::net::SocketAddr;

use posthaste_smtp::protocol::{ReplyParser, WireReply};
use posthaste_smtp::server::{Server, ServerBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::postbox::soon;

/// A client made of bytes, over a pipe in memory.
pub(crate) struct Client {
    pub(crate) stream: DuplexStream,
    inbound: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(server: ServerBuilder) -> Self {
        Self::connect_from(server.build().unwrap(), None)
    }

    pub(crate) fn connect_from(server: Server, peer: Option<SocketAddr>) -> Self {
        let (stream, other) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move { server.serve_connection(other, peer).await });
        Self {
            stream,
            inbound: Vec::new(),
        }
    }

    pub(crate) async fn greeted(server: ServerBuilder) -> Self {
        let mut client = Self::connect(server);
        assert_eq!(client.code().await, 220);
        assert_eq!(client.say("EHLO client.example").await, 250);
        client
    }

    pub(crate) async fn in_data(server: ServerBuilder) -> Self {
        let mut client = Self::greeted(server).await;
        for (line, code) in [
            ("MAIL FROM:<a@b.example>", 250),
            ("RCPT TO:<c@d.example>", 250),
            ("DATA", 354),
        ] {
            assert_eq!(client.say(line).await, code, "{line}");
        }
        client
    }

    /// Writes. A server that has hung up is noticed by the next read.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    pub(crate) async fn reply(&mut self) -> Option<WireReply> {
        let mut parser = ReplyParser::new();
        loop {
            let (used, reply) = parser.advance(&self.inbound).unwrap();
            self.inbound.drain(..used);
            if reply.is_some() {
                return reply;
            }
            let mut room = [0; 1024];
            let count = soon(self.stream.read(&mut room)).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.inbound.extend_from_slice(&room[..count]);
        }
    }

    /// The code of the next reply; 0 is a connection that was closed.
    pub(crate) async fn code(&mut self) -> u16 {
        self.reply().await.map_or(0, |reply| reply.code())
    }

    pub(crate) async fn say(&mut self, line: &str) -> u16 {
        self.write(format!("{line}\r\n").as_bytes()).await;
        self.code().await
    }

    pub(crate) async fn check(&mut self, talk: &[(&str, u16)]) {
        for (line, code) in talk {
            assert_eq!(self.say(line).await, *code, "{line}");
        }
    }
}
