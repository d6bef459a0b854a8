//! The suite on the plainest SMTP client there can be: a new connection for each message, one command at a time.
//!
//! It is here to check the suite and its fake server against each other. posthaste-smtp has the client to use.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says plainly what it expects"
)]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use posthaste_conformance::FakeSmtp;
use posthaste_transport::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, Outbound, Outcome, RecipientOutcome, Refusal, Reply,
    SendError, SendFuture, SendOptions, TokioTimer, Transport, TransportInfo, plan, within,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const INFO: TransportInfo = TransportInfo::new("plain-smtp", Capabilities::wire().with(Feature::SmtpUtf8));

#[derive(Debug)]
struct Plain(SocketAddr);

/// One conversation, and how far it is.
struct Talk<'a> {
    stream: BufReader<TcpStream>,
    fates: &'a mut Vec<Option<Refusal>>,
    sent: &'a mut bool,
}

impl Talk<'_> {
    fn lost(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SendError {
        SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted)
            .with_transport(INFO.name().to_owned())
            .with_source(error)
    }

    async fn reply(&mut self) -> Result<Reply, SendError> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            self.stream
                .read_until(b'\n', &mut line)
                .await
                .map_err(|error| self.lost(error))?;
            let text = String::from_utf8_lossy(&line).into_owned();
            let code = text.get(..3).and_then(|code| code.parse::<u16>().ok());
            let (Some(code), Some(mark), true) = (code, text.get(3..4), text.ends_with("\r\n")) else {
                return Err(self.lost("that was no reply"));
            };
            lines.push(text[4..].trim_end().to_owned());
            if mark != "-" {
                return Ok(Reply::new(code, lines));
            }
        }
    }

    async fn command(&mut self, line: &str) -> Result<Reply, SendError> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.stream.write_all(bytes).await.map_err(|error| self.lost(error))
    }

    async fn send(&mut self, mail: &Outbound) -> Result<Reply, SendError> {
        let expect = |reply: Reply, class: u16| {
            let fine = reply.code() / 100 == class;
            if fine {
                Ok(reply)
            } else {
                Err(SendError::from_reply(reply).with_transport(INFO.name().to_owned()))
            }
        };
        expect(self.reply().await?, 2)?;
        expect(self.command("EHLO client.example").await?, 2)?;
        let sender = mail.envelope().mail_from().map(ToString::to_string).unwrap_or_default();
        expect(self.command(&format!("MAIL FROM:<{sender}>")).await?, 2)?;
        for recipient in mail.envelope().recipients() {
            let reply = self.command(&format!("RCPT TO:<{}>", recipient.address())).await?;
            self.fates
                .push((!reply.is_positive()).then(|| Refusal::from_reply(reply)));
        }
        if self.fates.iter().all(Option::is_some) {
            return Ok(Reply::new(554, ["5.5.1 no valid recipients"]));
        }
        expect(self.command("DATA").await?, 3)?;
        let mut stuffed = Vec::new();
        let mut line_start = true;
        // The connection is closed in the middle of the message, which the server then forgets.
        let bytes = mail.rope().to_bytes().map_err(|error| {
            SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
                .with_transport(INFO.name().to_owned())
                .with_source(error)
        })?;
        for (index, byte) in bytes.iter().enumerate() {
            if line_start && *byte == b'.' {
                stuffed.push(b'.');
            }
            stuffed.push(*byte);
            line_start = *byte == b'\n' && index > 0 && bytes[index - 1] == b'\r';
        }
        if !line_start {
            stuffed.extend_from_slice(b"\r\n");
        }
        self.write(&stuffed).await?;
        *self.sent = true;
        self.write(b".\r\n").await?;
        let reply = self.reply().await?;
        *self.sent = false;
        expect(reply, 2)
    }
}

impl Transport for Plain {
    fn info(&self) -> TransportInfo {
        INFO
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            plan(mail, options, &INFO)?;
            let (mut fates, mut sent) = (Vec::new(), false);
            let name = || INFO.name().to_owned();
            let work = async {
                let stream = TcpStream::connect(self.0).await.map_err(|error| {
                    SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted)
                        .with_transport(name())
                        .with_source(error)
                })?;
                Talk {
                    stream: BufReader::new(stream),
                    fates: &mut fates,
                    sent: &mut sent,
                }
                .send(mail)
                .await
            };
            let result = within(&TokioTimer::new(), options.deadline(), work).await;
            let outcome = |open: Fate| {
                let recipients = mail
                    .envelope()
                    .recipients()
                    .iter()
                    .map(|recipient| recipient.address().clone());
                let fates = fates
                    .iter()
                    .cloned()
                    .map(|refusal| refusal.map_or(open.clone(), Fate::Refused));
                let outcome = Outcome::new(
                    recipients
                        .zip(fates)
                        .map(|(address, fate)| RecipientOutcome::new(address, fate)),
                );
                outcome.with_message_id(mail.message_id().unwrap_or_default())
            };
            match result {
                Some(Ok(reply)) => outcome(Fate::Accepted).with_reply(reply).settle(name()),
                Some(Err(error)) if !sent => Err(error),
                Some(Err(error)) => {
                    Err(SendError::from_outcome(error.kind(), outcome(Fate::Unknown)).with_transport(name()))
                }
                None if sent => {
                    Err(SendError::from_outcome(ErrorKind::Timeout, outcome(Fate::Unknown)).with_transport(name()))
                }
                None => Err(SendError::new(ErrorKind::Timeout, Disposition::NotAccepted).with_transport(name())),
            }
        })
    }
}

fn main() -> ExitCode {
    posthaste_conformance::run(|| {
        let peer = FakeSmtp::start().unwrap();
        let transport = Arc::new(Plain(peer.address()));
        Box::new(peer.with_transport(transport))
    })
    .exit_code()
}
