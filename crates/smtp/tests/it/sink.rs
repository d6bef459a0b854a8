//! A server that takes many messages in flight, does wrong what it is told to, and counts how often it had to wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use posthaste_smtp::{SmtpConfig, SmtpTransport, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong, once, with the message of this number (from 0, in the order of MAIL commands).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The connection is closed when the message is there, and it is kept or not.
    HangUp { at: usize, keep: bool },
    /// MAIL is answered with 421.
    Close(usize),
    /// A part that is not the last is refused.
    Chunk(usize),
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    /// The bodies that were taken and acknowledged, or kept without a word.
    pub(crate) taken: Mutex<Vec<String>>,
    /// Messages as they came by BDAT, and the sizes of all chunks.
    pub(crate) contents: Mutex<Vec<Vec<u8>>>,
    pub(crate) chunks: Mutex<Vec<usize>>,
    /// The recipients of each message that was taken.
    pub(crate) recipients: Mutex<Vec<Vec<String>>>,
    /// Every MAIL and XCLIENT command.
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) rounds: AtomicUsize,
    pub(crate) connections: AtomicUsize,
    pub(crate) mails: AtomicUsize,
    pub(crate) resets: AtomicUsize,
    wrong: Mutex<Option<Wrong>>,
}

pub(crate) struct Sink {
    port: u16,
    pub(crate) book: Arc<Book>,
}

impl Sink {
    pub(crate) async fn start(extensions: &'static str, wrong: Option<Wrong>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Arc::new(Book {
            wrong: Mutex::new(wrong),
            ..Book::default()
        });
        let shared = Arc::clone(&book);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, extensions, Arc::clone(&shared)));
            }
        });
        Self { port, book }
    }

    pub(crate) fn client(&self) -> SmtpConfig {
        SmtpTransport::builder("127.0.0.1").port(self.port).tls(Tls::None)
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.book.taken.lock().unwrap().clone()
    }

    pub(crate) fn rounds(&self) -> usize {
        self.book.rounds.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.book.connections.load(Ordering::SeqCst)
    }
}

/// A session. It answers as much as is there, then waits: that is a round trip.
async fn serve(mut stream: TcpStream, extensions: &str, book: Arc<Book>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    stream.write_all(b"220 hi\r\n").await.ok()?;
    let mut session = Session::default();
    let (mut input, mut output) = (Vec::new(), Vec::new());
    loop {
        while let Some(used) = session.step(&input, &mut output, extensions, &book) {
            input.drain(..used);
            if session.over {
                stream.write_all(&output).await.ok()?;
                // What is not read would take the last reply with it.
                stream.shutdown().await.ok()?;
                while stream.read_buf(&mut input).await.ok()? > 0 {}
                return None;
            }
        }
        if !output.is_empty() {
            book.rounds.fetch_add(1, Ordering::SeqCst);
            stream.write_all(&output).await.ok()?;
            output.clear();
        }
        input.reserve(64 * 1024);
        if stream.read_buf(&mut input).await.ok()? == 0 {
            return None;
        }
    }
}

#[derive(Default)]
struct Session {
    number: usize,
    sender: bool,
    /// Those that were accepted.
    recipients: Vec<String>,
    lmtp: bool,
    content: bool,
    body: Vec<u8>,
    over: bool,
}

