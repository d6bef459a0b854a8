//! A server made of a script: what it reads and what it answers, connection by connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use posthaste_smtp::{SmtpConfig, SmtpTransport, Tls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One step of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// Sends these bytes.
    Say(&'static str),
    /// Reads this many lines.
    Read(usize),
    /// Reads up to the final dot.
    ReadMessage,
    /// Reads on and answers nothing.
    Ignore,
    /// Stops reading and keeps the connection open.
    Stall,
}

/// A scripted server. A connection is closed at the end of its steps; one without a script is refused.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    pub(crate) async fn start(connections: Vec<Vec<Do>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&lines);
        tokio::spawn(async move {
            for steps in connections {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, steps, Arc::clone(&seen)));
            }
        });
        Self { address, lines }
    }

    /// Every line read so far, on all connections.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// How often a line that begins with `verb` was read.
    pub(crate) fn count(&self, verb: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(verb)).count()
    }

    pub(crate) fn client(&self) -> SmtpConfig {
        SmtpTransport::builder("127.0.0.1")
            .port(self.address.port())
            .tls(Tls::None)
    }
}

async fn serve(stream: TcpStream, steps: Vec<Do>, seen: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    for step in steps {
        match step {
            Do::Say(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            Do::Read(count) => {
                for _ in 0..count {
                    if line(&mut stream, &seen).await.is_none() {
                        return;
                    }
                }
            }
            Do::ReadMessage => loop {
                match line(&mut stream, &seen).await.as_deref() {
                    Some(".") => break,
                    Some(_) => {}
                    None => return,
                }
            },
            Do::Ignore => while line(&mut stream, &seen).await.is_some() {},
            Do::Stall => std::future::pending::<()>().await,
        }
    }
}

async fn line(stream: &mut BufReader<TcpStream>, seen: &Mutex<Vec<String>>) -> Option<String> {
    let mut bytes = Vec::new();
    let count = stream.read_until(b'\n', &mut bytes).await.ok()?;
    if count == 0 {
        return None;
    }
    let line = String::from_utf8_lossy(&bytes)
        .trim_end_matches(['\r', '\n'])
        .to_owned();
    seen.lock().unwrap().push(line.clone());
    Some(line)
}
