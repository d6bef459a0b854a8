//! Our client, and a server made of bytes that it talks to.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::Rope;
use posthaste_smtp::{ConnectFuture, Connected, Connector, SmtpConfig, SmtpTransport, Tls};
use posthaste_transport::{Outbound, Outcome, SendError, SendOptions, Transport};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

/// A server that answers each command from a list, and keeps what it was sent.
#[derive(Clone, Debug, Default)]
pub struct Fake {
    /// Verbs and the bytes they are answered with; the first match counts. `GREETING` and `END` stand for the start of a
    /// session and the end of a message. Verbs not listed get what a plain server says.
    pub answers: Vec<(&'static str, Vec<u8>)>,
    /// Closes the connection instead of answering this verb.
    pub hang_up_at: Option<&'static str>,
    /// Never answers this verb.
    pub silent_at: Option<&'static str>,
    /// What came in, shared by all connections.
    pub log: Arc<Mutex<Seen>>,
}

/// What the fake server was sent.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Commands, in order.
    pub commands: Vec<String>,
    /// All bytes between 354 and the end of a message, with the final dot.
    pub contents: Vec<Vec<u8>>,
    /// The first byte of the connection.
    pub first_byte: Option<u8>,
}

impl Fake {
    /// Returns what came in so far.
    pub fn seen(&self) -> Seen {
        self.log.lock().unwrap().clone()
    }

    /// Makes a client that talks to this server.
    pub fn client(&self, set: impl FnOnce(SmtpConfig) -> SmtpConfig) -> Result<SmtpTransport, String> {
        let config = SmtpTransport::builder("mx.example.com")
            .tls(Tls::None)
            .connector(self.clone());
        set(config).build().map_err(|e| e.to_string())
    }

    async fn serve(self, stream: DuplexStream) {
        let mut stream = BufReader::new(stream);
        if !self
            .answer(&mut stream, "GREETING", b"220 mx.example.com ESMTP\r\n")
            .await
        {
            return;
        }
        loop {
            let mut line = Vec::new();
            if !matches!(stream.read_until(b'\n', &mut line).await, Ok(count) if count > 0) {
                return;
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.log
                .lock()
                .unwrap()
                .first_byte
                .get_or_insert(line.bytes().next().unwrap_or_default());
            self.log.lock().unwrap().commands.push(line.clone());
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let usual: &[u8] = match verb.as_str() {
                "EHLO" => b"250-mx.example.com\r\n250-8BITMIME\r\n250 SIZE 0\r\n",
                "DATA" => b"354 go\r\n",
                "QUIT" => b"221 bye\r\n",
                _ => b"250 OK\r\n",
            };
            if !self.answer(&mut stream, &verb, usual).await {
                return;
            }
            if verb == "DATA" && self.expects_content() {
                let mut content = Vec::new();
                while !(content.ends_with(b"\r\n.\r\n") || content == b".\r\n") {
                    if !matches!(stream.read_until(b'\n', &mut content).await, Ok(count) if count > 0) {
                        return;
                    }
                }
                self.log.lock().unwrap().contents.push(content);
                if !self.answer(&mut stream, "END", b"250 OK\r\n").await {
                    return;
                }
            }
        }
    }

    fn expects_content(&self) -> bool {
        self.answers
            .iter()
            .find(|(name, _)| *name == "DATA")
            .is_none_or(|(_, answer)| answer.starts_with(b"3"))
    }

    async fn answer(&self, stream: &mut BufReader<DuplexStream>, verb: &str, usual: &[u8]) -> bool {
        if self.hang_up_at == Some(verb) {
            return false;
        }
        if self.silent_at == Some(verb) {
            return true;
        }
        let answer = self
            .answers
            .iter()
            .find(|(name, _)| *name == verb)
            .map_or(usual, |(_, answer)| answer);
        stream.write_all(answer).await.is_ok()
    }
}

impl Connector for Fake {
    fn connect<'a>(&'a self, _host: &'a str, _port: u16) -> ConnectFuture<'a> {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(self.clone().serve(theirs));
        Box::pin(async move { Ok(Connected::new(ours)) })
    }
}

/// Sends `body` after a small header, in pieces of a few bytes.
pub async fn send(client: &SmtpTransport, body: &[u8]) -> Result<Outcome, SendError> {
    let address = |text: &str| text.parse::<EmailAddress>().unwrap();
    let envelope = Envelope::new(Some(address("a@sender.example")), [address("b@rcpt.example")]).unwrap();
    let mut rope = Rope::from(Bytes::from_static(
        b"From: a@sender.example\r\nTo: b@rcpt.example\r\n\r\n",
    ));
    for piece in body.chunks(3) {
        rope.push(Bytes::copy_from_slice(piece));
    }
    client.send(&Outbound::raw(envelope, rope), &SendOptions::new()).await
}