impl Session {
    /// Takes one command or message from the start of `input` and says how long it is.
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>, extensions: &str, book: &Book) -> Option<usize> {
        if self.content {
            let end = input.windows(5).position(|window| window == b"\r\n.\r\n")?;
            self.content = false;
            self.body = input[..end + 2].to_vec();
            self.finish(output, book);
            return Some(end + 5);
        }
        let end = input.windows(2).position(|window| window == b"\r\n")?;
        let line = String::from_utf8(input[..end].to_vec()).unwrap();
        let mut used = end + 2;
        let verb = line.split([' ', ':']).next().unwrap().to_owned();
        let mut say = |text: &str| output.extend_from_slice(format!("{text}\r\n").as_bytes());
        match verb.as_str() {
            "EHLO" | "LHLO" => {
                self.lmtp = verb == "LHLO";
                say(&format!("250-hi{extensions}\r\n250 OK"));
            }
            "XCLIENT" => {
                book.lines.lock().unwrap().push(line);
                say("220 hi again");
            }
            "RSET" => {
                book.resets.fetch_add(1, Ordering::SeqCst);
                self.reset();
                say("250 ok");
            }
            "MAIL" if self.sender => say("503 nested"),
            "MAIL" => {
                book.lines.lock().unwrap().push(line.clone());
                self.number = book.mails.fetch_add(1, Ordering::SeqCst);
                let mut wrong = book.wrong.lock().unwrap();
                if *wrong == Some(Wrong::Close(self.number)) {
                    *wrong = None;
                    self.over = true;
                    say("421 too many messages");
                } else if line.contains("banned") {
                    say("550 5.7.1 not you");
                } else {
                    self.sender = true;
                    say("250 ok");
                }
            }
            "RCPT" => {
                let taken = self.sender && !line.contains("nobody");
                if taken {
                    self.recipients.push(line);
                }
                say(if taken { "250 ok" } else { "550 5.1.1 no such user" });
            }
            "DATA" if !self.recipients.is_empty() => {
                self.content = true;
                say("354 go");
            }
            "DATA" => say("503 nobody"),
            "BDAT" => {
                let mut words = line.split(' ').skip(1);
                let size: usize = words.next().unwrap().parse().unwrap();
                if input.len() < used + size {
                    return None;
                }
                self.body.extend_from_slice(&input[used..used + size]);
                used += size;
                let mut chunks = book.chunks.lock().unwrap();
                let mut wrong = book.wrong.lock().unwrap();
                let refuses = *wrong == Some(Wrong::Chunk(chunks.len()));
                chunks.push(size);
                if refuses {
                    *wrong = None;
                    self.recipients.clear();
                }
                drop(wrong);
                if refuses {
                    say("452 4.3.1 no room");
                } else if self.recipients.is_empty() {
                    // As it may: the transaction stays open until RSET.
                    self.body.clear();
                    say("503 nobody");
                } else if words.next() == Some("LAST") {
                    book.contents.lock().unwrap().push(self.body.clone());
                    self.finish(output, book);
                } else {
                    say("250 go on");
                }
            }
            "QUIT" => {
                self.over = true;
                say("221 bye");
            }
            _ => say("500 what"),
        }
        Some(used)
    }

    fn reset(&mut self) {
        *self = Self {
            lmtp: self.lmtp,
            ..Self::default()
        };
    }

    fn finish(&mut self, output: &mut Vec<u8>, book: &Book) {
        let body = String::from_utf8(std::mem::take(&mut self.body)).unwrap();
        let body = body.split("\r\n\r\n").nth(1).unwrap().trim_end().to_owned();
        let (number, recipients) = (self.number, std::mem::take(&mut self.recipients));
        self.reset();
        let mut wrong = book.wrong.lock().unwrap();
        if let Some(Wrong::HangUp { at, keep }) = *wrong
            && at == number
        {
            *wrong = None;
            self.over = true;
            if keep {
                book.taken.lock().unwrap().push(body);
            }
            return;
        }
        if self.lmtp {
            let mut taken = Vec::new();
            for recipient in recipients {
                let full = recipient.contains("full");
                let reply: &[u8] = if full {
                    b"452 4.2.2 full\r\n"
                } else {
                    b"250 2.1.5 ok\r\n"
                };
                output.extend_from_slice(reply);
                if !full {
                    taken.push(recipient);
                }
            }
            book.taken.lock().unwrap().push(body);
            book.recipients.lock().unwrap().push(taken);
        } else if body.contains("spam") {
            output.extend_from_slice(b"554 5.7.1 spam\r\n");
        } else {
            let id = body.lines().next().unwrap_or_default();
            output.extend_from_slice(format!("250 2.0.0 Ok: queued as {id}\r\n").as_bytes());
            book.taken.lock().unwrap().push(body);
            book.recipients.lock().unwrap().push(recipients);
        }
    }
}
