//! PostgreSQL.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Program;
use crate::running::{Running, free_port};

/// The user that a server runs as where this is root, which PostgreSQL refuses to be: nobody.
const NOBODY: u32 = 65_534;

/// A PostgreSQL server with one user, `posthaste`, who needs no password.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    running: Option<Running>,
}

impl Postgres {
    /// Makes an empty cluster and starts a server for it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("the folder can be given away");
        }
        let made = command("initdb")
            .args(["--auth=trust", "--username=posthaste", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--pgdata"])
            .arg(data(&folder))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
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
        panic!("PostgreSQL ends as soon as it is started");
    }

    /// Returns the URL of a database: `postgres` is there from the start.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://posthaste@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops it at once, as a crash would; what was committed stays.
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
        assert!(self.running.is_some(), "PostgreSQL does not start on its old port");
    }
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn launch(folder: &TempDir, port: u16) -> Option<Running> {
    let log = File::create(folder.path().join("log")).expect("a file");
    let mut command = command("postgres");
    command
        .arg("-D")
        .arg(data(folder))
        .args(["-p", &port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args(["-c", "fsync=off", "-c", "max_connections=60"])
        .stdout(Stdio::null())
        .stderr(log);
    let state = data(folder).join("postmaster.pid");
    // The eighth line says how far it is; one of an earlier run is gone or was written over by then.
    let is_ready = || {
        let port = port.to_string();
        fs::read_to_string(&state).is_ok_and(|text| {
            let mut lines = text.lines().skip(3);
            lines.next() == Some(&port) && lines.nth(3).is_some_and(|line| line.trim() == "ready")
        })
    };
    let _ = fs::remove_file(&state);
    Running::start(command, "QUIT", is_ready)
}

/// A program of PostgreSQL's, run by somebody who is not root.
fn command(name: &str) -> Command {
    let server = Program::Postgres
        .path()
        .expect("a case names the programs that it needs");
    let program = server.parent().unwrap_or(Path::new("/")).join(name);
    let mut command = match is_root() {
        false => Command::new(program),
        true => {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", &NOBODY.to_string(), "--regid", &NOBODY.to_string()])
                .args(["--clear-groups", "--"])
                .arg(program);
            command
        }
    };
    command.current_dir("/").env("LC_ALL", "C");
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
