//! Redis, or Valkey.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::Program;
use crate::running::{Running, free_port};

/// A Redis server that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    running: Option<Running>,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Another process may take the port between our letting it go and its being used: then try another one.
        for _ in 0..5 {
            let port = free_port();
            if let Some(running) = launch(&folder, port) {
                return Self {
                    folder,
                    port,
                    running: Some(running),
                };
            }
        }
        panic!("Redis ends as soon as it is started");
    }

    /// Returns its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Stops it; what it held is gone.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it again on the same port.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_again(&mut self) {
        self.running = None;
        self.running = launch(&self.folder, self.port);
        assert!(self.running.is_some(), "Redis does not start on its old port");
    }

    /// Makes it stand still with its connections open.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends a command of plain words and returns what came back, up to 64 KiB.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        ask(self.port, command).expect("Redis answers")
    }

    fn signal(&self, signal: &str) {
        self.running.as_ref().expect("it runs").signal(signal);
    }
}

fn launch(folder: &TempDir, port: u16) -> Option<Running> {
    let program = Program::Redis.path().expect("a case names the programs that it needs");
    let mut command = Command::new(program);
    // Debian's package of tools has the server under another name, and it goes by the name that it is called.
    command.arg0("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path())
        .args(["--port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running::start(command, "TERM", || {
        ask(port, "PING").is_some_and(|answer| answer == "+PONG\r\n")
    })
}

fn ask(port: u16, command: &str) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = vec![0; 65_536];
    let length = stream.read(&mut answer).ok()?;
    answer.truncate(length);
    String::from_utf8(answer).ok()
}
