//! A process that runs until it is told to stop.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// The signal that makes it stop at once and in order.
    signal: &'static str,
}

impl Running {
    /// Starts a process and waits until it is ready; `None` if it ended before.
    pub(crate) fn start(mut command: Command, signal: &'static str, is_ready: impl Fn() -> bool) -> Option<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let mut running = Self { child, signal };
        let until = Instant::now() + PATIENCE;
        while running.is_alive() {
            if is_ready() {
                return Some(running);
            }
            assert!(Instant::now() < until, "{command:?} does not get ready");
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "process {pid} cannot be signalled"
        );
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("its state can be asked").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_alive() {
            self.signal(self.signal);
            // A process that stands still hears it only when it goes on.
            self.signal("CONT");
            let until = Instant::now() + PATIENCE;
            while self.is_alive() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        // It may have ended by itself; either way it is gone after this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Returns an address where connections are taken and nothing is ever said, until the listener is dropped.
#[must_use]
pub fn silent_address() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}
