//! The server, as a test sees it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use posthaste_transport::Transport;
use tokio::sync::oneshot;

use super::script::Script;
use super::session::Session;
use super::subject::OverSmtp;
use crate::{Answer, Received};

/// An SMTP server on loopback that says what it is told to say, and keeps what it was told.
///
/// It speaks EHLO, AUTH PLAIN and LOGIN (any password will do), MAIL, RCPT, DATA, RSET, NOOP and QUIT, without TLS, with
/// pipelining, and ends a message at CRLF.CRLF only. It runs on a thread of its own, so any test can use it, with or without a
/// runtime, and ends when it is dropped.
///
/// # Examples
///
/// ```
/// use std::io::{BufRead, BufReader, Write};
/// use std::net::TcpStream;
/// use posthaste_conformance::FakeSmtp;
///
/// let peer = FakeSmtp::start()?;
/// peer.refuse("bob@example.net", "550 5.1.1 no such user");
///
/// let mut client = TcpStream::connect(peer.address())?;
/// client.write_all(b"EHLO me\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nQUIT\r\n")?;
/// let replies: Vec<String> = BufReader::new(client).lines().collect::<Result<_, _>>()?;
/// assert!(replies.contains(&"550 5.1.1 no such user".to_owned()));
/// assert_eq!(peer.commands().len(), 4);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FakeSmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
}

/// What sessions and the test share.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    script: Script,
    commands: Vec<String>,
    transactions: Vec<Transaction>,
    connections: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and the state is whole between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn script(&self) -> Script {
        self.state().script.clone()
    }

    pub(super) fn note_command(&self, line: &str) {
        self.state().commands.push(line.to_owned());
    }

    pub(super) fn note_transaction(&self, transaction: Transaction) {
        self.state().transactions.push(transaction);
    }
}

impl FakeSmtp {
    /// Starts on a port of its own on 127.0.0.1, and accepts everything.
    ///
    /// # Errors
    ///
    /// The operating system's, if there is no port or no thread to be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sessions = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("fake-smtp".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = accept(listener, sessions) => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
        })
    }

    /// Returns where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the port on which it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Pairs it with a transport that talks to it, as a subject of the suite.
    #[must_use]
    pub fn with_transport(self, transport: Arc<dyn Transport>) -> OverSmtp {
        OverSmtp::new(self, transport)
    }

    /// Says whether it can be told to answer so: all but a wait, for which SMTP has no words.
    #[must_use]
    pub const fn can(&self, answer: Answer) -> bool {
        !matches!(answer, Answer::Throttle { retry_after: Some(_) })
    }

    /// Tells it how to answer from now on, on open connections too.
    pub fn answer(&self, answer: Answer) {
        self.shared.state().script.answer = answer;
    }

    /// Tells it to answer `RCPT` for that address with a whole reply, such as `550 5.1.1 no such user`.
    pub fn refuse(&self, address: impl Into<String>, reply: impl Into<String>) {
        self.shared
            .state()
            .script
            .recipients
            .insert(address.into(), reply.into());
    }

    /// Tells it to answer a command with a whole reply; `.` stands for the end of a message. 421 closes the connection.
    ///
    /// Several lines are joined by CRLF: `250-one\r\n250 two`.
    pub fn reply_to(&self, verb: &str, reply: impl Into<String>) {
        self.shared
            .state()
            .script
            .replies
            .insert(verb.to_ascii_uppercase(), reply.into());
    }

    /// Sets the greeting of new connections, as a whole reply.
    pub fn greet(&self, greeting: impl Into<String>) {
        self.shared.state().script.greeting = greeting.into();
    }

    /// Sets what EHLO lists.
    pub fn list(&self, capabilities: impl IntoIterator<Item = impl Into<String>>) {
        self.shared.state().script.capabilities = capabilities.into_iter().map(Into::into).collect();
    }

    /// Returns every line that it was sent outside messages, credentials included, oldest first.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.shared.state().commands.clone()
    }

    /// Returns the messages that it took, oldest first.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        self.shared.state().transactions.clone()
    }

    /// Returns the messages that it took, as the suite compares them.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared
            .state()
            .transactions
            .iter()
            .map(Transaction::received)
            .collect()
    }

    /// Returns how many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let mut state = shared.state();
        state.connections = state.connections.saturating_add(1);
        drop(state);
        // A reply that waits to be sent together with the next one would be lost when the script hangs up with bytes unread.
        let _ = stream.set_nodelay(true);
        // A connection that breaks is the client's business; the test sees it there.
        tokio::spawn(Session::new(stream, Arc::clone(&shared)).serve());
    }
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The other end is gone only if the thread is.
            let _ = stop.send(());
        }
    }
}

impl fmt::Debug for FakeSmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSmtp")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// One message that a [`FakeSmtp`] took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub(super) mail_from: String,
    pub(super) mail_parameters: String,
    pub(super) recipients: Vec<String>,
    pub(super) recipient_parameters: Vec<String>,
    pub(super) wire: Bytes,
}

impl Transaction {
    /// Returns what stood between the angle brackets of `MAIL FROM`.
    #[must_use]
    pub fn mail_from(&self) -> &str {
        &self.mail_from
    }

    /// Returns the parameters of `MAIL FROM`, such as `BODY=8BITMIME`.
    #[must_use]
    pub fn mail_parameters(&self) -> &str {
        &self.mail_parameters
    }

    /// Returns the recipients that were accepted.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Returns the parameters of each accepted recipient, such as `NOTIFY=NEVER`.
    #[must_use]
    pub fn recipient_parameters(&self) -> &[String] {
        &self.recipient_parameters
    }

    /// Returns the bytes after `DATA` as they were on the wire, dots doubled and final dot included.
    #[must_use]
    pub const fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// Returns the message: the bytes without doubled dots and without the final dot (RFC 5321 §4.5.2).
    #[must_use]
    pub fn message(&self) -> Bytes {
        let content = self.wire.strip_suffix(b".\r\n").unwrap_or(&self.wire);
        let mut message = Vec::with_capacity(content.len());
        let mut line_start = true;
        let mut previous = 0;
        for byte in content.iter().copied() {
            if !(line_start && byte == b'.') {
                message.push(byte);
            }
            line_start = previous == b'\r' && byte == b'\n';
            previous = byte;
        }
        message.into()
    }

    fn received(&self) -> Received {
        let mail_from = (!self.mail_from.is_empty()).then(|| self.mail_from.clone());
        Received::new(mail_from, self.recipients.iter().cloned(), self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(wire: &[u8]) -> Bytes {
        let transaction = Transaction {
            mail_from: String::new(),
            mail_parameters: String::new(),
            recipients: Vec::new(),
            recipient_parameters: Vec::new(),
            wire: Bytes::copy_from_slice(wire),
        };
        transaction.message()
    }

    #[test]
    fn doubled_dots_are_undone_at_line_starts_only() {
        assert_eq!(message(b"..a\r\nb..c\r\n...\r\n.\r\n"), &b".a\r\nb..c\r\n..\r\n"[..]);
        assert_eq!(message(b".\r\n"), &b""[..]);
        assert_eq!(message(b"a\n..b\r\n.\r\n"), &b"a\n..b\r\n"[..]);
    }
}
