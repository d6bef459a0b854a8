//! One connection.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::peer::{Shared, Transaction};
use super::script::{End, GARBAGE, Script};
use crate::Answer;

/// Longest command line that is read.
const MAX_LINE: usize = 64 << 10;
/// Room for one read: what a test says by hand is in it whole.
const READ: usize = 8 << 10;
/// Longest message that is read.
const MAX_MESSAGE: usize = 256 << 20;

/// One connection, and the mail transaction that is open on it.
pub(super) struct Session {
    stream: TcpStream,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    mail_from: Option<Path>,
    recipients: Vec<Path>,
}

/// An address with its parameters.
struct Path {
    address: String,
    parameters: String,
}

/// Whether the connection goes on.
#[derive(PartialEq, Eq)]
enum Flow {
    Continue,
    Close,
}

impl Session {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        Self {
            stream,
            shared,
            buffer: Vec::new(),
            mail_from: None,
            recipients: Vec::new(),
        }
    }

    pub(super) async fn serve(mut self) -> io::Result<()> {
        let script = self.shared.script();
        if self.misbehaves(&script).await? == Flow::Close {
            return Ok(());
        }
        self.say(&script.greeting).await?;
        while let Some(line) = self.line().await? {
            self.shared.note_command(&line);
            if self.command(&line).await? == Flow::Close {
                break;
            }
        }
        Ok(())
    }

    /// Does what some answers do before anything is taken.
    async fn misbehaves(&mut self, script: &Script) -> io::Result<Flow> {
        match script.answer {
            Answer::HangUpAtOnce => Ok(Flow::Close),
            Answer::Hang => {
                self.wait_for_the_other_side().await;
                Ok(Flow::Close)
            }
            Answer::Garbage => {
                self.say(GARBAGE).await?;
                Ok(Flow::Close)
            }
            _ => Ok(Flow::Continue),
        }
    }

    async fn command(&mut self, line: &str) -> io::Result<Flow> {
        let script = self.shared.script();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        // MAIL and DATA are answered below, for a script may have them fail half-way.
        if let Some(reply) = script.reply(&verb)
            && !(matches!(verb.as_str(), "MAIL" | "RCPT" | "DATA") && reply.starts_with(['2', '3']))
        {
            self.say(&reply).await?;
            return Ok(if reply.starts_with("421") {
                Flow::Close
            } else {
                Flow::Continue
            });
        }
        match verb.as_str() {
            "EHLO" => self.hello(&script).await,
            "HELO" => self.answer("250 fake.example").await,
            "AUTH" => self.authenticate(rest).await,
            "MAIL" => self.mail(&script, rest).await,
            "RCPT" => self.recipient(&script, rest).await,
            "DATA" => self.data(&script).await,
            "RSET" => {
                self.reset();
                self.answer("250 2.0.0 forgotten").await
            }
            "NOOP" => self.answer("250 2.0.0 ok").await,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                Ok(Flow::Close)
            }
            _ => self.answer("502 5.5.1 not here").await,
        }
    }

    async fn hello(&mut self, script: &Script) -> io::Result<Flow> {
        self.reset();
        let mut reply = String::new();
        let mut lines = vec!["fake.example".to_owned()];
        lines.extend(script.capabilities.iter().cloned());
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            reply.push_str(if index == last { "250 " } else { "250-" });
            reply.push_str(line);
            if index != last {
                reply.push_str("\r\n");
            }
        }
        self.answer(&reply).await
    }

    /// Takes any credentials (RFC 4954); what they were is among the commands.
    async fn authenticate(&mut self, rest: &str) -> io::Result<Flow> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let prompts: &[&str] = match (mechanism.to_ascii_uppercase().as_str(), initial.is_empty()) {
            ("PLAIN", true) => &["334 "],
            ("LOGIN", true) => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            ("LOGIN", false) => &["334 UGFzc3dvcmQ6"],
            ("PLAIN", false) => &[],
            _ => return self.answer("504 5.5.4 no such mechanism").await,
        };
        for prompt in prompts {
            self.say(prompt).await?;
            let Some(line) = self.line().await? else {
                return Ok(Flow::Close);
            };
            self.shared.note_command(&line);
            if line == "*" {
                return self.answer("501 5.7.0 given up").await;
            }
        }
        self.answer("235 2.7.0 welcome").await
    }

    async fn mail(&mut self, script: &Script, rest: &str) -> io::Result<Flow> {
        if self.misbehaves(script).await? == Flow::Close {
            return Ok(Flow::Close);
        }
        if let Answer::Throttle { .. } = script.answer {
            return self
                .answer("454 4.7.0 Throttling failure: maximum sending rate exceeded")
                .await;
        }
        if self.mail_from.is_some() {
            return self.answer("503 5.5.1 nested MAIL").await;
        }
        let Some(path) = path(rest, "FROM:") else {
            return self.answer("501 5.5.4 no path").await;
        };
        self.mail_from = Some(path);
        self.answer(&script.reply("MAIL").unwrap_or_else(|| "250 2.1.0 sender ok".to_owned()))
            .await
    }

    async fn recipient(&mut self, script: &Script, rest: &str) -> io::Result<Flow> {
        if self.mail_from.is_none() {
            return self.answer("503 5.5.1 MAIL first").await;
        }
        let Some(path) = path(rest, "TO:") else {
            return self.answer("501 5.5.4 no path").await;
        };
        let reply = script.recipient(&path.address);
        if reply.starts_with('2') {
            self.recipients.push(path);
        }
        self.answer(&reply).await
    }

    async fn data(&mut self, script: &Script) -> io::Result<Flow> {
        if self.recipients.is_empty() {
            return self.answer("554 5.5.1 no valid recipients").await;
        }
        self.say(&script.reply("DATA").unwrap_or_else(|| "354 go on".to_owned()))
            .await?;
        let Some(wire) = self.content(script.answer == Answer::HangUpInMessage).await? else {
            return Ok(Flow::Close);
        };
        let end = script.end_of_data();
        if !matches!(end, End::Refuse(_)) {
            self.take(wire);
        }
        self.reset();
        match end {
            End::Take(reply) | End::Refuse(reply) => self.answer(&reply).await,
            End::Hang => {
                self.wait_for_the_other_side().await;
                Ok(Flow::Close)
            }
            End::HangUp => Ok(Flow::Close),
        }
    }

    fn take(&mut self, wire: Vec<u8>) {
        let Some(mail_from) = self.mail_from.take() else { return };
        let recipients = std::mem::take(&mut self.recipients);
        let (addresses, parameters) = recipients
            .into_iter()
            .map(|path| (path.address, path.parameters))
            .unzip();
        self.shared.note_transaction(Transaction {
            mail_from: mail_from.address,
            mail_parameters: mail_from.parameters,
            recipients: addresses,
            recipient_parameters: parameters,
            wire: wire.into(),
        });
    }

    fn reset(&mut self) {
        self.mail_from = None;
        self.recipients.clear();
    }

    /// Reads up to the final dot, which only CRLF.CRLF is (RFC 5321 §4.1.1.4). `None` if the connection ended, or is to end.
    async fn content(&mut self, hang_up: bool) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0_usize;
        loop {
            if hang_up && !self.buffer.is_empty() {
                return Ok(None);
            }
            let from = searched.saturating_sub(4);
            let unseen = self.buffer.get(from..).unwrap_or_default();
            let end = if self.buffer.starts_with(b".\r\n") {
                Some(3)
            } else {
                unseen
                    .windows(5)
                    .position(|window| window == b"\r\n.\r\n")
                    .map(|start| from + start + 5)
            };
            if let Some(end) = end {
                return Ok(Some(self.buffer.drain(..end).collect()));
            }
            searched = self.buffer.len();
            if searched > MAX_MESSAGE || !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Reads a line without its CRLF. `None` if the connection ended.
    async fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).take(end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if self.buffer.len() > MAX_LINE || !self.fill().await? {
                return Ok(None);
            }
        }
    }

    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(READ);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// Says nothing until the other side has closed the connection.
    async fn wait_for_the_other_side(&mut self) {
        let mut ignored = [0; 1024];
        while matches!(self.stream.read(&mut ignored).await, Ok(1..)) {}
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await
    }

    async fn answer(&mut self, reply: &str) -> io::Result<Flow> {
        self.say(reply).await?;
        Ok(Flow::Continue)
    }
}

/// Reads `FROM:<a@b> PARAMETERS`. A quoted local part may hold `>`.
fn path(text: &str, keyword: &str) -> Option<Path> {
    let (start, rest) = text.split_at_checked(keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let inside = rest.trim_start().strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    let end = inside.char_indices().find_map(|(index, character)| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(index),
            _ => {}
        }
        None
    })?;
    let (address, rest) = inside.split_at_checked(end)?;
    let parameters = rest.strip_prefix('>')?.trim();
    Some(Path {
        address: address.to_owned(),
        parameters: parameters.to_owned(),
    })
}
